"""The clock of the database, which all machines that share it go by.

A machine whose clock is wrong would lease work for hours, or take over the work of others.
"""

import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import psycopg
from sqlalchemy import Engine

from core.ground import OutsideFailed
from core.storage.engine import get_engine, is_sqlite
from core.storage.failures import UNREACHABLE, translating_failures

MEASURED_SECONDS = 60.0  # how long a measurement is used
SAME_SECONDS = 1.0  # clocks that differ by less count as equal: a measurement is not exact


def database_time(now: datetime) -> datetime:
    """Return what the database's clock shows when this machine's clock shows `now`.

    SQLite's database is on this machine. Raises OutsideFailed if the database does not answer.
    """
    if is_sqlite():
        return now
    since_start = _measure(get_engine(), int(time.monotonic() / MEASURED_SECONDS))
    ahead = since_start + time.monotonic() - time.time()
    return now if abs(ahead) < SAME_SECONDS else now + timedelta(seconds=ahead)


def current_time() -> datetime:
    """Return the time by the database's clock, as `database_time` does."""
    return database_time(datetime.fromtimestamp(time.time(), UTC))


@lru_cache(16)
def _measure(engine: Engine, _period: int) -> float:
    """Return the database's time when this machine's monotonic clock was at zero, in seconds.

    The monotonic clock runs on when somebody corrects the clock of the machine. The driver asks:
    what a use case costs does not depend on the minute.
    """
    with translating_failures(), engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        asked = time.monotonic()
        try:
            row = driver.execute("SELECT extract(epoch FROM clock_timestamp())").fetchone()
        except psycopg.Error as error:
            raise OutsideFailed(UNREACHABLE) from error
        return float(row[0]) - (asked + time.monotonic()) / 2
