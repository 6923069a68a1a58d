"""The plots of Overview: bars that link to their rows, and the same data as tables of links."""

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any
from urllib.parse import urlencode

import altair as alt
import pandas as pd
import streamlit as st

from core.ground import format_money, to_major, word_of
from core.overview import Figure, Group, Overview, Period, Question, rate
from core.tables import REFUNDS
from core.views import to_short_address
from pages.charts.changes import in_words
from pages.charts.earlier import TIMES, Earlier, draw_line, earlier_of
from pages.shell import plain
from pages.web import base_path

AIRPORTS_SHOWN = 12
TALL, LOW, THICKEST = 290, 190, 22  # pixels
EARLIER = "The period before"
RATES = "#c27a2c"  # differs clearly from the colour of amounts, on light and on dark
OF_CREATION = "by day of creation"
MAX_LABELS = 7  # on an axis of time, each below its bar


@dataclass(frozen=True)
class Bar:
    """A bar: its place on the axis, its length, the rows it links to, its name and its figure."""

    place: str
    value: float
    rows: Figure
    name: str
    figure: str


@dataclass(frozen=True)
class Plot:
    """A plot: bars over time if it has a `unit`; otherwise horizontal bars, one below the other.

    Over time, a faint line shows the period before.
    """

    title: str
    bars: Sequence[Bar]
    places: Sequence[str] = ()  # over time: every day or month of the period
    unit: str | None = None
    is_rate: bool = False
    height: int = LOW
    note: str = ""
    before: Sequence[Earlier] = ()


def address_of(rows: Figure) -> str:
    """Return the address of a figure's rows.

    It is an ordinary link, which loads the page. After a link of Streamlit's own, Back would lose
    the choices in this page's address.
    """
    view = {"view": to_short_address(rows.view)}
    return f"{base_path()}/{rows.view.table.name}?{urlencode(view)}"


def show_plots(
    found: Overview, question: Question, names: Mapping[str, str], *, as_tables: bool
) -> None:
    """Draw every plot, two in a row, as charts or as tables of links.

    `names` has the name of each contract, by its ID.
    """
    plots = [*_over_time(found, question), *_by_group(found, question, names)]
    if found.refunds.count or found.refunded.count:
        plots += _refunds(found, question)
    with st.container(key="plots"):
        for pair in zip_longest(plots[::2], plots[1::2]):
            for column, plot in zip(st.columns(2), pair, strict=True):
                if plot is None:  # the number of plots is odd
                    continue
                with column, st.container(border=True):
                    _show(plot, in_words(question.currency), as_tables=as_tables)


def _show(plot: Plot, where: str, *, as_tables: bool) -> None:
    line = "faint line: the period before" if plot.before and not as_tables else ""
    notes = [plot.note, where, line]
    note = "".join(f" :gray[· {plain(one)}]" for one in notes if one)
    st.markdown(f"**{plain(plot.title)}**{note}")
    if as_tables:
        st.html(_table(plot))
    else:
        st.altair_chart(_chart(plot), key=f"plot_{plot.title}", height=plot.height)


def _over_time(found: Overview, question: Question) -> list[Plot]:
    unit = "day" if question.period.is_by_day else "month"
    currency = question.currency
    places = _places_of([one.period for one in found.time_steps], question.period, unit)
    orders, seconds, rates = list[Bar](), list[Bar](), list[Bar]()
    for one in found.time_steps:
        at = (_place(one.period, unit),) * 2
        orders.append(_count(*at, one.orders))
        seconds.append(
            _count(*at, one.items) if currency is None else _amount(*at, one.orders, currency)
        )
        rates.append(_share(*at, one.refunded, one.items))
    line, second_line, rate_line = earlier_of(found.before, places, unit, currency)
    what = "Order items" if currency is None else "Amount"
    return [
        Plot(f"Orders by {unit}", orders, places, unit, before=line),
        Plot(f"{what} by {unit}", seconds, places, unit, before=second_line),
        Plot(
            f"Refund rate by {unit}",
            rates,
            places,
            unit,
            is_rate=True,
            before=rate_line,
            note=OF_CREATION,
        ),
    ]


def _refunds(found: Overview, question: Question) -> list[Plot]:
    """Return what was refunded, by the day of the refund and by that of the item, and why."""
    unit = "day" if question.period.is_by_day else "month"
    paid = [(one.period, one.rows) for one in found.refund_steps]
    sold = [(one.period, one.refunded) for one in found.time_steps if one.refunded.count]

    def bars(steps: Sequence[tuple[Period, Figure]]) -> list[Bar]:
        return [_bar(_place(period, unit), rows, question.currency) for period, rows in steps]

    reason = REFUNDS.column("reason")
    assert reason is not None
    reasons = [
        _bar(reason.word_of(one.value), one.rows, question.currency) for one in found.by_reason
    ]
    what = "Refunds" if question.currency is None else "Refunded amount"
    known = [one.period for one in found.time_steps] + [period for period, _ in paid]
    places = _places_of(known, question.period, unit)
    return [
        Plot(f"{what} by {unit} of refund", bars(paid), places, unit),
        Plot(f"{what} by {unit} of creation", bars(sold), places, unit),
        Plot("Refunds by reason", reasons),
    ]


def _place(period: Period, unit: str) -> str:
    assert period.first is not None
    return period.first.strftime(TIMES[unit][0])


def _places_of(known: Sequence[Period], period: Period, unit: str) -> list[str]:
    """Return every day or month of the period, with or without rows."""
    first = period.first or min((one.first for one in known if one.first), default=None)
    last = period.last or max((one.last for one in known if one.last), default=None)
    if first is None or last is None:
        return []
    days = pd.date_range(first, last, freq="D").strftime(TIMES[unit][0])
    return list(dict.fromkeys(days))


