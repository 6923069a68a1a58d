"""Which rows stand in a window of a view, in which order; as fast among millions as thousands.

The databases guess badly how many rows a filter leaves. So up to FEW matches are looked for first,
in whatever order is fastest, and nothing of them but which they are: so an index that has the
filter's column is read instead of the whole table. When these are all, they are sorted; when there
are more, the database walks the rows in their order, and soon meets enough. Only keys are sorted:
to sort millions of whole rows takes four times as long.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session

from core import storage
from core.access import Actor
from core.query.conditions import where
from core.query.search import FEW, Gathered, Narrowing, gather, narrow, rows_of
from core.storage import Base, in_common_units
from core.tables import Column, Kind, Table
from core.views import Operator, View

REMEMBERED_SECONDS, MOST_REMEMBERED = 60.0, 1_000
DATED = "created_at"  # what indexes of a value and its dates have second
SOON = 25  # rows by date that are walked at first, for each that is asked for: 1 ms a page
EARLY = 50_000  # rows by date that are walked in 15 ms, where a text is not rare
FREQUENT = 1_000  # when an index has said that more than FEW rows may match


_many: dict[tuple[Any, ...], float] = {}  # views with many matches, and until when that is kept


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


@dataclass(frozen=True)
class _Window:
    """The rows [start, end) of a view, in its order."""

    session: Session
    view: View
    now: datetime
    start: int
    end: int

    def find(self, conditions: Sequence[ColumnElement[bool]]) -> list[str]:
        """Find the keys of its rows."""
        key = self.view.table.attribute(self.view.table.key_column)
        terms = [term.of(term.expression) for term in sort_terms(self.view, self.now)]
        ordered = select(key).where(*conditions).order_by(*terms)
        return list(self.session.scalars(ordered.offset(self.start).limit(self.end - self.start)))

    def find_among_first(
        self, rows: int, conditions: Sequence[ColumnElement[bool]]
    ) -> list[str] | None:
        """Find its keys among so many first rows by date; None where they are not all there."""
        view = self.view
        if not rows or self.end > FREQUENT or not _is_by_date(view):
            return None
        stored: InstrumentedAttribute[datetime] = getattr(view.table.model, DATED)
        (by,) = view.sort
        dates = select(stored).order_by(stored.desc() if by.descending else stored.asc())
        last = self.session.scalar(dates.offset(rows - 1).limit(1))
        if last is None:  # the table has no more
            return self.find(conditions)
        is_first = stored >= last if by.descending else stored <= last
        with _walking(self.session):
            found = self.find([*conditions, is_first])
        return found if len(found) == self.end - self.start else None


@contextmanager
def _walking(session: Session) -> Iterator[None]:
    """Have PostgreSQL walk rows in their order: it would look up every match by its trigrams."""
    if storage.is_sqlite():
        yield
        return
    session.execute(text("SET LOCAL enable_bitmapscan = off"))
    yield
    session.execute(text("SET LOCAL enable_bitmapscan = on"))


def find_keys(
    session: Session, view: View, *, actor: Actor, now: datetime, start: int, end: int
) -> list[str]:
    """Find the keys of the rows [start, end) of a view, in its order."""
    window = _Window(session, view, now, start, end)
    conditions = where(view, actor=actor, now=now)
    if not view.is_filtered or start > FEW or _is_walked(view):
        return window.find(conditions)
    of_few = where(view, actor=actor, now=now, of_few=True)
    # A search looks into many columns, of orders into their items too: that takes longer.
    found = None if view.search else window.find_among_first(end * SOON, of_few)
    if found is None and _is_known(view, actor):
        found = window.find(of_few)
    if found is None:
        narrowing = narrow(session, view)
        if narrowing.most > FREQUENT:
            found = window.find_among_first(EARLY, of_few)
        if found is None:
            conditions = _lead(window, actor, narrowing, conditions, of_few)
    return window.find(conditions) if found is None else found


def _lead(
    window: _Window,
    actor: Actor,
    narrowing: Narrowing,
    conditions: list[ColumnElement[bool]],
    of_few: list[ColumnElement[bool]],
) -> list[ColumnElement[bool]]:
    """Return conditions that leave the same rows, and lead to them where they are few."""
    session, view = window.session, window.view
    if narrowing.conditions or narrowing.sample is not None:
        conditions = of_few + narrowing.conditions
    if not _are_frequent(session, view.table, conditions, narrowing.sample):
        limit = FEW if narrowing.sample is None else FREQUENT
        few = find_few(session, view.table, conditions, limit)
        if few is not None:
            return [few.has(view.table.model)]
    if not view.ids:  # thousands of them are too many to keep
        _remember(view, actor)
    return conditions


def _key_of(view: View, actor: Actor) -> tuple[Any, ...]:
    asked = (view.filters, view.search, view.ids, view.zone, view.order_id)
    return (view.table.name, view.sort, *asked, actor)


def _is_known(view: View, actor: Actor) -> bool:
    """Say whether the view had many matches a moment ago, as for who scrolls on in it."""
    return _many.get(_key_of(view, actor), 0.0) > time.monotonic()


def _remember(view: View, actor: Actor) -> None:
    """Remember that the view has many matches; which rows are found does not depend on it."""
    if len(_many) >= MOST_REMEMBERED:
        _many.clear()
    _many[_key_of(view, actor)] = time.monotonic() + REMEMBERED_SECONDS


def _is_walked(view: View) -> bool:
    """Say whether an index has the view's rows alone, in its order: one value, by its dates."""
    if view.search or view.ids or view.order_id is not None or len(view.filters) != 1:
        return False
    (only,) = view.filters
    asked = only.conditions[0]
    is_one = len(only.conditions) == 1 and asked.operator is Operator.IN and len(asked.value) == 1
    if not is_one or None in asked.value or not _is_by_date(view):
        return False
    stored = Base.metadata.tables[view.table.model.__tablename__]
    leading = ([column.name for column in index.columns][:2] for index in stored.indexes)
    return [only.column.name, DATED] in leading


def _is_by_date(view: View) -> bool:
    """Say whether an index has all of the table's rows in the view's order."""
    is_of_all = not view.ids and view.order_id is None
    return is_of_all and [one.column.name for one in view.sort] == [DATED]


def _are_frequent(
    session: Session,
    table: Table,
    conditions: Sequence[ColumnElement[bool]],
    sample: Gathered | None,
) -> bool:
    """Say whether one in ten of the rows matches which an index gave of a frequent text."""
    if sample is None or not sample.count:
        return sample is not None
    matching = rows_of(table.model).where(sample.has(table.model), *conditions)
    return gather(session, matching, sample.count // 10) is None


def find_few(
    session: Session, table: Table, conditions: Sequence[ColumnElement[bool]], limit: int
) -> Gathered | None:
    """Find the matches if they are at most so many; None when they are more."""
    return gather(session, rows_of(table.model).where(*conditions), limit)
