"""Triggers that do nothing while many rows are written."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, bindparam, text

from core.storage.dialect import is_on_sqlite

# PostgreSQL can turn triggers off; SQLite's are dropped and created again.
_ON_SQLITE = (
    "SELECT 'DROP TRIGGER ' || name, sql FROM sqlite_master "
    "WHERE type = 'trigger' AND tbl_name IN :tables AND name LIKE :like ESCAPE '\\'"
)
_ON_POSTGRESQL = (
    "SELECT format('ALTER TABLE %s DISABLE TRIGGER %I', tgrelid::regclass, tgname), "
    "format('ALTER TABLE %s ENABLE TRIGGER %I', tgrelid::regclass, tgname) FROM pg_trigger "
    "JOIN pg_class ON pg_class.oid = tgrelid WHERE NOT tgisinternal "
    "AND relnamespace = current_schema()::regnamespace AND relname IN :tables AND tgname LIKE :like"
)


@contextmanager
def without_triggers(connection: Connection, tables: Sequence[str], like: str) -> Iterator[bool]:
    """Turn off the triggers of tables whose names are LIKE a pattern; yield if there are any.

    It belongs inside a transaction that writes, so no other program writes without them.
    """
    statement = _ON_SQLITE if is_on_sqlite(connection) else _ON_POSTGRESQL
    found = text(statement).bindparams(bindparam("tables", expanding=True))
    triggers = connection.execute(found, {"tables": list(tables), "like": like}).all()
    for turn_off, _ in triggers:
        connection.exec_driver_sql(turn_off)
    yield bool(triggers)
    for _, turn_on in triggers:
        connection.exec_driver_sql(turn_on)
