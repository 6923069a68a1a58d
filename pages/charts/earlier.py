"""The period before in the plots over time: a faint line, whose first day is the first bar's."""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import pandas as pd

from core.ground import format_money, to_major
from core.overview import Before, Sums

# By the unit of a plot over time: the format of a bar's place, and of its label on the axis.
TIMES = {"day": ("%Y-%m-%d", "%-d %b"), "month": ("%Y-%m", "%b %Y")}
FAINT = "#8a97a8"  # on light and on dark


@dataclass(frozen=True)
class Earlier:
    """A point of the period before: its place among the bars, its height, its day and figure."""

    place: str
    value: float
    name: str
    figure: str


def earlier_of(
    before: Before | None, places: Sequence[str], unit: str, currency: str | None
) -> tuple[Sequence[Earlier], ...]:
    """Return orders, amounts (or order items) and refund rates of the period before.

    Its first day stands where the period's first day stands, and so on.
    """
    lines = list[Earlier](), list[Earlier](), list[Earlier]()
    if before is None or before.period.first is None or before.period.last is None:
        return lines
    form = TIMES[unit][0]
    days = pd.date_range(before.period.first, before.period.last, freq="D").strftime(form)
    sums = {day.strftime(form): both for day, both in before.steps.items()}
    for place, day in zip(places, dict.fromkeys(days), strict=False):
        orders, items = sums.get(day, (Sums(), Sums()))
        lines[0].append(Earlier(place, orders.rows, day, _count(orders.rows, "order")))
        if currency is None:
            lines[1].append(Earlier(place, items.rows, day, _count(items.rows, "order item")))
        else:
            amount = float(to_major(orders.amount_minor, currency))
            figure = format_money(orders.amount_minor, currency)
            lines[1].append(Earlier(place, amount, day, figure))
        share = items.refunded / items.rows if items.rows else 0.0
        lines[2].append(Earlier(place, share, day, f"{share:.1%}"))
    return lines


def _count(count: int, one: str) -> str:
    return f"{count:,} {one}{'s' * (count != 1)}"


def draw_line(before: Sequence[Earlier], across: alt.X) -> alt.Chart:
    """Draw the period before as a faint line, in the middle of the bars' places."""
    frame = pd.DataFrame(
        [(one.place, one.value, one.name, one.figure) for one in before],
        columns=["place", "value", "name", "figure"],
    )
    tips = [alt.Tooltip("name:N", title="The period before"), alt.Tooltip("figure:N", title=" ")]
    line = alt.Chart(frame).mark_line(color=FAINT, opacity=0.75, strokeWidth=1.5, aria=False)
    result: alt.Chart = line.encode(x=across, y="value:Q", tooltip=tips)
    return result
