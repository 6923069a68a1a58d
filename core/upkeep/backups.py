"""Back up the SQLite database while it is in use, check the backup, and restore it."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.engine import make_url

from core import storage
from core.ground import (
    FOLLOWERS,
    InvalidInput,
    Refused,
    get_settings,
    make_private_folder,
    part_of,
)
from core.storage import DEMO

BUSY_SECONDS = 10
HAS_DATA = (
    "This database has data that is not demo data, so nothing was changed. "
    "Back it up and add --replace, or set DATABASE_URL to another database."
)


def back_up(path: Path) -> int:
    """Write a snapshot of the database to a new file, and check it; return its size in bytes.

    The database stays in use. Raises InvalidInput if the file exists, the database is not SQLite
    or is damaged, and Refused if it cannot be copied.
    """
    source = _sqlite_file()
    if not source.is_file():
        raise InvalidInput(f"The database {source} was not found.")
    if path.exists():
        raise InvalidInput(f"{path} already exists, and is not overwritten.")
    with _copied(source, path) as part:
        try:
            os.link(part, path)  # unlike a rename, it does not overwrite
        except FileExistsError:
            raise InvalidInput(f"{path} already exists, and is not overwritten.") from None
    _sync(path.resolve().parent)
    return path.stat().st_size


def restore(path: Path, *, may_replace: bool = False) -> int:
    """Replace the database by a backup, completely or not at all; return its size in bytes.

    Raises InvalidInput if the file is not a backup of this or an older version of Order Desk, and
    Refused if the database is in use, or has data that is not demo data and `may_replace` is False.
    Then nothing is changed.
    """
    target = _sqlite_file()
    if not path.is_file():
        raise InvalidInput(f"The file {path} was not found.")
    if target.exists() and path.samefile(target):
        raise InvalidInput(f"{path} is the database itself.")
    make_private_folder(target.parent)
    with _copied(path, target) as part, _locked(target, may_replace):
        for follower in FOLLOWERS:  # SQLite would apply the old files to the restored database
            Path(f"{target}{follower}").unlink(missing_ok=True)
        part.replace(target)
    _sync(target.parent)
    return target.stat().st_size


def _sqlite_file() -> Path:
    address = make_url(get_settings().database_url)
    if address.get_backend_name() != "sqlite":
        raise InvalidInput(
            "This works only with SQLite. For PostgreSQL use pg_dump and pg_restore; "
            "docs/backup.md says how."
        )
    return Path(address.database or "").resolve()


@contextmanager
def _copied(source: Path, place: Path) -> Iterator[Path]:
    """Copy a database to a temporary file next to `place`, check it, and remove it at the end."""
    with part_of(place) as part:
        try:
            _copy(source, part)
            with closing(_open(part)) as copy:
                _check(copy, source)
        except sqlite3.OperationalError as error:
            raise Refused(f"{source} cannot be copied: {error}.") from error
        except sqlite3.DatabaseError as error:
            raise InvalidInput(f"{source} is damaged, or not a database: {error}.") from error
        _sync(part)
        yield part


def _open(path: Path, how: str = "rw") -> sqlite3.Connection:
    name = f"file:{quote(str(path.resolve()))}?mode={how}"
    return sqlite3.connect(name, uri=True, timeout=BUSY_SECONDS, isolation_level=None)


def _copy(source: Path, part: Path) -> None:
    with closing(_open(source, "ro")) as origin, closing(_open(part)) as copy:
        origin.backup(copy)  # all pages in one step: a snapshot
        copy.execute("PRAGMA journal_mode=DELETE")  # a single file


def _check(copy: sqlite3.Connection, source: Path) -> None:
    """Check that a copy is not damaged, and has a schema version that is known."""
    found = [row[0] for row in copy.execute("PRAGMA integrity_check(3)")]
    if found != ["ok"]:
        raise InvalidInput(f"{source} is damaged: {'; '.join(map(str, found))}.")
    if copy.execute("PRAGMA foreign_key_check").fetchone():
        raise InvalidInput(f"{source} is damaged: rows refer to missing rows.")
    if not _has_table(copy, "alembic_version"):
        raise InvalidInput(f"{source} is not a database of Order Desk.")
    versions = {row[0] for row in copy.execute("SELECT version_num FROM alembic_version")}
    if not versions or not versions <= storage.known_versions():
        raise InvalidInput(f"{source} is from a newer Order Desk. Update this one first.")


def _has_table(connection: sqlite3.Connection, name: str) -> bool:
    asked = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    return connection.execute(asked, [name]).fetchone() is not None


@contextmanager
def _locked(target: Path, may_replace: bool) -> Iterator[None]:
    """Lock the database that is replaced, so that no one uses it. A damaged one is not locked."""
    if not target.exists():
        yield
        return
    with closing(_open(target)) as old:
        try:
            if not may_replace and _has_data(old):
                raise Refused(HAS_DATA)
            # Leaving WAL needs exclusive access, and merges the files next to the database.
            old.execute("PRAGMA busy_timeout=0")
            old.execute("PRAGMA journal_mode=DELETE")
            old.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise Refused(
                f"The database is in use ({error}), so nothing was changed. "
                "Stop Order Desk and its workers first."
            ) from error
        except sqlite3.DatabaseError:  # damaged: its content and its users are unknown
            if not may_replace:
                raise Refused(HAS_DATA) from None
        yield


def _has_data(old: sqlite3.Connection) -> bool:
    """Return whether a database has data that is not demo data."""
    if _has_table(old, "database_facts"):
        asked = "SELECT 1 FROM database_facts WHERE name = ?"
        if old.execute(asked, [DEMO]).fetchone():
            return False
    if _has_table(old, "orders") and _has_table(old, "contracts"):
        held = "SELECT order_id FROM orders UNION ALL SELECT contract_id FROM contracts LIMIT 1"
        return old.execute(held).fetchone() is not None
    return old.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None


def _sync(path: Path) -> None:
    """Wait until a file, or the list of files in a folder, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
