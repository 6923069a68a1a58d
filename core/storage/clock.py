"""The clock of the database, which all machines that share it go by.

A machine whose clock is wrong would lease work for hours, or take over the work of others.
"""

import time
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import psycopg
from sqlalchemy import Engine

from core.ground import OutsideFailed
from core.storage.engine import get_engine, is_sqlite
from core.storage.failures import UNREACHABLE, translating_failures

MEASURED_SECONDS = 60.0  # how long a measurement is used
SAME_SECONDS = 1.0  # clocks that differ by less count as equal
_one_at_a_time = Lock()


def database_time(now: datetime) -> datetime:
    """Return what the database's clock shows when this machine's clock shows `now`.

    SQLite's database is on this machine. Raises OutsideFailed if the database does not answer.
    """
    if is_sqlite():
        return now
    measured = _last_measured(get_engine())
    before, own = time.monotonic(), time.time()
    doubt = (time.monotonic() - before) / 2
    ahead = measured.zero + before + doubt - own
    is_same = abs(ahead) < SAME_SECONDS + measured.doubt + doubt
    return now if is_same else now + timedelta(seconds=ahead)


def current_time() -> datetime:
    """Return the time by the database's clock, as `database_time` does."""
    return database_time(datetime.fromtimestamp(time.time(), UTC))


class _Measured(NamedTuple):
    """The database's time when this machine's monotonic clock was at zero, in seconds.

    The monotonic clock runs on when somebody corrects the clock of the machine.
    """

    zero: float
    doubt: float  # how much it may be off
    measured_at: float  # by the monotonic clock


_measured: WeakKeyDictionary[Engine, _Measured] = WeakKeyDictionary()


def _last_measured(engine: Engine) -> _Measured:
    """Return the last measurement; make a new one when it is old.

    Who asks may hold a connection already, and a measurement takes another. If all measured at
    once, they could use up the connections, and wait for one another. So one of them measures, and
    the others use the last measurement. `startup.prepare` makes the first.
    """
    last = _measured.get(engine)
    if last is not None and time.monotonic() < last.measured_at + MEASURED_SECONDS:
        return last
    if not _one_at_a_time.acquire(blocking=last is None) and last is not None:
        return last
    try:
        _measured[engine] = _measure(engine)
        return _measured[engine]
    finally:
        _one_at_a_time.release()


def _measure(engine: Engine) -> _Measured:
    """Ask the database for its time. The driver asks: a use case costs the same in every minute."""
    with translating_failures(), engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        asked = time.monotonic()
        try:
            row = driver.execute("SELECT extract(epoch FROM clock_timestamp())").fetchone()
        except psycopg.Error as error:
            raise OutsideFailed(UNREACHABLE) from error
        doubt = (time.monotonic() - asked) / 2
        return _Measured(float(row[0]) - asked - doubt, doubt, asked)
