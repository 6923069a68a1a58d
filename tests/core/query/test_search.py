"""Searches by trigrams find the same rows with and without an index, which is always current."""

import logging
import random
import sqlite3
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from core import access, demo, query, startup, storage, upkeep
from core.access import Actor
from core.query import search, windows
from core.query.conditions import is_searched
from core.storage import OrderItem, search_index
from core.tables import BOOKS, ORDER_ITEMS, ORDERS, TRANSACTIONS, Table
from core.views import default_view, parse_view
from tests.conftest import NOW, drop_database, use_database
from tests.core.random_rows import CODES, TEXTS, fill
from tests.effort import share
from tests.rows import make_item, make_order
from tests.statements import noted_statements, plans_of

KINDS = ["sqlite", "postgresql"]
# Letters whose case changes the length, combining marks, characters special to LIKE and FTS5.
PIECES = [
    *TEXTS,
    *CODES,
    "İ",
    "ı",
    "ß",
    "ẞ",
    "e\u0301",
    "é",
    "\u0301",
    "𝔘𝔫𝔦",
    "😀😀",
    "%",
    "_",
    "/",
]
PIECES += [
    '"',
    "'",
    "\\",
    "AND",
    "NEAR(",
    "*",
    "^",
    ":",
    "-",
    "ab",
    "OD",
    "od-1",
    "ǆ",
    "ΐ",
    "ﬃ",
    "王",
]


def _admin() -> Actor:
    actor = access.find_local_actor()
    assert actor is not None
    return actor


@pytest.fixture(autouse=True, scope="module")
def _nothing_is_found_at_first() -> Iterator[None]:
    """Turn the scan of the first rows off: it would find everything in a small table."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "HEAD_PER_ROW", 0)
        yield


@pytest.fixture(scope="module", params=KINDS)
def filled(request: pytest.FixtureRequest, make_database: Callable[[str], str]) -> str:
    """Fill one database of each kind with rows in all scripts, once for the module."""
    return fill(make_database(request.param))


@pytest.fixture(scope="module")
def many(make_database: Callable[[str], str]) -> Callable[[str], str]:
    """Return a function that fills a database of a kind with demo orders, once for the module."""
    made: dict[str, str] = {}

    def make(kind: str) -> str:
        if kind not in made:
            made[kind] = make_database(kind)
            use_database(made[kind])
            demo.fill(3_000, actor=_admin(), now=NOW)
        use_database(made[kind])
        return made[kind]

    return make


@st.composite
def _texts(draw: st.DrawFn) -> str:
    """Draw a part of a stored text, some of its letters, or any text."""
    piece = draw(st.sampled_from(PIECES) | st.text(min_size=1, max_size=6))
    piece = draw(st.sampled_from([piece, piece.upper(), piece.lower(), piece.casefold()]))
    start = draw(st.integers(0, max(0, len(piece) - 1)))
    cut = piece[start : start + draw(st.integers(1, 12))]
    allowed = "".join(one for one in cut if one != "\x00" and not "\ud800" <= one <= "\udfff")
    return allowed or "x"


def _keys(table: Table, raw: dict[str, object]) -> list[str]:
    view = parse_view(table, raw | {"zone": "UTC"})
    actor = _admin()
    found = query.load_keys(view, actor=actor, now=NOW)
    assert query.count_rows(view, actor=actor, now=NOW) == len(found)
    return found


@contextmanager
def _plainly() -> Iterator[None]:
    """Search without any index."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "_terms", lambda _view: ())
        yield


@pytest.mark.parametrize("table", BOOKS, ids=lambda table: table.name)
@share(0.2)
@given(data=st.data())
def test_the_index_finds_the_same_rows_as_a_scan(
    filled: str, table: Table, data: st.DataObject
) -> None:
    use_database(filled)
    texts = data.draw(st.lists(_texts(), min_size=1, max_size=2))
    columns = [one for one in table.offered if is_searched(one)]
    column = data.draw(st.sampled_from(columns))
    operators = ["contains", "equals", "startsWith", "endsWith", "notContains", "notEqual"]
    conditions: list[dict[str, object]] = [
        {"filterType": "text", "type": data.draw(st.sampled_from(operators)), "filter": one}
        for one in texts
    ]
    asked = conditions[0]
    if len(conditions) == 2:
        joined = data.draw(st.sampled_from(["AND", "OR"]))
        asked = {"filterType": "text", "operator": joined, "conditions": conditions}
    views: list[dict[str, object]] = [
        {"filters": {column.name: asked}},
        {"search": " ".join(texts)},
    ]
    for raw in views:
        with _plainly():
            expected = _keys(table, raw)
        assert _keys(table, raw) == expected


