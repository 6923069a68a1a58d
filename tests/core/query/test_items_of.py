"""The items of selected orders: all of them, in one statement, within the scope and the limit."""

from dataclasses import replace
from typing import Any

import pytest

from core.access import Actor
from core.ground import InvalidInput
from core.query import MAX_SELECTED, TooManyItems, find_items_of
from tests.rows import make_item, make_order
from tests.statements import noted_statements


def _store(order_id: str, items: int, **given: Any) -> list[str]:
    make_order(order_id, **given)
    contract = {"contract_id": given["contract_id"]} if "contract_id" in given else {}
    return [
        make_item(order_id, order_item_id=f"{order_id}-{number}", **contract)
        for number in range(items)
    ]


@pytest.mark.both_databases
def test_items_come_in_the_order_of_the_orders_and_then_in_their_own(
    database: str, admin: Actor
) -> None:
    first, second = _store("OD-1", 2), _store("OD-2", 3)
    make_order("OD-EMPTY")
    with noted_statements() as statements:
        found = find_items_of(["OD-2", "OD-EMPTY", "OD-GONE", "OD-1", "OD-2"], actor=admin)
    assert found.item_ids == (*second, *first)
    assert found.orders == dict.fromkeys(second, "OD-2") | dict.fromkeys(first, "OD-1")
    assert (found.without_items, found.not_found) == (("OD-EMPTY",), ("OD-GONE",))
    assert len(statements) == 1


@pytest.mark.both_databases
def test_orders_outside_the_scope_are_like_orders_that_do_not_exist(
    database: str, admin: Actor
) -> None:
    mine = _store("OD-1", 1, author="ana@helios.example")
    _store("OD-2", 1, author="ben@helios.example")
    _store("OD-3", 1, contract_id="CT-2", author="ana@helios.example")
    of_contract = replace(admin, sees_all_contracts=False, contracts=frozenset({"CT-1"}))
    own = replace(of_contract, only_own_orders=True, email="ana@helios.example")
    asked = ["OD-1", "OD-2", "OD-3"]
    found = find_items_of(asked, actor=of_contract)
    assert (found.item_ids, found.not_found) == (("OD-1-0", "OD-2-0"), ("OD-3",))
    found = find_items_of(asked, actor=own)
    assert (list(found.item_ids), found.not_found) == (mine, ("OD-2", "OD-3"))
    assert find_items_of(asked, actor=admin).not_found == ()


@pytest.mark.parametrize(
    ("orders", "limit", "words"),
    [
        (["OD-1", "OD-2"], 3, "The 2 selected orders have more than 3 items"),
        (["OD-2"], 2, "The selected order has more than 2 items"),
        (["OD-EMPTY", "OD-1", "OD-2"], 3, "Select fewer orders"),
    ],
)
def test_more_items_than_an_action_takes_are_refused_with_what_to_do(
    sqlite_database: str,
    admin: Actor,
    monkeypatch: pytest.MonkeyPatch,
    orders: list[str],
    limit: int,
    words: str,
) -> None:
    _store("OD-1", 2)
    _store("OD-2", 3)
    make_order("OD-EMPTY")
    monkeypatch.setattr("core.query.items_of.MAX_SELECTED", limit)
    with pytest.raises(TooManyItems, match=words):
        find_items_of(orders, actor=admin)
    monkeypatch.setattr("core.query.items_of.MAX_SELECTED", 5)
    assert len(find_items_of(orders, actor=admin).item_ids) in (3, 5)


@pytest.mark.both_databases
def test_a_thousand_orders_are_asked_for_at_once(database: str, admin: Actor) -> None:
    _store("OD-0", 2)
    orders = [f"OD-{number}" for number in range(MAX_SELECTED)]
    found = find_items_of(orders, actor=admin)
    assert (len(found.item_ids), len(found.not_found)) == (2, MAX_SELECTED - 1)
    for faulty in ([*orders, "OD-1000"], [], ["OD\x00"]):
        with pytest.raises(InvalidInput):
            find_items_of(faulty, actor=admin)
