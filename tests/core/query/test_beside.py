"""The rows before and after a row: those of the list, whatever its filters and its sort."""

from collections.abc import Callable
from typing import Any

import pytest

from core import demo, query, storage
from core.access import Actor
from core.ground import InvalidInput, NotPermitted, Role
from core.query import Beside, windows
from core.tables import BOOKS, ORDERS, TRANSACTIONS, Table
from core.views import View, default_view, parse_view
from tests.conftest import NOW, use_database
from tests.core.query.test_windows import WAYS, _admin, _views
from tests.effort import some
from tests.rows import make_actor, make_item, make_order

HEADS = {"with a head": 25, "without": 0}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, make_database: Callable[[str], str]) -> str:
    """Fill one database of each kind with demo orders, once for the module."""
    url = make_database(request.param)
    use_database(url)
    demo.fill(150, actor=_admin(), now=NOW)
    return url


def _keys(view: View, actor: Actor) -> list[str]:
    with storage.reading() as session:
        frames = query.read_chunks(session, view, actor=actor, now=NOW)
        return [key for frame in frames for key in frame[view.table.key]]


def _beside(key: str, actor: Actor, **raw: Any) -> Beside:
    return query.find_beside(parse_view(ORDERS, raw), key, actor=actor, now=NOW)


@pytest.mark.parametrize("table", BOOKS, ids=lambda table: table.name)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("head", HEADS)
def test_every_strategy_finds_the_rows_of_the_list(
    filled: str, monkeypatch: pytest.MonkeyPatch, table: Table, way: str, head: str
) -> None:
    use_database(filled)
    monkeypatch.setattr(windows, "MAX_GATHERED", WAYS[way])
    monkeypatch.setattr(windows, "HEAD_PER_ROW", HEADS[head])
    windows._unselective.clear()
    actor = _admin()
    for view in _views(table)[:: some(4, 1)]:
        keys = [None, *_keys(view, actor), None]
        places = range(1, len(keys) - 1)
        for place in sorted({1, len(keys) // 2, len(keys) - 2} & set(places)):
            found = query.find_beside(view, str(keys[place]), actor=actor, now=NOW)
            expected = Beside(keys[place - 1], keys[place + 1])
            assert found == expected, (view.sort, view.filters)


@pytest.mark.both_databases
@pytest.mark.parametrize("sort", ["asc", "desc"])
def test_ties_and_blanks_are_walked_one_by_one_in_both_directions(
    database: str, admin: Actor, sort: str
) -> None:
    widgets = ["b", None, "a", None, "b", "a", None]
    for number, widget in enumerate(widgets):
        make_order(f"OD-{number}", widget_id=widget)
    by = [{"colId": "widget_id", "sort": sort}]
    keys = _keys(parse_view(ORDERS, {"sort": by, "columns": ["order_id"]}), admin)
    assert len(keys) == len(widgets)
    walked = [keys[0]]
    while (following := _beside(walked[-1], admin, sort=by).next) is not None:
        assert _beside(following, admin, sort=by).previous == walked[-1]
        walked.append(following)
    assert walked == keys
    assert _beside(keys[0], admin, sort=by).previous is None


@pytest.mark.both_databases
def test_an_order_that_left_the_filter_has_the_neighbours_of_its_place(
    database: str, admin: Actor
) -> None:
    for number in range(4):
        make_order(f"OD-{number}", author="ana" if number != 1 else "bob")
    of_ana = {"author": {"filterType": "text", "type": "equals", "filter": "ana"}}
    assert _beside("OD-1", admin, filters=of_ana) == Beside("OD-2", "OD-0")  # newest first
    assert _beside("OD-2", admin, filters=of_ana) == Beside("OD-3", "OD-0")


@pytest.mark.both_databases
def test_search_pasted_ids_and_selected_rows_decide_too(database: str, admin: Actor) -> None:
    for number in range(6):
        make_order(f"OD-{number}")
        make_item(f"OD-{number}", passenger_name="Zoë" if number % 2 else "Max")
    assert _beside("OD-3", admin, search="zoë") == Beside("OD-5", "OD-1")
    assert _beside("OD-3", admin, ids=["OD-3", "OD-4", "OD-0"]) == Beside("OD-4", "OD-0")
    assert _beside("OD-3", admin, keys=["OD-3", "OD-5"]) == Beside("OD-5", None)


@pytest.mark.both_databases
def test_nobody_learns_of_orders_that_they_cannot_see(database: str) -> None:
    for number in range(5):
        make_order(f"OD-{number}", contract_id="CT-1" if number % 2 else "CT-2")
    actor = make_actor(Role.AGENT, contracts=frozenset(["CT-1"]))
    assert _beside("OD-1", actor) == Beside("OD-3", None)
    assert _beside("OD-2", actor) == Beside(None, None)  # as if it did not exist
    assert _beside("OD-NOWHERE", actor) == Beside(None, None)
    assert _beside("OD-1", make_actor(Role.AGENT)) == Beside("OD-2", "OD-0")
    with pytest.raises(NotPermitted):
        query.find_beside(default_view(TRANSACTIONS), "TX-1", actor=actor, now=NOW)


@pytest.mark.parametrize("key", ["", "a\x00b", "\ud800", "x" * 1_001])
def test_an_invalid_key_is_refused(sqlite_database: str, admin: Actor, key: str) -> None:
    with pytest.raises(InvalidInput):
        _beside(key, admin)


@pytest.mark.both_databases
@pytest.mark.parametrize("key", ["a,b;c", "'", '"', "%", "İ", " ", "=1+1", "\\", "OD/7?x=1&y"])
def test_odd_ids_have_their_place(database: str, admin: Actor, key: str) -> None:
    make_order(key)
    make_order("OD-0", created_at=NOW)
    assert _beside(key, admin) == Beside("OD-0", None)
    assert _beside("OD-0", admin) == Beside(None, key)
