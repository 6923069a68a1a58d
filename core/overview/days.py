"""Which day of a zone an instant is in, in Python and in SQL: as views mean whole days."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    SQLColumnExpression,
    case,
    cast,
    extract,
    func,
    literal_column,
    type_coerce,
)
from sqlalchemy.orm import Session

from core.ground import next_day, start_of_day
from core.storage import Day

SECONDS = 86_400


class Stretch(NamedTuple):
    """Days of 24 hours each, one after another, or a single one of another length."""

    begins: int  # seconds since 1970
    first: date
    is_usual: bool


def day_of(instant: datetime, zone: ZoneInfo) -> date:
    """Return the day that an instant is in: the one that has begun, and the next has not."""
    day = instant.astimezone(zone).date()
    while start_of_day(day, zone) > instant:
        day -= timedelta(days=1)
    while start_of_day(next_day(day), zone) <= instant:
        day = next_day(day)
    return day


def first_of_month(day: date) -> date:
    """Return the first day of a day's month."""
    return day.replace(day=1)


def next_month(day: date) -> date:
    """Return the first day of the month after a day's."""
    return first_of_month(first_of_month(day) + timedelta(days=31))


def days_between(first: date, last: date) -> Iterator[date]:
    """Yield every day from the first to the last."""
    for number in range(first.toordinal(), last.toordinal() + 1):
        yield date.fromordinal(number)


@lru_cache(maxsize=64)
def stretches(zone: ZoneInfo, first: date, last: date) -> tuple[Stretch, ...]:
    """Part the days from the first to the last where clocks change."""
    found: list[Stretch] = []
    begins = int(start_of_day(first, zone).timestamp())
    for day in days_between(first, last):
        ends = int(start_of_day(next_day(day), zone).timestamp())
        is_usual = ends - begins == SECONDS
        if not (is_usual and found and found[-1].is_usual):
            found.append(Stretch(begins, day, is_usual))
        begins = ends
    return tuple(found)


def day_expression(
    session: Session,
    instant: SQLColumnExpression[Any],
    zone: ZoneInfo,
    days: tuple[date, date],
) -> ColumnElement[date]:
    """Return the SQL expression of the day of an instant that lies in these days, both included."""
    if session.get_bind().dialect.name == "sqlite":
        seconds: ColumnElement[int] = type_coerce(instant, BigInteger)  # it is stored so
    else:
        seconds = cast(func.floor(extract("epoch", instant)), BigInteger)
    # The last first: most rows are of late.
    whens: list[tuple[ColumnElement[bool], ColumnElement[Any]]] = [
        (seconds >= _number(one.begins), _day_in(one, seconds))
        for one in reversed(stretches(zone, *days))
    ]
    return type_coerce(case(*whens), Day)


def _day_in(one: Stretch, seconds: ColumnElement[int]) -> ColumnElement[Any]:
    if not one.is_usual:
        return _number(one.first.toordinal())
    return _number(one.first.toordinal()) + (seconds - _number(one.begins)) // _number(SECONDS)


def _number(value: int) -> ColumnElement[int]:
    """Write a number of ours into the statement, so that it is grouped by as it is selected."""
    return literal_column(str(value), BigInteger)


def starts(zone: ZoneInfo, first: date, last: date) -> tuple[datetime, datetime]:
    """Return when the first day begins and when the day after the last does, as UTC."""
    return start_of_day(first, zone).astimezone(UTC), start_of_day(next_day(last), zone)
