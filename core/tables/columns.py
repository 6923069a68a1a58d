"""`Table`, `Column` and `Kind`: what a table can state. Each table has a file of its own."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, Text, cast, literal
from sqlalchemy.orm import InstrumentedAttribute

from core.ground import FLAG_WORDS, Permission, sort_key, word_of, words_by_value
from core.storage import Base, contract_name, sorted_by
from core.tables.related import AnyOf, PlaceFrom, Through, Via


class Kind(StrEnum):
    """The kind of values in a column. It decides how they are filtered, shown and exported."""

    TEXT = "text"  # text by people (Written in its model): without case, in every script
    CODE = "code"  # text by systems, such as IDs: compared without case, in ASCII only
    NUMBER = "number"
    MONEY = "money"  # minor units; `currency` names the column of the currency
    INSTANT = "instant"
    DATE = "date"  # a calendar day without a time zone, as text: 2026-12-03
    FLAG = "flag"
    BYTES = "bytes"


_DIGITS = re.compile("[0-9]{1,18}")
# How an import file writes a value; docs/import.md has the whole grammar.
WRITTEN = {
    Kind.INSTANT: "Write a date cell, or text like 2026-03-01, 2026-03-01 14:30, 01.03.2026 14:30 "
    "or 2026-03-01 14:30:00+02:00.",
    Kind.DATE: "Write a date cell, or text like 2026-03-01 or 01.03.2026.",
    Kind.MONEY: "Write a number, or text like 1234.50, 1,234.50 or 1.234,50.",
    Kind.FLAG: "Write Yes or No.",
}


@dataclass(frozen=True)
class Column:
    """A column. `name` is its name in grid, DataFrame, view and database."""

    name: str
    header: str
    kind: Kind
    help: str
    has_choices: bool = False  # has the set filter: a list of values with counts and (blank)
    is_shown: bool = False  # shown in the grid and its Excel file by default
    is_offered: bool = False  # hidden by default; users can show it
    is_shown_in_order: bool = True  # False: hidden by default on the page of an order
    is_pinned: bool = False  # pinned to the left by default
    yields_below: int = 0  # by default hidden in a grid that is narrower, in pixels
    is_required: bool = False  # required in an import
    if_blank: str = ""  # a sentence: what an import does if the value is missing
    is_reference: bool = False  # pasted IDs are searched in it
    opens_order: bool = False  # holds order IDs, shown as links to the orders
    opens_its_order: bool = False  # holds other IDs, shown as links to the order of the row
    allowed: type[StrEnum] | None = None
    wording: Callable[[], Mapping[str, str]] | None = None  # the words of codes that a setting has
    currency: str | None = None
    looks_ahead: bool = False  # its times can be in the future
    is_deadline: bool = False  # its next days begin now: a deadline of this morning is not ahead
    place_zone: str | None = None  # the column that holds the time zone of its times
    imported_in: str | None = None  # the same for imported times alone, if different
    name_of: str | None = None  # the column of contract IDs; this one has the contracts' names
    place_from: PlaceFrom | None = None  # what gives the time zone if the value is blank
    searched_through: Through | None = None  # where the search index has its values, if not here
    totals_as: str | None = None  # the header of the totals if a filter asks for the next days
    width: int = 140  # pixels in the grid
    via: Via | None = None  # it is the column `via_name` of that row
    via_name: str = ""
    prefix: str | None = None  # its values are this and the row's number, such as R-12
    formerly: tuple[str, ...] = ()  # its names in older links, saved views and files
    # What a value in the lists of older links and saved views stands for now.
    formerly_meant: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)
    # The SQL of the column and the SQL to sort by, at the instant `now`; None: as it is stored.
    derived: Callable[[datetime], SQLColumnExpression[Any]] | None = None
    sorted_by: Callable[[datetime], tuple[SQLColumnExpression[Any], ...]] | None = None
    any_of: AnyOf | None = None  # what a derived column is made of, if filters ask for that

    @property
    def is_written(self) -> bool:
        """Return whether the model has a sort key for the column."""
        return self.kind is Kind.TEXT and self.derived is None and self.name_of is None

    def number_in(self, asked: str) -> int | None:
        """Return the row number that a reference names, such as 12 of R-12; None if it is none."""
        prefix = self.prefix or ""
        named, digits = asked[: len(prefix)].upper(), asked[len(prefix) :]
        return int(digits) if prefix and named == prefix and _DIGITS.fullmatch(digits) else None

    def rank_of(self, value: Any) -> Any:
        """Return what a value of the column is sorted by."""
        return sort_key(value) if self.is_written and value is not None else value

    @property
    def import_help(self) -> str:
        """Return the help text of the column in an import file."""
        parts = [self.help, WRITTEN.get(self.kind, ""), self.if_blank]
        if self.kind is Kind.INSTANT:
            zone = "the airport's" if self.read_in else "the header's, or the import's"
            parts.insert(2, f"The time zone of a time without an offset is {zone}.")
        return " ".join(filter(None, parts))

    @property
    def read_in(self) -> str | None:
        """Return the column with the time zone of its imported times, if they are of a place."""
        return self.imported_in or self.place_zone

    @property
    def words(self) -> dict[str, str] | None:
        """Return the word for each value of the column; None where values are shown as they are."""
        if self.kind is Kind.FLAG:
            return FLAG_WORDS
        if self.wording is not None:
            return dict(self.wording())
        return words_by_value(self.allowed) if self.allowed else None

    @property
    def is_stored(self) -> bool:
        """Return whether the column is an attribute of the model."""
        return self.derived is None and self.via is None and self.prefix is None

    @property
    def has_words(self) -> bool:
        """Return whether values are codes of the system, which people see as words."""
        return self.allowed is not None or self.wording is not None

    def word_of(self, value: str) -> str:
        """Return the word of a value; one that is not known any more still reads as a word."""
        return (self.wording() if self.wording else {}).get(value) or word_of(value)

    @property
    def can_be_shown(self) -> bool:
        """Return whether the grid can show the column."""
        return self.is_shown or self.is_offered


NO = Column("no", "No", Kind.NUMBER, "Row number. Quote the ID instead.", is_shown=True, width=72)
# In a table with it, lists and filters also say the names of the contract IDs.
CONTRACT = Column(
    "contract",
    "Contract",
    Kind.TEXT,
    "The name of the contract in Contract ID.",
    is_offered=True,
    name_of="contract_id",
    width=180,
)


@dataclass(frozen=True)
class AlsoFinds:
    """Columns of another table that a search includes; the column `by` joins both tables."""

    table: "Table"
    names: tuple[str, ...]
    by: str
    words: str  # what it finds, for the search box

    @property
    def columns(self) -> tuple[Column, ...]:
        """Return the columns in their order."""
        return tuple(column for column in self.table.columns if column.name in self.names)


@dataclass(frozen=True)
class Table:
    """A table: its name in URLs, its title on the screen, its columns in order."""

    name: str
    title: str
    one: str
    many: str
    model: type[Base]
    key: str
    columns: tuple[Column, ...]
    newest: str = "created_at"  # the default sort column, newest first
    sorted_in_order_by: str | None = None  # the same on the page of an order, ascending
    # Built-in views, by name: what each asks, in the words of an address (see core.views).
    ready_made: Mapping[str, Any] = field(default_factory=dict, compare=False)
    # The same for views that depend on the e-mail address of who looks.
    personal: Callable[[str], Mapping[str, Any]] | None = field(default=None, compare=False)
    is_indexed: bool = False  # has search indexes
    also_finds: tuple[AlsoFinds, ...] = field(default=(), compare=False)
    told_by: tuple[str, ...] = ()  # the columns that tell a person which row is meant
    author: str | None = None  # the column of the e-mail address of the row's author
    by_author: str = "Mine"  # the name of the view of the actor's own rows
    hint: str | None = None  # shown while the table is empty: how rows get there
    hint_of_order: str | None = None  # the same, for the table of one order
    seen_with: Permission = Permission.ORDERS  # the permission to see its page and rows
    seen_in_order_with: Permission | None = None  # to see the rows of one order, if different
    # If a row can belong to several orders: the conditions that it belongs to an order, and that it
    # belongs only to the selected orders.
    of_order: Callable[[str], ColumnElement[bool]] | None = None
    only_of: Callable[[Select[str]], ColumnElement[bool]] | None = None

    def permission(self, order_id: str | None) -> Permission:
        """Return the permission to see the table's rows: of all orders, or of one."""
        if order_id is not None and self.seen_in_order_with is not None:
            return self.seen_in_order_with
        return self.seen_with

    def column(self, name: str) -> Column | None:
        """Find a column by its name, or by one that it had."""
        return next((one for one in self.columns if one.name == name or name in one.formerly), None)

    def column_of_names(self, column: Column) -> Column | None:
        """Return the column with the names of a column's IDs; None if the table has none."""
        return next((one for one in self.columns if one.name_of == column.name), None)

    def attribute(self, column: Column) -> InstrumentedAttribute[Any]:
        """Return the stored attribute of a column; for a name, that of its ID."""
        attribute: InstrumentedAttribute[Any] = getattr(self.model, column.name_of or column.name)
        return attribute

    def row_number(self) -> InstrumentedAttribute[int]:
        """Return the attribute of the row number."""
        return self.attribute(NO)

    def is_reference(self, asked: str) -> bool:
        """Return whether a text is a reference of this table, such as R-12."""
        return any(column.number_in(asked) is not None for column in self.offered)

    def expression(self, column: Column, now: datetime) -> SQLColumnExpression[Any]:
        """Return the SQL expression of a column at the instant `now`."""
        if column.name_of is not None:
            return contract_name(self.attribute(column))
        if column.prefix is not None:
            return literal(column.prefix, Text).concat(cast(self.row_number(), Text))
        if column.via is not None:
            return column.via.value(column.via_name, self.joined(column.via))
        return column.derived(now) if column.derived else self.attribute(column)

    def joined(self, via: Via) -> InstrumentedAttribute[Any]:
        """Return our attribute that the other table's rows are found by."""
        attribute: InstrumentedAttribute[Any] = getattr(self.model, via.by)
        return attribute

    def rank(self, column: Column, now: datetime) -> SQLColumnExpression[Any]:
        """Return the SQL to sort and group a column by, in which each value has one of its own."""
        if column.prefix is not None:
            return self.row_number()
        if column.via is not None:
            return self.expression(column, now)
        return column.derived(now) if column.derived else self.stored_rank(column)

    def stored_rank(self, column: Column) -> InstrumentedAttribute[Any]:
        """Return the stored attribute that a column is sorted by."""
        attribute = self.attribute(column)
        return sorted_by(attribute) if column.is_written else attribute

    def is_nullable(self, column: Column) -> bool:
        """Return whether a column can be blank. A name is if its ID is; those of other rows are."""
        if column.via is not None or column.any_of is not None:
            return True
        stored = self.model.__table__.c.get(column.name_of or column.name)
        return stored is not None and bool(stored.nullable)

    @property
    def stored(self) -> tuple[Column, ...]:
        """Return the stored columns, which are imported and dumped."""
        names = set(self.model.__table__.columns.keys())
        return tuple(column for column in self.columns if column.name in names)

    @property
    def offered(self) -> tuple[Column, ...]:
        """Return the columns that the grid can show, in the default order."""
        return tuple(column for column in self.columns if column.can_be_shown)

    @property
    def shown(self) -> tuple[Column, ...]:
        """Return the columns that the grid shows by default, in the default order."""
        return tuple(column for column in self.columns if column.is_shown)

    @property
    def shown_in_order(self) -> tuple[Column, ...]:
        """Return the same for the page of an order."""
        return tuple(column for column in self.shown if column.is_shown_in_order)

    @property
    def key_column(self) -> Column:
        """Return the column of the primary key. Every sort ends in it."""
        found = self.column(self.key)
        assert found is not None, self.key
        return found

    @property
    def amount(self) -> Column | None:
        """Return the amount column of the totals, which are per currency; None if there is none."""
        return next((column for column in self.offered if column.kind is Kind.MONEY), None)
