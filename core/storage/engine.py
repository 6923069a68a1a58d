"""The engine of the database: how connections to SQLite and PostgreSQL are set up."""

import select
import sqlite3
import time
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from core.ground import get_settings, make_private_file
from core.storage.written import to_json

# For PostgreSQL: a host that vanishes is noticed in half a minute instead of a quarter of an hour.
_TIMEOUTS = {
    "connect_timeout": 3,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
# Without jit: compiling most of our queries takes longer than running them. Starting the processes
# of a parallel query takes 10 to 40 ms, so only a query that reads millions of rows has them.
_OPTIONS = "-c lock_timeout=3s -c timezone=UTC -c jit=off -c parallel_setup_cost=10000"
IDLE_SECONDS = 5.0  # a connection that was not used for longer is asked whether it is alive
_USED_AT = "order_desk_used_at"
# An execution option: ask PostgreSQL only for the plan. The prefix is added when the statement
# runs; SQLAlchemy would compile an EXPLAIN each time, which takes longer than the answer.
EXPLAIN = "order_desk_explains"


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


def _note_use(_connection: Any, entry: ConnectionPoolEntry) -> None:
    entry.info[_USED_AT] = time.monotonic()


def _check_alive(connection: Any, entry: ConnectionPoolEntry, _proxy: Any) -> None:
    """Replace a connection that the server has closed, as pool_pre_ping does.

    That asks the server each time. If the connection was used a moment ago, it is enough that the
    server has sent nothing since: neither its goodbye nor the end of the stream.
    """
    used_at = entry.info.get(_USED_AT)
    if used_at is None:  # new
        return
    try:
        if time.monotonic() - used_at < IDLE_SECONDS and not _has_news(connection.fileno()):
            return
        connection.autocommit = True
        connection.execute("")
        connection.autocommit = False
    except psycopg.Error as error:
        raise InvalidatePoolError("The server has closed the connection.") from error


def _has_news(socket: int) -> bool:
    """Return whether a socket can be read; always true where the system cannot say."""
    if not hasattr(select, "poll"):
        return True
    watched = select.poll()
    watched.register(socket, select.POLLIN)
    return bool(watched.poll(0))


def _explain(
    _connection: Connection,
    _cursor: Any,
    statement: str,
    parameters: Any,
    context: Any,
    _many: bool,
) -> tuple[str, Any]:
    explains = context is not None and context.execution_options.get(EXPLAIN)
    return f"EXPLAIN (FORMAT JSON) {statement}" if explains else statement, parameters


def create_database_engine(url: str) -> Engine:
    """Build an engine for SQLite (in WAL mode) or PostgreSQL, without connecting."""
    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        engine = create_engine(
            address,
            json_serializer=to_json,
            pool_size=20,
            max_overflow=20,
            pool_timeout=10,
            connect_args=_TIMEOUTS | {"options": _OPTIONS},
        )
        event.listen(engine, "checkin", _note_use)
        event.listen(engine, "checkout", _check_alive)
        event.listen(engine, "before_cursor_execute", _explain, retval=True)
        return engine
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
