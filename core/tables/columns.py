"""What a table's description is made of: kinds of columns, columns, tables."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression
from sqlalchemy.orm import InstrumentedAttribute

from core.ground import Permission
from core.storage import Base


class Kind(StrEnum):
    """What a column holds, and so how it is filtered, shown and written."""

    TEXT = "text"  # what people write: compared without case in every script
    CODE = "code"  # what systems make: compared without case in ASCII
    NUMBER = "number"
    MONEY = "money"  # minor units; the currency stands in the column that `currency` names
    INSTANT = "instant"
    FLAG = "flag"
    BYTES = "bytes"


@dataclass(frozen=True)
class Column:
    """One column. `name` is the same word in grid, DataFrame, view and database."""

    name: str
    header: str
    kind: Kind
    help: str
    has_choices: bool = False  # offers the set filter: a list with counts and (blank)
    is_shown: bool = False  # in the grid and its Excel file from the first
    is_offered: bool = False  # hidden at first; a person can show it
    is_required: bool = False  # an import must give it
    if_blank: str = ""  # what an import makes of a missing value, as a sentence
    is_reference: bool = False  # pasted IDs are looked for in it
    opens_order: bool = False  # holds an order's ID, which leads to that order
    allowed: type[StrEnum] | None = None
    currency: str | None = None
    place_zone: str | None = None  # its times are local in the zone that this column names
    width: int = 140  # pixels in the grid
    derived: Callable[[datetime], SQLColumnExpression[Any]] | None = None  # of the instant `now`
    sorted_by: Callable[[datetime], tuple[SQLColumnExpression[Any], ...]] | None = None  # if not it

    @property
    def import_help(self) -> str:
        """Return what the column means to whoever writes a file to import."""
        return f"{self.help} {self.if_blank}".rstrip()

    @property
    def can_be_shown(self) -> bool:
        """Say whether the grid has the column, be it hidden at first."""
        return self.is_shown or self.is_offered


def in_words(value: str) -> str:
    """Return a member of an enumeration as people read it: not_used is “not used”."""
    return value.replace("_", " ")


@dataclass(frozen=True)
class Table:
    """One table: its name in addresses, its title on the screen, its columns in order."""

    name: str
    title: str
    one: str
    many: str
    model: type[Base]
    key: str
    columns: tuple[Column, ...]
    newest: str = "created_at"  # the column that a table is sorted by at first, newest first
    hint: str | None = None  # what brings its first row, where that is not an import
    hint_of_order: str | None = None  # the same, of one order
    seen_with: Permission = Permission.ORDERS  # what its page and its rows are for
    seen_in_order_with: Permission | None = None  # the rows of one order, where that is another
    # Where rows are of several orders: which of them are of one, and which of others alone.
    of_order: Callable[[str], ColumnElement[bool]] | None = None
    only_of: Callable[[Select[str]], ColumnElement[bool]] | None = None

    def permission(self, order_id: str | None) -> Permission:
        """Return what one needs to see the table's rows: of every order, or of one."""
        if order_id is not None and self.seen_in_order_with is not None:
            return self.seen_in_order_with
        return self.seen_with

    def column(self, name: str) -> Column | None:
        """Find a column by its name."""
        return next((column for column in self.columns if column.name == name), None)

    def attribute(self, column: Column) -> InstrumentedAttribute[Any]:
        """Return what is stored under a column's name."""
        attribute: InstrumentedAttribute[Any] = getattr(self.model, column.name)
        return attribute

    def expression(self, column: Column, now: datetime) -> SQLColumnExpression[Any]:
        """Return the SQL expression of a column, as it is at the instant `now`."""
        return column.derived(now) if column.derived else self.attribute(column)

    def folded(self, column: Column) -> InstrumentedAttribute[Any]:
        """Return the folded twin of a TEXT column, which searches compare."""
        attribute: InstrumentedAttribute[Any] = getattr(self.model, f"{column.name}_folded")
        return attribute

    def is_nullable(self, column: Column) -> bool:
        """Say whether the column's value can be missing; one that is not stored never is."""
        stored = self.model.__table__.c.get(column.name)
        return stored is not None and bool(stored.nullable)

    @property
    def stored(self) -> tuple[Column, ...]:
        """Return the columns of import and dump."""
        names = set(self.model.__table__.columns.keys())
        return tuple(column for column in self.columns if column.name in names)

    @property
    def offered(self) -> tuple[Column, ...]:
        """Return the columns that the grid can show, in their usual order."""
        return tuple(column for column in self.columns if column.can_be_shown)

    @property
    def shown(self) -> tuple[Column, ...]:
        """Return the columns that the grid shows at first, in their usual order."""
        return tuple(column for column in self.columns if column.is_shown)

    @property
    def key_column(self) -> Column:
        """Return the column that tells rows apart; it ends every sort."""
        found = self.column(self.key)
        assert found is not None, self.key
        return found

    @property
    def amount(self) -> Column | None:
        """Return the column that the totals add up, per currency."""
        return next((column for column in self.offered if column.kind is Kind.MONEY), None)
