"""The figures of Overview; each one links to its rows and says how it has changed."""

import html
from collections.abc import Sequence

import streamlit as st

from core import overview
from core.ground import format_money, in_zone
from core.overview import Figure, Overview
from pages.charts.changes import Change, change_of, change_of_rate, days_of, in_words
from pages.charts.plots import address_of

REFUNDED = "Order items created in this period and refunded since"
PAID = "Refunds that succeeded in this period, whenever their order items were created"
RATE = "Refunded since, of the order items created in this period"
RISK = "Refundable now; the deadline is within {}. The period does not apply."
EXPIRES = "Expires within {}"
HEADERS = (
    "Currency",
    "Orders created",
    "Order items created",
    "Amount of these orders",
    "Refunded in this period",
    "Refunded of these items",
    "Refund rate of these items",
)


def show_figures(found: Overview, currency: str | None) -> None:
    """Draw the figures in a row; over all currencies also those of each one, side by side."""
    figures_shown = [
        *_counts(found, currency),
        *_amounts(found, currency),
        *_risks(found, currency),
    ]
    with st.container(key="figures"):
        st.html("".join(figures_shown))
    if found.before:
        st.caption(
            f"“More” and “less” compare with the period before, {days_of(found.before.period)}"
        )
    if found.as_of is not None:
        st.caption(f"As of {in_zone(found.as_of, str(overview.report_zone()), seconds=True)}")
    if currency is None:
        with st.container(key="currencies"):
            st.html(_table(found))


def _counts(found: Overview, currency: str | None) -> list[str]:
    where, changes = in_words(currency), _count_changes(found)
    orders, items = found.orders, found.items
    return [
        _figure("Orders created", f"{orders.count:,}", orders, where, change=changes[0]),
        _figure("Order items created", f"{items.count:,}", items, where, change=changes[1]),
    ]


def _count_changes(found: Overview) -> Sequence[Change | None]:
    """Return how the numbers of orders and order items have changed."""
    before = found.before
    if before is None:
        return None, None
    counts = (found.orders.count, before.orders.rows), (found.items.count, before.items.rows)
    return [change_of(now, was, f"{was:,}") for now, was in counts]


def _amounts(found: Overview, currency: str | None) -> list[str]:
    """Return the amounts of one currency, and the refund rate, which all currencies have."""
    items, refunded = found.items, found.refunded
    part = f"{refunded.count:,} of {items.count:,} order items"
    rate = f"{overview.rate(refunded, items):.1%}"
    share = _figure("Refund rate of these items", rate, refunded, part, RATE, _rate_change(found))
    paid, count = found.refunds, f"{found.refunds.count:,}"
    if currency is None:
        return [_figure("Refunded in this period", count, paid, in_words(None), PAID), share]
    orders, given = found.orders, format_money(refunded.amount_minor, currency)
    changes = _amount_changes(found, currency)
    return [
        _figure(
            "Amount of these orders",
            format_money(orders.amount_minor, currency),
            orders,
            f"{orders.count:,} order{'s' * (orders.count != 1)}",
            change=changes[0],
        ),
        _figure(
            "Refunded in this period",
            format_money(paid.amount_minor, currency),
            paid,
            f"{count} refund{'s' * (paid.count != 1)}",
            PAID,
        ),
        _figure("Refunded of these items", given, refunded, part, REFUNDED, changes[1]),
        share,
    ]


def _amount_changes(found: Overview, currency: str) -> Sequence[Change | None]:
    """Return how the amount and the refunded amount of a currency have changed."""
    before = found.before
    if before is None:
        return None, None
    amounts = (
        (found.orders.amount_minor, before.orders.amount_minor),
        (found.refunded.amount_minor, before.items.refunded_minor),
    )
    return [change_of(now, was, format_money(was, currency)) for now, was in amounts]


def _rate_change(found: Overview) -> Change | None:
    """Return how the refund rate has changed, if there were order items before."""
    before = found.before
    if before is None or not before.items.rows:
        return None
    earlier = before.items.refunded / before.items.rows
    return change_of_rate(overview.rate(found.refunded, found.items), earlier)


def _risks(found: Overview, currency: str | None) -> list[str]:
    figures_shown = []
    for soon, rows in found.at_risk.items():
        items = f"refundable order item{'s' * (rows.count != 1)}"
        label, why = EXPIRES.format(soon), RISK.format(soon)
        if currency is None:
            figures_shown.append(_figure(label, f"{rows.count:,}", rows, items, why))
        else:
            amount = format_money(rows.amount_minor, currency)
            figures_shown.append(_figure(label, amount, rows, f"{rows.count:,} {items}", why))
    return figures_shown


def _figure(
    words: str,
    figure: str,
    rows: Figure,
    part: str = "",
    why: str = "",
    change: Change | None = None,
) -> str:
    title = ". ".join(filter(None, (why.rstrip("."), _sentence(change))))
    words, figure, part, title, address = map(
        html.escape, (words, figure, part, title, address_of(rows))
    )
    return (
        f'<a href="{address}" title="{title}"><span>{words}</span><strong>{figure}</strong>'
        f"<span>{part}</span>{_change(change)}</a>"
    )


def _sentence(change: Change | None) -> str:
    return f"{change.sentence[0].upper()}{change.sentence[1:]}" if change else ""


def _change(change: Change | None) -> str:
    """Write a change; a screen reader says the sentence in place of the sign."""
    if change is None:
        return ""
    short, sentence = html.escape(change.short), html.escape(change.sentence)
    return f'<small role="img" aria-label="{sentence}" title="{sentence}">{short}</small>'


def _table(found: Overview) -> str:
    """Write the figures of each currency side by side; amounts of two are never added."""
    risks = [EXPIRES.format(soon) for soon in found.at_risk]
    head = "".join(f'<th scope="col">{html.escape(one)}</th>' for one in (*HEADERS, *risks))
    lines = "".join(_line(code, one) for code, one in found.by_currency.items())
    return (
        '<div tabindex="0" role="region" aria-label="Amounts by currency">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _line(currency: str, found: Overview) -> str:
    orders, items, refunded = found.orders, found.items, found.refunded
    amount, given = _amount_changes(found, currency)
    counted = _count_changes(found)
    cells = [
        _cell(f"{orders.count:,}", orders, counted[0]),
        _cell(f"{items.count:,}", items, counted[1]),
        _cell(format_money(orders.amount_minor, currency), orders, amount),
        _cell(format_money(found.refunds.amount_minor, currency), found.refunds),
        _cell(format_money(refunded.amount_minor, currency), refunded, given),
        _cell(f"{overview.rate(refunded, items):.1%}", refunded, _rate_change(found)),
        *(_cell(format_money(one.amount_minor, currency), one) for one in found.at_risk.values()),
    ]
    return f'<tr><th scope="row">{html.escape(currency)}</th>{"".join(cells)}</tr>'


def _cell(figure: str, rows: Figure, change: Change | None = None) -> str:
    address = html.escape(address_of(rows))
    return f'<td>{_change(change)} <a href="{address}">{html.escape(figure)}</a></td>'
