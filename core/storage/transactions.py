"""Transactions to read, write and rebuild."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine, literal_column, select
from sqlalchemy.orm import Session

from core.ground import OutsideFailed, get_settings
from core.storage.dialect import (
    commit_without_standby,
    is_on_sqlite,
    lock_existing_tables,
    lock_tables,
    take_lock,
    without_foreign_keys,
    without_waiting,
)
from core.storage.engine import get_engine, is_sqlite
from core.storage.failures import BUSY, translating_failures
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

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Enter without waiting; raise OutsideFailed if others are inside."""
        with self._guard:
            if not self._free:
                raise OutsideFailed(BUSY)
            self._free -= 1
        try:
            yield
        finally:
            self.__exit__()


# SQLite has one writer at a time: without a semaphore a write waited up to 8.5 s, with an unfair
# lock up to 2 s.
_sqlite_writers = _FairSemaphore(1)


@cache
def _postgresql_writers(connections: int) -> _FairSemaphore:
    """Return the places of writers: some of the connections stay for those who read.

    More than a few writers at once are not faster, and with an unfair lock the slowest of 32 waits
    twice as long.
    """
    return _FairSemaphore(max(1, min(8, connections - 2)))


@contextmanager
def reading(
    at: Engine | Connection | None = None,
    *,
    locked: type[Base] | None = None,
    is_unlimited: bool = False,
) -> Iterator[Session]:
    """Open a read-only transaction in which all queries see the same snapshot.

    It uses the engine of DATABASE_URL, unless `at` is given: a connection then stays open. With
    `locked`, PostgreSQL first locks that table, so that the snapshot is taken after a rebuild of
    it; a transaction that waited for the rebuild without a lock would see an empty table. One that
    `is_unlimited` may take as long as it needs, and pause. Raises OutsideFailed if the database
    does not answer, and Refused if a query takes longer than DATABASE_QUERY_SECONDS.
    """
    at = at or get_engine()
    options: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    if is_on_sqlite(at):
        options = {}
    options["order_desk_unlimited"] = is_unlimited
    with translating_failures(), _opened(at) as connection:
        connection.execution_options(**options)
        if locked is not None:
            lock_tables(connection, [locked.__tablename__], "ACCESS SHARE")
        yield Session(connection)


def _opened(at: Engine | Connection) -> AbstractContextManager[Connection]:
    return nullcontext(at) if isinstance(at, Connection) else at.connect()


@contextmanager
def writing(*, is_minor: bool = False, may_wait: bool = True) -> Iterator[Session]:
    """Open a transaction that commits at the end and rolls back on any error.

    One that `is_minor` writes what may be lost, such as when somebody was seen. On PostgreSQL it
    waits for no standby and for no writer that does: people who only read go on without one.
    SQLite has one writer: if it `may_wait` not, it fails at once while there is another. Raises
    OutsideFailed then, or if the database does not answer.
    """
    connections = get_settings().database_connections
    places: AbstractContextManager[None]
    places = nullcontext() if is_minor else _postgresql_writers(connections)
    if is_sqlite():
        places = _sqlite_writers if may_wait else _sqlite_writers.at_once()
    with translating_failures(), places, get_engine().connect() as connection:
        patience = nullcontext() if may_wait else without_waiting(connection)
        writer = connection.execution_options(order_desk_writes=True)
        with patience, Session(writer) as session, session.begin():
            if is_minor:
                commit_without_standby(session)
            yield session


def has_one_writer() -> bool:
    """Return whether all writers wait for one, such as an import that takes minutes."""
    return is_sqlite()


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
