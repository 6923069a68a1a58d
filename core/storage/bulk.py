"""Bulk insert and read: many rows a statement on SQLite, binary COPY on PostgreSQL.

A row is a tuple of all columns of the model without the twins of written columns, which are made
here. It holds an instant as seconds since 1970 (UTC), and JSON as text.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache, lru_cache
from itertools import chain, islice
from typing import Any

import psycopg
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    Integer,
    LargeBinary,
    select,
)
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateIndex, DropIndex
from sqlalchemy.types import TypeEngine

from core.storage import search_index
from core.storage.dialect import checked_at_once, is_on_sqlite, json_text_of, seconds_of
from core.storage.triggers import without_triggers
from core.storage.types import Base, Instant

ROWS_PER_INSERT = 5_000
ROWS_PER_FETCH = 2_000
MAX_VALUES = 999  # of a statement, in every SQLite
_SINCE = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())  # PostgreSQL counts instants from it
_FIRST = int(datetime(1, 1, 1, tzinfo=UTC).timestamp())
_LAST = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())
CACHED = 50_000  # texts of a column, with their twins


@cache
def stored_names(model: type[Base]) -> list[str]:
    """Return the names of a model's columns, in the order that `bulk_insert` expects."""
    return [column.name for column in model.__table__.columns if column.name not in model.twins]


def bulk_insert(session: Session, model: type[Base], rows: Iterable[tuple[Any, ...]]) -> None:
    """Insert tuples of the columns of the model; the module's docstring says which, of which types.

    The iterator `rows` must not query the session: PostgreSQL is in the middle of a COPY.
    """
    table, names = model.__table__, [*stored_names(model), *model.twins]
    rows = _with_twins(model, rows)
    if is_on_sqlite(session):
        connection = session.connection()
        with search_index.filled_at_once(connection, model.__tablename__):
            while batch := list(islice(rows, ROWS_PER_INSERT)):
                _insert_batch(connection, model.__tablename__, names, batch)
        return
    _copy_in(session, table, names, rows)


def _insert_batch(
    connection: Connection, table: str, names: list[str], batch: list[tuple[Any, ...]]
) -> None:
    """Insert many rows by each statement, which prepares the words of its checks only once."""
    columns, marks = ", ".join(names), ", ".join("?" for _ in names)
    size = MAX_VALUES // len(names)
    whole = len(batch) // size * size
    groups = [tuple(chain(*batch[first : first + size])) for first in range(0, whole, size)]
    for rows, count in ((groups, size), (batch[whole:], 1)):
        if rows:
            # The names come from our models; the values are bound.
            each = ", ".join([f"({marks})"] * count)
            connection.exec_driver_sql(f"INSERT INTO {table} ({columns}) VALUES {each}", rows)  # noqa: S608


def _with_twins(model: type[Base], rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    names = stored_names(model)
    columns = dict.fromkeys(one.of for one in model.twins.values())
    made = [(names.index(column), _twins_of(model, column)) for column in columns]
    for row in rows:
        complete = row
        for place, twins in made:
            complete += twins(row[place])
        yield complete


def _twins_of(model: type[Base], column: str) -> Callable[[Any], tuple[str | None, ...]]:
    """Return a function that makes the twins of a column; many rows have the same texts."""
    makers = [one.made_from for one in model.twins.values() if one.of == column]
    return lru_cache(CACHED)(lambda value: tuple([make(value) for make in makers]))


def _copy_in(
    session: Session, table: Any, names: list[str], rows: Iterator[tuple[Any, ...]]
) -> None:
    """Copy rows to PostgreSQL in binary, which both sides write and read faster than text."""
    sent = [_sent_as(table.c[name].type) for name in names]
    encoders = [(i, encode) for i, (_, encode) in enumerate(sent) if encode is not None]
    driver: Any = session.connection().connection.driver_connection
    statement = f"COPY {table.name} ({', '.join(names)}) FROM STDIN (FORMAT binary)"
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types([name for name, _ in sent])
            for row in rows:
                values = list(row)
                for i, encode in encoders:
                    if values[i] is not None:
                        values[i] = encode(values[i])
                copy.write_row(values)
    except psycopg.Error as error:  # translate it, as SQLAlchemy does for its own statements
        kind = OperationalError if isinstance(error, psycopg.OperationalError) else IntegrityError
        raise kind("COPY", None, error) from error


def _sent_as(kind: TypeEngine[Any]) -> tuple[str, Callable[[Any], Any] | None]:
    """Return the type that a column's values are sent as, and what encodes them, if anything."""
    for known, name, encode in (
        (Instant, "int8", _microseconds),
        (JSON, "bytea", _json_bytes),
        (BigInteger, "int8", None),
        (Integer, "int4", None),
        (Boolean, "bool", None),
        (LargeBinary, "bytea", None),
    ):
        if isinstance(kind, known):
            return name, encode
    return "text", None


def _microseconds(seconds: int) -> int:
    """Encode an instant as PostgreSQL does. Raises ValueError if Python could not read it back."""
    if not _FIRST <= seconds <= _LAST:
        raise ValueError(f"{seconds} seconds after 1970 is no instant")
    return (seconds - _SINCE) * 1_000_000


def _json_bytes(json: str) -> bytes:
    return b"\x01" + json.encode()  # 1 is the version of the format of jsonb


def bulk_read(session: Session, model: type[Base]) -> Iterator[tuple[Any, ...]]:
    """Yield all rows of a model, unordered, as `bulk_insert` expects them; memory stays flat."""
    columns = [_plain(session, model.__table__.c[name]) for name in stored_names(model)]
    options = {"yield_per": ROWS_PER_FETCH}
    with session.connection().execute(select(*columns), execution_options=options) as result:
        yield from map(tuple, result)


def _plain(session: Session, column: ColumnElement[Any]) -> ColumnElement[Any]:
    if isinstance(column.type, Instant):
        return seconds_of(session, column)
    if isinstance(column.type, JSON):
        return json_text_of(session, column)
    return column


@contextmanager
def loading(session: Session, *models: type[Base]) -> Iterator[None]:
    """Fill empty tables: create their indexes and check their foreign keys after the block.

    Triggers do not note what changes in the daily figures: the caller has them counted again.
    """
    names, connection = [model.__tablename__ for model in models], session.connection()
    tables = [Base.metadata.tables[name] for name in names]
    indexes = sorted(
        (index for table in tables for index in table.indexes), key=lambda index: str(index.name)
    )
    for index in indexes:
        session.execute(DropIndex(index))
    with (
        # Each row would look for another one with its number, without an index.
        without_triggers(connection, names, "%\\_no\\_replace"),
        without_triggers(connection, names, "%\\_figures\\_insert"),
        checked_at_once(connection, names),
        search_index.rebuilt(connection, names),
    ):
        yield
        for index in indexes:
            session.execute(CreateIndex(index))
