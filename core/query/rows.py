"""View -> SELECT -> DataFrame: rows, count and totals, all with the same conditions."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import pandas as pd
from sqlalchemy import (
    ColumnElement,
    Engine,
    Row,
    Select,
    SQLColumnExpression,
    func,
    select,
    true,
)
from sqlalchemy.orm import Session

from core import storage
from core.access import Actor, require
from core.ground import InvalidInput, check_text
from core.query.choices import MAX_CHOICES_LISTED as MAX_CHOICES_LISTED
from core.query.choices import load_choices as load_choices
from core.query.conditions import as_id, is_among, where
from core.query.contracts import joined
from core.query.frames import join_frame, to_arrow, to_frame
from core.query.scoping import of_order, scope
from core.query.search import MAX_GATHERED, narrow
from core.query.sorting import sort_terms
from core.query.ticked import MAX_SELECTED
from core.query.windows import find_few, find_keys
from core.tables import Column, Kind, Table
from core.views import View

MAX_WINDOW = 1_000
CHUNK_ROWS = 20_000
READ_ROWS = 1_000  # rows per fetch; with ten times as many, a read takes 1.5 times as long


@dataclass(frozen=True)
class Figures:
    """The row count of a view, and its totals in minor units by currency.

    The totals are None if there are many rows, since adding them up takes longer than counting.
    """

    count: int
    totals: dict[str, int] | None


def load_rows(view: View, *, actor: Actor, now: datetime, start: int, end: int) -> pd.DataFrame:
    """Load the rows [start, end) of a view: its columns and those needed to show them.

    Needed are the key, and the currency and time zone of amounts and local times. Raises
    InvalidInput for an invalid window, OutsideFailed if the database does not answer.
    """
    if not 0 <= start < end or end - start > MAX_WINDOW or end > 2**31:
        raise InvalidInput(f"A window must have 1 to {MAX_WINDOW:,} rows.")
    columns = _with_needed(view, view.table.key_column)
    with storage.reading() as session:
        keys = find_keys(session, view, actor=actor, now=now, start=start, end=end)
        return to_frame(columns, _read_rows(session, view.table, columns, keys, now))


def load_keys(view: View, *, actor: Actor, now: datetime) -> list[str]:
    """Load the keys of the first MAX_SELECTED rows of a view, in its order."""
    with storage.reading() as session:
        return find_keys(session, view, actor=actor, now=now, start=0, end=MAX_SELECTED)


def is_empty(view: View, *, actor: Actor, now: datetime) -> bool:
    """Return whether a view has no rows."""
    conditions = where(view, actor=actor, now=now)
    any_row = select(view.table.attribute(view.table.key_column)).where(*conditions).limit(1)
    with storage.reading() as session:
        return session.scalar(any_row) is None


def load_ticked(view: View, keys: Sequence[str], *, actor: Actor, now: datetime) -> pd.DataFrame:
    """Load the rows with these keys in the view's order, regardless of its filters.

    The columns are those of `load_rows`. Raises InvalidInput for an invalid key.
    """
    table, columns = view.table, _with_needed(view, view.table.key_column)
    checked = tuple(check_text(table.key_column.header, key) for key in keys)
    conditions = where(view.without_filters(), actor=actor, now=now)
    ordered = (
        joined(view, select(table.attribute(table.key_column)))
        .where(is_among(table, table.key_column, checked), *conditions)
        .order_by(*(term.of(term.expression) for term in sort_terms(view, now)))
    )
    with storage.reading() as session:
        found = list(session.scalars(ordered))
        return to_frame(columns, _read_rows(session, table, columns, found, now))


def count_rows(view: View, *, actor: Actor, now: datetime) -> int:
    """Count the rows of a view."""
    with storage.reading() as session:
        return count_in(session, view, actor=actor, now=now)


def count_in(session: Session, view: View, *, actor: Actor, now: datetime) -> int:
    """Count the rows of a view inside the caller's transaction."""
    conditions = _narrowed(session, view, actor, now)
    statement = select(func.count()).select_from(view.table.model).where(*conditions)
    return session.execute(statement).scalar_one()


