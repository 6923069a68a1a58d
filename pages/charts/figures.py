"""The figures of Overview; each one links to its rows."""

import html

import streamlit as st

from core import overview
from core.ground import format_money
from core.overview import Figure, Overview
from pages.charts.plots import address_of

REFUNDED = "Order items created in this period and refunded so far"
RATE = "Refunded so far, of the order items created in this period"
RISK = "Refundable now; the deadline is within {}. The period does not apply."


def show_figures(found: Overview, currency: str) -> None:
    """Draw the figures in a row; each is a link to its rows."""
    refunded, items = found.refunded, found.items
    part = f"{refunded.count:,} of {items.count:,} order items"
    figures_shown = [
        _figure("Orders", f"{found.orders.count:,}", found.orders),
        _figure("Order items", f"{items.count:,}", items),
        _figure("Amount", format_money(found.orders.amount_minor, currency), found.orders),
        _figure(
            "Refunded", format_money(refunded.amount_minor, currency), refunded, part, REFUNDED
        ),
        _figure("Refund rate", f"{overview.rate(refunded, items):.1%}", refunded, part, RATE),
    ]
    for soon, rows in found.at_risk.items():
        part, why = f"{rows.count:,} order item{'s' * (rows.count != 1)}", RISK.format(soon)
        amount = format_money(rows.amount_minor, currency)
        figures_shown.append(_figure(f"At risk in {soon}", amount, rows, part, why))
    with st.container(key="figures"):
        st.html("".join(figures_shown))


def _figure(words: str, figure: str, rows: Figure, part: str = "", why: str = "") -> str:
    texts = (words, figure, part, why, address_of(rows))
    words, figure, part, why, address = map(html.escape, texts)
    return (
        f'<a href="{address}" title="{why}"><span>{words}</span><strong>{figure}</strong>'
        f"<span>{part}</span></a>"
    )
