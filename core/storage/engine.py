"""The access to the database: engine, read and write transactions, migrations."""

import json
import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, inspect, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from core.ground import OutsideFailed, get_settings, make_private_file
from core.storage import search_index
from core.storage.models.audit import DatabaseFact
from core.storage.types import Base


class _FairSemaphore:
    """A fair semaphore: waiters are served in order of arrival."""

    def __init__(self, places: int) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._free = places

    def __enter__(self) -> None:
        with self._guard:
            if self._free:
                self._free -= 1
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()  # blocks until __exit__ of another holder

    def __exit__(self, *_: object) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1


# SQLite has one writer at a time: without a semaphore a write waited up to 8.5 s, with an unfair
# lock up to 2 s. With PostgreSQL, more than a few writers at once are not faster, and with an
# unfair lock the slowest of 32 waits twice as long.
_sqlite_writers, _postgresql_writers = _FairSemaphore(1), _FairSemaphore(8)

logger = logging.getLogger(__name__)

# For PostgreSQL: a host that vanishes is noticed in half a minute instead of a quarter of an hour.
_TIMEOUTS = {
    "connect_timeout": 3,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
UNREACHABLE = (
    "The database cannot be reached. Order Desk retries automatically. "
    "If this persists, check DATABASE_URL."
)
# An execution option: ask PostgreSQL only for the plan. The prefix is added when the statement
# runs; SQLAlchemy would compile an EXPLAIN each time, which takes longer than the answer.
EXPLAIN = "order_desk_explains"
BUSY = "The database is busy with another change, such as an import. Try again in a minute."


def _to_json(value: Any) -> str:
    """Serialize to JSON without escaping letters, so that people and searches can read it."""
    return json.dumps(value, ensure_ascii=False)


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
        get_engine = create_engine(
            address,
            json_serializer=_to_json,
            pool_size=20,
            max_overflow=20,
            pool_timeout=10,
            pool_pre_ping=True,
            # Without jit: compiling most of our queries takes longer than running them.
            connect_args=_TIMEOUTS | {"options": "-c lock_timeout=3s -c timezone=UTC -c jit=off"},
        )
        event.listen(get_engine, "before_cursor_execute", _explain, retval=True)
        return get_engine
    # mode=rw: a missing file is an error; SQLite must not create an empty one.
    name = f"file:{quote(address.database or '')}?mode=rw"
    get_engine = create_engine(
        "sqlite://",
        json_serializer=_to_json,
        creator=lambda: sqlite3.connect(name, uri=True, check_same_thread=False),
        poolclass=QueuePool,
        pool_size=10,
        max_overflow=20,
    )
    event.listen(get_engine, "connect", _prepare_sqlite_connection)
    event.listen(get_engine, "begin", _begin)
    return get_engine


@cache
def get_engine() -> Engine:
    """Return the engine for DATABASE_URL, one per process."""
    return create_database_engine(get_settings().database_url)


def is_sqlite() -> bool:
    """Return whether the database is SQLite."""
    return get_engine().dialect.name == "sqlite"


@contextmanager
def reading(at: Engine | None = None, *, locked: type[Base] | None = None) -> Iterator[Session]:
    """Open a read-only transaction in which all queries see the same snapshot.

    It uses the engine of DATABASE_URL, unless `at` is given. With `locked`, PostgreSQL first locks
    that table, so that the snapshot is taken after a rebuild of it; a transaction that waited for
    the rebuild without a lock would see an empty table. Raises OutsideFailed if the database does
    not answer.
    """
    at = at or get_engine()
    options: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    if at.dialect.name == "sqlite":
        options = {}
    with _reachable(), at.connect().execution_options(**options) as connection:
        if locked is not None and at.dialect.name != "sqlite":
            connection.execute(text(f"LOCK TABLE {locked.__tablename__} IN ACCESS SHARE MODE"))
        yield Session(connection)


@contextmanager
def writing() -> Iterator[Session]:
    """Open a transaction that commits at the end and rolls back on any error.

    Raises OutsideFailed if the database does not answer.
    """
    writers = _sqlite_writers if is_sqlite() else _postgresql_writers
    with _reachable(), writers, get_engine().connect() as connection:
        writer = connection.execution_options(order_desk_writes=True)
        with Session(writer) as session, session.begin():
            yield session


@contextmanager
def _reachable() -> Iterator[None]:
    try:
        yield
    except PoolTimeout as error:
        raise OutsideFailed(BUSY) from error
    except DatabaseError as error:
        # SQLite raises a plain DatabaseError if the file is damaged or is not a database.
        if (
            not isinstance(error, OperationalError | InterfaceError)
            and type(error) is not DatabaseError
        ):
            raise
        logger.warning("The database failed: %s", str(error.orig).strip())
        raise OutsideFailed(BUSY if _is_busy(error) else UNREACHABLE) from error


def _is_busy(error: DBAPIError) -> bool:
    """Return whether another transaction was in the way: lock timeout, deadlock, SQLITE_BUSY."""
    code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorcode", None)
    return code in ("55P03", "40P01", sqlite3.SQLITE_BUSY)


def create_missing_file(url: str) -> bool:
    """Create the SQLite file of a URL, as a private file; return whether it was missing."""
    address = make_url(url)
    path = Path(address.database or "")
    if address.get_backend_name() != "sqlite" or path.exists():
        return False
    make_private_file(path)
    return True


def is_reachable() -> bool:
    """Return whether the database answers and has Order Desk's tables."""
    try:
        with reading() as session:
            session.execute(select(DatabaseFact.name).limit(1))
    except Exception:
        return False
    return True


def migrate() -> None:
    """Upgrade the database to the newest schema, one process at a time; safe to repeat.

    Creates a missing SQLite file. Raises OutsideFailed if the database does not answer.
    """
    create_missing_file(get_settings().database_url)
    with _reachable(), get_engine().connect() as connection, _without_foreign_keys(connection):
        writer = connection.execution_options(order_desk_writes=True)
        with writer.begin():
            _upgrade(writer)


@contextmanager
def _without_foreign_keys(connection: Connection) -> Iterator[None]:
    """Turn foreign keys off on SQLite, which would check each row of a table that is dropped."""
    is_embedded = connection.dialect.name == "sqlite"
    driver: Any = connection.connection.driver_connection
    if is_embedded:
        driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        if is_embedded and not connection.invalidated:
            driver.execute("PRAGMA foreign_keys=ON")  # the connection goes back to the pool


def is_blank() -> bool:
    """Return whether the database is a SQLite file without tables; a missing file is created."""
    create_missing_file(get_settings().database_url)
    if not is_sqlite():
        return False
    with reading() as session:
        return not has_tables(session)


def has_tables(session: Session) -> bool:
    """Return whether the database has any table."""
    return bool(inspect(session.connection()).get_table_names())


def _upgrade(writer: Connection) -> None:
    _lock_schema(writer)
    command.upgrade(_alembic_config(writer), "head")


def _lock_schema(writer: Connection) -> None:
    """Make other processes that change the schema wait until the transaction ends."""
    if writer.dialect.name != "sqlite":
        writer.execute(text("SELECT pg_advisory_xact_lock(7305001)"))


def known_versions() -> set[str]:
    """Return the schema versions that this program can upgrade to the newest."""
    scripts = ScriptDirectory(str(Path(__file__).parent / "migrations"))
    return {script.revision for script in scripts.walk_revisions()}


@contextmanager
def rebuilding(at: Engine) -> Iterator[Session]:
    """Open a write transaction without foreign keys, in which tables can be dropped.

    No other transaction can write while it is open; with PostgreSQL, none can read either. It first
    waits for those that are open. Raises OutsideFailed if the database does not answer or the wait
    for a lock times out.
    """
    writers = _sqlite_writers if at is get_engine() and is_sqlite() else nullcontext()
    with _reachable(), writers, at.connect() as connection, _without_foreign_keys(connection):
        writer = connection.execution_options(order_desk_writes=True)
        with Session(writer) as session, session.begin():
            _lock_tables(session.connection())
            yield session


def _lock_tables(writer: Connection) -> None:
    """Lock all tables, so that rows read from now on cannot change before the drop."""
    _lock_schema(writer)
    if writer.dialect.name == "sqlite":
        return  # the transaction is the only writer already
    present = set(inspect(writer).get_table_names())
    ours = [name for name in (one.name for one in Base.metadata.sorted_tables) if name in present]
    if ours:
        writer.execute(text(f"LOCK TABLE {', '.join(ours)} IN ACCESS EXCLUSIVE MODE"))


def recreate_schema(session: Session) -> None:
    """Drop every table with its rows, and make the newest schema, in a `rebuilding` transaction."""
    writer = session.connection()
    search_index.drop(writer)
    Base.metadata.drop_all(writer)
    writer.execute(text("DROP TABLE IF EXISTS alembic_version"))
    _upgrade(writer)


def _alembic_config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config
