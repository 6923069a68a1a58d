"""Windows of a view: all strategies find the same rows."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateIndex, DropIndex

from core import access, demo, query, storage
from core.access import Actor
from core.query import windows
from core.storage import Base
from core.tables import BOOKS, ORDER_ITEMS, ORDERS, Table
from core.views import View, parse_view
from tests.conftest import NOW, use_database
from tests.effort import some

FILTERS: dict[str, list[dict[str, Any]]] = {
    "order_items": [
        {"product": {"filterType": "text", "type": "contains", "filter": "a"}},
        {"status": {"filterType": "set", "values": ["used", "expired"]}},
        {"service_at": {"filterType": "date", "type": "lessThan", "dateFrom": "2026-10-01"}},
        {"price_minor": {"filterType": "number", "type": "greaterThan", "filter": 30}},
        {"no": {"filterType": "number", "type": "lessThan", "filter": 100}},
        {"terminal": {"filterType": "text", "type": "blank"}},
        {"voucher_code": {"filterType": "text", "type": "contains", "filter": "zzzz"}},
    ],
    "orders": [
        {"author": {"filterType": "text", "type": "contains", "filter": "a"}},
        {"refundable_now": {"filterType": "set", "values": ["yes"]}},
        {"contract_id": {"filterType": "set", "values": ["CT-1001"]}},
    ],
    "notes": [
        {"text": {"filterType": "text", "type": "contains", "filter": "a"}},
        {"follow_up_on": {"filterType": "date", "type": "notBlank"}},
    ],
    "transactions": [
        {"type": {"filterType": "set", "values": ["payment"]}},
        {"amount_minor": {"filterType": "number", "type": "lessThan", "filter": -50}},
    ],
}
# How many matches are gathered: all of them, some of them, none.
WAYS = {"sorted": 20_000, "probed in vain": 20, "walked": -1}


@pytest.fixture(autouse=True, scope="module")
def _nothing_is_found_at_first() -> Iterator[None]:
    """Turn the scan of the first rows off: it would find everything in a small table."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "HEAD_PER_ROW", 0)
        yield


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, make_database: Callable[[str], str]) -> str:
    """Fill one database of each kind with demo orders, once for the module."""
    url = make_database(request.param)
    use_database(url)
    demo.fill(150, actor=_admin(), now=NOW)
    return url


def _admin() -> Actor:
    actor = access.find_local_actor()
    assert actor is not None
    return actor


def _heard(session: Session) -> list[str]:
    """Return a list to which each statement of the session is appended."""
    asked: list[str] = []
    event.listen(
        session.connection(), "before_cursor_execute", lambda *given: asked.append(given[2])
    )
    return asked


def _views(table: Table) -> list[View]:
    """Return views sorted by each column in both directions and by pairs, each with a filter."""
    drawn = random.Random(3)
    names = [column.name for column in table.offered]
    sorts = [[(name, sort)] for name in names for sort in ("asc", "desc")]
    sorts += [list(zip(drawn.sample(names, 2), ("asc", "desc"), strict=True)) for _ in range(5)]
    return [
        parse_view(
            table,
            {
                "filters": drawn.choice(FILTERS[table.name]),
                "sort": [{"colId": name, "sort": direction} for name, direction in sort],
                "columns": [table.key],
            },
        )
        for sort in sorts
    ]


@pytest.mark.parametrize("table", BOOKS, ids=lambda table: table.name)
@pytest.mark.parametrize("way", WAYS)
def test_every_strategy_finds_the_same_rows_as_an_export(
    filled: str, monkeypatch: pytest.MonkeyPatch, table: Table, way: str
) -> None:
    use_database(filled)
    monkeypatch.setattr(windows, "MAX_GATHERED", WAYS[way])
    windows._unselective.clear()
    actor = _admin()
    for view in _views(table)[:: some(3, 1)]:
        with storage.reading() as session:
            frames = query.read_chunks(session, view, actor=actor, now=NOW)
            keys = [key for frame in frames for key in frame[table.key]]
        for start, end in ((0, 10), (7, 40), (len(keys) - 3, len(keys) + 5), (900, 905)):
            first = max(start, 0)
            rows = query.load_rows(view, actor=actor, now=NOW, start=first, end=end)
            assert list(rows[table.key]) == keys[first:end], (view.sort, view.filters)


@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_orders_of_one_contract_are_scanned_by_their_index(filled: str, direction: str) -> None:
    use_database(filled)
    of_one = {"contract_id": {"filterType": "set", "values": ["CT-1001"]}}
    sort = [{"colId": "created_at", "sort": direction}]
    view = parse_view(ORDERS, {"filters": of_one, "sort": sort})
    with storage.reading() as session:
        asked = _heard(session)
        keys = windows.find_keys(session, view, actor=_admin(), now=NOW, start=0, end=10)
        assert len(asked) == 1
        where = "contract_id = 'CT-1001'"
        every = f"SELECT order_id FROM orders WHERE {where} ORDER BY created_at {direction}"
        assert keys == list(session.scalars(text(f"{every}, order_id {direction} LIMIT 10")))


