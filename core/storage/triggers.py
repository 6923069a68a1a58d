"""Triggers of SQLite that are dropped while many rows are written, and created again afterwards."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, bindparam, text

from core.storage.dialect import is_on_sqlite


@contextmanager
def without_triggers(connection: Connection, tables: Sequence[str], like: str) -> Iterator[bool]:
    """Drop the triggers of tables whose names are LIKE a pattern; yield whether there are any.

    It belongs inside a transaction that writes, so no other program writes without them.
    """
    found = text(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN :tables "
        "AND name LIKE :like ESCAPE '\\'"
    ).bindparams(bindparam("tables", expanding=True))
    asked = {"tables": list(tables), "like": like}
    triggers = connection.execute(found, asked).all() if is_on_sqlite(connection) else ()
    for name, _ in triggers:
        connection.exec_driver_sql(f"DROP TRIGGER {name}")
    yield bool(triggers)
    for _, definition in triggers:
        connection.exec_driver_sql(definition)
