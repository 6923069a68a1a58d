"""Transactions to read, write and rebuild, and the errors if the database does not answer."""

import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from sqlalchemy import Connection, Engine, literal_column, select
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from core.ground import InvalidInput, OutsideFailed
from core.storage.dialect import (
    is_on_sqlite,
    lock_existing_tables,
    lock_tables,
    take_lock,
    without_foreign_keys,
)
from core.storage.engine import get_engine, is_sqlite
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
UNREACHABLE = (
    "The database cannot be reached. Order Desk retries automatically. "
    "If this persists, check DATABASE_URL."
)
TOO_LONG = (
    "A text is too long for an index of PostgreSQL; nothing was changed. Shorten products, "
    "passengers, flight numbers, codes and IDs to about 200 characters."
)
BUSY = "The database is busy with another change, such as an import. Try again in a minute."
_LIMIT_EXCEEDED = "54000"  # of PostgreSQL: a row of an index has at most 2,700 bytes


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
    if is_on_sqlite(at):
        options = {}
    with translating_failures(), at.connect().execution_options(**options) as connection:
        if locked is not None:
            lock_tables(connection, [locked.__tablename__], "ACCESS SHARE")
        yield Session(connection)


@contextmanager
def writing() -> Iterator[Session]:
    """Open a transaction that commits at the end and rolls back on any error.

    Raises OutsideFailed if the database does not answer.
    """
    writers = _sqlite_writers if is_sqlite() else _postgresql_writers
    with translating_failures(), writers, get_engine().connect() as connection:
        writer = connection.execution_options(order_desk_writes=True)
        with Session(writer) as session, session.begin():
            yield session


@contextmanager
def translating_failures() -> Iterator[None]:
    """Turn connection errors into OutsideFailed, whose text says what to do.

    A text that an index of PostgreSQL cannot hold is InvalidInput: waiting does not help.
    """
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
        if getattr(error.orig, "sqlstate", None) == _LIMIT_EXCEEDED:
            raise InvalidInput(TOO_LONG) from error
        raise OutsideFailed(BUSY if _is_busy(error) else UNREACHABLE) from error


def _is_busy(error: DBAPIError) -> bool:
    """Return whether another transaction was in the way: lock timeout, deadlock, SQLITE_BUSY."""
    code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorcode", None)
    return code in ("55P03", "40P01", sqlite3.SQLITE_BUSY)


def is_reachable() -> bool:
    """Return whether the database answers and has Order Desk's tables."""
    try:
        with reading() as session:
            session.execute(select(DatabaseFact.name).limit(1))
    except Exception:
        return False
    return True


def lock_schema(writer: Connection) -> None:
    """Make other processes that change the schema wait until the transaction ends."""
    take_lock(writer, literal_column("7305001"))


@contextmanager
def rebuilding(at: Engine) -> Iterator[Session]:
    """Open a write transaction without foreign keys, in which tables can be dropped.

    No other transaction can write while it is open; with PostgreSQL, none can read either. It first
    waits for those that are open. Raises OutsideFailed if the database does not answer or the wait
    for a lock times out.
    """
    writers = _sqlite_writers if at is get_engine() and is_sqlite() else nullcontext()
    with (
        translating_failures(),
        writers,
        at.connect() as connection,
        without_foreign_keys(connection),
    ):
        writer = connection.execution_options(order_desk_writes=True)
        with Session(writer) as session, session.begin():
            _lock_tables(session.connection())
            yield session


def _lock_tables(writer: Connection) -> None:
    """Lock all tables, so that rows read from now on cannot change before the drop."""
    lock_schema(writer)
    ours = (table.name for table in Base.metadata.sorted_tables)
    lock_existing_tables(writer, ours, "ACCESS EXCLUSIVE")
