"""The choices above Overview, which its address keeps: period, contract and currency."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta

import streamlit as st

from core import overview
from core.ground import named
from core.overview import PERIODS, ContractCurrency, Period, Question
from core.views import EARLIEST, LATEST

OWN, EVERY = "own", ""
ALL_CURRENCIES = "all"
DEFAULT = list(PERIODS).index("30-days")


def ask_question(pairs: Sequence[ContractCurrency], now: datetime) -> tuple[Question, bool]:
    """Draw the choices, which the address keeps; return them, and whether to show tables."""
    with st.container(horizontal=True, vertical_alignment="center", key="question"):
        st.title("Overview", anchor=False, width="content")
        st.markdown(f":gray[dates in {overview.report_zone()}]", width="stretch")
        period = _ask_period(now)
        labels = {EVERY: "All contracts"} | contract_names(pairs)
        contract = _choose(
            "Contract",
            list(labels),
            width=230,
            label_of=labels.__getitem__,
            on_change=_forget_currency,
        )
        contract_id = None if contract == EVERY else contract
        currency = _ask_currency(overview.currencies(pairs, contract_id))
        shown = st.segmented_control(
            "Show as", ["Charts", "Tables"], default="Charts", required=True, key="show",
            bind="query-params", label_visibility="collapsed",
        )  # fmt: skip
    return Question(period, currency, contract_id), shown == "Tables"


def _ask_currency(known: Sequence[str]) -> str | None:
    """Ask for a currency, or all of them if there are several."""
    labels = {code: code for code in known}
    if len(known) > 1:
        labels[ALL_CURRENCIES] = "All currencies"
    chosen = _choose("Currency", list(labels), width=150, label_of=labels.__getitem__)
    return None if chosen == ALL_CURRENCIES else chosen


def _ask_period(now: datetime) -> Period:
    today = overview.today(now)
    names = {name: words for name, (words, _) in PERIODS.items()} | {OWN: "Custom range"}
    name = _choose(
        "Period",
        list(names),
        index=DEFAULT,
        width=180,
        label_of=names.__getitem__,
        on_change=_begin_range,
    )
    if name != OWN:
        return PERIODS[name][1](today)
    return _ask_days(today)


def _ask_days(today: date) -> Period:
    """Ask for first and last day. The address always has both, so a link keeps its meaning."""
    asked = [
        st.date_input(
            words, None, min_value=EARLIEST, max_value=LATEST, key=words.lower(),
            bind="query-params", label_visibility="collapsed", width=140, help=words,
        )
        for words in ("From", "To")
    ]  # fmt: skip
    days = [day or today for day in asked]
    return Period(min(days), max(days))


def _begin_range() -> None:
    """Put the days of a custom range into the address."""
    if st.session_state.get("period") == OWN:
        today = overview.today(datetime.now(UTC))
        for key, day in {"from": today - timedelta(days=29), "to": today}.items():
            st.session_state[key], st.query_params[key] = day, f"{day}"


def _forget_currency() -> None:
    """Go back to the contract's currency, which an address without `currency` also means."""
    st.session_state.pop("currency", None)


def _choose(
    words: str,
    options: Sequence[str],
    *,
    width: int,
    index: int = 0,
    label_of: Callable[[str], str] = str,
    on_change: Callable[[], None] | None = None,
) -> str:
    chosen = st.selectbox(
        words, options, index, label_of, key=words.lower(), bind="query-params", required=True,
        label_visibility="collapsed", width=width, on_change=on_change,
    )  # fmt: skip
    return chosen or options[index]


def contract_names(pairs: Sequence[ContractCurrency]) -> dict[str, str]:
    """Return the name of each contract, by its ID."""
    return {one.contract_id: named(one.contract_id, one.name) for one in pairs}
