"""Windows, choices and frames of rows; every query is limited to what the actor can see."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from core import query
from core.access import Actor
from core.ground import MAX_AMOUNT, UNUSUAL_DECIMALS, InvalidInput, Role, to_minor
from core.tables import ORDER_ITEMS, ORDERS
from core.views import default_view, parse_view
from tests.conftest import NOW
from tests.rows import make_item, make_order

pytestmark = pytest.mark.both_databases


def _actor(**given: Any) -> Actor:
    return Actor("u", "ana@helios.example", Role.VIEWER, **given)


def test_an_actor_without_contracts_sees_no_row_count_or_choice(database: str) -> None:
    make_order(contract_id="CT-1")
    view, nobody = default_view(ORDERS), _actor()
    assert query.load_rows(view, actor=nobody, now=NOW, start=0, end=10).empty
    assert query.count_rows(view, actor=nobody, now=NOW) == 0
    assert query.load_choices(view, "author", actor=nobody, now=NOW).empty


def test_an_actor_sees_only_orders_of_their_contracts(database: str) -> None:
    mine = make_order(contract_id="CT-1")
    make_order(contract_id="CT-2")
    actor = _actor(contracts=frozenset({"CT-1"}))
    view = default_view(ORDERS)
    assert query.load_rows(view, actor=actor, now=NOW, start=0, end=9)["order_id"].tolist() == [
        mine
    ]
    assert query.load_choices(view, "contract_id", actor=actor, now=NOW)["value"].tolist() == [
        "CT-1"
    ]


def test_an_actor_with_own_orders_only_sees_orders_they_created(database: str) -> None:
    mine = make_order(author="ANA@helios.example")
    make_order(author="bob@helios.example")
    actor = _actor(sees_all_contracts=True, only_own_orders=True)
    frame = query.load_rows(default_view(ORDERS), actor=actor, now=NOW, start=0, end=9)
    assert frame["order_id"].tolist() == [mine]


def test_choices_count_rows_that_match_the_other_filters(database: str, admin: Actor) -> None:
    make_order(widget_id="W-1", item_count=2)
    make_order(widget_id="W-1", item_count=5)
    make_order(widget_id=None, item_count=5)
    make_order(widget_id="W-2", item_count=1)
    over_one = {"filterType": "number", "type": "greaterThan", "filter": 1}
    chosen = {"filterType": "set", "values": ["W-2"]}
    view = parse_view(ORDERS, {"filters": {"item_count": over_one, "widget_id": chosen}})
    choices = query.load_choices(view, "widget_id", actor=admin, now=NOW)
    assert choices.values.tolist() == [[None, 1], ["W-1", 2]]
    found = query.load_choices(view, "widget_id", actor=admin, now=NOW, search="w-")
    assert found.values.tolist() == [["W-1", 2]]


def test_lists_of_statuses_and_flags_are_searched_by_the_shown_words(
    database: str, admin: Actor
) -> None:
    make_order("OD-1")
    make_item("OD-1", status="not_used", valid_until=NOW, is_refundable=True)
    make_item("OD-1", status="not_used", valid_until=NOW - timedelta(seconds=1))
    make_item("OD-1", status="refund_requested", is_refundable=False)

    def found(name: str, search: str) -> list[list[Any]]:
        view = default_view(ORDER_ITEMS)
        listed = query.load_choices(view, name, actor=admin, now=NOW, search=search)
        return listed.to_numpy().tolist()

    assert found("status", "") == [["expired", 1], ["not_used", 1], ["refund_requested", 1]]
    assert found("status", "Not U") == [["not_used", 1]]
    assert found("status", "ED") == [["expired", 1], ["not_used", 1], ["refund_requested", 1]]
    assert found("is_refundable", "") == [[False, 1], [True, 2]]
    assert found("is_refundable", "y") == [[True, 2]]
    assert found("is_refundable", "maybe") == []


@pytest.mark.parametrize("name", ["order_item_id", "price_minor", "voucher_serial", "gone", ""])
def test_a_column_without_a_list_is_refused(sqlite_database: str, admin: Actor, name: str) -> None:
    with pytest.raises(InvalidInput, match="no list of values"):
        query.load_choices(default_view(ORDER_ITEMS), name, actor=admin, now=NOW)


def test_keys_of_a_view_are_loaded_and_counted(database: str, admin: Actor) -> None:
    ids = [make_order(author=author) for author in ("ana", "bob", "ana")]
    view = default_view(ORDERS).with_search("ana")
    assert sorted(query.load_keys(view, actor=admin, now=NOW)) == [ids[0], ids[2]]
    assert query.count_among(view, [*ids, "gone"], actor=admin, now=NOW) == 2
    assert query.count_among(view, [], actor=admin, now=NOW) == 0


def test_ticked_rows_are_loaded_by_key_regardless_of_filters(database: str, admin: Actor) -> None:
    order_id = make_order("OD-1")
    ids = [make_item(order_id, order_item_id=one) for one in ("1", "2", "OD-1")]
    filters = {"product": {"filterType": "text", "type": "contains", "filter": "nowhere"}}
    sort = [{"colId": "order_item_id", "sort": "desc"}]
    view = parse_view(ORDER_ITEMS, {"filters": filters, "sort": sort})
    rows = query.load_ticked(view, ["1", "OD-1", "gone"], actor=admin, now=NOW)
    assert rows["order_item_id"].tolist() == [ids[2], ids[0]]
    nobody = _actor()
    assert query.load_ticked(view, ids, actor=nobody, now=NOW).empty
    with pytest.raises(InvalidInput):
        query.load_ticked(view, ["a\x00b"], actor=admin, now=NOW)


def test_a_list_of_values_is_searched_for_blanks_and_without_case(
    database: str, admin: Actor
) -> None:
    order_id = make_order(widget_id=None)
    make_item(order_id, terminal=None)
    for table, name, search, found in (
        (ORDER_ITEMS, "terminal", "(BLA", [None]),
        (ORDER_ITEMS, "is_refundable", "YES", [True]),
        (ORDER_ITEMS, "status", "Expired", ["expired"]),
    ):
        choices = query.load_choices(
            parse_view(table, {}), name, actor=admin, now=NOW, search=search
        )
        assert choices["value"].tolist() == found


def test_the_largest_amounts_of_an_import_are_sorted_filtered_and_added_up(
    database: str, admin: Actor
) -> None:
    make_order("OD-1")
    for currency in UNUSUAL_DECIMALS.keys() | {"EUR"}:
        most = to_minor(Decimal(MAX_AMOUNT), currency)
        make_item("OD-1", order_item_id=currency, price_minor=most, currency=currency)
    make_item("OD-1", order_item_id="more or less", price_minor=1)
    asked = {"filterType": "number", "type": "equals", "filter": MAX_AMOUNT}
    raw = {"filters": {"price_minor": asked}, "sort": [{"colId": "price_minor", "sort": "desc"}]}
    view = parse_view(ORDER_ITEMS, raw)
    found = query.load_keys(view, actor=admin, now=NOW)
    assert sorted(found) == sorted(UNUSUAL_DECIMALS.keys() | {"EUR"})
    everything = query.load_keys(view.without_filters(), actor=admin, now=NOW)
    assert everything == [*found, "more or less"]
    assert query.load_totals(view, actor=admin, now=NOW)["JPY"] == MAX_AMOUNT


def test_an_invalid_window_is_refused(sqlite_database: str, admin: Actor) -> None:
    for start, end in ((5, 5), (-1, 5), (0, 100_000), (2**40, 2**40 + 1)):
        with pytest.raises(InvalidInput, match="window"):
            query.load_rows(default_view(ORDERS), actor=admin, now=NOW, start=start, end=end)


def test_frames_have_exact_types_even_without_rows(database: str, admin: Actor) -> None:
    empty = query.load_rows(default_view(ORDERS), actor=admin, now=NOW, start=0, end=5)
    make_order()
    filled = query.load_rows(default_view(ORDERS), actor=admin, now=NOW, start=0, end=5)
    for frame in (empty, filled):
        assert str(frame["no"].dtype) == "Int64"
        assert str(frame["created_at"].dtype) == "datetime64[s, UTC]"
        assert str(frame["author"].dtype) == "str"
