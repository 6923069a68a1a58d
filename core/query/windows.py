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

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from core import storage
from core.access import Actor
from core.query.conditions import where
from core.query.contracts import joined
from core.query.search import MAX_GATHERED, Narrowing, narrow, narrow_by_rare
from core.query.sorting import Spot, sort_terms
from core.storage import Base, Gathered, gather, rows_of
from core.tables import Table
from core.views import Operator, View

CACHE_SECONDS, MAX_CACHED = 60.0, 1_000
DATE = "created_at"  # the second column of the indexes of values by date
HEAD_PER_ROW = 25  # newest or oldest rows that are scanned first, per requested row: 1 ms a page
HEAD_ROWS = 50_000  # the same if a text is not rare; they are scanned in 15 ms
COMMON = 1_000  # gathered at most if an index shows that more than MAX_GATHERED may match


_unselective: dict[tuple[Any, ...], float] = {}  # views with many matches; when the entry expires


@dataclass(frozen=True)
class _Window:
    """A window: the rows [start, end) of a view, in its order; or the first one after a place."""

    session: Session
    view: View
    now: datetime
    start: int
    end: int
    after: Spot | None = None

    def find(self, conditions: Sequence[ColumnElement[bool]]) -> list[str]:
        """Find the keys of the rows that meet the conditions."""
        key = self.view.table.attribute(self.view.table.key_column)
        rows = joined(self.view, select(key.label("key"))).where(*conditions)
        if self.after is not None:
            return self.after.first_after(self.session, rows)
        terms = [term.of(term.expression) for term in sort_terms(self.view, self.now)]
        ordered = rows.order_by(*terms)
        return list(self.session.scalars(ordered.offset(self.start).limit(self.end - self.start)))

    def find_in_head(self, rows: int, conditions: Sequence[ColumnElement[bool]]) -> "_Head":
        """Find the keys among the first `rows` rows by date, or the first ones after a place."""
        view = self.view
        if not rows or self.end > COMMON or not _is_by_date(view):
            return _UNREAD
        stored: InstrumentedAttribute[datetime] = getattr(view.table.model, DATE)
        by = self.after.terms[0] if self.after else sort_terms(view, self.now)[0]
        dates = select(stored).order_by(by.of(stored))
        if self.after is not None:
            here = self.after.values[0]
            dates = dates.where(stored <= here if by.descending else stored >= here)
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
    return _find(_Window(session, view, now, start, end), actor)


def find_next(view: View, after: Spot, *, actor: Actor, now: datetime) -> str | None:
    """Find the key of the first row of a view after a place in its sort, or in the reversed one.

    It has its own transaction, because a scan in sort order changes the settings of one.
    """
    with storage.reading() as session:
        found = _find(_Window(session, view, now, 0, 1, after), actor)
    return found[0] if found else None


def _find(window: _Window, actor: Actor) -> list[str]:
    session, view, now, end = window.session, window.view, window.now, window.end
    if not view.is_filtered or window.start > MAX_GATHERED or _is_walked(view):
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
    if not is_one or None in asked.value or not only.column.is_stored or not _is_by_date(view):
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
