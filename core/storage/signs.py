"""The sign of life of a process: a small write, which shows whether the database takes any."""

import os
import sqlite3
import time
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, delete, event
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from core.ground import get_settings
from core.storage.dialect import insert, is_on_sqlite
from core.storage.engine import create_database_engine, get_engine
from core.storage.failures import BUSY, DAMAGED, FULL, READ_ONLY, UNREACHABLE, find_failure
from core.storage.models.processes import PROCESS_SIGNS

MAX_MILLISECONDS = 1_000  # to wait for a lock, and for a statement
KEPT = timedelta(days=1)
MIN_FREE_BYTES = 1_000_000  # below it, a SQLite file cannot grow any more
DAMAGE_SECONDS = 60.0
UNPREPARED = "The tables of the database are missing or of another version. Look at the log."
WAITING = "Writing waits for the standby. It goes on when the standby is back or given up."
_TIMED_OUT = "57014"  # a statement took longer than its second
_NO_RIGHT = "42501"  # to write
_NO_TABLE = ("42P01", "42703")
# A standby that is there answers within some milliseconds.
_WAITING = """
SELECT EXISTS (
    SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'SyncRep'
    AND state_change < clock_timestamp() - interval '3 seconds'
)"""
_damage: dict[str, float] = {}  # when a statement of this process last met damage, by the database


def leave_sign(process_id: str, name: str, *, now: datetime) -> str | None:
    """Write the row of a process and remove those of processes long gone; return why it failed.

    With BUSY, others hold a lock: an import can hold that of SQLite for minutes, and ends some
    time. So the write has a connection of its own, and waits for a second at most.
    """
    try:
        with _engine().connect() as connection:
            _limit_waits(connection)
            writer = connection.execution_options(order_desk_writes=True)
            with writer.begin():
                _write(writer, process_id, name, now)
                if _is_waiting_for_standby(writer):
                    return WAITING
        return _hidden_failure()
    except (SQLAlchemyError, OSError) as error:
        return _why(error)


def _why(error: Exception) -> str:
    """Return the sentence of a failure."""
    cause = getattr(error, "orig", None)
    state, code = (getattr(cause, name, None) for name in ("sqlstate", "sqlite_errorcode"))
    if state == _TIMED_OUT:
        return BUSY
    if state == _NO_RIGHT:
        return READ_ONLY
    if state in _NO_TABLE or code == sqlite3.SQLITE_ERROR:
        return UNPREPARED
    failure = find_failure(error) if isinstance(error, DatabaseError) else None
    return UNREACHABLE if failure is None else str(failure)


def _limit_waits(connection: Connection) -> None:
    """Wait a second for the lock of SQLite, on a connection that is opened for each sign.

    An open one would not notice that its file was damaged or replaced.
    """
    if is_on_sqlite(connection):
        driver: Any = connection.connection.driver_connection
        driver.execute(f"PRAGMA busy_timeout={MAX_MILLISECONDS}")
        connection.detach()


def _write(writer: Connection, process_id: str, name: str, now: datetime) -> None:
    if not is_on_sqlite(writer):
        # The sign itself does not wait for a standby, so that it can say that others do.
        writer.exec_driver_sql("SET LOCAL synchronous_commit = local")
        for limit in ("lock_timeout", "statement_timeout"):
            writer.exec_driver_sql(f"SET LOCAL {limit} = {MAX_MILLISECONDS}")
    row = {"process_id": process_id, "name": name, "signed_at": now}
    new = insert(writer, PROCESS_SIGNS).values(row)
    writer.execute(new.on_conflict_do_update(index_elements=["process_id"], set_=row))
    writer.execute(delete(PROCESS_SIGNS).where(PROCESS_SIGNS.c.signed_at < now - KEPT))


def _is_waiting_for_standby(connection: Connection) -> bool:
    """Return whether a write to this database has waited for a synchronous standby for a while."""
    if is_on_sqlite(connection):
        return False
    return bool(connection.exec_driver_sql(_WAITING).scalar())


def _hidden_failure() -> str | None:
    """Return what a small write does not meet: a full disk, or damage in another table."""
    met = _damage.get(get_settings().database_url)
    if met is not None and time.monotonic() - met < DAMAGE_SECONDS:
        return DAMAGED
    return FULL if _is_disk_full() else None


def _is_disk_full() -> bool:
    """Return whether a SQLite file has no room; a small write finds some in its WAL file."""
    address = make_url(get_settings().database_url)
    if address.get_backend_name() != "sqlite" or not hasattr(os, "statvfs"):
        return False
    disk = os.statvfs(Path(address.database or "").parent)
    return disk.f_bavail * disk.f_frsize < MIN_FREE_BYTES


@event.listens_for(Engine, "handle_error")
def _note_damage(context: ExceptionContext) -> None:
    """Note what another statement of this process meets; the next sign meets its own again."""
    error = context.sqlalchemy_exception
    if not isinstance(error, DatabaseError) or context.engine is not get_engine():
        return  # it is of the signs, or of another database, such as the standby
    if str(find_failure(error)) == DAMAGED:
        _damage[get_settings().database_url] = time.monotonic()


def _engine() -> Engine:
    return _engine_of(get_settings().database_url)


@cache
def _engine_of(url: str) -> Engine:
    return create_database_engine(url)


def forget_connection() -> None:
    """Close the connection of the signs."""
    _engine().dispose()
