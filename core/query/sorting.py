"""The sort of a view in SQL, and the place of a row in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, func, literal, select
from sqlalchemy.orm import Session

from core.query.contracts import RANK
from core.storage import in_common_units
from core.tables import Column, Kind, Table
from core.views import View


@dataclass(frozen=True)
class Term:
    """One expression of an ORDER BY; blanks come last, unless it is reversed."""

    expression: SQLColumnExpression[Any]
    descending: bool
    is_nullable: bool
    is_reversed: bool = False

    def of(self, expression: SQLColumnExpression[Any]) -> ColumnElement[Any]:
        """Add the direction to the expression, or to its column in a subquery."""
        directed = expression.desc() if self.descending else expression.asc()
        if not self.is_nullable:
            return directed
        return directed.nulls_first() if self.is_reversed else directed.nulls_last()

    def reversed(self) -> "Term":
        """Return the term that sorts the other way."""
        return replace(self, descending=not self.descending, is_reversed=not self.is_reversed)

    def equals(self, value: Any) -> ColumnElement[bool]:
        """Restrict to rows with this value."""
        if value is None:
            return self.expression.is_(None)
        return self.expression == self._bound(value)

    def after(self, value: Any) -> list[ColumnElement[bool]]:
        """Return the conditions of the rows that come after those with this value, in order."""
        is_blank = [self.expression.is_(None)] if self.is_nullable else []
        if value is None:
            return [self.expression.is_not(None)] if self.is_reversed else []
        bound = self._bound(value)
        later = self.expression < bound if self.descending else self.expression > bound
        return [later] if self.is_reversed else [later, *is_blank]

    def _bound(self, value: Any) -> ColumnElement[Any]:
        expression: Any = self.expression  # its type is missing in SQLAlchemy's annotations
        return literal(value, expression.type)


def sort_terms(view: View, now: datetime) -> list[Term]:
    """Return a view's ORDER BY. It ends in the key, so that paging never repeats or skips a row."""
    key = view.table.key_column
    asked = [(one.column, one.descending) for one in view.sort]
    if all(column != key for column, _ in asked):
        asked.append((key, asked[-1][1] if asked else False))
    return [
        Term(expression, descending, view.table.is_nullable(column))
        for column, descending in asked
        for expression in _sorted_by(view.table, column, now)
    ]


def _sorted_by(table: Table, column: Column, now: datetime) -> tuple[SQLColumnExpression[Any], ...]:
    """Return what a column is sorted by: its rank; amounts in the unit of all currencies."""
    if column.name_of is not None:
        return RANK
    if column.sorted_by is not None:
        return column.sorted_by(now)
    rank = table.rank(column, now)
    if column.kind is Kind.MONEY:
        return (in_common_units(rank, table.model.__table__.c[str(column.currency)]),)
    return (rank,)


@dataclass(frozen=True)
class Spot:
    """The place of a row in a sort: the terms, and the row's value of each."""

    terms: Sequence[Term]
    values: Sequence[Any]

    def reversed(self) -> "Spot":
        """Return the same place in the reversed sort."""
        return replace(self, terms=[term.reversed() for term in self.terms])

    def first_after(self, session: Session, rows: Select[Any]) -> list[str]:
        """Find the `key` of the first of the rows after this place.

        Rows that tie in the first terms come before the others. Each of these steps is a range of
        an index with the terms; one condition with OR would be none. The database takes a step only
        if those before it have found no row.
        """
        steps = [
            rows.where(*step)
            .order_by(*(term.of(term.expression) for term in self.terms))
            .limit(1)
            .scalar_subquery()
            for step in self._steps()
        ]
        first = func.coalesce(*steps) if len(steps) > 1 else steps[0]
        return [one for one in session.scalars(select(first)) if one is not None]

    def _steps(self) -> Iterator[list[ColumnElement[bool]]]:
        for count in reversed(range(len(self.terms))):
            ties = [self.terms[n].equals(self.values[n]) for n in range(count)]
            for after in self.terms[count].after(self.values[count]):
                yield [*ties, after]
