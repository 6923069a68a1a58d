"""A view: what a user asks of a table. Grid, count, words, Excel file and URL come from it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from core.ground import flag_value, word_of
from core.tables import Column, Kind, Table
from core.views.operators import DAY_COUNTS, Operator, days_in_words, words_of

NamesByColumn = Mapping[str, Mapping[str, str]]  # by the name of the column, and by ID
NO_NAMES: NamesByColumn = {}


@dataclass(frozen=True)
class Condition:
    """A condition. `value` is text, a number or a day, by the column's kind; `until` ends a range.

    For the operator IN, `value` is a tuple of texts, where None means (blank), or of bools (FLAG
    columns). Relative dates are relative to the day of the query: presets have no value, and
    LAST_DAYS and NEXT_DAYS a number of days.
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

    @property
    def typed(self) -> list[tuple[str, str]]:
        """Return the texts that a user typed or chose, with the header; no states or numbers."""
        values = [one.value for one in self.conditions]
        flat = [part for one in values for part in (one if isinstance(one, tuple) else (one,))]
        states = self.column.words or {}
        return [
            (self.column.header, one) for one in flat if isinstance(one, str) and one not in states
        ]


@dataclass(frozen=True)
class Sort:
    """A column to sort by."""

    column: Column
    descending: bool


@dataclass(frozen=True)
class Layout:
    """The width of a column in pixels, and the side it is pinned to, if the user set them."""

    width: int | None = None
    pinned: Literal["left", "right"] | None = None


@dataclass(frozen=True)
class View:
    """Filters, search, IDs, sort, visible columns in order, and the IANA time zone of its days.

    With `order_id`, the view is of the page of an order: it has only the rows of that order. With
    `keys`, it has only the rows with these keys, as a person selected them.
    """

    table: Table
    filters: tuple[Filter, ...]
    sort: tuple[Sort, ...]
    columns: tuple[Column, ...]
    zone: str
    search: str = ""
    ids: tuple[str, ...] = ()
    layout: tuple[tuple[str, Layout], ...] = ()
    order_id: str | None = None
    keys: tuple[str, ...] | None = None

    def without_filter(self, name: str) -> "View":
        """Return the view without the filter on one column."""
        return replace(self, filters=tuple(f for f in self.filters if f.column.name != name))

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """Return the visible columns in their order, followed by the hidden ones."""
        return (*self.columns, *(c for c in self.table.offered if c not in self.columns))

    def with_search(self, search: str) -> "View":
        """Return the view with a different quick search."""
        return replace(self, search=search)

    def with_ids(self, ids: tuple[str, ...]) -> "View":
        """Return the view with different pasted IDs; an empty tuple removes that filter."""
        return replace(self, ids=ids)

    def with_keys(self, keys: tuple[str, ...] | None) -> "View":
        """Return the view of rows with these keys alone; None removes that filter."""
        return replace(self, keys=keys)

    def without_filters(self) -> "View":
        """Return the view without filters, search, IDs and keys; sort and columns stay."""
        return replace(self, filters=(), search="", ids=(), keys=None)

    @property
    def is_filtered(self) -> bool:
        """Return whether the view has filters, a search, IDs or keys."""
        return bool(self.filters or self.search or self.ids) or self.keys is not None

    @property
    def any_order(self) -> "View":
        """Return the view without sort, columns and layout: what decides which rows it has."""
        return replace(self, sort=(), columns=(), layout=())

    @property
    def total_header(self) -> str:
        """Return the header of the totals: of a column filtered by the next days, or the amount."""
        soon = {Operator.NEXT_24_HOURS, Operator.NEXT_7_DAYS, Operator.NEXT_DAYS}
        for one in self.filters:
            if one.column.totals_as and soon & {asked.operator for asked in one.conditions}:
                return one.column.totals_as
        return self.table.amount.header if self.table.amount else ""

    @property
    def typed(self) -> list[tuple[str, str]]:
        """Return every text and ID that anyone can read who opens the view, and what it is."""
        search = [("Search", self.search)] if self.search else []
        ids = [("ID", one) for one in (*self.ids, *(self.keys or ()))]
        return [*search, *ids, *(pair for one in self.filters for pair in one.typed)]

    def in_words(self, names: NamesByColumn = NO_NAMES) -> list[str]:
        """Return the search, IDs, keys and filters in words, for the page and the Excel file.

        `names` are those of the IDs in its filters (see core.query.names_in).
        """
        search = [describe_search(self)] if self.search else []
        ids = [describe_ids(self)] if self.ids else []
        keys = [describe_keys(self.keys)] if self.keys is not None else []
        return [*search, *ids, *keys, *(describe_filter(one, names) for one in self.filters)]


