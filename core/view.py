"""A view: what a person asked a table for. Grid, count, words, Excel and address come from it."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Literal

from core.columns import Column, Kind, Table


class Operator(StrEnum):
    """What a condition asks, by AG Grid's names."""

    CONTAINS = "contains"
    NOT_CONTAINS = "notContains"
    EQUALS = "equals"
    NOT_EQUAL = "notEqual"
    STARTS_WITH = "startsWith"
    ENDS_WITH = "endsWith"
    LESS = "lessThan"
    LESS_OR_EQUAL = "lessThanOrEqual"
    GREATER = "greaterThan"
    GREATER_OR_EQUAL = "greaterThanOrEqual"
    IN_RANGE = "inRange"
    BLANK = "blank"
    NOT_BLANK = "notBlank"
    IN = "in"


@dataclass(frozen=True)
class Condition:
    """One condition. `value` is text, a number or a day by the column's kind; `until` ends a range.

    For the operator IN, `value` is a tuple of texts in which None stands for (blank).
    """

    operator: Operator
    value: Any = None
    until: Any = None


@dataclass(frozen=True)
class Filter:
    """The conditions on one column, joined by AND or OR."""

    column: Column
    conditions: tuple[Condition, ...]
    joined: Literal["AND", "OR"] = "AND"


@dataclass(frozen=True)
class Sort:
    """One sort column."""

    column: Column
    descending: bool


@dataclass(frozen=True)
class View:
    """Filters, sort, visible columns in order, and the IANA zone in which its days are meant."""

    table: Table
    filters: tuple[Filter, ...]
    sort: tuple[Sort, ...]
    columns: tuple[Column, ...]
    zone: str

    def without_filter(self, name: str) -> "View":
        """Return the view without the filter on one column."""
        return replace(self, filters=tuple(f for f in self.filters if f.column.name != name))

    def without_filters(self) -> "View":
        """Return the view of every row, sorted and shown as before."""
        return replace(self, filters=())


_SAYS = {
    Operator.CONTAINS: "contains",
    Operator.NOT_CONTAINS: "does not contain",
    Operator.EQUALS: "is",
    Operator.NOT_EQUAL: "is not",
    Operator.STARTS_WITH: "starts with",
    Operator.ENDS_WITH: "ends with",
    Operator.LESS: "<",
    Operator.LESS_OR_EQUAL: "≤",
    Operator.GREATER: ">",
    Operator.GREATER_OR_EQUAL: "≥",
    Operator.BLANK: "is blank",
    Operator.NOT_BLANK: "is not blank",
}
_SAYS_OF_DAYS = {
    Operator.EQUALS: "on",
    Operator.NOT_EQUAL: "not on",
    Operator.LESS: "before",
    Operator.LESS_OR_EQUAL: "on or before",
    Operator.GREATER: "after",
    Operator.GREATER_OR_EQUAL: "on or after",
}
_SAYS_OF_NUMBERS = {Operator.EQUALS: "=", Operator.NOT_EQUAL: "≠"}
CHOICES_IN_WORDS = 3


def describe_filter(one: Filter) -> str:
    """Return a filter in words: Author contains “smith”."""
    joint = f" {one.joined.lower()} "
    return f"{one.column.header} {joint.join(_describe(one.column, c) for c in one.conditions)}"


def _describe(column: Column, condition: Condition) -> str:
    if condition.operator is Operator.IN:
        return _describe_choice(condition.value)
    if condition.operator is Operator.IN_RANGE:
        return f"between {condition.value} and {condition.until}"
    says = _SAYS[condition.operator]
    if column.kind is Kind.INSTANT:
        says = _SAYS_OF_DAYS.get(condition.operator, says)
    if column.kind is Kind.NUMBER:
        says = _SAYS_OF_NUMBERS.get(condition.operator, says)
    if condition.value is None:
        return says
    value = condition.value
    return f"{says} “{value}”" if isinstance(value, str) else f"{says} {value}"


def _describe_choice(values: tuple[str | None, ...]) -> str:
    if not values:
        return "is none of the values"
    named = ["(blank)" if value is None else value for value in values]
    if len(named) == 1:
        return f"is {named[0]}"
    if len(named) <= CHOICES_IN_WORDS:
        return f"is {', '.join(named[:-1])} or {named[-1]}"
    first = ", ".join(named[: CHOICES_IN_WORDS - 1])
    return f"is {first} or one of {len(named) - CHOICES_IN_WORDS + 1} more"


def describe_sort(view: View) -> str:
    """Return the sort in words: Created Date, descending."""
    if not view.sort:
        return f"{view.table.key_column.header}, ascending"
    return ", then ".join(
        f"{one.column.header}, {'descending' if one.descending else 'ascending'}"
        for one in view.sort
    )
