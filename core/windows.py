"""Which rows stand in a window of a view, in which order; as fast among millions as thousands.

The databases guess badly how many rows a filter leaves. So up to FEW matches are looked for first,
in whatever order is fastest, and nothing of them but which they are: so an index that has the
filter's column is read instead of the whole table. When these are all, they are sorted; when there
are more, the database walks the rows in their order, and soon meets enough. Only keys are sorted:
to sort millions of whole rows takes four times as long.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.columns import Column, Kind, Table
from core.conditions import where
from core.models import Base, in_common_units
from core.search import FEW, Gathered, gather, narrow, rows_of
from core.users import Actor
from core.view import Operator, View

REMEMBERED_SECONDS, MOST_REMEMBERED = 60.0, 1_000
DATED = "created_at"  # what indexes of a value and its dates have second
EARLY = 50_000  # rows by date that are walked in 15 ms
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


def find_keys(
    session: Session, view: View, *, actor: Actor, now: datetime, start: int, end: int
) -> list[str]:
    """Find the keys of the rows [start, end) of a view, in its order."""
    conditions = where(view, actor=actor, now=now)
    page = partial(_page, session, view, now, start, end)
    if view.is_filtered and start <= FEW and not _is_walked(view) and not _is_known(view, actor):
        narrowing = narrow(session, view)
        if narrowing.most > FREQUENT >= end and _is_by_date(view):
            early = _early(session, view)
            found = page(conditions + early)
            if len(found) == end - start or not early:
                return found
        if narrowing.conditions or narrowing.sample is not None:
            conditions = where(view, actor=actor, now=now, of_few=True) + narrowing.conditions
        is_many = True
        if not _are_frequent(session, view.table, conditions, narrowing.sample):
            limit = FEW if narrowing.sample is None else FREQUENT
            few = find_few(session, view.table, conditions, limit)
            conditions = conditions if few is None else [few.has(view.table.model)]
            is_many = few is None
        if is_many and not view.ids:  # thousands of them are too many to keep
            _remember(view, actor)
    return page(conditions)


def _page(
    session: Session,
    view: View,
    now: datetime,
    start: int,
    end: int,
    conditions: Sequence[ColumnElement[bool]],
) -> list[str]:
    key, terms = view.table.attribute(view.table.key_column), sort_terms(view, now)
    ordered = select(key).where(*conditions).order_by(*(term.of(term.expression) for term in terms))
    return list(session.scalars(ordered.offset(start).limit(end - start)))


def _early(session: Session, view: View) -> list[ColumnElement[bool]]:
    """Leave the first EARLY rows by date: a text that is not rare is met in them. [] if all are."""
    stored: InstrumentedAttribute[datetime] = getattr(view.table.model, DATED)
    (by,) = view.sort
    ordered = select(stored).order_by(stored.desc() if by.descending else stored.asc())
    last = session.scalar(ordered.offset(EARLY - 1).limit(1))
    if last is None:
        return []
    return [stored >= last if by.descending else stored <= last]


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
    return [one.column.name for one in view.sort] == [DATED]


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
