"""The frame of every page: tab title, menu, pages on a phone, keys, an order on a small screen."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import ViewportSize

from tests.e2e.axe import expect_no_fault
from tests.e2e.conftest import WINDOW, OpenDesk
from tests.e2e.desk import Desk
from tests.e2e.servers import Server
from tests.e2e.test_accessibility import OVERFLOWING
from tests.e2e.waiting import expect

PHONE: ViewportSize = {"width": 390, "height": 844}
ZOOMED: ViewportSize = {"width": 320, "height": 256}
BACK = "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
DARK = "rgb(16, 22, 31)"


@pytest.fixture
def tab(open_tab: OpenDesk) -> Iterator[Desk]:
    """Open Orders in a tab of its own, whose size and theme may change."""
    desk = open_tab(fresh=True).open()
    yield desk
    desk.page.evaluate("localStorage.clear()")
    desk.page.set_viewport_size(WINDOW)


def test_the_tab_says_the_page_or_the_order(desk: Desk, demo: Server) -> None:
    expect(desk.page).to_have_title("Orders · Order Desk")
    order_id = demo.newest("orders")[0]
    desk.cell(0, "order_id").click()
    expect(desk.page).to_have_title(f"Order {order_id} · Order Desk")
    desk.go("/order?order=none")
    expect(desk.page).to_have_title("Order not found · Order Desk")
    desk.go("/audit_trail")
    expect(desk.page).to_have_title("Audit Trail · Order Desk")


def test_the_menu_is_ours_and_changes_the_theme_of_every_page(tab: Desk) -> None:
    page = tab.page
    page.get_by_role("button", name="Menu", exact=True).click()
    menu = page.get_by_role("dialog", name="Menu")
    expect(menu).to_be_visible()
    expect_no_fault(page)
    menu.get_by_role("radio", name="Dark").click()
    page.wait_for_function(f"() => {BACK} === '{DARK}'")
    expect(page.get_by_text("Record screen")).to_have_count(0)
    expect(page.get_by_text("Made with Streamlit")).to_have_count(0)
    page.goto(f"{tab.server}/verify")  # Streamlit keeps a theme for one address only
    expect(page.get_by_role("heading", name="Verify")).to_be_visible()
    assert page.evaluate(BACK) == DARK


def test_about_says_the_version_and_escape_closes_it(tab: Desk) -> None:
    page = tab.page
    page.get_by_role("button", name="Menu", exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="About Order Desk").click()
    expect(page.get_by_role("dialog", name="About Order Desk")).to_contain_text("Version 1.")
    expect_no_fault(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="About Order Desk")).to_be_hidden()


def test_a_question_mark_opens_the_list_of_keys_but_not_while_typing(tab: Desk) -> None:
    page = tab.page
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    tab.box("Author").press("?")
    page.get_by_role("searchbox", name="Search orders").press("?")
    expect(keys).to_be_hidden()
    tab.header_cell("Author").focus()  # the rows may be filtered away
    page.keyboard.press("?")
    expect(keys).to_contain_text("Search everything")
    expect_no_fault(page)
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()


def test_on_a_phone_the_pages_are_a_menu(tab: Desk) -> None:
    page = tab.page
    page.set_viewport_size(PHONE)
    link = page.get_by_role("link", name="Audit Trail", exact=True)
    expect(link).to_be_hidden()
    button = page.get_by_role("button", name="Pages", exact=True)
    button.focus()
    page.keyboard.press("Enter")
    expect(link).to_be_in_viewport()
    expect_no_fault(page)
    page.keyboard.press("Escape")
    expect(link).to_be_hidden()
    expect(button).to_be_focused()
    button.click()
    link.click()
    expect(page.get_by_role("heading", name="Audit Trail")).to_be_visible()
    expect(link).to_be_hidden()


@pytest.mark.parametrize("size", [PHONE, ZOOMED], ids=["phone", "zoom of 400 percent"])
def test_an_orders_table_begins_on_the_first_screen(
    tab: Desk, demo: Server, size: ViewportSize
) -> None:
    page = tab.page
    page.set_viewport_size(size)
    tab.open_order(demo.newest("orders")[0])
    tab.wait_for_run()
    box = tab.frames.bounding_box()
    assert box is not None
    assert box["y"] < size["height"] - 20
    assert page.evaluate(OVERFLOWING) == []
    scroller = page.locator("[data-testid=stMain]")
    assert scroller.evaluate("one => one.scrollWidth <= one.clientWidth")
    if size is PHONE:  # the table scrolls, the page does not
        assert scroller.evaluate("one => one.scrollHeight <= one.clientHeight")
    expect(page.get_by_role("link", name="Download Excel")).to_be_hidden()
    page.get_by_role("button", name="Tools", exact=True).click()
    expect(page.get_by_role("link", name="Download Excel")).to_be_visible()


@pytest.mark.parametrize("width", [700, 768, 1024, 1099])
def test_on_a_tablet_the_tools_of_an_order_are_one_line(
    tab: Desk, demo: Server, width: int
) -> None:
    page = tab.page
    page.set_viewport_size({"width": width, "height": 1024})
    tab.open_order(demo.newest("orders", "item_count > 3")[0])
    tab.wait_for_run()
    tools = page.locator(".st-key-tools")
    assert tools.bounding_box()["height"] < 50  # type: ignore[index]
    for name in ("Refund", "Download Voucher", "Send Voucher"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_in_viewport()
    columns = page.get_by_role("button", name="Columns", exact=True)
    if columns.is_hidden():  # what has no room is behind Tools
        page.get_by_role("button", name="Tools", exact=True).click()
    expect(columns).to_be_in_viewport()
    expect(page.get_by_role("link", name="Download Excel")).to_be_in_viewport()


def test_an_order_with_few_rows_has_no_search_and_a_page_one_primary_button(
    tab: Desk, demo: Server
) -> None:
    primary = tab.page.locator("#root :is(a, button)[kind^=primary]")
    expect(primary).to_have_count(1)
    expect(primary).to_contain_text("Download Excel")
    tab.open_order(demo.newest("orders")[0])
    tab.wait_for_run()
    expect(primary).to_have_count(1)
    expect(primary).to_contain_text("Download Order")
    for path in ("/users", "/verify", "/imports"):
        tab.go(path)
        expect(primary).to_have_count(1)
    expect(tab.page.get_by_role("searchbox", name="Search order items")).to_have_count(0)
    expect(tab.page.get_by_role("button", name="Paste IDs")).to_have_count(0)


def test_sums_of_many_currencies_are_in_a_popover(desk: Desk, demo: Server) -> None:
    currencies = demo.query("SELECT DISTINCT currency FROM orders ORDER BY 1")
    button = desk.below.get_by_role("button", name=f"Amount in {len(currencies)} currencies")
    button.click()
    cells = desk.page.get_by_test_id("stPopoverBody").locator("td")
    assert [text[-3:] for text in cells.all_inner_texts()] == currencies
    desk.page.keyboard.press("Escape")
    desk.box("Contract ID").fill("CT-1001")
    expect(desk.below).to_contain_text("Amount: ")
