"""What a view's sort means, as SQL, and which index has the rows in that order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression

from core.columns import Column, Kind, Table
from core.models import Base, in_common_units
from core.view import View


@dataclass(frozen=True)
class Term:
    """One expression of an ORDER BY."""

    expression: SQLColumnExpression[Any]
    descending: bool
    is_nullable: bool

    def of(self, expression: SQLColumnExpression[Any]) -> ColumnElement[Any]:
        """Direct the expression, or what stands for it outside a subquery; blanks come last."""
        directed = expression.desc() if self.descending else expression.asc()
        return directed.nulls_last() if self.is_nullable else directed


def sort_terms(view: View, now: datetime) -> list[Term]:
    """Return a view's ORDER BY; it ends in the key, so that paging never repeats or skips a row."""
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
    """Return what a column is sorted by: itself, but amounts of every currency in one unit."""
    if column.sorted_by is not None:
        return column.sorted_by(now)
    expression = table.expression(column, now)
    if column.kind is Kind.MONEY:
        return (in_common_units(expression, table.model.__table__.c[str(column.currency)]),)
    return (expression,)


def find_index(table: Table, terms: Sequence[Term]) -> set[str] | None:
    """Find an index with a table's rows in the order of the terms, or in the reverse one.

    Returns what the index holds, in the words in which SQLAlchemy says columns.
    """
    wanted = [_in_words(term.expression) for term in terms]
    if len({term.descending for term in terms}) > 1:
        return None
    stored = Base.metadata.tables[table.model.__tablename__]
    if wanted == [str(column) for column in stored.primary_key]:
        return set(wanted)
    for index in stored.indexes:
        held = [_in_words(expression) for expression in index.expressions]
        is_whole = index.dialect_options["sqlite"]["where"] is None
        if is_whole and (held[: len(wanted)] == wanted or (index.unique and held == wanted[:1])):
            return set(held)
    return None


def _in_words(expression: Any) -> str:
    return str(getattr(expression, "expression", expression))
