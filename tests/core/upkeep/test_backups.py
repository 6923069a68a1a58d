"""Backup and restore of SQLite: complete, a snapshot, and never over real data."""

import os
import sqlite3
import subprocess
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

from core import access, mail
from core.__main__ import main
from core.access import Actor
from core.storage import engine, schema, transactions
from tests.core.books import check_books
from tests.core.refunds.refund_races import guarded, race
from tests.core.refunds.sold_items import sell
from tests.core.upkeep.copied import have_returned_money, rows_of, work_at
from tests.databases import NOW, administrating, drop_database, use_database
from tests.postgresql import postgresql_programs
from tests.rows import make_order

THREADS, REQUESTS, BACKUPS = 4, 60, 3
# Rows that one action writes together; a row found here is half an action.
HALVES = {
    "an event for each refund that was requested": """
        SELECT r.refund_id FROM refunds r LEFT JOIN audit_events e
        ON e.entity_id = r.order_item_id AND e.action = 'order_item.refund_requested'
        WHERE e.entity_id IS NULL""",
    "the request of each refund": """
        SELECT r.refund_id FROM refunds r LEFT JOIN refund_batches b USING (batch_id)
        WHERE b.batch_id IS NULL""",
    "items and an event for each delivery": """
        SELECT d.delivery_id FROM deliveries d
        LEFT JOIN delivery_items i ON i.delivery_id = d.delivery_id
        LEFT JOIN audit_events e
        ON e.entity_id = d.delivery_id AND e.action = 'delivery.queued'
        WHERE i.delivery_id IS NULL OR e.entity_id IS NULL""",
}


@pytest.fixture
def elsewhere(sqlite_database: str, tmp_path: Path) -> str:
    """Set DATABASE_URL to a missing file."""
    return f"sqlite:///{tmp_path / 'other' / 'restored.db'}"


def count_rows(table: str) -> int:
    with transactions.reading() as session:
        return session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()


def check_halves() -> None:
    with transactions.reading() as session:
        for what, statement in HALVES.items():
            assert session.execute(text(statement)).first() is None, f"Not there: {what}"


def queue_until(is_over: threading.Event, items: list[str], actor: Actor) -> None:
    for number in count():
        if is_over.is_set():
            return
        asked = items[number % len(items) :][:3]
        to = ["ana@helios.example"]
        mail.send(asked, to, message=None, key=f"mail-{number}", actor=actor, now=NOW)


def test_backups_under_write_load_are_whole_and_of_one_moment(
    sqlite_database: str, elsewhere: str, admin: Actor, tmp_path: Path
) -> None:
    items, kept, is_over = sell(600), sell(9), threading.Event()
    files = [tmp_path / f"{number}.backup" for number in range(BACKUPS)]
    with ThreadPoolExecutor(2) as others:
        mails = others.submit(queue_until, is_over, kept, admin)
        races = others.submit(race, guarded(admin), items, threads=THREADS, requests=REQUESTS)
        counts = []
        while not (count_rows("refunds") and count_rows("deliveries")):
            threading.Event().wait(0.01)
        for file in files:
            counts.append(count_rows("refunds"))
            assert main(["backup", str(file)]) == 0
            assert not races.done()  # otherwise there was no load
        assert races.result().errors == []
        is_over.set()
        mails.result()
    counts.append(count_rows("refunds"))
    for file, before, after in zip(files, counts, counts[1:], strict=False):
        use_database(elsewhere)
        assert main(["restore", str(file), "--replace"]) == 0
        with closing(sqlite3.connect(elsewhere.removeprefix("sqlite:///"))) as restored:
            assert restored.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert before <= count_rows("refunds") <= after
        assert count_rows("orders") > 200
        check_books()
        check_halves()
        assert count_rows("deliveries") > 0
        engine.get_engine().dispose()


