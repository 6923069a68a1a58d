"""The one door to the database: the engine, reading and writing transactions, migrations."""

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
from core.storage.models.orders import Base, DatabaseFact


class _Queue:
    """Places, had in the order in which they were asked for, so that nobody waits for ever."""

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
        turn.acquire()  # until somebody before lets go

    def __exit__(self, *_: object) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1


# SQLite has one writer at a time: without a queue a write waited up to 8.5 s, with a lock that has
# no order up to 2 s. To PostgreSQL more than a few at once get nothing done sooner, and without
# order the slowest of 32 waits twice as long.
_sqlite_writers, _postgresql_writers = _Queue(1), _Queue(8)

logger = logging.getLogger(__name__)

# With PostgreSQL: a host that is gone without a word is noticed in half a minute, not in a quarter
# of an hour.
_PATIENCE = {
    "connect_timeout": 3,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
UNREACHABLE = (
    "The database cannot be reached. Order Desk tries again by itself; "
    "if this lasts, check what DATABASE_URL names."
)
# An execution option: PostgreSQL is asked for its plan. EXPLAIN written before a compiled statement
# would compile it each time, which takes longer than the answer.
EXPLAINS = "order_desk_explains"
BUSY = "The database is busy with another change, such as an import. Try again in a minute."


def _to_json(value: Any) -> str:
    """Write JSON as people read it, and so as a search finds it: letters of every script."""
    return json.dumps(value, ensure_ascii=False)


def _prepare_sqlite_connection(connection: Any, _entry: ConnectionPoolEntry) -> None:
    # The driver's own BEGIN is deferred, which fails under concurrent writes; ours is in _begin.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "recursive_triggers=ON",  # else INSERT OR REPLACE slips past the append-only triggers
        "busy_timeout=10000",
        "cache_size=-8000",  # of each connection; the system caches the file
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
    explains = context is not None and context.execution_options.get(EXPLAINS)
    return f"EXPLAIN (FORMAT JSON) {statement}" if explains else statement, parameters


def create_database_engine(url: str) -> Engine:
    """Build an engine for SQLite (WAL) or PostgreSQL; nothing is connected yet."""
    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        get_engine = create_engine(
            address,
            json_serializer=_to_json,
            pool_size=20,
            max_overflow=20,
            pool_timeout=10,
            pool_pre_ping=True,
            # Without jit: to compile a question takes longer than most of ours take to answer.
            connect_args=_PATIENCE | {"options": "-c lock_timeout=3s -c timezone=UTC -c jit=off"},
        )
        event.listen(get_engine, "before_cursor_execute", _explain, retval=True)
        return get_engine
    # mode=rw: a file that has gone away is an error, not a reason to make an empty one.
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
    """Return the process's engine for DATABASE_URL."""
    return create_database_engine(get_settings().database_url)


def is_sqlite() -> bool:
    """Say whether the database is the embedded one."""
    return get_engine().dialect.name == "sqlite"


@contextmanager
def reading(at: Engine | None = None, *, held: type[Base] | None = None) -> Iterator[Session]:
    """Open a read-only transaction in which every query sees the same moment.

    It is of DATABASE_URL's database, unless `at` names another. That moment is after anybody who
    rebuilds the table `held`: else who waits for them (PostgreSQL) sees the new one without rows.
    Raises OutsideFailed when the database does not answer.
    """
    at = at or get_engine()
    options: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    if at.dialect.name == "sqlite":
        options = {}
    with _reachable(), at.connect().execution_options(**options) as connection:
        if held is not None and at.dialect.name != "sqlite":
            connection.execute(text(f"LOCK TABLE {held.__tablename__} IN ACCESS SHARE MODE"))
        yield Session(connection)


@contextmanager
def writing() -> Iterator[Session]:
    """Open a transaction that commits at the end and rolls back on any error.

    Raises OutsideFailed when the database does not answer.
    """
    queue = _sqlite_writers if is_sqlite() else _postgresql_writers
    with _reachable(), queue, get_engine().connect() as connection:
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
        # A plain DatabaseError is SQLite's word for a file that is damaged, or no database.
        if (
            not isinstance(error, OperationalError | InterfaceError)
            and type(error) is not DatabaseError
        ):
            raise
        logger.warning("The database failed: %s", str(error.orig).strip())
        raise OutsideFailed(BUSY if _is_busy(error) else UNREACHABLE) from error


def _is_busy(error: DBAPIError) -> bool:
    """Say whether somebody else was in the way: a lock not had, or a deadlock; SQLITE_BUSY."""
    code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorcode", None)
    return code in ("55P03", "40P01", sqlite3.SQLITE_BUSY)


def create_missing_file(url: str) -> bool:
    """Make the SQLite file of an address, for this user alone, unless it is there; say whether."""
    address = make_url(url)
    path = Path(address.database or "")
    if address.get_backend_name() != "sqlite" or path.exists():
        return False
    make_private_file(path)
    return True


def is_reachable() -> bool:
    """Ask the database whether it answers and has Order Desk's tables."""
    try:
        with reading() as session:
            session.execute(select(DatabaseFact.name).limit(1))
    except Exception:
        return False
    return True


def migrate() -> None:
    """Bring the database to the newest schema, one process at a time; safe to repeat.

    A SQLite file that is not there is made. Raises OutsideFailed when the database does not answer.
    """
    create_missing_file(get_settings().database_url)
    with _reachable(), get_engine().connect() as connection, _without_foreign_keys(connection):
        writer = connection.execution_options(order_desk_writes=True)
        with writer.begin():
            _upgrade(writer)


@contextmanager
def _without_foreign_keys(connection: Connection) -> Iterator[None]:
    """Let tables be dropped and made again on SQLite, where each row would be checked first."""
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
    """Say whether the database is a SQLite file without any table; a missing one is made."""
    create_missing_file(get_settings().database_url)
    if not is_sqlite():
        return False
    with reading() as session:
        return not has_tables(session)


def has_tables(session: Session) -> bool:
    """Say whether the database has any table."""
    return bool(inspect(session.connection()).get_table_names())


def _upgrade(writer: Connection) -> None:
    _take_turns(writer)
    command.upgrade(_alembic_config(writer), "head")


def _take_turns(writer: Connection) -> None:
    """Have processes that change the schema at once take turns, until the transaction ends."""
    if writer.dialect.name != "sqlite":
        writer.execute(text("SELECT pg_advisory_xact_lock(7305001)"))


def known_versions() -> set[str]:
    """Return the versions of the schema that this program knows, and can bring to the newest."""
    scripts = ScriptDirectory(str(Path(__file__).parent / "migrations"))
    return {script.revision for script in scripts.walk_revisions()}


@contextmanager
def rebuilding(at: Engine) -> Iterator[Session]:
    """Open a writing transaction in which tables may be dropped: foreign keys do not hinder it.

    From its begin nobody else writes; with PostgreSQL nobody reads either, and who does is waited
    for. Raises OutsideFailed when the database does not answer, or somebody stays in the way.
    """
    queue = _sqlite_writers if at is get_engine() and is_sqlite() else nullcontext()
    with _reachable(), queue, at.connect() as connection, _without_foreign_keys(connection):
        writer = connection.execution_options(order_desk_writes=True)
        with Session(writer) as session, session.begin():
            _keep_others_out(session.connection())
            yield session


def _keep_others_out(writer: Connection) -> None:
    """Lock every table, so that what is read from here on is still so when they are dropped."""
    _take_turns(writer)
    if writer.dialect.name == "sqlite":
        return  # it began as a writer, of which there is one
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
