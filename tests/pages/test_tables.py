"""Order Items and Transactions, and the texts around every grid, run without a browser."""

from typing import Any

import pytest

from core import storage, views
from core.access import Actor
from core.storage import SavedView
from core.tables import ORDER_ITEMS, ORDERS, TRANSACTIONS
from core.views import parse_view, to_address
from tests.pages.opened import chips, grid_says, open_page, texts
from tests.rows import make_item, make_order, make_transaction


def _shop() -> None:
    make_order("OD-1", author="ana", amount_minor=3800)
    make_order("OD-2", author="ben", amount_minor=6900, currency="JPY")
    make_item("OD-1", order_item_id="I-1", passenger_name="Zoë Müller")
    make_item("OD-2", order_item_id="I-2", price_minor=6900, currency="JPY", passenger_name="李")
    make_transaction(transaction_id="TX-1", order_id="OD-1")
    make_transaction(transaction_id="TX-2", amount_minor=6900, currency="JPY", type="top_up")


@pytest.mark.parametrize(
    ("page_file", "title", "count", "totals"),
    [
        ("orders", "Orders", "**2** orders", "Amount: 38.00 EUR · 6,900 JPY"),
        ("order_items", "Order Items", "**2** order items", "Price: 38.00 EUR · 6,900 JPY"),
        ("transactions", "Transactions", "**2** transactions", "Amount: -38.00 EUR · 6,900 JPY"),
    ],
)
def test_every_table_has_title_count_and_totals(
    database: str, page_file: str, title: str, count: str, totals: str
) -> None:
    _shop()
    page = open_page(page_file)
    assert not page.exception
    assert page.title[0].value == title
    assert count in texts(page)
    assert totals in texts(page)


def test_a_link_opens_order_items_and_transactions_in_words(sqlite_database: str) -> None:
    _shop()
    jpy = {"filters": {"currency": {"filterType": "set", "values": ["JPY"]}}}
    page = open_page("order_items", view=to_address(parse_view(ORDER_ITEMS, jpy)))
    assert "**1** of 2 order items" in texts(page)
    assert chips(page) == ["Currency is JPY"]
    assert "Price: 6,900 JPY" in texts(page)
    page = open_page("transactions", view=to_address(parse_view(TRANSACTIONS, jpy)))
    assert "**1** of 2 transactions" in texts(page)


def test_typing_into_the_search_finds_and_its_chip_leaves_it(sqlite_database: str) -> None:
    _shop()
    page = open_page("order_items")
    page.text_input(key="search_order_items").input("  ZOË   müller ").run()
    assert "**1** of 2 order items" in texts(page)
    assert chips(page) == ["Search “ZOË müller”"]
    page.button(key="words_order_items_search").click().run()
    assert "**2** order items" in texts(page)
    assert page.text_input(key="search_order_items").value == ""


def test_too_many_words_are_refused_and_the_view_stays(sqlite_database: str) -> None:
    _shop()
    page = open_page("orders")
    page.text_input(key="search_orders").input("a b c d e f g h i").run()
    assert "A search can have at most 8 words" in texts(page)
    assert "**2** orders" in texts(page)


def test_ids_of_a_link_are_a_chip_and_the_missing_are_named(database: str) -> None:
    _shop()
    view = parse_view(ORDERS, {"ids": ["OD-2", "OD-9", "OD-8"]})
    page = open_page("orders", view=to_address(view))
    assert chips(page) == ["ID is OD-2 or OD-9 or OD-8"]
    assert "2 of the 3 pasted IDs were not found\\: OD-9, OD-8." in texts(page)
    page.button(key="words_orders_ids").click().run()
    assert "not found" not in texts(page)
    assert "**2** orders" in texts(page)


def _tick(place: str, *keys: str, **more: Any) -> dict[str, Any]:
    sort = [{"colId": "created_at", "sort": "desc"}]
    return {"place": place, "selected": list(keys), "view": {"filters": {}, "sort": sort}} | more


