"""A full, read-only, damaged or stopped database: each kind has a sentence, chosen by its code."""

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import TextClause, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError

from core import storage
from core.ground import OutsideFailed, Refused, get_settings
from core.storage import failures
from tests.conftest import use_database
from tests.databases import close_connections
from tests.rows import make_order


def _fail(cause: Callable[[Path], object], file: Path) -> None:
    cause(file)
    _grow()


def _file_of(url: str) -> Path:
    return Path(make_url(url).database or "")


def _grow() -> None:
    with storage.writing() as session:
        session.execute(text("CREATE TABLE grown (filling TEXT)"))
        session.execute(text("INSERT INTO grown VALUES (hex(zeroblob(4000000)))"))


def _fill_disk(_file: Path) -> None:
    with storage.writing() as session:
        session.execute(
            text("PRAGMA max_page_count = 1")
        )  # SQLite keeps at least those that it has
    _grow()


def _write_read_only(_file: Path) -> None:
    with storage.reading() as session:
        session.execute(text("PRAGMA query_only = ON"))
    _grow()


@contextmanager
def _no_larger_files() -> Iterator[None]:
    """Let every write fail that makes a file larger than 100 kB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def _fail_to_write(_file: Path) -> None:
    with _no_larger_files():
        _grow()


def _overwrite(file: Path, first: int) -> None:
    make_order()
    close_connections(storage.get_engine())
    with file.open("r+b") as opened:
        opened.seek(first)
        opened.write(b"\xff" * (file.stat().st_size - first))
    with storage.reading() as session:
        session.execute(text("SELECT * FROM orders")).all()


@pytest.mark.parametrize(
    ("cause", "sentence"),
    [
        (_fill_disk, failures.FULL),
        (_write_read_only, failures.READ_ONLY),
        (_fail_to_write, failures.BROKEN_DISK),
        (lambda file: _overwrite(file, 4096), failures.DAMAGED),
        (lambda file: _overwrite(file, 0), failures.DAMAGED),
        (Path.unlink, failures.UNREACHABLE),
    ],
    ids=["full", "read-only", "broken disk", "damaged", "no database", "missing"],
)
def test_a_sqlite_file_that_fails_is_described(
    sqlite_database: str, cause: Callable[[Path], object], sentence: str
) -> None:
    file = _file_of(sqlite_database)
    if cause is Path.unlink:
        close_connections(storage.get_engine())
    with pytest.raises(OutsideFailed) as raised:
        _fail(cause, file)
    assert str(raised.value) == sentence


@pytest.mark.on_postgresql
@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("53100", failures.FULL),
        ("53200", failures.OUT_OF_MEMORY),
        ("53300", failures.TOO_MANY),
        ("57P03", failures.STOPPED),
        ("58030", failures.BROKEN_DISK),
        ("XX001", failures.DAMAGED),
        ("XX002", failures.DAMAGED),
        ("40001", failures.BUSY),
    ],
)
def test_a_code_of_postgresql_is_described(database: str, code: str, sentence: str) -> None:
    with pytest.raises(OutsideFailed) as raised, storage.writing() as session:
        session.execute(_raising(code))
    assert str(raised.value) == sentence


def _raising(code: str) -> TextClause:
    """Let the server fail with a code, and a text that says something else."""
    return text(f"DO $$BEGIN RAISE EXCEPTION 'disk full' USING ERRCODE = '{code}'; END$$")


@pytest.mark.on_postgresql
def test_an_error_of_the_program_stays_one_whatever_its_text_says(database: str) -> None:
    with pytest.raises(DatabaseError), storage.writing() as session:
        session.execute(_raising("P0001"))


@pytest.mark.on_postgresql
def test_a_write_to_a_read_only_postgresql_is_described(database: str) -> None:
    with pytest.raises(OutsideFailed) as raised, storage.reading() as session:
        session.execute(text("DELETE FROM orders"))
    assert str(raised.value) == failures.READ_ONLY


def _ask_twice(between: Callable[[int], object]) -> None:
    """Ask in one transaction, and let something happen to it between the questions."""
    with storage.writing() as session:
        session.execute(text("SET LOCAL idle_in_transaction_session_timeout = 50"))
        between(session.execute(text("SELECT pg_backend_pid()")).scalar_one())
        session.execute(text("SELECT 1"))


def _terminate(process: int) -> None:
    with storage.reading() as other:
        other.execute(text(f"SELECT pg_terminate_backend({process}, 10000)"))


def _wait(_process: int) -> None:
    with storage.reading() as other:
        other.execute(text("SELECT pg_sleep(0.5)"))


@pytest.mark.on_postgresql
def test_a_server_that_stops_is_described_and_the_next_try_succeeds(database: str) -> None:
    with pytest.raises(OutsideFailed) as raised:
        _ask_twice(_terminate)
    assert str(raised.value) == failures.STOPPED
    with storage.reading() as session:
        assert session.execute(text("SELECT 7")).scalar_one() == 7


@pytest.fixture
def hasty(make_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give a database whose queries may take a second."""
    monkeypatch.setenv("DATABASE_QUERY_SECONDS", "1")
    use_database(make_database("postgresql"))
    yield
    close_connections(storage.get_engine())
    get_settings.cache_clear()


@pytest.mark.on_postgresql
def test_a_slow_query_is_ended_but_not_a_slow_change(hasty: None) -> None:
    with pytest.raises(Refused, match="longer than 1 s"), storage.reading() as session:
        session.execute(text("SELECT pg_sleep(20)"))
    with storage.writing() as session:
        session.execute(text("SELECT pg_sleep(1.2)"))
    with storage.reading(is_unlimited=True) as session:
        session.execute(text("SELECT pg_sleep(1.2)"))


@pytest.mark.on_postgresql
def test_a_transaction_that_waits_for_its_process_is_ended(database: str) -> None:
    with pytest.raises(OutsideFailed, match="This process was stopped"):
        _ask_twice(_wait)


@pytest.mark.on_postgresql
def test_a_process_opens_no_more_connections_than_it_may(
    make_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_CONNECTIONS", "3")
    monkeypatch.setattr("core.storage.postgresql.POOL_SECONDS", 0.1)
    use_database(make_database("postgresql"))
    with storage.reading() as one, storage.reading() as two, storage.reading() as three:
        for session in (one, two, three):
            assert session.execute(text("SELECT 1")).scalar_one() == 1
        with pytest.raises(OutsideFailed, match="DATABASE_CONNECTIONS"), storage.reading() as four:
            four.execute(text("SELECT 1"))
    close_connections(storage.get_engine())