def test_scrolling_in_many_matches_does_not_gather_again(
    filled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_database(filled)
    monkeypatch.setattr(windows, "MAX_GATHERED", 20)
    windows._unselective.clear()
    view = parse_view(ORDERS, {"filters": FILTERS["orders"][0]})
    with storage.reading() as session:
        asked = _heard(session)
        first = windows.find_keys(session, view, actor=_admin(), now=NOW, start=0, end=10)
        looked = len(asked)
        again = windows.find_keys(session, view, actor=_admin(), now=NOW, start=0, end=10)
        assert again == first
        assert len(asked) - looked == 1 < looked
        monkeypatch.setattr(windows, "CACHE_SECONDS", -1.0)
        windows._unselective.clear()
        for _ in range(2):
            windows.find_keys(session, view, actor=_admin(), now=NOW, start=0, end=10)
        assert len(asked) == looked + 1 + 2 * looked


def test_status_sorts_by_the_shown_word(filled: str) -> None:
    use_database(filled)
    raw = {"sort": [{"colId": "status", "sort": "desc"}], "columns": ["status", "order_item_id"]}
    view = parse_view(ORDER_ITEMS, raw)
    rows = query.load_rows(view, actor=_admin(), now=NOW, start=0, end=1_000)
    shown = list(zip(rows["status"], rows["order_item_id"], strict=True))
    assert shown == sorted(shown, reverse=True)
    assert {"expired", "not_used"} <= set(rows["status"])


@pytest.mark.both_databases
def test_the_index_of_prices_matches_the_models(database: str) -> None:
    indexes = Base.metadata.tables["order_items"].indexes
    index = next(one for one in indexes if one.name == "ix_order_items_price")
    with storage.get_engine().connect() as connection:
        migrated = _definition(connection, str(index.name))
        connection.execute(DropIndex(index))
        connection.execute(CreateIndex(index))
        assert _definition(connection, str(index.name)) == migrated
        connection.rollback()


def _definition(connection: Connection, name: str) -> str:
    statement = (
        "SELECT sql FROM sqlite_master WHERE name = :name"
        if storage.is_sqlite()
        else "SELECT indexdef FROM pg_indexes WHERE indexname = :name"
    )
    found = str(connection.execute(text(statement), {"name": name}).scalar_one())
    return "".join(letter for letter in found if letter not in " ()")


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("sought", ["OD2", "-0000", "-00001", "00000"])
def test_a_text_that_is_not_rare_is_searched_in_the_first_rows_by_date(
    filled: str, monkeypatch: pytest.MonkeyPatch, direction: str, sought: str
) -> None:
    use_database(filled)
    monkeypatch.setattr(windows, "COMMON", 20)
    monkeypatch.setattr(windows, "HEAD_ROWS", 60)
    windows._unselective.clear()
    contains = {"order_id": {"filterType": "text", "type": "contains", "filter": sought}}
    sort = [{"colId": "created_at", "sort": direction}]
    view = parse_view(ORDERS, {"filters": contains, "sort": sort})
    every = f"SELECT order_id FROM orders WHERE order_id LIKE '%{sought}%'"
    with storage.reading() as session:
        ordered = text(f"{every} ORDER BY created_at {direction}, order_id {direction}")
        keys = list(session.scalars(ordered))
        asked = _heard(session)
        for start, end in ((0, 1), (0, 20), (7, 20)):
            found = windows.find_keys(session, view, actor=_admin(), now=NOW, start=start, end=end)
            assert found == keys[start:end]
    early = [one for one in asked if "created_at >=" in one or "created_at <=" in one]
    assert len(early) == 3


@pytest.mark.parametrize("table", BOOKS, ids=lambda table: table.name)
@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("soon", [1, 3, 25])
def test_rows_found_in_the_head_are_the_same_as_in_an_export(
    filled: str, monkeypatch: pytest.MonkeyPatch, table: Table, direction: str, soon: int
) -> None:
    use_database(filled)
    monkeypatch.setattr(windows, "HEAD_PER_ROW", soon)
    actor, sort = _admin(), [{"colId": "created_at", "sort": direction}]
    for filters in FILTERS[table.name]:
        view = parse_view(table, {"filters": filters, "sort": sort, "columns": [table.key]})
        with storage.reading() as session:
            frames = query.read_chunks(session, view, actor=actor, now=NOW)
            keys = [key for frame in frames for key in frame[table.key]]
        for start, end in ((0, 1), (0, 10), (7, 40), (95, 105), (0, 1_000)):
            windows._unselective.clear()
            rows = query.load_rows(view, actor=actor, now=NOW, start=start, end=end)
            assert list(rows[table.key]) == keys[start:end], (filters, start, end)


def test_a_common_text_is_found_in_the_head_without_an_index(
    filled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_database(filled)
    monkeypatch.setattr(windows, "HEAD_PER_ROW", 5)
    view = parse_view(ORDERS, {"filters": FILTERS["orders"][0]})
    with storage.reading() as session:
        asked = _heard(session)
        keys = windows.find_keys(session, view, actor=_admin(), now=NOW, start=0, end=10)
    assert len(keys) == 10
    questions = [one for one in asked if one.startswith("SELECT")]
    assert len(questions) == 2  # the last date of the head, and the rows


def test_scrolling_in_a_search_does_not_read_all_items(
    filled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_database(filled)
    monkeypatch.setattr(windows, "MAX_GATHERED", 20)
    windows._unselective.clear()
    view = parse_view(ORDERS, {"search": "OD"})
    with storage.reading() as session:
        asked = _heard(session)
        for start in (0, 10):
            windows.find_keys(session, view, actor=_admin(), now=NOW, start=start, end=start + 10)
    pages = [one for one in asked if one.startswith("SELECT orders.order_id")]
    assert len(pages) == 2
    assert "EXISTS" in pages[1]
    assert "orders.order_id IN (SELECT" not in pages[1]
