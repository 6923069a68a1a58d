"""Finds the keys of a window of a view in its order, as fast in millions of rows as in thousands.

Databases estimate badly how many rows match a filter. So up to MAX_GATHERED matches are gathered
first, in the fastest order and only their keys: this reads an index with the filter's column
instead of the whole table. If these are all matches, they are sorted. If there are more, the
database scans the rows in sort order, which soon fills the window. Only keys are sorted: sorting
millions of whole rows takes four times as long.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from core import storage
from core.access import Actor
from core.query.conditions import where
from core.query.search import MAX_GATHERED, Narrowing, narrow, narrow_by_rare
from core.storage import Base, Gathered, gather, in_common_units, rows_of
from core.tables import Column, Kind, Table
from core.views import Operator, View

CACHE_SECONDS, MAX_CACHED = 60.0, 1_000
DATE = "created_at"  # the second column of the indexes of values by date
HEAD_PER_ROW = 25  # newest or oldest rows that are scanned first, per requested row: 1 ms a page
HEAD_ROWS = 50_000  # the same if a text is not rare; they are scanned in 15 ms
COMMON = 1_000  # gathered at most if an index shows that more than MAX_GATHERED may match


_unselective: dict[tuple[Any, ...], float] = {}  # views with many matches; when the entry expires


@dataclass(frozen=True)
class Term:
    """One expression of an ORDER BY."""

    expression: SQLColumnExpression[Any]
    descending: bool
    is_nullable: bool

    def of(self, expression: SQLColumnExpression[Any]) -> ColumnElement[Any]:
        """Add the direction to the expression, or to its column in a subquery; blanks come last."""
        directed = expression.desc() if self.descending else expression.asc()
        return directed.nulls_last() if self.is_nullable else directed


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
    if column.sorted_by is not None:
        return column.sorted_by(now)
    rank = table.rank(column, now)
    if column.kind is Kind.MONEY:
        return (in_common_units(rank, table.model.__table__.c[str(column.currency)]),)
    return (rank,)


@dataclass(frozen=True)
class _Window:
    """A window: the rows [start, end) of a view, in its order."""

    session: Session
    view: View
    now: datetime
    start: int
    end: int

    def find(self, conditions: Sequence[ColumnElement[bool]]) -> list[str]:
        """Find the keys of the rows that meet the conditions."""
        key = self.view.table.attribute(self.view.table.key_column)
        terms = [term.of(term.expression) for term in sort_terms(self.view, self.now)]
        ordered = select(key).where(*conditions).order_by(*terms)
        return list(self.session.scalars(ordered.offset(self.start).limit(self.end - self.start)))

    def find_in_head(self, rows: int, conditions: Sequence[ColumnElement[bool]]) -> "_Head":
        """Find the keys among the first `rows` rows by date."""
        view = self.view
        if not rows or self.end > COMMON or not _is_by_date(view):
            return _UNREAD
        stored: InstrumentedAttribute[datetime] = getattr(view.table.model, DATE)
        (by,) = view.sort
        dates = select(stored).order_by(stored.desc() if by.descending else stored.asc())
        nth = select(dates.offset(rows - 1).limit(1).scalar_subquery())
        last = self.session.execute(storage.scan_in_order(self.session, nth)).scalar_one()
        if last is None:  # the table has fewer rows
            return _Head(self.find(conditions), None)
        found = self.find([*conditions, stored >= last if by.descending else stored <= last])
        if len(found) == self.end - self.start:
            return _Head(found, None)  # rows that are read by their keys do not need more
        storage.look_up_again(self.session)
        return _Head(None, bool(found) or self.start > 0)


@dataclass(frozen=True)
class _Head:
    """The keys of a window among the first rows by date; without them, whether there are any."""

    keys: list[str] | None
    may_have: bool | None


_UNREAD = _Head(None, may_have=True)


def find_keys(
    session: Session, view: View, *, actor: Actor, now: datetime, start: int, end: int
) -> list[str]:
    """Find the keys of the rows [start, end) of a view, in its order."""
    window = _Window(session, view, now, start, end)
    if not view.is_filtered or start > MAX_GATHERED or _is_walked(view):
        return window.find(where(view, actor=actor, now=now))
    per_order = where(view, actor=actor, now=now, per_order=True)
    rare = None if _is_known(view, actor) else narrow_by_rare(session, view, COMMON)
    if rare is not None and rare.most <= COMMON:
        return window.find(per_order + rare.conditions)
    conditions = where(view, actor=actor, now=now) if view.search else per_order
    # A search reads many columns, for orders also those of the items, which takes longer.
    head = _UNREAD if view.search else window.find_in_head(end * HEAD_PER_ROW, per_order)
    if head.keys is not None:
        return head.keys
    if _is_known(view, actor):
        return window.find(per_order)
    narrowing = narrow(session, view)
    if narrowing.most > COMMON and head.may_have:
        # PostgreSQL looks at the candidates alone; SQLite would read and sort all of them.
        listed = narrowing.conditions if storage.has_estimates() else []
        head = window.find_in_head(HEAD_ROWS, per_order + listed)
        if head.keys is not None:
            return head.keys
    if narrowing.conditions and narrowing.sample is None:
        return window.find(per_order + narrowing.conditions)
    return window.find(_list_if_few(window, actor, narrowing, conditions, per_order))


def _list_if_few(
    window: _Window,
    actor: Actor,
    narrowing: Narrowing,
    conditions: list[ColumnElement[bool]],
    per_order: list[ColumnElement[bool]],
) -> list[ColumnElement[bool]]:
    """Return equivalent conditions, which list the matches if they are few."""
    session, view = window.session, window.view
    if narrowing.conditions or narrowing.sample is not None:
        conditions = per_order + narrowing.conditions
    if not _are_common(session, view.table, conditions, narrowing.sample):
        limit = MAX_GATHERED if narrowing.sample is None else COMMON
        few = find_few(session, view.table, conditions, limit)
        if few is not None:
            return [few.has(view.table.model)]
    if not view.ids and view.keys is None:  # thousands of them are too many to keep
        _remember(view, actor)
    return conditions


def _key_of(view: View, actor: Actor) -> tuple[Any, ...]:
    asked = (view.filters, view.search, view.ids, view.keys, view.zone, view.order_id)
    return (view.table.name, view.sort, *asked, actor)


def _is_known(view: View, actor: Actor) -> bool:
    """Return whether the view had many matches recently, as when the user scrolls."""
    return _unselective.get(_key_of(view, actor), 0.0) > time.monotonic()


def _remember(view: View, actor: Actor) -> None:
    """Cache that the view has many matches; the result does not depend on the cache."""
    if len(_unselective) >= MAX_CACHED:
        _unselective.clear()
    _unselective[_key_of(view, actor)] = time.monotonic() + CACHE_SECONDS


def _is_walked(view: View) -> bool:
    """Return whether an index has exactly the view's rows in its order: one value, by date."""
    if view.search or len(view.filters) != 1:
        return False
    (only,) = view.filters
    asked = only.conditions[0]
    is_one = len(only.conditions) == 1 and asked.operator is Operator.IN and len(asked.value) == 1
    if not is_one or None in asked.value or only.column.derived or not _is_by_date(view):
        return False
    stored = Base.metadata.tables[view.table.model.__tablename__]
    leading = ([column.name for column in index.columns][:2] for index in stored.indexes)
    return [view.table.stored_rank(only.column).key, DATE] in leading


def _is_by_date(view: View) -> bool:
    """Return whether an index has all rows of the table in the view's order."""
    is_of_all = not view.ids and view.keys is None and view.order_id is None
    return is_of_all and [one.column.name for one in view.sort] == [DATE]


def _are_common(
    session: Session,
    table: Table,
    conditions: Sequence[ColumnElement[bool]],
    sample: Gathered | None,
) -> bool:
    """Return whether more than one in ten rows of the sample of a common text matches."""
    if sample is None or not sample.count:
        return sample is not None
    matching = rows_of(table.model).where(sample.has(table.model), *conditions)
    return gather(session, matching, sample.count // 10) is None


def find_few(
    session: Session, table: Table, conditions: Sequence[ColumnElement[bool]], limit: int
) -> Gathered | None:
    """Gather the matches if there are at most `limit`; None if there are more."""
    return gather(session, rows_of(table.model).where(*conditions), limit)
