"""Maintains the trigram indexes of core.query when many rows are written or tables dropped.

For single rows, triggers maintain the search tables of SQLite. The definitions are read from the
database: if it has no indexes, for lack of FTS5 or pg_trgm, none are dropped or created.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, text

from core.storage.dialect import is_on_sqlite
from core.storage.triggers import without_triggers

_FTS = "sql LIKE 'CREATE VIRTUAL TABLE % USING fts5%'"
_BULK_MEMORY = 16 * 2**20  # bytes of new entries that FTS5 collects before it writes them
_DEFAULT_MEMORY = 2**20
_TRIGGERS = "%\\_search\\_%"  # they fill the search tables


def _searches(connection: Connection, table: str) -> list[str]:
    """Return the names of a table's search tables in SQLite: one per column, named after it."""
    found = text(f"SELECT name FROM sqlite_master WHERE {_FTS} AND substr(name, 1, :n) = :start")  # noqa: S608
    start = f"{table}_search_"
    return sorted(connection.scalars(found, {"n": len(start), "start": start}))


@contextmanager
def filled_at_once(connection: Connection, table: str) -> Iterator[None]:
    """Fill SQLite's search tables after the block, which takes a twentieth of the triggers' time.

    The block may only insert rows. PostgreSQL maintains its indexes as usual.
    """
    if not is_on_sqlite(connection):
        yield
        return
    with without_triggers(connection, [table], _TRIGGERS) as has_search:
        last = f"SELECT coalesce(max(rowid), 0) FROM {table}"  # noqa: S608 - our own name
        before = connection.exec_driver_sql(last).scalar_one()
        yield
        for name in _searches(connection, table) if has_search else ():
            _fill(connection, table, name, before)


@contextmanager
def rebuilt(connection: Connection, tables: Sequence[str]) -> Iterator[None]:
    """Drop the search indexes of tables while they are filled, and rebuild them after the block."""
    if not is_on_sqlite(connection):
        found = text(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() "
            "AND tablename = ANY(:tables) AND indexdef LIKE '%gin_trgm_ops%' ORDER BY indexname"
        )
        indexes = connection.execute(found, {"tables": list(tables)}).all()
        for name, _ in indexes:
            connection.execute(text(f"DROP INDEX {name}"))
        yield
        connection.execute(text("SET LOCAL maintenance_work_mem = '256MB'"))
        for _, definition in indexes:
            connection.exec_driver_sql(definition)
        return
    with without_triggers(connection, tables, _TRIGGERS) as has_search:
        yield
        for table in tables if has_search else ():
            for name in _searches(connection, table):
                connection.exec_driver_sql(f"INSERT INTO {name}({name}) VALUES ('delete-all')")  # noqa: S608
                _fill(connection, table, name)


def _fill(connection: Connection, table: str, name: str, after: int = 0) -> None:
    """Fill a search table with the rows whose rowid is greater than `after`, in order of rowid.

    FTS5's own 'rebuild' may read the rows in the order of an index, which takes up to 15 times as
    long: FTS5 writes its entries whenever the rowid decreases.
    """
    column = name.removeprefix(f"{table}_search_")
    config: Any = f"INSERT INTO {name}({name}, rank) VALUES ('hashsize', ?)"  # noqa: S608
    connection.exec_driver_sql(config, (_BULK_MEMORY,))
    connection.exec_driver_sql(
        f"INSERT INTO {name}(rowid, {column}) SELECT rowid, {column} FROM {table} "  # noqa: S608
        f"NOT INDEXED WHERE rowid > {after} ORDER BY rowid"
    )
    connection.exec_driver_sql(config, (_DEFAULT_MEMORY,))


def drop(connection: Connection) -> None:
    """Drop the search tables of SQLite. PostgreSQL drops its indexes with the tables."""
    if not is_on_sqlite(connection):
        return
    for name in connection.scalars(text(f"SELECT name FROM sqlite_master WHERE {_FTS}")).all():  # noqa: S608
        connection.exec_driver_sql(f"DROP TABLE {name}")
