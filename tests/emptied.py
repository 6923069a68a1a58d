"""One PostgreSQL database for many tests, emptied for each: a tenth of the time of a new one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import Connection
from sqlalchemy.engine import make_url

from tests.databases import drop_database

LARGE = 128 * 1024  # bytes of a table; from there TRUNCATE is quicker than DELETE
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
# The schema is another when one of these is: how many rows a catalog has, and its newest one.
CATALOGS = (
    *("pg_attribute", "pg_attrdef", "pg_constraint", "pg_index", "pg_proc", "pg_trigger"),
    *("pg_extension", "pg_namespace", "pg_rewrite", "pg_sequence", "pg_statistic_ext"),
)
SCHEMA = " UNION ALL ".join(
    f"SELECT '{name}', count(*), max(xmin::text::bigint) FROM {name}" for name in CATALOGS
)
DISCONNECT_OTHERS = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
RESTART = "SELECT setval(seqrelid::regclass, seqstart, false) FROM pg_sequence"


class EmptiedDatabase:
    """The database. A test that changes the schema leaves the next one a new database."""

    def __init__(self, make: Callable[[], str]) -> None:
        self._make = make
        self._url = ""
        self._schema: list[tuple[Any, ...]] = []
        self._rows: dict[str, bytes] = {}
        self._find_filled = ""

    def empty(self) -> str:
        """Leave what a migrated database holds at first, and return the address."""
        if self._url and self._can_be_emptied():
            return self._url
        self.drop()
        self._url = self._make()
        with self._connected() as connection:
            self._remember(connection)
        return self._url

    def drop(self) -> None:
        """Drop the database, if there is one."""
        if self._url:
            drop_database(self._url)
        self._url = ""

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        address = make_url(self._url).set(drivername="postgresql").render_as_string()
        # No trigger acts, and no foreign key is checked.
        options = "-c session_replication_role=replica"
        with psycopg.connect(address, autocommit=True, options=options) as connection:
            yield connection

    def _remember(self, connection: Connection) -> None:
        names = [name for (name,) in connection.execute(TABLES)]
        # For each table with rows: its name, and its bytes on the disk.
        self._find_filled = " UNION ALL ".join(
            f"SELECT '{name}', pg_relation_size('{name}') WHERE EXISTS (SELECT 1 FROM {name})"
            for name in names
        )
        filled = connection.execute(self._find_filled).fetchall()
        self._rows = {name: _read(connection, name) for name, _ in filled}
        self._schema = connection.execute(SCHEMA).fetchall()

    def _can_be_emptied(self) -> bool:
        """Empty the database, unless its schema is another."""
        with self._connected() as connection:
            connection.execute(DISCONNECT_OTHERS)
            if connection.execute(SCHEMA).fetchall() != self._schema:
                return False
            filled = connection.execute(self._find_filled).fetchall()
            large = [name for name, size in filled if size >= LARGE]
            if large:
                connection.execute(f"TRUNCATE {', '.join(large)} CASCADE")
            for name, _ in filled:
                connection.execute(f"DELETE FROM {name}")
            for name, rows in self._rows.items():
                _write(connection, name, rows)
            connection.execute(RESTART)
        return True


def _read(connection: Connection, table: str) -> bytes:
    with connection.cursor().copy(f"COPY {table} TO STDOUT") as copy:
        return b"".join(bytes(part) for part in copy)


def _write(connection: Connection, table: str, rows: bytes) -> None:
    with connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:
        copy.write(rows)
