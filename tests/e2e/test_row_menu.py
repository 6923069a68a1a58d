"""The menu of a row: what it opens, copies and filters, with the mouse and the keyboard."""

import re

import pytest
from playwright.sync_api import Locator

from tests.e2e.axe import expect_no_fault
from tests.e2e.desk import ITEMS, TRANSACTIONS, USERS, Desk
from tests.e2e.servers import Server
from tests.e2e.waiting import expect

ENTRIES = ["Open in new tab", "Copy ID", "Copy row", "Filter by this value", "Exclude this value"]
COPIED = "navigator.clipboard.readText()"
WATCH_MENUS = """() => {
  window.watch?.disconnect();
  window.menus = 0;
  window.watch = new MutationObserver((changes) => {
    for (const { addedNodes } of changes)
      for (const added of addedNodes) menus += added.className === "deskMenu";
  });
  watch.observe(document.body, { childList: true });
}"""


def menu_of(desk: Desk, cell: Locator) -> Locator:
    """Open the menu of a cell."""
    cell.click(button="right")
    menu = desk.grid.get_by_role("menu", name="Row")
    expect(menu).to_be_visible()
    return menu


def choose(desk: Desk, cell: Locator, words: str) -> None:
    menu_of(desk, cell).get_by_role("menuitem", name=words).click()


def test_the_menu_has_its_entries_and_no_fault(desk: Desk) -> None:
    menu = menu_of(desk, desk.cell(1, "author"))
    expect(menu.get_by_role("menuitem")).to_have_text(ENTRIES)
    expect_no_fault(desk.page)
    desk.page.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    expect(desk.cell(1, "author")).to_be_focused()
    desk.go_to(table=USERS)
    expect(menu_of(desk, desk.cell(0, "email")).get_by_role("menuitem")).to_have_text(ENTRIES[1:])
    desk.page.keyboard.press("Escape")


def test_an_order_opens_in_a_new_tab(desk: Desk, demo: Server) -> None:
    order_id = demo.newest("orders")[1]
    with desk.page.context.expect_page() as opened:
        choose(desk, desk.cell(1, "author"), "Open in new tab")
    expect(opened.value).to_have_url(f"{demo.url}/order?order={order_id}")
    opened.value.close()
    assert desk.page.url == f"{demo.url}/orders"


def test_id_and_row_are_copied(desk: Desk, demo: Server) -> None:
    order_id = demo.newest("orders")[1]
    choose(desk, desk.cell(1, "author"), "Copy ID")
    desk.page.wait_for_function(f"() => {COPIED}.then(text => text === '{order_id}')")
    choose(desk, desk.cell(1, "contract_id"), "Copy row")
    desk.page.wait_for_function(f"() => {COPIED}.then(text => text !== '{order_id}')")
    cells = desk.page.evaluate(COPIED).split("\t")
    assert len(cells) == 9
    assert cells[:2] == ["1999", order_id]
    assert cells[6] == desk.cell(1, "author").inner_text()


@pytest.mark.parametrize("name", ["author", "contract_id", "created_at", "item_count", "widget_id"])
def test_a_value_is_filtered_by_and_excluded(desk: Desk, name: str) -> None:
    value = desk.cell(2, name).inner_text()[: 10 if name == "created_at" else None]
    cells = desk.grid.locator(f'.ag-row [col-id="{name}"]')
    choose(desk, desk.cell(2, name), "Filter by this value")
    expect(desk.words).to_be_visible()
    desk.wait_for_run()
    expect(cells.first).to_have_text(re.compile(f"^{re.escape(value)}"))
    assert {text[: len(value)] if value else text for text in cells.all_inner_texts()} == {value}
    desk.words.get_by_role("button", name="Clear all").click()
    desk.expect_words()
    choose(desk, desk.cell(2, name), "Exclude this value")
    expect(desk.words).to_be_visible()
    desk.wait_for_run()
    assert value not in {
        text[: len(value)] for text in cells.all_inner_texts() if value or not text
    }


def test_states_and_amounts_are_filtered_by_and_values_are_excluded_in_turn(desk: Desk) -> None:
    desk.go_to(table=ITEMS)
    choose(desk, desk.cell(0, "product_type"), "Exclude this value")
    first = desk.words.locator("p").first.inner_text()
    expect(desk.words.locator("p").first).to_have_text(re.compile("Product Type is not"))
    desk.wait_for_run()
    choose(desk, desk.cell(0, "product_type"), "Exclude this value")
    expect(desk.words.locator("p").first).not_to_have_text(first)
    expect(desk.words.locator("p").first).to_have_text(re.compile("is not .* and .*is not|is not"))
    desk.go_to(table=TRANSACTIONS)
    value = desk.cell(0, "amount_minor").inner_text()
    choose(desk, desk.cell(0, "amount_minor"), "Filter by this value")
    expect(desk.words).to_contain_text("Amount")
    expect(desk.cell(0, "amount_minor")).to_have_text(value)
    desk.go_to()


@pytest.mark.parametrize("key", ["m", "Shift+F10", "ContextMenu"])
def test_the_menu_works_by_keyboard_alone(desk: Desk, key: str) -> None:
    author = desk.cell(1, "author").inner_text()
    desk.cell(1, "author").focus()
    desk.cell(1, "author").evaluate(WATCH_MENUS)
    desk.page.keyboard.press(key)
    expect(desk.grid.get_by_role("menuitem", name=ENTRIES[0])).to_be_focused()
    desk.page.keyboard.press("ArrowUp")
    desk.page.keyboard.press("ArrowUp")
    expect(desk.grid.get_by_role("menuitem", name=ENTRIES[3])).to_be_focused()
    assert desk.grid.get_by_role("menu").evaluate("() => menus") == 1
    desk.page.keyboard.press("Enter")
    desk.expect_words(f"Author is “{author}”")