def _by_group(found: Overview, question: Question, names: Mapping[str, str]) -> list[Plot]:
    currency = question.currency

    def bars(groups: Sequence[Group], name: Callable[[str], str]) -> list[Bar]:
        """Return the amounts of groups; over all currencies, their counts."""
        return [_bar(name(one.value), one.rows, currency) for one in groups]

    types, airports = found.by_product_type, found.by_airport
    rates = [
        _share(word_of(one.value), word_of(one.value), one.refunded, one.rows)
        for one in types
        if one.refunded is not None
    ]
    note = f"{AIRPORTS_SHOWN} of {len(airports):,}" if len(airports) > AIRPORTS_SHOWN else ""
    largest = bars(airports[:AIRPORTS_SHOWN], str)
    items, orders = ("Order items", "Orders") if currency is None else ("Amount", "Amount")
    contracts = bars(found.by_contract, names.__getitem__)
    return [
        Plot(f"{items} by product type", bars(types, word_of)),
        Plot(f"{items} by airport", largest, height=TALL, note=note),
        Plot(f"{orders} by contract", contracts, height=TALL),
        Plot(f"{orders} by widget or direct", bars(found.by_channel, word_of)),
        Plot("Refund rate by product type", rates, is_rate=True),
    ]


def _bar(name: str, rows: Figure, currency: str | None) -> Bar:
    """Return the bar of an amount; over all currencies, of the number of rows."""
    return _count(name, name, rows) if currency is None else _amount(name, name, rows, currency)


def _count(place: str, name: str, rows: Figure) -> Bar:
    words = rows.view.table.one if rows.count == 1 else rows.view.table.many
    return Bar(place, rows.count, rows, name, f"{rows.count:,} {words}")


def _amount(place: str, name: str, rows: Figure, currency: str) -> Bar:
    length = float(to_major(rows.amount_minor, currency))
    figure = format_money(rows.amount_minor, currency)
    return Bar(place, length, rows, name, figure)


def _share(place: str, name: str, part: Figure, whole: Figure) -> Bar:
    share = rate(part, whole)
    figure = f"{share:.1%}: {part.count:,} of {whole.count:,} order items"
    return Bar(place, share, part, name, figure)


def _chart(plot: Plot) -> alt.LayerChart | alt.FacetChart:
    frame = pd.DataFrame(
        [(one.place, one.value, one.name, one.figure, address_of(one.rows)) for one in plot.bars],
        columns=["place", "value", "name", "figure", "address"],
    )
    frame["words"] = frame["name"] + ": " + frame["figure"]
    highest = max([one.value for one in plot.bars] + [one.value for one in plot.before] + [0]) or 1
    number = "~%" if plot.is_rate else "~s"
    step = 0.01 if plot.is_rate else 1  # no half orders, and no cents
    values: dict[str, Any] = {
        "title": None,
        "axis": alt.Axis(
            labelExpr=f"format(datum.value, '{number}')", tickCount=4, tickMinStep=step
        ),
        "scale": alt.Scale(domain=[0, highest], nice=True),
    }
    chart = alt.Chart(frame)
    across = alt.X(
        "place:N",
        title=None,
        scale=alt.Scale(type="band", domain=list(plot.places), paddingInner=0.2),
        axis=_time_axis(plot.unit, plot.places) if plot.unit else None,
    )
    if plot.unit is None:
        thickness = min(THICKEST, 0.7 * plot.height / max(1, len(frame)))
        chart = chart.mark_bar(cornerRadiusEnd=2, cursor="pointer", size=thickness).encode(
            y=alt.Y("place:N", sort=None, title=None, axis=alt.Axis(labelLimit=190)),
            x=alt.X("value:Q", **values),
        )
    else:
        chart = chart.mark_bar(cornerRadiusEnd=2, cursor="pointer").encode(
            x=across, y=alt.Y("value:Q", **values)
        )
    tips = [alt.Tooltip("name:N", title=plot.title), alt.Tooltip("figure:N", title=" ")]
    chart = chart.encode(tooltip=tips, href="address:N", description="words:N")
    colour = alt.value(RATES) if plot.is_rate else alt.Undefined
    layers = [chart.encode(color=colour)]
    if plot.before:
        layers.append(draw_line(plot.before, across))
    return alt.layer(*layers).properties(
        height=plot.height, padding={"left": 2, "top": 6, "right": 14, "bottom": 2}
    )


def _time_axis(unit: str, places: Sequence[str]) -> alt.Axis:
    """Label places at equal distances, counted back from the last one."""
    value_format, label_format = TIMES[unit]
    step = -(-len(places) // MAX_LABELS) or 1
    return alt.Axis(
        grid=False,
        labelAngle=0,
        values=list(places[::-1][::step]),
        labelExpr=f"utcFormat(utcParse(datum.value, '{value_format}'), '{label_format}')",
    )


def _table(plot: Plot) -> str:
    """Write the bars as a table of links: for the keyboard, and for exact figures."""
    before = {one.place: f"{one.name}: {one.figure}" for one in plot.before}
    lines = "".join(
        f'<tr><th scope="row">{html.escape(one.name)}</th>'
        f'<td><a href="{html.escape(address_of(one.rows))}">{html.escape(one.figure)}</a></td>'
        + (f"<td>{html.escape(before.get(one.place, ''))}</td></tr>" if before else "</tr>")
        for one in plot.bars
    )
    head = f"<thead><tr><td></td><td></td><td>{EARLIER}</td></tr></thead>" if before else ""
    words = html.escape(plot.title)
    return (
        f'<div tabindex="0" role="region" aria-label="{words}">'
        f"<table>{head}<tbody>{lines}</tbody></table></div>"
    )
