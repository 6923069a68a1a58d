"""Find the day of an instant in a time zone, in Python and in SQL, as the filters do."""

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
    literal,
    type_coerce,
)
from sqlalchemy.orm import Session

from core.ground import next_day, start_of_day
from core.storage import Day, seconds_of

SECONDS = 86_400


class DaySpan(NamedTuple):
    """Successive days of 24 hours each, or a single day of another length."""

    begins: int  # seconds since 1970
    first: date
    is_24_hours: bool


def day_of(instant: datetime, zone: ZoneInfo) -> date:
    """Return the day of an instant: the last day that has begun."""
    day = instant.astimezone(zone).date()
    while start_of_day(day, zone) > instant:
        day -= timedelta(days=1)
    while start_of_day(next_day(day), zone) <= instant:
        day = next_day(day)
    return day


def days_between(first: date, last: date) -> Iterator[date]:
    """Yield every day from the first to the last, both included."""
    for number in range(first.toordinal(), last.toordinal() + 1):
        yield date.fromordinal(number)


@lru_cache(maxsize=64)
def day_spans(zone: ZoneInfo, first: date, last: date) -> tuple[DaySpan, ...]:
    """Split the days from the first to the last at clock changes."""
    found: list[DaySpan] = []
    begins = int(start_of_day(first, zone).timestamp())
    for day in days_between(first, last):
        ends = int(start_of_day(next_day(day), zone).timestamp())
        is_24_hours = ends - begins == SECONDS
        if not (is_24_hours and found and found[-1].is_24_hours):
            found.append(DaySpan(begins, day, is_24_hours))
        begins = ends
    return tuple(found)


def day_expression(
    session: Session,
    instant: SQLColumnExpression[Any],
    zone: ZoneInfo,
    days: tuple[date, date],
) -> ColumnElement[date]:
    """Return the SQL expression of the day of an instant.

    `days` are the first and the last day that the instant can be in.
    """
    seconds = seconds_of(session, instant)
    # The last span comes first: most rows are recent.
    whens: list[tuple[ColumnElement[bool], ColumnElement[Any]]] = [
        (seconds >= _number(one.begins), _day_in(one, seconds))
        for one in reversed(day_spans(zone, *days))
    ]
    return type_coerce(case(*whens), Day)


def _day_in(one: DaySpan, seconds: ColumnElement[int]) -> ColumnElement[Any]:
    if not one.is_24_hours:
        return _number(one.first.toordinal())
    return _number(one.first.toordinal()) + (seconds - _number(one.begins)) // _number(SECONDS)


def _number(value: int) -> ColumnElement[int]:
    return literal(value, BigInteger)


def bounds(zone: ZoneInfo, first: date, last: date) -> tuple[datetime, datetime]:
    """Return the start of the first day and the start of the day after the last, in UTC."""
    return start_of_day(first, zone).astimezone(UTC), start_of_day(next_day(last), zone)
