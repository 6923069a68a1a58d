"""Parse AG Grid's filter model (untrusted) into conditions, and write them back.

No SQL: core.query.conditions makes it from the conditions.
"""

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from core.ground import MAX_AMOUNT, InvalidInput, check_text, flag_value
from core.tables import Column, Kind
from core.views.operators import (
    BLANKS,
    DATE_PRESETS,
    DAY_COUNTS,
    MAX_DAYS,
    OPERATORS,
    Operator,
)
from core.views.view import Condition, Filter

# Limits of a request: far above what users need, far below what harms the server.
MAX_CHOICES = 10_000
MAX_NUMBER = 2**53
EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)
DATED = {Kind.INSTANT, Kind.DATE}  # compared with days


# AG Grid's name for the filter of each kind. A column with choices can have a set filter instead.
FILTER_TYPES = {
    Kind.TEXT: "text",
    Kind.CODE: "text",
    Kind.NUMBER: "number",
    Kind.MONEY: "number",
    Kind.INSTANT: "date",
    Kind.DATE: "date",
}


class _RawCondition(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    filterType: str | None = None  # noqa: N815 - AG Grid's names
    type: str | None = None
    filter: str | int | float | None = None
    filterTo: int | float | None = None  # noqa: N815
    dateFrom: str | None = None  # noqa: N815
    dateTo: str | None = None  # noqa: N815
    values: list[str | None] | None = Field(None, max_length=MAX_CHOICES)


class RawFilter(_RawCondition):
    """The JSON shape of a filter: one condition, or two with the operator that joins them."""

    operator: Literal["AND", "OR"] | None = None
    conditions: list[_RawCondition] | None = Field(None, min_length=1, max_length=2)


def parse_filter(column: Column, raw: RawFilter) -> Filter:
    """Parse the filter on a column; raises InvalidInput, which says what is wrong."""
    if raw.conditions is None:
        return Filter(column, (_parse_condition(column, raw),))
    return Filter(
        column,
        tuple(_parse_condition(column, one) for one in raw.conditions),
        raw.operator or "AND",
    )


def _parse_condition(column: Column, raw: _RawCondition) -> Condition:
    if raw.filterType == "set" or (raw.filterType is None and raw.values is not None):
        return _parse_choice(column, raw)
    if raw.filterType not in (None, FILTER_TYPES.get(column.kind)):
        raise InvalidInput(f"{column.header} cannot be filtered by “{raw.filterType[:60]}”.")
    allowed = OPERATORS.get(column.kind, set())
    if raw.type not in {operator.value for operator in allowed}:
        raise InvalidInput(f"{column.header} has no filter “{str(raw.type)[:60]}”.")
    operator = Operator(raw.type)
    if operator is Operator.NEXT_7_DAYS and column.is_deadline:
        return Condition(Operator.NEXT_DAYS, 7)  # equal conditions give equal views
    if operator in BLANKS or operator in DATE_PRESETS:
        return Condition(operator)
    if operator in DAY_COUNTS:
        return _parse_day_count(column, operator, raw.filter)
    parse, first, last = {
        Kind.INSTANT: (_day, raw.dateFrom, raw.dateTo),
        Kind.DATE: (_day, raw.dateFrom, raw.dateTo),
        Kind.NUMBER: (_number, raw.filter, raw.filterTo),
        Kind.MONEY: (_number, raw.filter, raw.filterTo),
    }.get(column.kind, (_text, raw.filter, None))
    value: Any = parse(column, first)
    if operator is not Operator.IN_RANGE:
        return Condition(operator, value)
    until: Any = parse(column, last)
    if until < value:
        raise InvalidInput(f"{column.header}: the range ends before it begins.")
    return Condition(operator, value, until)


def _parse_day_count(column: Column, operator: Operator, count: object) -> Condition:
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MAX_DAYS:
        raise InvalidInput(
            f"{column.header}: the number of days must be a whole number from 1 to {MAX_DAYS:,}."
        )
    if (operator, count) == (Operator.LAST_DAYS, 7):  # equal conditions give equal views
        return Condition(Operator.LAST_7_DAYS)
    return Condition(operator, count)


def _parse_choice(column: Column, raw: _RawCondition) -> Condition:
    if not column.has_choices:
        raise InvalidInput(f"{column.header} cannot be filtered by a list of values.")
    if raw.values is None:
        raise InvalidInput(f"{column.header}: the list of values is missing.")
    values: set[str | bool | None] = set()
    for value in raw.values:
        named = None if value is None else _choice(column, value)
        values.update(column.formerly_meant.get(str(named), (named,)))
    if column.kind is Kind.FLAG:
        values.discard(None)  # a flag is never blank
    return Condition(Operator.IN, tuple(sorted(values, key=lambda one: (one is None, str(one)))))


def _choice(column: Column, value: str) -> str | bool:
    text = check_text(column.header, value, empty=True)
    if column.kind is Kind.FLAG:
        if text not in ("yes", "no"):
            raise InvalidInput(f"{column.header} is yes or no, not “{text[:60]}”.")
        return text == "yes"
    return text.replace(" ", "_") if column.has_words else text


def _text(column: Column, value: object) -> str:
    return check_text(column.header, value)


def _number(column: Column, value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInput(f"{column.header}: the number to compare with is missing or invalid.")
    limit = MAX_AMOUNT if column.kind is Kind.MONEY else MAX_NUMBER
    if not abs(value) <= limit:  # NaN is refused too: it is neither less nor equal
        raise InvalidInput(f"{column.header}: the number is out of range.")
    return value


def _day(column: Column, value: object) -> date:
    # AG Grid sends "2026-03-01 00:00:00"; a link that someone typed may have only the day.
    try:
        day = date.fromisoformat(str(value).removesuffix(" 00:00:00"))
    except ValueError:
        raise InvalidInput(f"{column.header}: needs a day such as 2026-03-01.") from None
    if not EARLIEST <= day <= LATEST:
        raise InvalidInput(f"{column.header}: the day is not between {EARLIEST} and {LATEST}.")
    return day


def filter_to_json(one: Filter) -> dict[str, Any]:
    """Return the filter in AG Grid's format, which `parse_filter` reads."""
    conditions = [_condition_to_json(one.column, condition) for condition in one.conditions]
    if len(conditions) == 1:
        return conditions[0]
    kind = conditions[0]["filterType"]
    return {"filterType": kind, "operator": one.joined, "conditions": conditions}


def _condition_to_json(column: Column, condition: Condition) -> dict[str, Any]:
    if condition.operator is Operator.IN:
        values = list(condition.value)
        if column.kind is Kind.FLAG:
            values = [flag_value(value) for value in values]
        return {"filterType": "set", "values": values}
    raw: dict[str, Any] = {
        "filterType": FILTER_TYPES[column.kind],
        "type": condition.operator.value,
    }
    if column.kind in DATED and condition.operator not in DAY_COUNTS:
        ends = {"dateFrom": condition.value, "dateTo": condition.until}
        return raw | {key: f"{day} 00:00:00" for key, day in ends.items() if day is not None}
    ends = {"filter": condition.value, "filterTo": condition.until}
    return raw | {key: value for key, value in ends.items() if value is not None}
