"""Another program cannot replace ledger entries and audit events in a SQLite file."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import make_url, text

from core import storage
from core.access import CONSOLE, Actor
from core.demo import fill
from core.notes import add_note
from core.storage import AuditEvent
from tests.conftest import NOW
from tests.rows import make_order, make_transaction

KEPT = {"transactions": "author", "audit_events": "actor", "notes": "author"}  # a column to change
UNIQUE = [
    ("transactions", "transaction_id"),
    ("transactions", "no"),
    ("transactions", "rowid"),
    ("audit_events", "event_id"),
    ("audit_events", "rowid"),
    *(("notes", name) for name in ("note_id", "no", "rowid")),
]
IDS = ("transaction_id", "event_id", "note_id", "idempotency_key")
WAYS = ["INSERT OR REPLACE INTO", "REPLACE INTO", "INSERT OR IGNORE INTO", "INSERT INTO"]


@pytest.fixture
def other(sqlite_database: str) -> Iterator[sqlite3.Connection]:
    """Store rows, and open the database as another program does: with SQLite's own defaults."""
    for number in range(3):
        make_transaction(order_id=(order := make_order()))
        add_note(order, "Hi", key=f"{number}", zone="UTC", actor=CONSOLE, now=NOW)
        named = {"event_id": f"e-{number}", "entity": "order", "entity_id": "OD-1"}
        with storage.writing() as session:
            session.add(
                AuditEvent(at=NOW, actor="ana", action="order.exported", sentence="", **named)
            )
    path = make_url(sqlite_database).database
    with closing(sqlite3.connect(str(path), isolation_level=None)) as opened:
        assert opened.execute("PRAGMA recursive_triggers").fetchone() == (0,)
        yield opened


def _rows(other: sqlite3.Connection, table: str) -> list[tuple[object, ...]]:
    return other.execute(f"SELECT rowid, * FROM {table} ORDER BY rowid").fetchall()


def _replace(other: sqlite3.Connection, way: str, table: str, unique: str) -> None:
    """Write a copy of the last row that shares one unique value with it, under another name."""
    cursor = other.execute(f"SELECT rowid AS rowid, * FROM {table} ORDER BY rowid DESC LIMIT 1")
    row = dict(zip([one[0] for one in cursor.description], cursor.fetchone(), strict=True))
    new = row | {"rowid": 10**9, KEPT[table]: "me"}
    new |= {name: f"new-{row[name]}" for name in IDS if name in row}
    new |= {"no": 10**9} if "no" in row else {}
    new[unique] = row[unique]
    if unique != "rowid":
        del new["rowid"]  # as an ordinary INSERT
    marks = ", ".join("?" for _ in new)
    other.execute(f"{way} {table} ({', '.join(new)}) VALUES ({marks})", list(new.values()))


@pytest.mark.parametrize(("table", "unique"), UNIQUE)
@pytest.mark.parametrize("way", WAYS)
def test_a_row_is_not_replaced(
    other: sqlite3.Connection, way: str, table: str, unique: str
) -> None:
    before = _rows(other, table)
    with pytest.raises(sqlite3.IntegrityError, match=f"{table} is append-only"):
        _replace(other, way, table, unique)
    assert _rows(other, table) == before


@pytest.mark.parametrize(("table", "unique"), UNIQUE)
def test_without_the_trigger_it_would_be_replaced(
    other: sqlite3.Connection, table: str, unique: str
) -> None:
    before = _rows(other, table)
    other.execute(f"DROP TRIGGER {table}_no_replace")
    _replace(other, WAYS[0], table, unique)
    after = _rows(other, table)
    assert len(after) == len(before)
    assert "me" in after[-1]


@pytest.mark.parametrize("table", KEPT)
def test_nor_by_an_update(other: sqlite3.Connection, table: str) -> None:
    before = _rows(other, table)
    key = {"transactions": "no", "audit_events": "event_id", "notes": "no"}[table]
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        other.execute(f"UPDATE OR REPLACE {table} SET {key} = (SELECT min({key}) FROM {table})")
    assert _rows(other, table) == before


def test_nor_by_a_pending_entry_that_settles(other: sqlite3.Connection) -> None:
    make_transaction(order_id=make_order(), status="pending")
    before = _rows(other, "transactions")
    settle = "UPDATE OR REPLACE transactions SET status = 'succeeded'{} WHERE status = 'pending'"
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        other.execute(settle.format(", rowid = 1"))
    assert _rows(other, "transactions") == before
    other.execute(settle.format(""))
    assert len(_rows(other, "transactions")) == len(before)
    other.execute("DROP TRIGGER transactions_no_move")
    make_transaction(order_id=make_order(), status="pending")
    other.execute(settle.format(", rowid = 1"))
    assert len(_rows(other, "transactions")) == len(before)  # one was replaced


def test_filling_many_rows_at_once_leaves_the_triggers(sqlite_database: str, admin: Actor) -> None:
    found = text("SELECT name, sql FROM sqlite_master WHERE name LIKE '%_no_replace' ORDER BY name")

    def triggers() -> list[tuple[str, str]]:
        with storage.reading() as session:
            return [(name, sql) for name, sql in session.execute(found)]

    before = triggers()
    assert [name for name, _ in before] == [
        *("audit_events_no_replace", "notes_no_replace", "transactions_no_replace"),
    ]
    for _ in range(2):  # into an empty database, and again
        fill(20, actor=admin, now=NOW)
        assert triggers() == before


def test_a_new_row_is_still_added(other: sqlite3.Connection) -> None:
    before = len(_rows(other, "transactions"))
    make_transaction(order_id=make_order())
    assert len(_rows(other, "transactions")) == before + 1
