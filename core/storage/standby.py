"""Large reads on a standby (DATABASE_READ_URL), so that they do not slow the primary down.

A standby follows its primary by some milliseconds or seconds. So a read from it says as of when it
is, and it is used only for what may be a little old: figures, and files of many rows.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.ground import OutsideFailed, get_settings
from core.storage.engine import create_database_engine
from core.storage.failures import translating_failures
from core.storage.transactions import reading

logger = logging.getLogger(__name__)
Result = TypeVar("Result")
MAX_AGE = timedelta(seconds=10)
REST_SECONDS = 30.0  # a standby that does not answer is left alone for so long
_PRIMARY = text(
    "SELECT pg_current_wal_insert_lsn()::text AS written, clock_timestamp() AS now, "
    "current_database() AS name, system_identifier AS cluster FROM pg_control_system()"
)
# None of the primary's commits up to `written` is missing if that position was replayed. Otherwise
# none up to the last commit that was.
_STANDBY = text(
    "SELECT CASE WHEN pg_last_wal_replay_lsn() >= CAST(:written AS pg_lsn) THEN :now "
    "ELSE pg_last_xact_replay_timestamp() END AS as_of, "
    "pg_is_in_recovery() AND current_database() = :name AND system_identifier = :cluster "
    "AS is_ours FROM pg_control_system()"
)
_rested_until: dict[Engine, float] = {}  # by time.monotonic


class NotOnStandby(OutsideFailed):
    """The primary must answer this read; others still use the standby."""


def has_standby() -> bool:
    """Return whether DATABASE_READ_URL is set."""
    return get_settings().database_read_url is not None


def read_aside(read: Callable[[Session, datetime | None], Result]) -> Result:
    """Call `read` with a snapshot of the standby, and the instant that the snapshot is as of.

    If there is no standby, or it is away, too old, or fails meanwhile, `read` is called with a
    snapshot of the primary and None. So it may be called twice, and begins anew each time.
    """
    url = get_settings().database_read_url
    standby = None if url is None else _engine_of(url)
    if standby is not None and _rested_until.get(standby, 0.0) <= time.monotonic():
        try:
            # One connection: of several hosts, another one may lead elsewhere.
            with translating_failures(), standby.connect() as connection:
                connection.execution_options(postgresql_readonly=True)
                as_of = _measure(connection)
                if as_of is not None:
                    with reading(connection) as session:
                        return read(session, as_of)
        except NotOnStandby:
            pass
        except (OutsideFailed, DBAPIError) as error:
            _rested_until[standby] = time.monotonic() + REST_SECONDS
            logger.warning("The standby is left alone for %.0f s: %s", REST_SECONDS, error)
    with reading() as session:
        return read(session, None)


@cache
def _engine_of(url: str) -> Engine:
    return create_database_engine(url)


def _measure(standby: Connection) -> datetime | None:
    """Return the instant up to which the standby has every commit; None if it cannot be used.

    A snapshot that is opened after this is no older.
    """
    with reading() as session:
        primary = session.execute(_PRIMARY).one()
    with standby.begin():
        found = standby.execute(_STANDBY, dict(primary._mapping)).one()
    if not found.is_ours or found.as_of is None or primary.now - found.as_of > MAX_AGE:
        logger.info("The standby is not used; it is as of %s.", found.as_of)
        return None
    as_of: datetime = found.as_of
    return as_of
