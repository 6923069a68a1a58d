"""Overview: what orders, refunds and deadlines come to; every figure leads to its rows."""

import html
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta

import streamlit as st

from core import overview
from core.ground import format_amount
from core.overview import PERIODS, ContractCurrency, Figure, Overview, Period, Question
from core.tables import ORDERS
from core.views import EARLIEST, LATEST
from pages.charts import address_of, show_plots
from pages.grid import show_empty
from pages.shell import current_actor

OWN, EVERY = "own", ""
USUAL = list(PERIODS).index("30-days")
REFUNDED = "Of the order items made in the period: what has been refunded by now"
RATE = "Of the order items made in the period: the share that has been refunded by now"
RISK = "What can be refunded now, but no more in {}, whenever it was made"


def ask(pairs: Sequence[ContractCurrency], now: datetime) -> tuple[Question, bool]:
    """Draw what can be chosen, kept in the address; return it, and whether to show tables."""
    with st.container(horizontal=True, vertical_alignment="center", key="question"):
        st.title("Overview", anchor=False, width="content")
        st.markdown(f":gray[days in {overview.report_zone()}]", width="stretch")
        period = _ask_period(now)
        labels = {EVERY: "All contracts"} | _names(pairs)
        contract = _choose(
            "Contract", list(labels), width=250, say=labels.__getitem__, then=_forget_currency
        )
        contract_id = None if contract == EVERY else contract
        currency = _choose("Currency", overview.currencies(pairs, contract_id), width=95)
        shown = st.segmented_control(
            "Show as", ["Charts", "Tables"], default="Charts", required=True, key="show",
            bind="query-params", label_visibility="collapsed",
        )  # fmt: skip
    return Question(period, currency, contract_id), shown == "Tables"


def _ask_period(now: datetime) -> Period:
    today = overview.today(now)
    names = {name: words for name, (words, _) in PERIODS.items()} | {OWN: "Own range"}
    name = _choose(
        "Period", list(names), index=USUAL, width=145, say=names.__getitem__, then=_begin_range
    )
    if name != OWN:
        return PERIODS[name][1](today)
    return _ask_days(today)


def _ask_days(today: date) -> Period:
    """Ask for a first and a last day, which the address always has: tomorrow it means the same."""
    asked = [
        st.date_input(
            words, None, min_value=EARLIEST, max_value=LATEST, key=words.lower(),
            bind="query-params", label_visibility="collapsed", width=125, help=words,
        )
        for words in ("From", "To")
    ]  # fmt: skip
    days = [day or today for day in asked]
    return Period(min(days), max(days))


def _begin_range() -> None:
    """Put the days of an own range into the address."""
    if st.session_state.get("period") == OWN:
        today = overview.today(datetime.now(UTC))
        for key, day in {"from": today - timedelta(days=29), "to": today}.items():
            st.session_state[key], st.query_params[key] = day, f"{day}"


def _forget_currency() -> None:
    """Begin with the contract's own: what the address lacks is then the same for everybody."""
    st.session_state.pop("currency", None)


def _choose(
    words: str,
    options: Sequence[str],
    *,
    width: int,
    index: int = 0,
    say: Callable[[str], str] = str,
    then: Callable[[], None] | None = None,
) -> str:
    chosen = st.selectbox(
        words, options, index, say, key=words.lower(), bind="query-params", required=True,
        label_visibility="collapsed", width=width, on_change=then,
    )  # fmt: skip
    return chosen or options[index]


def _names(pairs: Sequence[ContractCurrency]) -> dict[str, str]:
    return {
        one.contract_id: one.contract_id
        if one.name == one.contract_id
        else f"{one.contract_id} · {one.name}"
        for one in pairs
    }


def show_figures(found: Overview, currency: str) -> None:
    """Draw the figures in a row, each a link to its rows."""
    refunded, items = found.refunded, found.items
    part = f"{refunded.count:,} of {items.count:,} order items"
    figures_shown = [
        _figure("Orders", f"{found.orders.count:,}", found.orders),
        _figure("Order items", f"{items.count:,}", items),
        _figure("Amount", _amount(found.orders, currency), found.orders),
        _figure("Refunded", _amount(refunded, currency), refunded, part, REFUNDED),
        _figure("Refund rate", f"{overview.rate(refunded, items):.1%}", refunded, part, RATE),
    ]
    for soon, rows in found.at_risk.items():
        part, why = f"{rows.count:,} order item{'s' * (rows.count != 1)}", RISK.format(soon)
        said = _amount(rows, currency)
        figures_shown.append(_figure(f"At risk in {soon}", said, rows, part, why))
    with st.container(key="figures"):
        st.html("".join(figures_shown))


def _amount(rows: Figure, currency: str) -> str:
    return f"{format_amount(rows.amount_minor, currency)} {currency}"


def _figure(words: str, said: str, rows: Figure, part: str = "", why: str = "") -> str:
    words, said, part, why, address = map(html.escape, (words, said, part, why, address_of(rows)))
    return (
        f'<a href="{address}" title="{why}"><span>{words}</span><strong>{said}</strong>'
        f"<span>{part}</span></a>"
    )


actor, now = current_actor(), datetime.now(UTC)
pairs = overview.load_contract_currencies(actor=actor)
if not pairs:
    st.title("Overview", anchor=False)
    show_empty(ORDERS, actor)
else:
    question, as_tables = ask(pairs, now)
    found = overview.load_overview(question, actor=actor, now=now)
    show_figures(found, question.currency)
    if found.orders.count or found.items.count:
        show_plots(found, question, _names(pairs), as_tables=as_tables)
    else:
        st.info("There are no orders in this period: choose another.", icon=":material/inbox:")