CHOICES_IN_WORDS = 3
BLANK = "(blank)"


def describe_search(view: View) -> str:
    """Return the quick search in words."""
    return f"Search “{view.search}”"


def describe_ids(view: View) -> str:
    """Return the pasted IDs in words."""
    if len(view.ids) <= CHOICES_IN_WORDS:
        return f"ID is {' or '.join(view.ids)}"
    return f"{len(view.ids):,} pasted IDs"


def describe_keys(keys: tuple[str, ...]) -> str:
    """Return the selected rows in words: 3 selected rows."""
    return f"{len(keys):,} selected row{'s' * (len(keys) != 1)}"


def describe_filter(one: Filter, names: NamesByColumn = NO_NAMES) -> str:
    """Return a filter in words: Author contains “smith”; an ID with the name that `names` has."""
    own = names.get(one.column.name, {})
    words = (_describe(one.column, condition, own) for condition in one.conditions)
    return f"{one.column.header} {f' {one.joined.lower()} '.join(words)}"


def _describe(column: Column, condition: Condition, names: Mapping[str, str]) -> str:
    if condition.operator is Operator.IN:
        return _describe_choice(column, condition.value, names)
    if condition.operator is Operator.IN_RANGE:
        return f"between {condition.value} and {condition.until}"
    if condition.operator in DAY_COUNTS:
        return days_in_words(condition.operator, condition.value)
    words = words_of(condition.operator, column.kind)
    if condition.value is None:
        return words
    value = condition.value
    if not isinstance(value, str):
        return f"{words} {value}"
    is_whole = condition.operator in (Operator.EQUALS, Operator.NOT_EQUAL)
    return f"{words} “{value}”{_in_brackets(value, names) if is_whole else ''}"


def _in_brackets(value: Any, names: Mapping[str, str]) -> str:
    """Return the name of an ID in brackets; nothing if it has no other name."""
    return f" ({names[value]})" if names.get(value, value) != value else ""


def _describe_choice(column: Column, values: tuple[Any, ...], names: Mapping[str, str]) -> str:
    if not values:
        return "matches no value"
    named = [f"{as_choice(column, value)}{_in_brackets(value, names)}" for value in values]
    if len(named) == 1:
        return f"is {named[0]}"
    if len(named) <= CHOICES_IN_WORDS:
        return f"is {', '.join(named[:-1])} or {named[-1]}"
    first = ", ".join(named[: CHOICES_IN_WORDS - 1])
    return f"is {first} or one of {len(named) - CHOICES_IN_WORDS + 1} more"


def as_choice(column: Column, value: Any) -> str:
    """Return a value as the list of the set filter shows it."""
    if value is None:
        return BLANK
    if column.kind is Kind.FLAG:
        return word_of(flag_value(value))
    return column.word_of(value) if column.has_words else str(value)


def describe_sort(view: View) -> str:
    """Return the sort in words: Created Date, descending."""
    if not view.sort:
        return f"{view.table.key_column.header}, ascending"
    return ", then ".join(
        f"{one.column.header}, {'descending' if one.descending else 'ascending'}"
        for one in view.sort
    )
