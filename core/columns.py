"""What a table's description is made of: kinds of columns, columns, tables."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import InstrumentedAttribute

from core.models import Base


class Kind(StrEnum):
    """What a column holds, and so how it is filtered, shown and written."""

    TEXT = "text"  # what people write: compared without case in every script
    CODE = "code"  # what systems make: compared without case in ASCII
    NUMBER = "number"
    MONEY = "money"  # minor units; the currency stands in the column named `currency`
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
    is_shown: bool = False  # offered in the grid and its Excel file; every column is in the dump
    is_required: bool = False  # an import must give it
    allowed: type[StrEnum] | None = None
    currency: str | None = None
    place_zone: str | None = None  # a local time without zone is in the zone of this column
    width: int = 140  # pixels in the grid


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

    def column(self, name: str) -> Column | None:
        """Find a column by its name."""
        return next((column for column in self.columns if column.name == name), None)

    def expression(self, column: Column) -> InstrumentedAttribute[Any]:
        """Return the SQL expression of a column."""
        attribute: InstrumentedAttribute[Any] = getattr(self.model, column.name)
        return attribute

    def folded(self, column: Column) -> InstrumentedAttribute[Any]:
        """Return the folded twin of a TEXT column, which searches compare."""
        attribute: InstrumentedAttribute[Any] = getattr(self.model, f"{column.name}_folded")
        return attribute

    def is_nullable(self, column: Column) -> bool:
        """Say whether the database lets the column's value be missing."""
        return bool(self.expression(column).property.columns[0].nullable)

    @property
    def shown(self) -> tuple[Column, ...]:
        """Return the columns of the grid, in their usual order."""
        return tuple(column for column in self.columns if column.is_shown)

    @property
    def key_column(self) -> Column:
        """Return the column that tells rows apart; it ends every sort."""
        found = self.column(self.key)
        assert found is not None, self.key
        return found