def test_every_part_of_every_stored_text_is_found(filled: str) -> None:
    use_database(filled)
    drawn = random.Random(5)
    for table, name in ((ORDERS, "author"), (ORDERS, "order_id"), (ORDER_ITEMS, "passenger_name")):
        rows = query.load_rows(default_view(table), actor=_admin(), now=NOW, start=0, end=100)
        for key, value in zip(rows[table.key], rows[name], strict=True) if name in rows else ():
            value = unicodedata.normalize("NFC", value)  # an accent is no part of its own
            start = drawn.randrange(max(1, len(value) - 2))
            part = value[start : start + drawn.randrange(3, 9)]
            found = _keys(table, {"filters": {name: _contains(part)}})
            assert key in found, (name, value, part)


def _contains(part: str) -> dict[str, str]:
    return {"filterType": "text", "type": "contains", "filter": part}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("table", "raw"),
    [
        (ORDERS, {"filters": {"author": _contains("nalyst@loc")}}),
        (ORDERS, {"filters": {"order_id": _contains("0001234")}}),
        (ORDERS, {"search": "zzzzzz"}),
        (ORDER_ITEMS, {"filters": {"voucher_code": _contains("X3Z")}}),
        (ORDER_ITEMS, {"filters": {"order_id": _contains("-0001234")}}),
        (ORDER_ITEMS, {"search": "zzzzzz"}),
        (TRANSACTIONS, {"search": "zzzzzz"}),
    ],
    ids=lambda value: getattr(value, "name", None) or str(*value.values()),
)
def test_a_rare_text_is_looked_up_without_a_table_scan(
    many: Callable[[str], str], kind: str, table: Table, raw: dict[str, object]
) -> None:
    many(kind)
    view = parse_view(table, raw | {"zone": "UTC"})
    with noted_statements() as seen:
        query.load_rows(view, actor=_admin(), now=NOW, start=0, end=100)
        query.count_rows(view, actor=_admin(), now=NOW)
    plans = plans_of(seen)
    if kind == "sqlite":
        assert "VIRTUAL TABLE INDEX" in plans
        through = [
            line
            for line in plans.splitlines()
            if any(f"SCAN {one.name}" in line for one in BOOKS) and "_search_" not in line
        ]
        assert through == []
    else:
        assert "s_search" in plans


