"""From an order to others of its list, and between a tab and its own page."""

import re

from playwright.sync_api import Locator

from tests.e2e.conftest import OpenDesk
from tests.e2e.desk import ITEMS, ORDERS, Desk
from tests.e2e.servers import Server
from tests.e2e.waiting import expect

BY_AUTHOR = [{"colId": "author", "sort": "asc"}]
OF_ONE = {"contract_id": {"filterType": "text", "type": "contains", "filter": "CT-1001"}}
SORTED = "WHERE contract_id = 'CT-1001' ORDER BY author_sort_key, order_id"


def _listed(demo: Server) -> list[str]:
    """Return the orders of a list that is filtered and sorted."""
    return demo.query(f"SELECT order_id FROM orders {SORTED}")


def _link(desk: Desk, way: str) -> Locator:
    return desk.page.locator(f'[data-beside] [data-way="{way}"]')


def _expect_at(desk: Desk, order_id: str, previous: str | None, following: str | None) -> None:
    expect(desk.page.get_by_role("heading", name=f"Order {order_id}")).to_be_visible()
    for way, key in (("previous", previous), ("next", following)):
        said = (
            f"{way.capitalize()} order of the list: {key}" if key else f"No {way} order in the list"
        )
        expect(_link(desk, way)).to_have_attribute("title", said)


def test_previous_and_next_follow_the_list_as_it_was(open_tab: OpenDesk, demo: Server) -> None:
    ids = _listed(demo)
    desk = open_tab().open(view={"filters": OF_ONE, "sort": BY_AUTHOR})
    desk.expect_column("order_id", ids)
    desk.cell(0, "author").click()
    _expect_at(desk, ids[0], None, ids[1])
    expect(desk.page).to_have_url(re.compile(rf"/order\?order={ids[0]}$"))
    _link(desk, "next").click()
    _expect_at(desk, ids[1], ids[0], ids[2])
    desk.page.reload(wait_until="commit")
    _expect_at(desk, ids[1], ids[0], ids[2])
    desk.page.go_back()
    _expect_at(desk, ids[0], None, ids[1])
    desk.page.go_back()
    desk.table = ORDERS
    desk.expect_column("order_id", ids)


def test_the_keyboard_goes_from_order_to_order_on_the_same_tab(
    open_tab: OpenDesk, demo: Server
) -> None:
    ids = demo.newest("orders")
    desk = open_tab().open()
    desk.cell(0, "author").click()
    _expect_at(desk, ids[0], None, ids[1])
    desk.page.get_by_role("tab", name="Transactions").click()
    expect(desk.page).to_have_url(re.compile("tab=Transactions"))
    _link(desk, "next").focus()
    for place in (1, 2, 3):
        desk.page.keyboard.press("Enter")
        _expect_at(desk, ids[place], ids[place - 1], ids[place + 1])
        expect(_link(desk, "next")).to_be_focused()
        expect(desk.page.get_by_role("tab", name="Transactions")).to_have_attribute(
            "aria-selected", "true"
        )


def test_an_order_that_a_plain_link_opens_has_no_neighbours(
    open_tab: OpenDesk, demo: Server
) -> None:
    ids = demo.newest("orders")
    desk = open_tab().open_order(ids[3])
    expect(desk.page.locator("[data-beside]")).to_have_count(1)
    desk.wait_for_run()
    expect(desk.page.locator("[data-beside] a")).to_have_count(0)


def test_products_and_order_items_lead_to_each_other(open_tab: OpenDesk, demo: Server) -> None:
    (order_id,) = demo.query("SELECT order_id FROM orders WHERE item_count > 2 LIMIT 1")
    items = demo.query(
        "SELECT order_item_id FROM order_items WHERE order_id = :one "
        "ORDER BY created_at DESC, order_item_id DESC",
        one=order_id,
    )
    desk = open_tab().open_order(order_id)
    desk.page.get_by_role("link", name="See on Order Items").click()
    desk.table, desk.parameter = ITEMS, "view"
    expect(desk.page.get_by_role("heading", name="Order Items")).to_be_visible()
    desk.expect_column("order_item_id", items)
    desk.expect_words(f"Order ID is “{order_id}”")
    link = desk.cell(0, "order_id").get_by_role("link")
    link.scroll_into_view_if_needed()
    link.click()
    expect(desk.page.get_by_role("heading", name=f"Order {order_id}")).to_be_visible()
    expect(desk.page.get_by_role("tab", name="Products")).to_have_attribute("aria-selected", "true")
    expect(desk.page.locator("[data-beside] a")).to_have_count(0)