def count_up_to(view: View, most: int, *, actor: Actor, now: datetime) -> int | None:
    """Count the rows of a view; None if there are more than `most`, which is not counted."""
    with storage.reading() as session:
        few = find_few(session, view.table, _narrowed(session, view, actor, now), most)
    return None if few is None else few.count


def _narrowed(
    session: Session, view: View, actor: Actor, now: datetime
) -> list[ColumnElement[bool]]:
    """Return the conditions of a view, and those that narrow it down by search indexes."""
    narrowing = narrow(session, view).conditions
    return where(view, actor=actor, now=now, per_order=bool(narrowing)) + narrowing


def count_among(view: View, keys: Sequence[str], *, actor: Actor, now: datetime) -> int:
    """Count the rows with these keys that are in the view."""
    is_one = is_among(view.table, view.table.key_column, tuple(keys))
    conditions = where(view, actor=actor, now=now)
    statement = select(func.count()).select_from(view.table.model).where(is_one, *conditions)
    with storage.reading() as session:
        return session.execute(statement).scalar_one()


def load_figures(view: View, *, actor: Actor, now: datetime) -> Figures:
    """Count the rows of a view, and add up their amounts if they are few."""
    with storage.reading() as session:
        if view.is_filtered:
            conditions = _narrowed(session, view, actor, now)
            few = find_few(session, view.table, conditions, MAX_GATHERED)
            if few is not None:
                return Figures(few.count, _add_up(session, view, [few.has(view.table.model)]))
        return Figures(count_in(session, view, actor=actor, now=now), None)


def load_totals(view: View, *, actor: Actor, now: datetime) -> dict[str, int]:
    """Return the sums of the amounts of a view's rows, in minor units by currency."""
    with storage.reading() as session:
        return totals_in(session, view, actor=actor, now=now)


def totals_in(session: Session, view: View, *, actor: Actor, now: datetime) -> dict[str, int]:
    """Return `load_totals` inside the caller's transaction; empty if the table has no amount."""
    return _add_up(session, view, _narrowed(session, view, actor, now))


def _add_up(
    session: Session, view: View, conditions: Sequence[ColumnElement[bool]]
) -> dict[str, int]:
    amount = view.table.amount
    if amount is None:
        return {}
    currency = view.table.model.__table__.c[str(amount.currency)]
    rows = select(currency.label("currency"), view.table.attribute(amount).label("amount"))
    rows = rows.where(*conditions)
    # Offset 0 keeps it a subquery; otherwise SQLite scans the currency index for a few matches.
    found = (rows.offset(0) if view.is_filtered else rows).subquery()
    statement = (
        select(found.c.currency, func.sum(found.c.amount))
        .group_by(found.c.currency)
        .order_by(found.c.currency)
    )
    return {code: int(minor) for code, minor in session.execute(statement)}


def find_references(
    table: Table, texts: Sequence[str], *, actor: Actor, order_id: str | None = None
) -> set[str]:
    """Return the texts that are IDs of rows that the actor can see, regardless of filters.

    Raises NotPermitted if the actor cannot see the table.
    """
    require(actor, table.permission(order_id))
    own = of_order(table, order_id) if order_id is not None else true()
    found: set[str] = set()
    with storage.reading() as session:
        for column in table.columns:
            if column.is_reference:
                is_one = is_among(table, column, tuple(texts))
                value = table.expression(column, datetime.now(UTC))
                statement = select(value).where(scope(table, actor), own, is_one)
                known = {as_id(column, one) for one in session.scalars(statement)}
                found.update(one for one in texts if as_id(column, one) in known)
    return found


