"""Backups of the embedded database: taken while it is written to, checked, and restored whole."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.engine import make_url

from core import storage
from core.ground import PRIVATE_FILE, InvalidInput, Refused, get_settings, make_private_folder
from core.storage import DEMO

BUSY_SECONDS = 10
HOLDS_DATA = (
    "This database holds data that is not demo data, so nothing was changed. "
    "Back it up and say --replace, or name another in DATABASE_URL."
)
FOLLOWERS = ("-wal", "-shm", "-journal")  # files that SQLite keeps beside a database


def back_up(path: Path) -> int:
    """Write the database as of one moment to a new file, which is checked; return its bytes.

    Others read and write meanwhile. Raises InvalidInput for a file that is there or a database
    that is not SQLite, and Refused when the copy is found to be damaged.
    """
    source = _sqlite_file()
    if not source.is_file():
        raise InvalidInput(f"There is no database {source}.")
    if path.exists():
        raise InvalidInput(f"{path} is there already, and is not overwritten.")
    with _copied(source, path) as part:
        try:
            os.link(part, path)  # unlike a rename it does not overwrite
        except FileExistsError:
            raise InvalidInput(f"{path} is there already, and is not overwritten.") from None
    _keep(path.resolve().parent)
    return path.stat().st_size


def restore(path: Path, *, may_replace: bool = False) -> int:
    """Put a backup in the place of the database, whole or not at all; return its bytes.

    Raises InvalidInput for what is no backup of an Order Desk of this version or an older one, and
    Refused when the database is in use, or holds data that is not demo data (unless it may be
    replaced): then nothing was changed.
    """
    target = _sqlite_file()
    if not path.is_file():
        raise InvalidInput(f"There is no file {path}.")
    if target.exists() and path.samefile(target):
        raise InvalidInput(f"{path} is the database itself.")
    make_private_folder(target.parent)
    with _copied(path, target) as part, _locked(target, may_replace):
        for follower in FOLLOWERS:  # what is left of another would be played into this one
            Path(f"{target}{follower}").unlink(missing_ok=True)
        part.replace(target)
    _keep(target.parent)
    return target.stat().st_size


def _sqlite_file() -> Path:
    address = make_url(get_settings().database_url)
    if address.get_backend_name() != "sqlite":
        raise InvalidInput(
            "This is for SQLite. Back up PostgreSQL with pg_dump and restore it with pg_restore; "
            "the README says how."
        )
    return Path(address.database or "").resolve()


@contextmanager
def _copied(source: Path, place: Path) -> Iterator[Path]:
    """Copy a database beside a place, and check the copy; it is gone at the end of the block."""
    folder = place.resolve().parent
    if not folder.is_dir():
        raise InvalidInput(f"There is no folder {folder}.")
    part = folder / f".{place.name}.{os.getpid()}.part"
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE_FILE))
        try:
            _copy(source, part)
            with closing(_open(part)) as copy:
                _check(copy, source)
        except sqlite3.OperationalError as error:
            raise Refused(f"{source} cannot be copied: {error}.") from error
        except sqlite3.DatabaseError as error:
            raise InvalidInput(f"{source} is damaged, or no database: {error}.") from error
        _keep(part)
        yield part
    finally:
        for name in ("", *FOLLOWERS):
            Path(f"{part}{name}").unlink(missing_ok=True)


def _open(path: Path, how: str = "rw") -> sqlite3.Connection:
    name = f"file:{quote(str(path.resolve()))}?mode={how}"
    return sqlite3.connect(name, uri=True, timeout=BUSY_SECONDS, isolation_level=None)


def _copy(source: Path, part: Path) -> None:
    with closing(_open(source, "ro")) as origin, closing(_open(part)) as copy:
        origin.backup(copy)  # all pages in one step, as of one moment
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it


def _check(copy: sqlite3.Connection, source: Path) -> None:
    """Find that a copy is sound, and of an Order Desk that this one knows."""
    found = [row[0] for row in copy.execute("PRAGMA integrity_check(3)")]
    if found != ["ok"]:
        raise InvalidInput(f"{source} is damaged: {'; '.join(map(str, found))}.")
    if copy.execute("PRAGMA foreign_key_check").fetchone():
        raise InvalidInput(f"{source} is damaged: rows refer to others that are not there.")
    if not _has_table(copy, "alembic_version"):
        raise InvalidInput(f"{source} is not a database of Order Desk.")
    versions = {row[0] for row in copy.execute("SELECT version_num FROM alembic_version")}
    if not versions or not versions <= storage.known_versions():
        raise InvalidInput(f"{source} is of a newer Order Desk; update this one first.")


def _has_table(connection: sqlite3.Connection, name: str) -> bool:
    asked = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    return connection.execute(asked, [name]).fetchone() is not None


@contextmanager
def _locked(target: Path, may_replace: bool) -> Iterator[None]:
    """Keep everybody out of the database that is to be replaced, if it can be opened at all."""
    if not target.exists():
        yield
        return
    with closing(_open(target)) as old:
        try:
            if not may_replace and _holds_data(old):
                raise Refused(HOLDS_DATA)
            # Only who is alone may leave WAL, which also takes in what is left beside the file.
            old.execute("PRAGMA busy_timeout=0")
            old.execute("PRAGMA journal_mode=DELETE")
            old.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise Refused(
                f"The database is in use ({error}), so nothing was changed. "
                "Stop Order Desk and its workers first."
            ) from error
        except sqlite3.DatabaseError:  # damaged: nobody knows what it holds, or who uses it
            if not may_replace:
                raise Refused(HOLDS_DATA) from None
        yield


def _holds_data(old: sqlite3.Connection) -> bool:
    """Say whether a database holds anything but demo data."""
    if _has_table(old, "database_facts"):
        asked = "SELECT 1 FROM database_facts WHERE name = ?"
        if old.execute(asked, [DEMO]).fetchone():
            return False
    if _has_table(old, "orders") and _has_table(old, "contracts"):
        held = "SELECT order_id FROM orders UNION ALL SELECT contract_id FROM contracts LIMIT 1"
        return old.execute(held).fetchone() is not None
    return old.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None


def _keep(path: Path) -> None:
    """Wait until a file, or what a folder lists, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
