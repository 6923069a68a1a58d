"""What the filter of a date column offers, in the order of its lists."""

from dataclasses import dataclass
from typing import Literal

from core.tables import Column, Kind
from core.views.operators import (
    AHEAD,
    BLANKS,
    DATE_PRESETS,
    DAY_COUNTS,
    OPERATORS,
    Operator,
    words_of,
)

Takes = Literal["", "day", "range", "count"]
COMMON_COUNTS = {Operator.LAST_DAYS: (30, 90), Operator.NEXT_DAYS: (7, 30)}
# In links and built-in views only: beside “Next 7 days” nobody would see the difference.
UNLISTED = {Operator.NEXT_7_DAYS}
_WITH_A_DAY = [
    Operator.EQUALS,
    Operator.NOT_EQUAL,
    Operator.LESS,
    Operator.LESS_OR_EQUAL,
    Operator.GREATER,
    Operator.GREATER_OR_EQUAL,
]


@dataclass(frozen=True)
class DateChoice:
    """A choice: an operator, its label, what a user adds to it, and a count of days if it is set.

    One that is not listed has a label too, because a link can contain it.
    """

    operator: Operator
    label: str
    takes: Takes = ""
    count: int | None = None
    is_listed: bool = True


def date_choices(column: Column) -> list[DateChoice]:
    """Return the choices of a column: relative ranges only where they can match, then days."""
    has = (operator for operator in Operator if operator in OPERATORS[column.kind])
    relative = [one for operator in has for one in _relative(operator, column)]
    days = [DateChoice(one, _label(words_of(one, Kind.INSTANT)), "day") for one in _WITH_A_DAY]
    days.append(DateChoice(Operator.IN_RANGE, "Between", "range"))
    blanks = [
        DateChoice(one, _label(words_of(one, Kind.INSTANT))) for one in Operator if one in BLANKS
    ]
    return [*relative, *days, *blanks]


def _relative(operator: Operator, column: Column) -> list[DateChoice]:
    is_listed = operator not in UNLISTED and (column.looks_ahead or operator not in AHEAD)
    if operator in DATE_PRESETS:
        return [DateChoice(operator, _label(DATE_PRESETS[operator]), is_listed=is_listed)]
    if operator not in DAY_COUNTS:
        return []
    words = _label(DAY_COUNTS[operator])
    common = [
        DateChoice(operator, words.format(count), count=count, is_listed=is_listed)
        for count in COMMON_COUNTS[operator]
    ]
    return [*common, DateChoice(operator, words.format("…"), "count", is_listed=is_listed)]


def _label(words: str) -> str:
    """Return words that follow a header as they stand alone: “in the last 7 days”, Last 7 days."""
    alone = words.removeprefix("in the ").removeprefix("is ")
    return alone[0].upper() + alone[1:]