def read_chunks(
    session: Session, view: View, *, actor: Actor, now: datetime
) -> Generator[pd.DataFrame]:
    """Yield all rows of a view as frames of at most CHUNK_ROWS rows; memory stays constant.

    The frames have the view's columns and those needed to show them. Close the generator if you do
    not exhaust it; that ends the query.
    """
    columns = _with_needed(view)
    statement = _statement(session, view, columns, actor, now).where(
        *narrow(session, view).conditions
    )
    yield from stream(session, statement, columns)


def read_table(session: Session, table: Table, *, actor: Actor) -> Generator[pd.DataFrame]:
    """Yield all stored columns of all rows that the actor can see, oldest first, as frames."""
    columns = [_quick(session, table.attribute(column), column) for column in table.stored]
    statement = (
        select(*columns)
        .where(scope(table, actor))
        .order_by(table.model.__table__.c[table.newest], table.attribute(table.key_column))
    )
    yield from stream(session, statement, table.stored)


def stream(
    session: Session, statement: Select[Any], columns: Sequence[Column]
) -> Generator[pd.DataFrame]:
    """Run a statement that selects `columns`; yield typed frames of at most CHUNK_ROWS rows.

    It takes 0.4 of the time of `session.execute`: the connection avoids the work of the ORM, and
    `_quick` that of dates. ADBC would take a quarter of that, but is not used. With SQLite, it is a
    second library in the process: the one that closes the file first releases the locks of both
    (sqlite.org, “How To Corrupt An SQLite Database File”, 2.2.1), and another process wrote during
    our transaction. With PostgreSQL, it needs a second connection per request and the export of
    the transaction's snapshot.
    """
    options = {"yield_per": READ_ROWS}
    with session.connection().execute(statement, execution_options=options) as result:
        tables = (to_arrow(columns, rows) for rows in result.partitions())
        while some := list(islice(tables, CHUNK_ROWS // READ_ROWS)):
            yield join_frame(some)


def _with_needed(view: View, *needed: Column) -> list[Column]:
    """Return the view's columns, followed by those needed to show them."""
    names = {column.currency for column in view.columns}
    names |= {column.place_zone for column in view.columns} | {one.name for one in needed}
    shown = set(view.columns)
    return [*view.columns, *(c for c in view.table.columns if c.name in names and c not in shown)]


def _quick(
    at: Session | Engine, expression: SQLColumnExpression[Any], column: Column
) -> SQLColumnExpression[Any] | ColumnElement[Any]:
    """Select an instant as seconds since 1970: creating a datetime for each takes far longer."""
    if column.kind is not Kind.INSTANT:
        return expression
    return storage.seconds_of(at, expression)


def _statement(
    session: Session, view: View, columns: Sequence[Column], actor: Actor, now: datetime
) -> Select[Any]:
    expressions = [
        _quick(session, view.table.expression(column, now), column) for column in columns
    ]
    return (
        joined(view, select(*expressions).select_from(view.table.model))
        .where(*where(view, actor=actor, now=now))
        .order_by(*(term.of(term.expression) for term in sort_terms(view, now)))
    )


def _read_rows(
    session: Session, table: Table, columns: Sequence[Column], keys: Sequence[str], now: datetime
) -> list[Row[Any]]:
    """Read the rows with these keys, in the order of the keys; instants as in `_quick`."""
    key = columns.index(table.key_column)
    asked = storage.bound_now(now) | {"keys": storage.bound_texts(keys)}
    # The connection, as in `stream`: it avoids the work of the ORM.
    rows = session.connection().execute(_reading(table, tuple(columns)), asked).all()
    by_key = {row[key]: row for row in rows}
    return [by_key[one] for one in keys]


@storage.built_once
def _reading(table: Table, columns: tuple[Column, ...]) -> Select[Any]:
    at, now = storage.get_engine(), storage.named_now()
    expressions = [_quick(at, table.expression(column, now), column) for column in columns]
    is_one = storage.is_any_of_named(table.attribute(table.key_column), "keys")
    return select(*expressions).select_from(table.model).where(is_one)
