"""Overview: figures and plots of orders, refunds and deadlines; each one links to its rows."""

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
DEFAULT = list(PERIODS).index("30-days")
REFUNDED = "Order items created in this period that are refunded by now"
RATE = "Share of the order items created in this period that is refunded by now"
RISK = "Refundable now; the deadline is within {}. The period does not apply."


def ask(pairs: Sequence[ContractCurrency], now: datetime) -> tuple[Question, bool]:
    """Draw the choices, which the address keeps; return them, and whether to show tables."""
    with st.container(horizontal=True, vertical_alignment="center", key="question"):
        st.title("Overview", anchor=False, width="content")
        st.markdown(f":gray[dates in {overview.report_zone()}]", width="stretch")
        period = _ask_period(now)
        labels = {EVERY: "All contracts"} | _names(pairs)
        contract = _choose(
            "Contract",
            list(labels),
            width=250,
            label_of=labels.__getitem__,
            on_change=_forget_currency,
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
    names = {name: words for name, (words, _) in PERIODS.items()} | {OWN: "Custom range"}
    name = _choose(
        "Period",
        list(names),
        index=DEFAULT,
        width=145,
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


def _names(pairs: Sequence[ContractCurrency]) -> dict[str, str]:
    return {
        one.contract_id: one.contract_id
        if one.name == one.contract_id
        else f"{one.contract_id} · {one.name}"
        for one in pairs
    }


def show_figures(found: Overview, currency: str) -> None:
    """Draw the figures in a row; each is a link to its rows."""
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
        amount = _amount(rows, currency)
        figures_shown.append(_figure(f"At risk in {soon}", amount, rows, part, why))
    with st.container(key="figures"):
        st.html("".join(figures_shown))


def _amount(rows: Figure, currency: str) -> str:
    return f"{format_amount(rows.amount_minor, currency)} {currency}"


def _figure(words: str, figure: str, rows: Figure, part: str = "", why: str = "") -> str:
    texts = (words, figure, part, why, address_of(rows))
    words, figure, part, why, address = map(html.escape, texts)
    return (
        f'<a href="{address}" title="{why}"><span>{words}</span><strong>{figure}</strong>'
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
        words = "There are no orders in this period. Choose another period."
        st.info(words, icon=":material/inbox:")
