"""The sign of life of a process: what it writes, and what it finds wrong with the database."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from core import storage
from core.ground import OutsideFailed
from core.storage import Order, signs
from core.storage.failures import (
    BROKEN_DISK,
    BUSY,
    DAMAGED,
    FULL,
    READ_ONLY,
    STOPPED,
    TOO_MANY,
    UNREACHABLE,
)
from core.storage.models.processes import PROCESS_SIGNS
from core.storage.signs import UNPREPARED
from tests.conftest import NOW, free_port, use_database
from tests.rows import make_order

LATER = NOW + timedelta(seconds=5)


def sign(process_id: str = "p-1", *, now: Any = NOW) -> str | None:
    return storage.leave_sign(process_id, "desk-1:4711", now=now)


def signed() -> dict[str, Any]:
    with storage.reading() as session:
        return dict(
            session.execute(select(PROCESS_SIGNS.c.process_id, PROCESS_SIGNS.c.signed_at)).all()
        )


@pytest.fixture(autouse=True)
def closing_connection() -> Iterator[None]:
    """Close the connection of the signs after a test; forget what it and those before have met."""
    signs._damage.clear()
    yield
    storage.forget_connection()
    signs._damage.clear()


@pytest.mark.both_databases
def test_each_process_has_one_row_and_those_long_gone_lose_theirs(database: str) -> None:
    assert [sign("p-1"), sign("p-2"), sign("p-1", now=LATER)] == [None] * 3
    assert signed() == {"p-1": LATER, "p-2": NOW}
    a_day_on = NOW + signs.KEPT + timedelta(seconds=1)
    assert sign("p-3", now=a_day_on) is None
    assert signed().keys() == {"p-1", "p-3"}


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Hold the lock that a restore, an import or a rebuild holds."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(path_of(url), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
    else:
        with storage.get_engine().begin() as other:
            other.execute(text("LOCK TABLE process_signs IN ACCESS EXCLUSIVE MODE"))
            yield


def path_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


@pytest.mark.both_databases
def test_a_held_lock_is_waited_for_a_second(database: str) -> None:
    begin = time.monotonic()
    with locked(database):
        assert sign() == BUSY
    assert 0.5 < time.monotonic() - begin < 3
    assert signed() == {}
    assert sign() is None
    assert signed().keys() == {"p-1"}


@pytest.mark.on_postgresql
def test_a_database_that_takes_no_writes_is_read_only(database: str) -> None:
    name = database.rpartition("/")[2]
    for setting, found in (("on", READ_ONLY), ("off", None)):
        with storage.get_engine().connect() as connection:
            admin = connection.execution_options(isolation_level="AUTOCOMMIT")
            admin.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = off"))
            admin.execute(
                text(f"ALTER DATABASE {name} SET default_transaction_read_only = {setting}")
            )
        storage.forget_connection()
        assert sign() == found


@contextmanager
def overwritten(url: str, at: int, content: bytes) -> Iterator[None]:
    """Put other bytes into a SQLite file, as a broken disk does; put the old ones back."""
    storage.get_engine().dispose()
    with path_of(url).open("r+b") as file:
        file.seek(at)
        old = file.read(len(content))
        file.seek(at)
        file.write(content)
    yield
    storage.get_engine().dispose()
    with path_of(url).open("r+b") as file:
        file.seek(at)
        file.write(old)


WRITE_VERSION = 18  # where a file says what may write it; a version above 2 makes it read-only


@pytest.mark.parametrize(
    ("at", "content", "found"),
    [(WRITE_VERSION, b"\x03", READ_ONLY), (0, b"x" * 100, DAMAGED)],
)
def test_a_file_that_cannot_be_written_says_why(
    sqlite_database: str, at: int, content: bytes, found: str | None
) -> None:
    assert sign() is None
    with overwritten(sqlite_database, at, content):
        assert sign() == found
    assert sign() is None


def test_damage_that_another_statement_meets_is_remembered_for_a_while(
    sqlite_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_order("OD-1")
    with storage.reading() as session:
        page, size = (
            session.execute(text(asked)).scalar_one()
            for asked in (
                "SELECT rootpage FROM sqlite_master WHERE name = 'orders'",
                "PRAGMA page_size",
            )
        )
    with storage.get_engine().connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with overwritten(sqlite_database, (page - 1) * size, b"\xff" * size):
        assert sign() is None  # its own row is whole
        with pytest.raises(OutsideFailed), storage.reading() as session:
            session.scalars(select(Order.author)).all()
        assert sign() == DAMAGED
        monkeypatch.setattr(signs, "DAMAGE_SECONDS", 0.0)
        assert sign() is None


def test_a_disk_without_room_is_full(sqlite_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sign() is None
    monkeypatch.setattr(signs, "MIN_FREE_BYTES", 2**62)
    assert sign() == FULL


def test_a_missing_file_cannot_be_reached_and_one_without_tables_is_not_prepared(
    tmp_path: Path,
) -> None:
    use_database(f"sqlite:///{tmp_path / 'nowhere' / 'orders.db'}")
    assert sign() == UNREACHABLE
    assert not (tmp_path / "nowhere").exists()
    (tmp_path / "orders.db").touch()
    use_database(f"sqlite:///{tmp_path / 'orders.db'}")
    assert sign() == UNPREPARED


def test_a_server_that_is_not_there_cannot_be_reached() -> None:
    use_database(f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/none")
    assert sign() == UNREACHABLE


def fail_on_sqlite(make: Callable[[sqlite3.Connection], object]) -> sqlite3.Error:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (x)")
        with pytest.raises(sqlite3.Error) as failed:
            make(connection)
    return failed.value


def fill(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA max_page_count=3")
    connection.execute("INSERT INTO t VALUES (zeroblob(100000))")


def with_code(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("as the driver says it")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (fail_on_sqlite(fill), FULL),
        (fail_on_sqlite(lambda one: one.execute("SELECT y FROM t")), UNPREPARED),
        (with_code(sqlite3.SQLITE_IOERR_WRITE), BROKEN_DISK),
        (with_code(sqlite3.SQLITE_READONLY_DBMOVED), READ_ONLY),
        (with_code(sqlite3.SQLITE_BUSY_SNAPSHOT), BUSY),
        (with_code(sqlite3.SQLITE_CORRUPT_INDEX), DAMAGED),
        (with_code(sqlite3.SQLITE_CANTOPEN), UNREACHABLE),
        (psycopg.errors.DiskFull(), FULL),
        (psycopg.errors.ReadOnlySqlTransaction(), READ_ONLY),
        (psycopg.errors.TooManyConnections(), TOO_MANY),
        (psycopg.errors.DataCorrupted(), DAMAGED),
        (psycopg.errors.IoError(), BROKEN_DISK),
        (psycopg.errors.QueryCanceled(), BUSY),
        (psycopg.errors.UndefinedTable(), UNPREPARED),
        (psycopg.errors.InsufficientPrivilege(), READ_ONLY),
        (psycopg.errors.AdminShutdown(), STOPPED),
        (OSError("gone"), UNREACHABLE),
    ],
    ids=repr,
)
def test_codes_of_both_drivers_say_what_is_wrong(error: Exception, found: str) -> None:
    wrapped = error if isinstance(error, OSError) else OperationalError("SELECT 1", None, error)
    assert signs._why(wrapped) == found
