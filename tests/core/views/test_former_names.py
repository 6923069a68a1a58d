"""Columns that had another name: older links and saved views keep their meaning."""

from typing import Any

import pytest

from core import query, storage, views
from core.access import Actor
from core.ground import InvalidInput
from core.storage import SavedView
from core.tables import ORDER_ITEMS, ORDERS, TABLES
from core.views import default_view, parse_view, to_address, to_json
from core.views.codec import from_address
from tests.conftest import NOW
from tests.core.refunds.refund_rows import make_refundable
from tests.rows import make_order, store_user

YES = {"filterType": "set", "values": ["yes"]}
FORMER = {
    "filters": {"refundable": YES},
    "sort": [{"colId": "refundable", "sort": "desc"}],
    "columns": ["order_id", {"colId": "refundable", "width": 120}],
}


def test_refundable_of_orders_still_means_refundable_now() -> None:
    view = parse_view(ORDERS, FORMER)
    assert view.in_words() == ["Refundable Now is Yes"]
    assert [column.header for column in view.columns] == ["Order ID", "Refundable Now"]
    assert to_json(view) == {
        "filters": {"refundable_now": YES},
        "sort": [{"colId": "refundable_now", "sort": "desc"}],
        "columns": ["order_id", {"colId": "refundable_now", "width": 120}],
        "zone": "UTC",
    }
    assert parse_view(ORDERS, from_address(to_address(view))) == view


def test_refundable_of_items_still_means_whether_they_can_be_refunded_at_all() -> None:
    raw = {"filters": {"is_refundable": YES}, "columns": ["order_item_id", "is_refundable"]}
    view = parse_view(ORDER_ITEMS, raw)
    assert view.in_words() == ["Refundable is Yes"]
    assert [column.header for column in view.columns] == ["Order Item ID", "Refundable"]
    assert view.layout == ()  # an older view has what it had, and pins nothing
    with pytest.raises(InvalidInput, match="Order Items has no column “refundable”"):
        parse_view(ORDER_ITEMS, {"columns": ["refundable"]})


@pytest.mark.both_databases
def test_a_saved_view_of_before_finds_the_same_orders(database: str, admin: Actor) -> None:
    store_user(admin)
    for order_id in ("OD-1", "OD-2"):
        make_order(order_id)
    make_refundable("OD-1")
    row = {"table_name": "orders", "owner": admin.user_id, "name": "Open", "view": FORMER}
    with storage.writing() as session:
        session.add(SavedView(view_id="v", **row))
    view = views.view_at(ORDERS, {"saved": "v"}, actor=admin, zone="UTC")
    assert query.load_keys(view, actor=admin, now=NOW) == ["OD-1"]
    choices = query.load_choices(default_view(ORDERS), "refundable", actor=admin, now=NOW)
    assert choices.to_numpy().tolist() == [[False, 1], [True, 1]]


@pytest.mark.parametrize(
    "part",
    [
        {"filters": {"refundable": YES, "refundable_now": YES}},
        {"columns": ["refundable", "refundable_now"]},
        {"sort": [{"colId": name, "sort": "asc"} for name in ("refundable", "refundable_now")]},
    ],
)
def test_a_column_by_both_its_names_is_refused(part: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="the same column twice"):
        parse_view(ORDERS, part)


def test_no_former_name_is_the_name_of_another_column() -> None:
    for table in TABLES.values():
        named = [name for column in table.columns for name in (column.name, *column.formerly)]
        assert len(named) == len(set(named))
