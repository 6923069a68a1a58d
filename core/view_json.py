"""Views as they travel: understood from untrusted JSON, written to JSON and to an address."""

import base64
import binascii
import json
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from core.columns import Column, Kind, Table
from core.errors import InvalidInput
from core.places import zones
from core.view import Condition, Filter, Operator, Sort, View

# Limits of what a browser may send: far above what a person makes, far below what hurts.
MAX_VIEW_BYTES = 1_000_000
MAX_TEXT = 1_000
MAX_CHOICES = 10_000
MAX_NUMBER = 2**53
EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)


_BLANKS = {Operator.BLANK, Operator.NOT_BLANK}
_TEXT_OPERATORS = {
    Operator.CONTAINS,
    Operator.NOT_CONTAINS,
    Operator.EQUALS,
    Operator.NOT_EQUAL,
    Operator.STARTS_WITH,
    Operator.ENDS_WITH,
    *_BLANKS,
}
_ORDER_OPERATORS = {
    Operator.EQUALS,
    Operator.NOT_EQUAL,
    Operator.LESS,
    Operator.LESS_OR_EQUAL,
    Operator.GREATER,
    Operator.GREATER_OR_EQUAL,
    Operator.IN_RANGE,
    *_BLANKS,
}
OPERATORS: dict[Kind, set[Operator]] = {
    Kind.TEXT: _TEXT_OPERATORS,
    Kind.CODE: _TEXT_OPERATORS,
    Kind.NUMBER: _ORDER_OPERATORS,
    Kind.INSTANT: _ORDER_OPERATORS,
}
# What AG Grid calls the filter of a kind; a set filter may stand on any column with choices.
FILTER_TYPES = {
    Kind.TEXT: "text",
    Kind.CODE: "text",
    Kind.NUMBER: "number",
    Kind.INSTANT: "date",
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


class _RawFilter(_RawCondition):
    operator: Literal["AND", "OR"] | None = None
    conditions: list[_RawCondition] | None = Field(None, min_length=1, max_length=2)


class _RawSort(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)
    colId: str  # noqa: N815
    sort: Literal["asc", "desc"]


class _RawView(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    filters: dict[str, _RawFilter] = {}
    sort: list[_RawSort] | None = Field(None, max_length=20)
    columns: list[str] | None = Field(None, min_length=1, max_length=200)
    zone: str | None = None


_raw_view = TypeAdapter(_RawView)


def default_view(table: Table, zone: str = "UTC") -> View:
    """Return the view a person sees first: every row, newest first, every shown column."""
    return parse_view(table, {"zone": zone})


def parse_view(table: Table, raw: object, *, zone: str = "UTC") -> View:
    """Understand a view that came from outside; `zone` serves when it names none.

    Raises InvalidInput, saying what is wrong with which column.
    """
    try:
        json.dumps(raw, ensure_ascii=False).encode()
    except (UnicodeEncodeError, TypeError, RecursionError):
        raise InvalidInput("The view holds a character that cannot be stored.") from None
    try:
        shape = _raw_view.validate_python(raw)
    except ValidationError as error:
        fault = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in fault["loc"])[:100]
        raise InvalidInput(f"The view is malformed at “{where}”: {fault['msg']}.") from None
    named = shape.zone if shape.zone is not None else zone
    if named not in zones():
        raise InvalidInput(f"“{named[:60]}” is not an IANA time zone.")
    newest_first = [_RawSort(colId="created_at", sort="desc")]
    return View(
        table=table,
        filters=_parse_filters(table, shape.filters),
        sort=_parse_sort(table, newest_first if shape.sort is None else shape.sort),
        columns=_parse_columns(table, shape.columns),
        zone=named,
    )


def _shown_column(table: Table, name: str) -> Column:
    column = table.column(name)
    if column is None or not column.is_shown:
        raise InvalidInput(f"{table.title} has no column “{name[:60]}”.")
    return column


def _parse_sort(table: Table, raw: list[_RawSort]) -> tuple[Sort, ...]:
    names = [one.colId for one in raw]
    if len(set(names)) < len(names):
        raise InvalidInput("The view sorts by the same column twice.")
    return tuple(Sort(_shown_column(table, one.colId), one.sort == "desc") for one in raw)


def _parse_columns(table: Table, names: list[str] | None) -> tuple[Column, ...]:
    if names is None:
        return table.shown
    if len(set(names)) < len(names):
        raise InvalidInput("The view names the same column twice.")
    return tuple(_shown_column(table, name) for name in names)


def _parse_filters(table: Table, raw: dict[str, _RawFilter]) -> tuple[Filter, ...]:
    """Order filters as the columns are, so that the same filters are the same view."""
    filters = [_parse_filter(table, name, one) for name, one in raw.items()]
    return tuple(sorted(filters, key=lambda one: table.columns.index(one.column)))


def _parse_filter(table: Table, name: str, raw: _RawFilter) -> Filter:
    column = _shown_column(table, name)
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
    if operator in _BLANKS:
        return Condition(operator)
    parse, first, last = {
        Kind.INSTANT: (_day, raw.dateFrom, raw.dateTo),
        Kind.NUMBER: (_number, raw.filter, raw.filterTo),
    }.get(column.kind, (check_text, raw.filter, None))
    value: Any = parse(column, first)
    if operator is not Operator.IN_RANGE:
        return Condition(operator, value)
    until: Any = parse(column, last)
    if until < value:
        raise InvalidInput(f"{column.header}: the range ends before it begins.")
    return Condition(operator, value, until)


def _parse_choice(column: Column, raw: _RawCondition) -> Condition:
    if not column.has_choices:
        raise InvalidInput(f"{column.header} cannot be filtered by a list of values.")
    if raw.values is None:
        raise InvalidInput(f"{column.header}: the list of values is missing.")
    values = {
        None if value is None else check_text(column, value, empty=True) for value in raw.values
    }
    return Condition(Operator.IN, tuple(sorted(values, key=lambda one: (one is None, one or ""))))


def check_text(column: Column, value: object, *, empty: bool = False) -> str:
    """Return a text to compare with as it is; InvalidInput when it is none, or cannot be stored."""
    if not isinstance(value, str) or not (value or empty):
        raise InvalidInput(f"{column.header}: a text to compare with is missing.")
    if len(value) > (MAX_TEXT if not empty else 100_000):
        raise InvalidInput(f"{column.header}: the text is longer than {MAX_TEXT:,} characters.")
    if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise InvalidInput(f"{column.header}: the text holds a character that cannot be stored.")
    return value


def _number(column: Column, value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInput(f"{column.header}: a number to compare with is missing.")
    if not abs(value) <= MAX_NUMBER:  # also refuses NaN, which compares with nothing
        raise InvalidInput(f"{column.header}: the number is out of range.")
    return value


def _day(column: Column, value: object) -> date:
    # AG Grid sends "2026-03-01 00:00:00"; a link made by hand may hold the day alone.
    try:
        day = date.fromisoformat(str(value).removesuffix(" 00:00:00"))
    except ValueError:
        raise InvalidInput(f"{column.header}: a day such as 2026-03-01 is missing.") from None
    if not EARLIEST <= day <= LATEST:
        raise InvalidInput(f"{column.header}: the day is not between {EARLIEST} and {LATEST}.")
    return day


def to_json(view: View) -> dict[str, Any]:
    """Return the view as plain JSON, in AG Grid's words; parse_view reads it back."""
    return {
        "filters": {one.column.name: _filter_to_json(one) for one in view.filters},
        "sort": [
            {"colId": one.column.name, "sort": "desc" if one.descending else "asc"}
            for one in view.sort
        ],
        "columns": [column.name for column in view.columns],
        "zone": view.zone,
    }


def _filter_to_json(one: Filter) -> dict[str, Any]:
    conditions = [_condition_to_json(one.column, condition) for condition in one.conditions]
    if len(conditions) == 1:
        return conditions[0]
    kind = conditions[0]["filterType"]
    return {"filterType": kind, "operator": one.joined, "conditions": conditions}


def _condition_to_json(column: Column, condition: Condition) -> dict[str, Any]:
    if condition.operator is Operator.IN:
        return {"filterType": "set", "values": list(condition.value)}
    raw: dict[str, Any] = {
        "filterType": FILTER_TYPES[column.kind],
        "type": condition.operator.value,
    }
    if column.kind is Kind.INSTANT:
        ends = {"dateFrom": condition.value, "dateTo": condition.until}
        return raw | {key: f"{day} 00:00:00" for key, day in ends.items() if day is not None}
    ends = {"filter": condition.value, "filterTo": condition.until}
    return raw | {key: value for key, value in ends.items() if value is not None}


def to_address(view: View) -> str:
    """Return the view as the text of `?view=`: base64url of its JSON, without padding."""
    text = json.dumps(to_json(view), ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def from_address(table: Table, text: str, *, zone: str = "UTC") -> View:
    """Read the text of `?view=`; raises InvalidInput when it is damaged or asks the impossible."""
    if len(text) > MAX_VIEW_BYTES:
        raise InvalidInput("The link's view is too long.")
    try:
        raw = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise InvalidInput("The link's view is damaged.") from None
    return parse_view(table, raw, zone=zone)
