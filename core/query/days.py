"""Conditions on days: of an instant, in the view's time zone or its place's, or calendar days."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, or_
from sqlalchemy.orm import InstrumentedAttribute

from core.ground import (
    day_starts,
    in_zone,
    last_days,
    last_month,
    last_week,
    month_of,
    next_day,
    next_days,
    quarter_of,
    start_of_day,
    week_of,
    year_of,
)
from core.tables import Column, Table
from core.views import Condition, Operator, View

Sql = ColumnElement[bool]
SPANS = {Operator.NEXT_24_HOURS: timedelta(hours=24), Operator.NEXT_7_DAYS: timedelta(days=7)}
RANGES: dict[Operator, Callable[[date], tuple[date, date]]] = {
    Operator.YESTERDAY: lambda today: last_days(today - timedelta(days=1), 1),
    Operator.THIS_WEEK: week_of,
    Operator.LAST_WEEK: last_week,
    Operator.LAST_7_DAYS: lambda today: last_days(today, 7),
    Operator.THIS_MONTH: month_of,
    Operator.LAST_MONTH: last_month,
    Operator.THIS_QUARTER: quarter_of,
    Operator.THIS_YEAR: year_of,
}
_COUNTED = {Operator.TODAY, Operator.LAST_DAYS, Operator.NEXT_DAYS}
_RELATIVE = {Operator.FROM_NOW, Operator.UNTIL_TODAY, *SPANS, *RANGES, *_COUNTED}


def matches_time(
    table: Table, column: Column, asked: Condition, zone: ZoneInfo, now: datetime
) -> Sql:
    """Translate a condition on an instant to SQL."""
    instant = table.attribute(column)
    if (ahead := _is_ahead(instant, column, asked, now)) is not None:
        return ahead
    today = now.astimezone(zone).date()
    asked = _until(asked, today)

    def since(day: date) -> Sql:
        if column.place_zone is None:
            return instant >= start_of_day(day, zone)
        first, last, exact = _in_places(table, column, day, "__ge__")
        return and_(instant >= first, or_(instant >= last, exact))

    def before(day: date) -> Sql:
        if column.place_zone is None:
            return instant < start_of_day(day, zone)
        first, last, exact = _in_places(table, column, day, "__lt__")
        return and_(instant < last, or_(instant < first, exact))

    match asked.operator:
        case Operator.LESS:
            return before(asked.value)
        case Operator.LESS_OR_EQUAL:
            return before(next_day(asked.value))
        case Operator.GREATER:
            return since(next_day(asked.value))
        case Operator.GREATER_OR_EQUAL:
            return since(asked.value)
    first, last = _days_of(asked, today)
    return and_(since(first), before(next_day(last)))


def matches_date(
    stored: SQLColumnExpression[Any], asked: Condition, zone: ZoneInfo, now: datetime
) -> Sql:
    """Translate a condition on a calendar day, which is text: 2026-12-03."""
    today = now.astimezone(zone).date()
    asked = _until(asked, today)
    match asked.operator:
        case Operator.LESS:
            return stored < f"{asked.value}"
        case Operator.LESS_OR_EQUAL:
            return stored <= f"{asked.value}"
        case Operator.GREATER:
            return stored > f"{asked.value}"
        case Operator.GREATER_OR_EQUAL:
            return stored >= f"{asked.value}"
    first, last = _days_of(asked, today)
    return and_(stored >= f"{first}", stored <= f"{last}")


def _until(asked: Condition, today: date) -> Condition:
    is_until = asked.operator is Operator.UNTIL_TODAY
    return Condition(Operator.LESS_OR_EQUAL, today) if is_until else asked


def _is_ahead(
    instant: InstrumentedAttribute[Any], column: Column, asked: Condition, now: datetime
) -> Sql | None:
    """Return a condition that begins now; None if it is about whole days."""
    span = _span_of(column, asked)
    if span is not None:
        return instant.between(now, now + span)
    return instant >= now if asked.operator is Operator.FROM_NOW else None


def _span_of(column: Column, asked: Condition) -> timedelta | None:
    """Return how long a condition reaches from now on; None if it is about days, or has no end."""
    if asked.operator is Operator.NEXT_DAYS and column.is_deadline:
        return timedelta(days=asked.value)
    return SPANS.get(asked.operator)


def _in_places(
    table: Table, column: Column, day: date, compare: str
) -> tuple[datetime, datetime, Sql]:
    """Return the earliest and latest start of a day in all zones, and the exact condition.

    A row before the earliest or after the latest start needs only its instant, which has an index.
    A row between them needs the exact condition, which compares it in its own zone.
    """
    instant, zone = table.attribute(column), table.model.__table__.c[str(column.place_zone)]
    starts = day_starts(day)
    exact = (and_(zone.in_(names), getattr(instant, compare)(at)) for at, names in starts.items())
    return min(starts), max(starts), or_(*exact)


def describe_days(view: View, now: datetime) -> list[str]:
    """Return what the view's relative dates mean now: Created Date: 2026-11-01 to 2026-11-30."""
    return [
        f"{one.column.header}: {_days_in_words(one.column, asked, now, view.zone)}"
        for one in view.filters
        for asked in one.conditions
        if asked.operator in _RELATIVE
    ]


def _days_in_words(column: Column, asked: Condition, now: datetime, zone: str) -> str:
    if asked.operator is Operator.FROM_NOW:
        return f"from {in_zone(now, zone)}"
    if (span := _span_of(column, asked)) is not None:
        return f"{in_zone(now, zone)} to {in_zone(now + span, zone)}"
    today = now.astimezone(ZoneInfo(zone)).date()
    if asked.operator is Operator.UNTIL_TODAY:
        return f"up to {today}"
    first, last = _days_of(asked, today)
    return f"{first}" if first == last else f"{first} to {last}"


def _days_of(asked: Condition, today: date) -> tuple[date, date]:
    """Return the first and last day of a condition; for relative ones, seen from `today`."""
    if asked.operator in RANGES:
        return RANGES[asked.operator](today)
    match asked.operator:
        case Operator.TODAY:
            return today, today
        case Operator.LAST_DAYS:
            return last_days(today, asked.value)
        case Operator.NEXT_DAYS:
            return next_days(today, asked.value)
        case Operator.IN_RANGE:
            return asked.value, asked.until
    return asked.value, asked.value
