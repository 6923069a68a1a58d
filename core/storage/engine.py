"""The engine of the database: how connections to SQLite and PostgreSQL are set up."""

import sqlite3
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from core.ground import get_settings, make_private_file
from core.storage.postgresql import create_postgresql_engine
from core.storage.written import to_json


def _prepare_sqlite_connection(connection: Any, _entry: ConnectionPoolEntry) -> None:
    # The driver's own BEGIN is deferred, which fails with concurrent writers; _begin has ours.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "recursive_triggers=ON",  # or INSERT OR REPLACE bypasses the append-only triggers
        "busy_timeout=10000",
        "cache_size=-8000",  # 8 MB per connection; the system caches the file
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("order_desk_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def create_database_engine(url: str) -> Engine:
    """Build an engine for SQLite (in WAL mode) or PostgreSQL, without connecting."""
    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        return create_postgresql_engine(address, get_settings())
    # mode=rw: a missing file is an error; SQLite must not create an empty one.
    name = f"file:{quote(address.database or '')}?mode=rw"
    engine = create_engine(
        "sqlite://",
        json_serializer=to_json,
        creator=lambda: sqlite3.connect(name, uri=True, check_same_thread=False),
        poolclass=QueuePool,
        pool_size=10,
        max_overflow=20,
    )
    event.listen(engine, "connect", _prepare_sqlite_connection)
    event.listen(engine, "begin", _begin)
    return engine


@cache
def get_engine() -> Engine:
    """Return the engine for DATABASE_URL, one per process."""
    return create_database_engine(get_settings().database_url)


def pool_use() -> tuple[int, int]:
    """Return how many connections of this process are in use, and how many it may open."""
    pool = get_engine().pool
    assert isinstance(pool, QueuePool)
    return pool.checkedout(), pool.size() + pool._max_overflow


def is_sqlite() -> bool:
    """Return whether the database is SQLite."""
    return get_engine().dialect.name == "sqlite"


def create_missing_file(url: str) -> bool:
    """Create the SQLite file of a URL, as a private file; return whether it was missing."""
    address = make_url(url)
    path = Path(address.database or "")
    if address.get_backend_name() != "sqlite" or path.exists():
        return False
    make_private_file(path)
    return True
