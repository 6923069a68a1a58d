"""A list that goes on shows it: its last row is cut in the middle. Many columns have a search."""

import pytest
from playwright.sync_api import Locator, ViewportSize

from tests.e2e.conftest import WINDOW, OpenDesk
from tests.e2e.desk import ITEMS, TRANSACTIONS, Desk, Shown
from tests.e2e.waiting import expect

SIZES: list[ViewportSize] = [
    {"width": 1440, "height": 900},
    {"width": 1280, "height": 720},
    {"width": 768, "height": 1024},
    {"width": 390, "height": 844},
]
# How much is seen of the row at the lower edge of a list: from 0 to 1. Null if all is seen.
SEEN_OF_LAST = """list => {
  if (list.scrollHeight <= list.clientHeight + 1) return null;
  const edge = list.getBoundingClientRect().bottom;
  const rows = [...list.children].map(one => one.getBoundingClientRect());
  const last = rows.find(({top, bottom}) => top < edge && bottom > edge);
  return last ? (edge - last.top) / last.height : 0;
}"""


def expect_cut(found: Locator) -> None:
    """Expect that a list goes on, and that the row at its edge says so."""
    expect(found).to_be_visible()
    seen = found.evaluate(SEEN_OF_LAST)
    assert seen is not None
    assert 0.2 < seen < 0.8, seen
    assert "gradient" in found.evaluate("one => getComputedStyle(one).backgroundImage")


def at(desk: Desk, size: ViewportSize) -> Desk:
    desk.page.set_viewport_size(size)
    desk.wait_for_run()
    fold = desk.page.get_by_role("button", name="Tools", exact=True)
    if fold.is_visible() and fold.get_attribute("aria-expanded") != "true":
        fold.click()
    return desk


@pytest.fixture
def items(open_tab: OpenDesk) -> Desk:
    """Open Order Items, whose columns are many, in a tab whose size may change."""
    return open_tab(fresh=True).open(table=ITEMS)


def test_lists_of_columns_views_and_values_are_cut_in_the_middle_of_a_row(items: Desk) -> None:
    page = items.page
    for size in SIZES:
        at(items, size)
        popover = items.open_popover("Columns")
        expect_cut(page.locator(".st-key-columns"))
        expect(popover).to_be_in_viewport(ratio=1)
        page.keyboard.press("Escape")
        expect(popover).to_have_count(0)
        items.open_list("Airport")
        expect_cut(items.grid.locator(".deskSetList"))
        expect(items.grid.get_by_role("button", name="Clear", exact=True)).to_be_in_viewport(
            ratio=1
        )
        page.keyboard.press("Escape")
        items.box("Service Date").click()
        expect(items.grid.locator(".deskList")).to_be_in_viewport(ratio=1)
        options = items.grid.locator(".deskListOptions")
        if options.evaluate(SEEN_OF_LAST) is not None:
            expect_cut(options)
        page.keyboard.press("Escape")
    page.set_viewport_size(WINDOW)


def test_a_list_that_ends_at_a_whole_row_is_noticed(items: Desk) -> None:
    items.open_popover("Columns")
    found = items.page.locator(".st-key-columns")
    found.evaluate(
        "list => { list.style.maxHeight = `${list.firstElementChild.offsetHeight * 4}px` }"
    )
    with pytest.raises(AssertionError):
        expect_cut(found)


def test_many_columns_have_a_search_and_few_have_none(items: Desk) -> None:
    popover = items.open_popover("Columns")
    boxes = popover.get_by_role("checkbox")
    expect(boxes.first).to_be_attached()
    every = boxes.count()
    assert every > 20
    box = popover.get_by_role("searchbox", name="Search columns")
    box.fill("refund")
    expect(boxes).to_have_count(8)
    expect(popover.get_by_role("checkbox", name="Refund Reason")).not_to_be_checked()
    popover.get_by_test_id("stCheckbox").get_by_text("Refund Reason", exact=True).click()
    expect(items.headers.last).to_have_text("Refund Reason")
    box.fill("no such column")
    expect(popover.get_by_text("No column matches.")).to_be_visible()
    box.fill("")
    expect(boxes).to_have_count(every)
    items.page.keyboard.press("Escape")
    items.go_to(table=Shown("Contracts", "contracts", "/contracts", "contract_id"))
    popover = items.open_popover("Columns")
    expect(popover.get_by_role("checkbox").first).to_be_attached()
    expect(popover.get_by_role("searchbox")).to_have_count(0)


NAME = """one => getComputedStyle(one.querySelector(".deskNamed"), "::after")
  .getPropertyValue("content").replace(/"/g, "")"""


def test_a_contract_id_says_its_name_until_the_column_of_names_is_shown(
    open_tab: OpenDesk,
) -> None:
    desk = open_tab().open(view={"search": "CT-1004"}, table=TRANSACTIONS)
    cell = desk.cell(0, "contract_id")
    expect(cell).to_have_text("CT-1004")
    assert cell.evaluate(NAME) == "Kestrel Corporate"
    desk.go_to(view={"search": "CT-1004"})
    expect(cell).to_have_text("CT-1004")
    assert cell.evaluate(NAME) == "Kestrel Corporate"
    shown = "one => getComputedStyle(one.querySelector('.deskNamed'), '::after').display"
    assert cell.evaluate(shown) != "none"
    popover = desk.open_popover("Columns")
    popover.get_by_test_id("stCheckbox").get_by_text("Contract", exact=True).click()
    expect(desk.headers.last).to_have_text("Contract")
    assert cell.evaluate(shown) == "none"
