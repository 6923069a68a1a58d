"""What a column takes from elsewhere: the zone of a place, a search index, rows of others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, select, text
from sqlalchemy.orm import InstrumentedAttribute

from core.storage import Base


@dataclass(frozen=True)
class PlaceFrom:
    """The column with the code of a row's place, and the IANA time zone of each code."""

    column: str
    zones: Callable[[], Mapping[str, str]]


@dataclass(frozen=True)
class Through:
    """A table with the same texts and fewer rows; the column `by` joins both tables."""

    model: type[Base]
    by: str


@dataclass(frozen=True)
class AnyOf:
    """Rows of another table, in any number: a filter asks whether one of them matches.

    `by` joins both tables. Without rows, the column is blank.
    """

    attribute: InstrumentedAttribute[Any]
    by: str
    rows: Callable[[datetime], ColumnElement[bool]]


@dataclass(frozen=True)
class Via:
    """The row of another table that belongs to a row: at most one, by the column `by` of both."""

    model: type[Base]
    by: str
    counts: str  # SQL: which rows of that table count

    def value(self, name: str, ours: SQLColumnExpression[Any]) -> ColumnElement[Any]:
        """Return the value of a column of that row; blank without one."""
        theirs = self.model.__table__.c
        found = select(theirs[name]).where(theirs[self.by] == ours, text(f"({self.counts})"))
        return found.correlate_except(self.model.__table__).scalar_subquery()

    def has(
        self, ours: SQLColumnExpression[Any], condition: ColumnElement[bool]
    ) -> ColumnElement[bool]:
        """Restrict to rows with such a row that meets a condition, which its indexes find."""
        theirs = select(self.model.__table__.c[self.by]).where(text(f"({self.counts})"), condition)
        return ours.in_(theirs)
