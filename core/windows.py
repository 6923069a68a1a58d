"""Which rows stand in a window of a view: found as fast among millions as among thousands.

No single statement is fast for every filter, and the databases guess badly how many rows a filter
leaves, so it is tried:

- When few rows match, they are all found and sorted.
- When many do, the rows are walked in their order, by an index, until the window is full.
- When that finds too few in good time, since all that match are far behind or no index has the
  order, every row is read and those that match are sorted.

Only keys are sorted: to sort millions of whole rows takes four times as long. Each way finds the
same rows in the same order, which a test holds them to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CTE,
    Column,
    ColumnElement,
    Select,
    Subquery,
    and_,
    case,
    func,
    select,
    text,
    true,
)
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.visitors import iterate

from core import db
from core.columns import Table
from core.conditions import where
from core.sorting import Term, find_index, sort_terms
from core.users import Actor
from core.view import View

FEW = 20_000  # matches: sorted in 20 ms; when there are more, three million rows have one in 150
WALKED = 200_000  # rows; for each row up to the window's end some more
WALKED_A_ROW = 10


@dataclass(frozen=True)
class _Window:
    """A window of the rows that meet a condition, and the statements that find its keys."""

    table: Table
    condition: ColumnElement[bool]
    terms: Sequence[Term]
    start: int
    end: int

    @property
    def key(self) -> InstrumentedAttribute[Any]:
        return self.table.attribute(self.table.key_column)

    def cut(self, statement: Select[Any]) -> Select[Any]:
        return statement.offset(self.start).limit(self.end - self.start)

    def sorted(self) -> Select[Any]:
        """Ask for the window as it is meant, and leave the way to the database."""
        order = (term.of(term.expression) for term in self.terms)
        return self.cut(select(self.key).where(self.condition).order_by(*order))

    def matches(self) -> Select[Any]:
        found = select(self.key.label("key")).where(self.condition)
        for i, term in enumerate(self.terms):
            found = found.add_columns(term.expression.label(f"term_{i}"))
        return found

    def sorted_of(self, found: CTE | Subquery, *more: ColumnElement[Any]) -> Select[Any]:
        order = (term.of(found.c[f"term_{i}"]) for i, term in enumerate(self.terms))
        return self.cut(select(found.c.key, *more).order_by(*order))

    def of_few(self) -> Select[Any]:
        """Find at most FEW matches and one more, and sort them; every key comes with how many."""
        found = self.matches().limit(FEW + 1).cte("found")
        return self.sorted_of(found, select(func.count()).select_from(found).scalar_subquery())

    def of_walk(self, rows: int | None) -> Select[Any]:
        """Go through that many rows in their order and keep those that match."""
        order = (term.of(term.expression) for term in self.terms)
        # As a CASE the condition is left as soon as it is decided; as a value, SQLite works out
        # every part of it, such as the hundreds of time zones of a day.
        is_match = case((self.condition, 1), else_=0).label("is_match")
        walked = (
            select(self.key.label("key"), is_match)
            .order_by(*order)
            .limit(rows)
            .offset(0)  # keeps the subquery one, so that the condition does not choose the index
            .subquery("walked")
        )
        return self.cut(select(walked.c.key).where(walked.c.is_match == 1))

    def of_scan(self) -> Select[Any]:
        """Go through every row, and sort those that match."""
        found = self.matches().offset(0)  # keeps the subquery one, so that no index is walked
        if db.is_sqlite():
            # As they are stored, but in the direction of the sort: what is added over time comes
            # nearly in order then, where in the reverse one each row would be the best so far.
            direction = "DESC" if self.terms[0].descending else "ASC"
            found = found.order_by(text(f"{self.table.model.__tablename__}.rowid {direction}"))
        return self.sorted_of(found.subquery("found"))


def find_keys(
    session: Session, view: View, *, actor: Actor, now: datetime, start: int, end: int
) -> list[str]:
    """Find the keys of the rows [start, end) of a view, in its order."""
    conditions = [one for one in where(view, actor=actor, now=now) if one is not true()]
    terms = sort_terms(view, now)
    window = _Window(view.table, and_(true(), *conditions), terms, start, end)
    if not conditions:
        return list(session.scalars(window.sorted()))
    if start <= FEW:
        rows = session.execute(window.of_few()).all()
        if not rows or rows[0][1] <= FEW:
            return [key for key, _ in rows]
    index = find_index(view.table, terms)
    if index is not None:
        asked = {str(one) for one in iterate(window.condition) if isinstance(one, Column)}
        is_told_by_index = asked <= index
        far = None if is_told_by_index else WALKED + WALKED_A_ROW * end
        keys = list(session.scalars(window.of_walk(far)))
        if is_told_by_index or len(keys) == end - start:
            return keys
    return list(session.scalars(window.of_scan()))
