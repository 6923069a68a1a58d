"""The search over everything, by keyboard alone, from any page."""

import re

import pytest
from playwright.sync_api import Locator

from tests.e2e.axe import expect_no_fault
from tests.e2e.conftest import OpenDesk
from tests.e2e.desk import Desk
from tests.e2e.servers import Server
from tests.e2e.waiting import expect


@pytest.fixture
def tab(open_tab: OpenDesk) -> Desk:
    """Open Orders in a tab of its own."""
    return open_tab().open()


def hits(desk: Desk, kind: str) -> Locator:
    """Return the hits of a kind."""
    return desk.page.get_by_role("group", name=kind, exact=True).get_by_role("option")


def test_every_kind_is_found_and_opened_without_the_mouse(tab: Desk, demo: Server) -> None:
    (voucher,) = demo.query("SELECT voucher_code FROM order_items ORDER BY no DESC LIMIT 1")
    (name,) = demo.query("SELECT passenger_name FROM order_items ORDER BY no DESC LIMIT 1")
    item_id = demo.newest("order_items")[0]
    order_id = demo.newest("orders")[0]
    page, keyboard = tab.page, tab.page.keyboard
    tab.cell(1, "author").focus()  # in the frame of the grid
    keyboard.press("/")
    for typed, kind in [
        (order_id, "Orders"),
        (item_id, "Order Items"),
        (voucher.lower(), "Vouchers"),
        (name, "Passengers"),
    ]:
        page.get_by_role("combobox", name="Search everything").fill(typed)
        expect(hits(tab, kind).first).to_contain_text(typed, ignore_case=True)
    expect_no_fault(page)
    page.get_by_role("combobox", name="Search everything").fill(order_id)
    expect(hits(tab, "Orders").first).to_have_attribute("aria-selected", "true")
    expect(hits(tab, "Orders").first).to_contain_text(order_id)
    keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"Order {order_id}")).to_be_visible()
    page.go_back()
    expect(page).to_have_url(f"{demo.url}/orders")


@pytest.mark.parametrize("path", ["/overview", "/verify", "/imports", "/order?order=none"])
def test_pages_are_found_from_any_page(tab: Desk, path: str) -> None:
    page = tab.page
    tab.go(path)
    page.keyboard.press("Control+k")
    page.keyboard.type("audit")
    expect(hits(tab, "Pages")).to_have_text(["Audit Trail"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Audit Trail")).to_be_visible()
    expect(page.get_by_role("dialog", name="Search everything")).to_be_hidden()


def test_arrows_choose_and_escape_leaves_the_page_as_it_was(tab: Desk) -> None:
    page = tab.page
    page.get_by_role("searchbox", name="Search orders").focus()
    page.keyboard.press("Control+k")
    page.keyboard.type("OD26")
    expect(hits(tab, "Orders")).to_have_count(6)  # the last one is all of them
    page.keyboard.press("ArrowDown")
    expect(hits(tab, "Orders").nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    last = page.get_by_role("listbox", name="Hits").get_by_role("option").last
    expect(last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")  # the first may have emptied the box
    expect(page.get_by_role("dialog", name="Search everything")).to_be_hidden()
    assert tab.page.url == f"{tab.server}/orders"


def test_all_of_a_kind_are_opened_in_their_table_by_keyboard(tab: Desk, demo: Server) -> None:
    (name,) = demo.query("SELECT passenger_name FROM order_items ORDER BY no DESC LIMIT 1")
    first = name.split()[0]
    page = tab.page
    page.keyboard.press("Control+k")
    page.keyboard.type(first)
    group = page.get_by_role("group", name="Orders", exact=True)
    expect(group).to_contain_text(re.compile(r"5 of [0-9,]+"))
    expect(hits(tab, "Orders").first).to_contain_text(f"Passenger {first}")
    for _ in range(5):
        page.keyboard.press("ArrowDown")
    expect(hits(tab, "Orders").last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    tab.expect_words(f"Search “{first}”")


def test_a_text_that_nothing_has_is_said_and_markup_is_text(tab: Desk) -> None:
    page = tab.page
    page.get_by_role("button", name="Search everything").click()
    box = page.get_by_role("combobox", name="Search everything")
    box.fill("<img src=x onerror=alert(1)>")
    expect(page.get_by_role("dialog", name="Search everything")).to_contain_text("Nothing found.")
    box.fill("word " * 100)
    expect(page.get_by_role("dialog")).to_contain_text(re.compile("at most .* words"))


def test_the_search_finds_what_the_person_may_see(
    open_tab: OpenDesk, shop: Server, sees_one_contract: None
) -> None:
    desk = open_tab(shop)
    desk.page.goto(f"{shop.url}/orders")
    expect(desk.page.get_by_role("button", name="Search everything")).to_be_visible()
    desk.wait_for_run()
    desk.page.keyboard.press("Control+k")
    seen = shop.query("SELECT order_id FROM orders WHERE contract_id = 'CT-1'")
    desk.page.keyboard.type("OD-")
    expect(hits(desk, "Orders")).to_have_count(min(len(seen), 5) + (len(seen) > 5))
    assert len(shop.query("SELECT order_id FROM orders")) > len(seen)
