"""The sign of life of a process: a small write, which shows whether the database takes any."""

import os
import time
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, Engine, delete, event
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import SQLAlchemyError

from core.ground import get_settings
from core.storage.dialect import insert, is_on_sqlite
from core.storage.engine import create_database_engine
from core.storage.failures import Failure, failure_of
from core.storage.models.processes import PROCESS_SIGNS

MAX_MILLISECONDS = 1_000  # to wait for a lock, and for a statement
KEPT = timedelta(days=1)
MIN_FREE_BYTES = 1_000_000  # below it, a SQLite file cannot grow any more
DAMAGE_SECONDS = 60.0
_damage: dict[str, float] = {}  # when a statement of this process last met damage, by the database


def leave_sign(process_id: str, name: str, *, now: datetime) -> Failure | None:
    """Write the row of a process and remove those of processes long gone; return why it failed.

    It has a connection of its own and waits a second at most, so that it takes no place from
    others: an import can hold the writer of SQLite for minutes.
    """
    try:
        with _engine().connect() as connection:
            _limit_waits(connection)
            writer = connection.execution_options(order_desk_writes=True)
            with writer.begin():
                _write(writer, process_id, name, now)
        return _hidden_failure()
    except (SQLAlchemyError, OSError) as error:
        return failure_of(error)


def _limit_waits(connection: Connection) -> None:
    """Wait a second for the lock of SQLite, on a connection that is opened for each sign.

    An open one would not notice that its file was damaged or replaced.
    """
    if is_on_sqlite(connection):
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute(f"PRAGMA busy_timeout={MAX_MILLISECONDS}")
        connection.detach()


def _write(writer: Connection, process_id: str, name: str, now: datetime) -> None:
    if not is_on_sqlite(writer):
        for limit in ("lock_timeout", "statement_timeout"):
            writer.exec_driver_sql(f"SET LOCAL {limit} = {MAX_MILLISECONDS}")
    row = {"process_id": process_id, "name": name, "signed_at": now}
    new = insert(writer, PROCESS_SIGNS).values(row)
    writer.execute(new.on_conflict_do_update(index_elements=["process_id"], set_=row))
    writer.execute(delete(PROCESS_SIGNS).where(PROCESS_SIGNS.c.signed_at < now - KEPT))


def _hidden_failure() -> Failure | None:
    """Return what a small write does not meet: a full disk, or damage in another table."""
    met = _damage.get(get_settings().database_url)
    if met is not None and time.monotonic() - met < DAMAGE_SECONDS:
        return Failure.DAMAGED
    return Failure.FULL if _is_disk_full() else None


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
    is_damaged = failure_of(context.original_exception) is Failure.DAMAGED
    if is_damaged and context.engine is not _engine():
        _damage[get_settings().database_url] = time.monotonic()


def _engine() -> Engine:
    return _engine_of(get_settings().database_url)


@cache
def _engine_of(url: str) -> Engine:
    return create_database_engine(url)


def forget_connection() -> None:
    """Close the connection of the signs."""
    _engine().dispose()