def test_the_selection_says_how_many_are_selected_and_how_many_the_filter_hides(
    database: str,
) -> None:
    _shop()
    page = open_page("orders")
    assert "selected" not in texts(page)
    page = grid_says(page, **_tick("orders", "OD-1", "OD-2"))
    assert "**2 selected**" in texts(page)
    assert "hidden by the filter" not in texts(page)
    page.text_input(key="search_orders").input("ana").run()
    assert "**2 selected**, 1 hidden by the filter" in texts(page)
    page.button(key="unselect_orders").click().run()
    assert "selected" not in texts(page)


def test_select_all_adds_the_matching_rows(sqlite_database: str) -> None:
    _shop()
    make_order("OD-3", author="ben")
    page = open_page("orders")
    page = grid_says(page, **_tick("orders", "OD-1"))
    page.text_input(key="search_orders").input("ben").run()
    page.button(key="select_orders").click().run()
    assert "**3 selected**, 1 hidden by the filter" in texts(page)


def test_one_matching_row_has_no_select_all(sqlite_database: str) -> None:
    _shop()
    page = open_page("orders")
    page.text_input(key="search_orders").input("ben").run()
    assert "**1** of 2 orders" in texts(page)
    assert "select_orders" not in [button.key for button in page.button]


@pytest.mark.parametrize("selected", ["OD-1", [1], [""], ["x" * 1_001], ["x"] * 1_001, None])
def test_an_invalid_selection_is_refused_in_a_sentence(sqlite_database: str, selected: Any) -> None:
    _shop()
    page = open_page("orders")
    page = grid_says(page, **_tick("orders") | {"selected": selected})
    assert not page.exception
    assert "selected**" not in texts(page)
    assert len(page.warning) == 1


def test_a_view_with_a_column_that_is_gone_keeps_the_rest_and_says_so(
    sqlite_database: str, admin: Actor
) -> None:
    _shop()
    named = {"filters": {"author": {"filterType": "text", "type": "contains", "filter": "ana"}}}
    saved = views.save_view(parse_view(ORDERS, named), "Old", actor=admin)
    _rename_column(saved)
    page = open_page("orders", saved=saved)
    for _ in range(2):
        assert "Part of this view was ignored. The rest is shown." in texts(page)
        assert "Orders has no column “former”." in texts(page)
        assert chips(page) == ["Author contains “ana”"]
        page.run()


def _rename_column(view_id: str) -> None:
    with storage.writing() as session:
        row = session.get_one(SavedView, view_id)
        row.view = row.view | {"columns": ["former", "order_id"]}


def test_the_view_that_opens_first_is_shown_on_the_bare_address(
    sqlite_database: str, admin: Actor
) -> None:
    _shop()
    view = parse_view(ORDERS, {"search": "ben"})
    views.save_view(view, "First", actor=admin, is_default=True)
    page = open_page("orders")
    assert chips(page) == ["Search “ben”"]
    assert "**1** of 2 orders" in texts(page)


def test_an_order_in_the_bare_address_is_opened(sqlite_database: str) -> None:
    _shop()
    page = open_page("", order="OD-2")
    assert page.title[0].value == "Order OD-2"


@pytest.mark.parametrize(
    ("page_file", "main"),
    [("users", "Add user"), ("orders", "Download Excel"), ("order_items", "Download Excel")],
)
def test_a_page_has_one_main_action(sqlite_database: str, page_file: str, main: str) -> None:
    make_item(make_order())
    page = open_page(page_file)
    links: Any = page.get("link_button")
    buttons: Any = [*page.button, *links]
    assert [one.proto.label for one in buttons if one.proto.type == "primary"] == [main]


def test_the_page_says_which_times_are_those_of_the_airport(sqlite_database: str) -> None:
    make_item(make_order())
    assert "times in UTC]:gray[, Service Date in local time]" in texts(open_page("order_items"))
    without = to_address(parse_view(ORDER_ITEMS, {"columns": ["no", "refund_expire_at"]}))
    assert "times in UTC]" in texts(open_page("order_items", view=without))
    no_times = to_address(parse_view(ORDER_ITEMS, {"columns": ["no", "product"]}))
    assert "times in" not in texts(open_page("order_items", view=no_times))
