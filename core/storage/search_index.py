"""Keeps the trigram indexes of core.query whole where many rows are written, or tables dropped.

Row by row, triggers keep those of SQLite. How they are made, the database itself knows: so what is
not there, since there is no FTS5 or pg_trgm, is neither dropped nor made.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, bindparam, text

_FTS = "sql LIKE 'CREATE VIRTUAL TABLE % USING fts5%'"
_MEMORY = 16 * 2**20  # bytes of new entries before they are written, while many are
_USUAL_MEMORY = 2**20


def _searches(connection: Connection, table: str) -> list[str]:
    """Return SQLite's search tables of a table; each has the column that its name ends in."""
    found = text(f"SELECT name FROM sqlite_master WHERE {_FTS} AND substr(name, 1, :n) = :start")  # noqa: S608
    start = f"{table}_search_"
    return sorted(connection.scalars(found, {"n": len(start), "start": start}))


@contextmanager
def _without_triggers(connection: Connection, tables: Sequence[str]) -> Iterator[bool]:
    """Take the triggers away that fill search tables; says whether there were any."""
    found = text(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN :tables "
        "AND name LIKE '%\\_search\\_%' ESCAPE '\\'"
    ).bindparams(bindparam("tables", expanding=True))
    triggers = connection.execute(found, {"tables": list(tables)}).all()
    for name, _ in triggers:
        connection.exec_driver_sql(f"DROP TRIGGER {name}")
    yield bool(triggers)
    for _, made_by in triggers:
        connection.exec_driver_sql(made_by)


@contextmanager
def filled_at_once(connection: Connection, table: str) -> Iterator[None]:
    """Fill the search tables of SQLite in one go at the end, a twentieth of the time of triggers.

    Only for rows that are new. PostgreSQL's indexes are kept as ever.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    with _without_triggers(connection, [table]) as has_search:
        last = f"SELECT coalesce(max(rowid), 0) FROM {table}"  # noqa: S608 - our own name
        before = connection.exec_driver_sql(last).scalar_one()
        yield
        for name in _searches(connection, table) if has_search else ():
            _fill(connection, table, name, before)


@contextmanager
def rebuilt(connection: Connection, tables: Sequence[str]) -> Iterator[None]:
    """Leave the search of tables alone while they are filled, and make it anew at the end."""
    if connection.dialect.name != "sqlite":
        found = text(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() "
            "AND tablename = ANY(:tables) AND indexdef LIKE '%gin_trgm_ops%' ORDER BY indexname"
        )
        indexes = connection.execute(found, {"tables": list(tables)}).all()
        for name, _ in indexes:
            connection.execute(text(f"DROP INDEX {name}"))
        yield
        connection.execute(text("SET LOCAL maintenance_work_mem = '256MB'"))
        for _, made_by in indexes:
            connection.exec_driver_sql(made_by)
        return
    with _without_triggers(connection, tables) as has_search:
        yield
        for table in tables if has_search else ():
            for name in _searches(connection, table):
                connection.exec_driver_sql(f"INSERT INTO {name}({name}) VALUES ('delete-all')")  # noqa: S608
                _fill(connection, table, name)


def _fill(connection: Connection, table: str, name: str, after: int = 0) -> None:
    """Fill a search table with the rows after one, in their order.

    In an index's order, as FTS5's own 'rebuild' reads them where it finds one, it takes up to 15
    times as long: FTS5 writes at each step back.
    """
    column = name.removeprefix(f"{table}_search_")
    config: Any = f"INSERT INTO {name}({name}, rank) VALUES ('hashsize', ?)"  # noqa: S608
    connection.exec_driver_sql(config, (_MEMORY,))
    connection.exec_driver_sql(
        f"INSERT INTO {name}(rowid, {column}) SELECT rowid, {column} FROM {table} "  # noqa: S608
        f"NOT INDEXED WHERE rowid > {after} ORDER BY rowid"
    )
    connection.exec_driver_sql(config, (_USUAL_MEMORY,))


def drop(connection: Connection) -> None:
    """Drop the search tables of SQLite; other indexes go with their tables."""
    if connection.dialect.name != "sqlite":
        return
    for name in connection.scalars(text(f"SELECT name FROM sqlite_master WHERE {_FTS}")).all():  # noqa: S608
        connection.exec_driver_sql(f"DROP TABLE {name}")
