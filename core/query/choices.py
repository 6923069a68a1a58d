"""The lists of set filters: the values of a column, with their row counts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Select, func, literal, null, select, true, union_all

from core import storage
from core.access import Actor
from core.ground import InvalidInput
from core.query.conditions import matches_choice, where
from core.query.search import narrow
from core.storage import Base
from core.tables import Column, Table
from core.views import View

MAX_CHOICES_LISTED = 500


def load_choices(
    view: View,
    name: str,
    *,
    actor: Actor,
    now: datetime,
    search: str = "",
    is_counted: bool = True,
) -> pd.DataFrame:
    """Load the list of a column's set filter, with the columns `value` (None is blank) and `count`.

    Counts are of the rows that match the view's *other* filters. The frame has at most
    MAX_CHOICES_LISTED + 1 rows, by value, blank first; the last one means that there are more.
    Without `is_counted`, the counts may be None in all rows, if that is faster. Raises
    InvalidInput if the column has no set filter.
    """
    column = view.table.column(name)
    if column is None or not column.can_be_shown or not column.has_choices:
        raise InvalidInput(f"{view.table.title} has no list of values for “{name[:60]}”.")
    others = view.without_filter(name)
    conditions = where(others, actor=actor, now=now)
    asked = matches_choice(view.table, column, search, now) if search else true()
    is_whole = not others.is_filtered and view.order_id is None and not search
    is_whole = is_whole and actor.sees_everything
    with storage.reading() as session:
        if is_whole and not is_counted and _has_index(view.table, column):
            rows = session.execute(_distinct(view.table, column)).all()
        else:
            conditions += narrow(session, others).conditions
            rows = session.execute(_counted(view.table, column, now, [*conditions, asked])).all()
    return pd.DataFrame([tuple(row) for row in rows], columns=["value", "count"], dtype="object")


def _counted(table: Table, column: Column, now: datetime, conditions: Sequence[Any]) -> Select[Any]:
    # A subquery, since PostgreSQL does not see that two expressions with `now` are the same.
    ranks = (
        select(table.rank(column, now).label("rank"))
        .select_from(table.model)
        .where(*conditions)
        .subquery()
    )
    groups = (
        select(ranks.c.rank, func.count().label("count"))
        .group_by(ranks.c.rank)
        .order_by(ranks.c.rank.asc().nulls_first())
        .limit(MAX_CHOICES_LISTED + 1)
        .subquery()
    )
    values = select(_value_of(table, column, groups.c.rank), groups.c["count"])
    return values.order_by(groups.c.rank.asc().nulls_first())


def _value_of(table: Table, column: Column, rank: ColumnElement[Any]) -> ColumnElement[Any]:
    """Select the value of a rank: any row has it, since different values have different ranks."""
    if not column.is_written:
        return rank
    rows = table.model.__table__.alias()
    same = rows.c[table.stored_rank(column).key] == rank
    return select(rows.c[column.name]).where(same).limit(1).scalar_subquery()


def _has_index(table: Table, column: Column) -> bool:
    stored = Base.metadata.tables[table.model.__tablename__]
    firsts = (next(iter(index.columns), None) for index in stored.indexes)
    if not column.is_stored:
        return False
    return any(one is stored.c[table.stored_rank(column).key] for one in firsts)


def _distinct(table: Table, column: Column) -> Select[Any]:
    """Select the distinct values by a loose index scan (each rank, then the next), blank first."""
    rank = table.stored_rank(column)

    def next_of(*after: Any) -> Any:
        some = select(rank).where(rank.is_not(None), *after)
        return some.order_by(rank).limit(1).scalar_subquery()

    steps = select(next_of().label("rank")).cte("steps", recursive=True)
    beyond = next_of(rank > steps.c.rank).label("rank")
    steps = steps.union_all(select(beyond).where(steps.c.rank.is_not(None)))
    found = select(steps.c.rank).where(steps.c.rank.is_not(None))
    listed = found.limit(MAX_CHOICES_LISTED + 1).subquery()
    is_blank = select(literal(1)).where(rank.is_(None)).limit(1).exists()
    every = union_all(
        select(null().label("rank")).where(is_blank),
        select(listed.c.rank),
    ).subquery()
    values = select(_value_of(table, column, every.c.rank), null()).select_from(every)
    return values.order_by(every.c.rank.asc().nulls_first()).limit(MAX_CHOICES_LISTED + 1)