def test_backup_overwrites_nothing_and_leaves_nothing_beside_it(
    sqlite_database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "orders.backup"
    assert main(["backup", str(file)]) == 0
    assert f"{file.stat().st_size:,} bytes" in capsys.readouterr().out
    assert file.stat().st_mode & 0o777 == 0o600
    first = file.read_bytes()
    make_order("OD-NEW")
    assert main(["backup", str(file)]) == 1
    assert "not overwritten" in capsys.readouterr().err
    assert file.read_bytes() == first
    assert list(tmp_path.iterdir()) == [file]


def test_restore_brings_back_what_was_there_and_asks_before_it_replaces(
    sqlite_database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "orders.backup"
    make_order("OD-OLD")
    assert main(["backup", str(file)]) == 0
    make_order("OD-NEW")
    engine.get_engine().dispose()
    assert main(["restore", str(file)]) == 1
    assert "has data that is not demo data" in capsys.readouterr().err
    assert count_rows("orders") == 2
    engine.get_engine().dispose()
    assert main(["restore", str(file), "--replace"]) == 0
    assert count_rows("orders") == 1


def test_every_row_of_every_table_comes_back(
    sqlite_database: str, elsewhere: str, tmp_path: Path
) -> None:
    work_at(sqlite_database)
    before = rows_of(sqlite_database)
    assert main(["backup", str(tmp_path / "orders.backup")]) == 0
    use_database(elsewhere)
    assert main(["restore", str(tmp_path / "orders.backup")]) == 0
    assert rows_of(elsewhere) == before
    assert all(before.values())  # no table was empty


def test_restore_into_a_demo_database_needs_no_word(
    sqlite_database: str, elsewhere: str, tmp_path: Path
) -> None:
    file = tmp_path / "orders.backup"
    make_order("OD-OLD")
    assert main(["backup", str(file)]) == 0
    use_database(elsewhere)
    assert main(["demo", "--orders", "20"]) == 0
    engine.get_engine().dispose()
    assert main(["restore", str(file)]) == 0
    assert count_rows("orders") == 1


def test_restore_is_refused_while_somebody_has_the_database_open(
    sqlite_database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "orders.backup"
    assert main(["backup", str(file)]) == 0
    make_order("OD-NEW")  # its connection stays open, as a server's does
    assert main(["restore", str(file), "--replace"]) == 1
    assert "The database is in use" in capsys.readouterr().err
    assert count_rows("orders") == 1


def damaged(good: bytes) -> bytes:
    half = len(good) // 2
    return good[:half] + os.urandom(4096) + good[half + 4096 :]


def with_version(good: bytes, tmp_path: Path, sql: str) -> bytes:
    path = tmp_path / "changed"
    path.write_bytes(good)
    with closing(sqlite3.connect(path)) as changed:
        changed.executescript(sql)
    content = path.read_bytes()
    path.unlink()
    return content


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("text", "damaged, or not a database"),
        ("half", "damaged"),
        ("hole", "damaged"),
        ("empty", "not a database of Order Desk"),
        ("newer", "from a newer Order Desk"),
        ("orphans", "rows refer to missing rows"),
    ],
)
def test_what_is_no_sound_backup_is_refused_and_changes_nothing(
    sqlite_database: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    why: str,
) -> None:
    file = tmp_path / "orders.backup"
    make_order("OD-1")
    assert main(["backup", str(file)]) == 0
    good = file.read_bytes()
    newer = "UPDATE alembic_version SET version_num = '9999'"
    contents = {
        "text": b"Orders of May\n" * 1000,
        "half": good[: len(good) // 2],
        "hole": damaged(good),
        "empty": b"",
        "newer": with_version(good, tmp_path, newer),
        "orphans": with_version(good, tmp_path, "DELETE FROM contracts"),
    }
    file.write_bytes(contents[kind])
    engine.get_engine().dispose()
    assert main(["restore", str(file), "--replace"]) == 1
    assert why in capsys.readouterr().err
    assert count_rows("orders") == 1
    assert list(tmp_path.iterdir()) == [file]


def test_a_damaged_database_can_be_replaced_when_asked(
    sqlite_database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, place = tmp_path / "orders.backup", Path(sqlite_database.removeprefix("sqlite:///"))
    make_order("OD-1")
    assert main(["backup", str(file)]) == 0
    engine.get_engine().dispose()
    place.write_bytes(b"Orders of May\n" * 1000)
    assert main(["backup", str(tmp_path / "two")]) == 1
    assert "damaged" in capsys.readouterr().err
    assert main(["restore", str(file)]) == 1
    assert main(["restore", str(file), "--replace"]) == 0
    assert count_rows("orders") == 1


def test_an_older_backup_is_brought_to_the_present_schema_by_the_next_command(
    sqlite_database: str, elsewhere: str, tmp_path: Path
) -> None:
    file = tmp_path / "orders.backup"
    file.touch()
    use_database(f"sqlite:///{file}")
    with engine.get_engine().connect() as connection, connection.begin():
        command.upgrade(schema._alembic_config(connection), "0003")
    engine.get_engine().dispose()
    use_database(elsewhere)
    assert main(["restore", str(file)]) == 0
    assert main(["demo", "--orders", "10"]) == 0
    assert count_rows("orders") == 10


def test_postgresql_is_left_to_its_own_tools(
    sqlite_database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    use_database("postgresql+psycopg://somebody@127.0.0.1:9/nowhere")
    for wanted in ("backup", "restore"):
        assert main([wanted, str(tmp_path / "orders.backup")]) == 1
        assert "pg_dump" in capsys.readouterr().err


def test_postgresql_is_backed_up_and_restored_as_the_readme_says(
    make_database: Callable[[str], str], postgresql_server: str, tmp_path: Path
) -> None:
    source, programs = make_database("postgresql"), postgresql_programs()
    use_database(source)
    admin = access.find_local_actor()
    assert admin is not None
    items = sell(9)
    guarded(admin)(items[:4], "one")
    have_returned_money()
    before = rows_of(source)
    plain = source.replace("+psycopg", "")
    file, other = tmp_path / "orders.dump", f"restored_{uuid.uuid4().hex}"
    dump: list[str | Path] = [programs / "pg_dump", "--format=custom", f"--file={file}", plain]
    subprocess.run(dump, check=True)
    with administrating(postgresql_server) as server:
        server.execute(text(f"CREATE DATABASE {other}"))
    address = f"{postgresql_server}/{other}"
    options = ["--no-owner", "--exit-on-error", "--single-transaction"]
    to = f"--dbname={address.replace('+psycopg', '')}"
    subprocess.run([programs / "pg_restore", *options, to, file], check=True)
    assert rows_of(address) == before
    assert (count_rows("orders"), count_rows("refunds")) == (5, 6)
    check_books()
    guarded(admin)(items[4:], "two")
    check_books()
    for url in (address, source):
        use_database(url)
        engine.get_engine().dispose()
        drop_database(url)