@pytest.mark.parametrize("kind", KINDS)
def test_a_common_text_is_scanned_and_not_gathered(
    many: Callable[[str], str], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(kind)
    monkeypatch.setattr(search, "MAX_GATHERED", 50)
    monkeypatch.setattr("core.query.windows.MAX_GATHERED", 50)
    monkeypatch.setattr("core.query.windows.COMMON", 50)
    raw: dict[str, object] = {"filters": {"order_id": _contains("OD2")}}
    with storage.reading() as session:
        found = search.narrow(session, parse_view(ORDERS, raw | {"zone": "UTC"}))
    assert found.conditions == []
    assert found.sample is not None
    keys = _keys_of_first_page(raw)
    with _plainly():
        assert keys == _keys_of_first_page(raw)
    assert len(keys) == 100


def _keys_of_first_page(raw: dict[str, object]) -> list[str]:
    view = parse_view(ORDERS, raw | {"zone": "UTC"})
    return list(query.load_rows(view, actor=_admin(), now=NOW, start=0, end=100)["order_id"])


def _check_index(url: str) -> None:
    """Check that SQLite's file is intact, and each search table has the trigrams of its column."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        made = "SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%'"
        names = [name for (name,) in file.execute(made)]
        assert len(names) == 33
        for name in names:
            file.execute(f"INSERT INTO {name}({name}, rank) VALUES ('integrity-check', 1)")


@pytest.mark.both_databases
def test_the_index_follows_changes_of_single_rows(database: str) -> None:
    order = make_order("OD-ALPHA", author="Müller@helios.example")
    item = make_item(order, passenger_name="Łukasz Żółw")
    assert _keys(ORDERS, {"search": "alpha"}) == [order]
    assert _keys(ORDERS, {"search": "ŻÓŁW"}) == [order]
    with storage.writing() as session:
        stored = session.get_one(OrderItem, item)
        stored.passenger_name = "Anna"
    assert _keys(ORDER_ITEMS, {"search": "żółw"}) == []
    assert _keys(ORDER_ITEMS, {"search": "anna"}) == [item]
    with storage.writing() as session:
        session.delete(session.get_one(OrderItem, item))
    assert _keys(ORDER_ITEMS, {"search": "anna"}) == []
    if storage.is_sqlite():
        _check_index(database)


def test_bulk_inserted_rows_are_in_the_index(sqlite_database: str) -> None:
    order = make_order("OD-1")
    item = make_item(order, passenger_name="Before")
    with storage.writing() as session:
        rows = list(storage.bulk_read(session, OrderItem))
        names = storage.stored_names(OrderItem)
        new = dict(zip(names, rows[0], strict=True)) | {
            "order_item_id": "OD-1-NEW",
            "no": 77,
            "voucher_code": "NEWC-0DE0-0000",
            "voucher_serial": b"12345678",
        }
        storage.bulk_insert(session, OrderItem, [tuple(new[name] for name in names)])
    assert set(_keys(ORDER_ITEMS, {"search": "before"})) == {item, "OD-1-NEW"}
    make_item(order, passenger_name="Afterwards")
    assert len(_keys(ORDER_ITEMS, {"search": "afterwards"})) == 1
    _check_index(sqlite_database)


@pytest.mark.parametrize("kind", KINDS)
def test_a_copy_and_a_bulk_fill_leave_a_complete_index(
    desks: Callable[[str], str], kind: str, tmp_path: Path
) -> None:
    source, target = desks(kind), desks("sqlite")
    use_database(source)
    demo.fill(40, actor=_admin(), now=NOW)
    upkeep.copy_to(target, may_replace=True)
    use_database(target)
    _check_index(target)
    with _plainly():
        expected = _keys(ORDER_ITEMS, {"search": "maria"})
    assert _keys(ORDER_ITEMS, {"search": "maria"}) == expected
    demo.fill(30, actor=_admin(), now=NOW)
    _check_index(target)
    with storage.get_engine().connect() as connection:
        connection.connection.driver_connection.execute("VACUUM")  # type: ignore[union-attr]
    _check_index(target)
    backup = tmp_path / "backup.db"
    upkeep.back_up(backup)
    _check_index(f"sqlite:///{backup}")


def test_without_search_tables_the_same_rows_are_found(sqlite_database: str) -> None:
    demo.fill(60, actor=_admin(), now=NOW)
    asked: list[dict[str, object]] = [{"search": "maria"}, {"search": "helios 0000012"}]
    expected = [_keys(ORDERS, raw) for raw in asked]
    with storage.writing() as session:
        with search_index.rebuilt(session.connection(), [table.name for table in BOOKS]):
            pass
        triggers = (
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%_search_%'"
        )
        for name in session.scalars(text(triggers)).all():
            session.execute(text(f"DROP TRIGGER {name}"))
        search_index.drop(session.connection())
    assert [_keys(ORDERS, raw) for raw in asked] == expected
    demo.fill(60, actor=_admin(), now=NOW)
    make_order("OD-LATER", no=90_002)
    assert _keys(ORDERS, {"search": "later"}) == ["OD-LATER"]


def test_without_the_right_to_create_the_extension_searches_work_and_a_warning_is_logged_once(
    postgresql_server: str, caplog: pytest.LogCaptureFixture
) -> None:
    name = "without_trigrams"
    admin = create_engine(
        f"{postgresql_server}/postgres", isolation_level="AUTOCOMMIT", poolclass=NullPool
    )
    with admin.connect() as connection:
        connection.execute(text("CREATE ROLE modest LOGIN"))
        connection.execute(text(f"CREATE DATABASE {name}"))
        connection.execute(text(f"REVOKE CREATE ON DATABASE {name} FROM PUBLIC"))
    with create_engine(
        f"{postgresql_server}/{name}", isolation_level="AUTOCOMMIT", poolclass=NullPool
    ).connect() as connection:
        connection.execute(text("GRANT CREATE, USAGE ON SCHEMA public TO modest"))
    try:
        use_database(f"{postgresql_server}/{name}".replace("orderdesk@", "modest@"))
        with caplog.at_level(logging.WARNING):
            startup.prepare(NOW, may_fill=False)
            startup.prepare(NOW, may_fill=False)
        told = [one.getMessage() for one in caplog.records if "pg_trgm" in one.getMessage()]
        assert len(told) == 1
        assert "CREATE EXTENSION pg_trgm" in told[0]
        demo.fill(40, actor=_admin(), now=NOW)
        order = make_order("OD-ALPHA", no=90_001)
        assert _keys(ORDERS, {"search": "alpha"}) == [order]
        assert _keys(ORDERS, {"filters": {"order_id": _contains("LPH")}}) == [order]
    finally:
        storage.get_engine().dispose()
        drop_database(f"{postgresql_server}/{name}")
        with admin.connect() as connection:
            connection.execute(text("DROP ROLE modest"))
