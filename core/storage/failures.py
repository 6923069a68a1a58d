"""What a failed database means to people: a sentence for each kind of failure.

The kind is known by the code of the error, never by its text, which depends on the version and the
language of the database. Only a connection that PostgreSQL refuses has no code: the driver keeps
nothing but the text. In another language than English, it counts as a server that is not there.
"""

import logging
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core.ground import AppError, InvalidInput, OutsideFailed, Refused, get_settings

logger = logging.getLogger(__name__)

UNREACHABLE = (
    "The database cannot be reached. Order Desk retries automatically. "
    "If this persists, check DATABASE_URL and the log."
)
STOPPED = (
    "The database was stopped or is starting. Order Desk retries automatically. "
    "If this persists, check the database server."
)
BUSY = "The database is busy with another change, such as an import. Try again in a minute."
ALL_IN_USE = (
    "All connections of this process to the database are in use (DATABASE_CONNECTIONS). "
    "Try again in a minute."
)
TOO_MANY = (
    "The database server has no connection left. Order Desk retries automatically. If this "
    "persists, lower DATABASE_CONNECTIONS, or raise max_connections of the server."
)
FULL = (
    "The disk of the database is full. Nothing was changed. Order Desk can still read. "
    "Free space on that disk, then try again."
)
READ_ONLY = (
    "The database is read-only. Nothing was changed. For a SQLite file, check who may write to it "
    "and to its folder. PostgreSQL may be a standby: check the host in DATABASE_URL."
)
DAMAGED = (
    "The database is damaged. Nothing was changed. Stop Order Desk, keep a copy of the damaged "
    "database, and restore a backup (see docs/backup.md)."
)
BROKEN_DISK = (
    "The disk of the database reports an error. Nothing was changed. Check the disk before you "
    "try again, and see that you have a backup."
)
OUT_OF_MEMORY = (
    "The database server is out of memory. Nothing was changed. Order Desk retries automatically. "
    "If this persists, check the memory of the server."
)
TOO_LONG = (
    "A text is too long for an index of PostgreSQL; nothing was changed. Shorten products, "
    "passengers, flight numbers, codes and IDs to about 200 characters."
)
_SQLITE = {
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
    sqlite3.SQLITE_IOERR: BROKEN_DISK,
    sqlite3.SQLITE_NOMEM: OUT_OF_MEMORY,
}
_POSTGRESQL = {
    "55P03": BUSY,  # lock_timeout
    "40P01": BUSY,  # a deadlock
    "40001": BUSY,  # on a standby: its primary removed the rows that are read
    "53100": FULL,
    "53200": OUT_OF_MEMORY,
    "53300": TOO_MANY,
    "25006": READ_ONLY,
    "57P01": STOPPED,
    "57P02": STOPPED,
    "57P03": STOPPED,
    "57P05": STOPPED,
    "58030": BROKEN_DISK,
    "XX001": DAMAGED,
    "XX002": DAMAGED,
}
_REFUSED = {
    TOO_MANY: re.compile(
        "too many (clients already|connections for)|remaining connection slots are reserved"
        "|no more connections allowed"  # of PgBouncer
    ),
    STOPPED: re.compile(
        "the database system is (starting up|shutting down|in recovery mode|not (yet )?accepting)"
    ),
}
_TOO_SLOW = "57014"  # statement_timeout
_TOO_IDLE = "25P03"  # idle_in_transaction_session_timeout
_LIMIT_EXCEEDED = "54000"  # a row of an index has at most 2,700 bytes
_PRIMARY = 0xFF  # the part of an extended code of SQLite that says the kind


@contextmanager
def translating_failures() -> Iterator[None]:
    """Turn failures of the database into OutsideFailed, whose text says what to do.

    A text that an index of PostgreSQL cannot hold is InvalidInput, and a query that takes too long
    is Refused: to wait does not help.
    """
    try:
        yield
    except PoolTimeout as error:
        raise OutsideFailed(ALL_IN_USE) from error
    except DatabaseError as error:
        failure = find_failure(error)
        if failure is None:
            raise
        logger.warning("The database failed: %s", str(error.orig).strip())
        raise failure from error


def find_failure(error: DatabaseError) -> AppError | None:
    """Return the failure of the database behind an error; None if it is an error of the program."""
    code = getattr(error.orig, "sqlstate", None)
    if code == _LIMIT_EXCEEDED:
        return InvalidInput(TOO_LONG)
    if code == _TOO_SLOW:
        seconds = get_settings().database_query_seconds
        return Refused(
            f"This took the database longer than {seconds} s, so it was stopped. "
            "Filter for fewer rows, then try again."
        )
    if code == _TOO_IDLE:
        seconds = get_settings().database_idle_seconds
        return OutsideFailed(
            f"This process was stopped for more than {seconds} s, so the database ended its "
            "transaction. Nothing was changed. Try again."
        )
    sentence = _POSTGRESQL.get(code or "")
    if sentence is None:
        primary = (getattr(error.orig, "sqlite_errorcode", None) or 0) & _PRIMARY
        sentence = _SQLITE.get(primary) or _find_refusal(error.orig)
    # A plain DatabaseError of SQLite is a file that cannot be read; that of a trigger has a code.
    is_plain = type(error) is DatabaseError and code is None
    if sentence is None and (is_plain or isinstance(error, OperationalError | InterfaceError)):
        sentence = UNREACHABLE
    return None if sentence is None else OutsideFailed(sentence)


def _find_refusal(error: BaseException | None) -> str | None:
    """Return the sentence of a connection that PostgreSQL refused; None for any other error."""
    if not isinstance(error, psycopg.OperationalError) or error.sqlstate is not None:
        return None
    said = str(error)
    return next((one for one, words in _REFUSED.items() if words.search(said)), None)
