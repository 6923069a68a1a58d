"""What is wrong when a statement fails: the kinds of failure, by the codes of both databases."""

import sqlite3
from enum import StrEnum

from sqlalchemy.exc import TimeoutError as PoolTimeout


class Failure(StrEnum):
    """Why the database does not do what it is asked, in the words of `/readyz`."""

    BUSY = "the database is busy"
    READ_ONLY = "the database is read-only"
    FULL = "the disk of the database is full"
    DAMAGED = "the database is damaged"
    DISK = "the disk of the database cannot be read or written"
    NO_CONNECTION = "the database has no free connection"
    UNPREPARED = "the tables of the database are missing or of another version"
    UNREACHABLE = "the database cannot be reached"


# SQLite's codes without their second byte, which only says more.
_OF_SQLITE = {
    sqlite3.SQLITE_BUSY: Failure.BUSY,
    sqlite3.SQLITE_LOCKED: Failure.BUSY,
    sqlite3.SQLITE_READONLY: Failure.READ_ONLY,
    sqlite3.SQLITE_FULL: Failure.FULL,
    sqlite3.SQLITE_CORRUPT: Failure.DAMAGED,
    sqlite3.SQLITE_NOTADB: Failure.DAMAGED,
    sqlite3.SQLITE_IOERR: Failure.DISK,
    sqlite3.SQLITE_ERROR: Failure.UNPREPARED,  # such as a missing table
}
_OF_POSTGRESQL = {
    "55P03": Failure.BUSY,  # a lock was not free in time
    "57014": Failure.BUSY,  # a statement took too long
    "40P01": Failure.BUSY,  # a deadlock
    "40001": Failure.BUSY,
    "25006": Failure.READ_ONLY,  # such as a standby
    "42501": Failure.READ_ONLY,  # a user without the right to write
    "53100": Failure.FULL,
    "XX001": Failure.DAMAGED,
    "XX002": Failure.DAMAGED,  # an index
    "58030": Failure.DISK,
    "53300": Failure.NO_CONNECTION,
    "42P01": Failure.UNPREPARED,
    "42703": Failure.UNPREPARED,
}


def failure_of(error: BaseException) -> Failure:
    """Return what an error of SQLAlchemy or of a driver says."""
    if isinstance(error, PoolTimeout):
        return Failure.BUSY
    cause = getattr(error, "orig", None) or error
    state = getattr(cause, "sqlstate", None)
    code = getattr(cause, "sqlite_errorcode", None)
    if code is not None:
        return _OF_SQLITE.get(code & 0xFF, Failure.UNREACHABLE)
    return _OF_POSTGRESQL.get(state or "", Failure.UNREACHABLE)
