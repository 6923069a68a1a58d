"""Orders without a mouse."""

from playwright.sync_api import expect

from tests.e2e.desk import NAMES, Desk

TICKS = "ag-Grid-SelectionColumn"

# The column and the part of the grid that has the focus, as "author filter".
FOCUSED = """() => {
  const cell = document.activeElement.closest("[col-id]");
  if (!cell) return "";
  const part = cell.classList.contains("ag-floating-filter") ? "filter" : "header";
  return `${cell.getAttribute("col-id")} ${part}`;
}"""


def test_tab_reaches_every_header_and_filter_and_typing_filters(desk: Desk) -> None:
    frame = desk.page.locator("iframe").element_handle().content_frame()
    assert frame is not None
    desk.page.get_by_role("button", name="Columns", exact=True).focus()
    reached = []
    wanted = [f"{name} {part}" for part in ("header", "filter") for name in (TICKS, *NAMES)]
    for _ in wanted:
        desk.page.keyboard.press("Tab")
        reached.append(frame.evaluate(FOCUSED))
    assert reached == wanted
    desk.page.keyboard.press("Enter")
    expect(desk.box("Author")).to_be_focused()
    desk.page.keyboard.type("maria")
    desk.expect_words("Author contains “maria”")


def test_list_of_values_works_by_keyboard(desk: Desk) -> None:
    desk.button_of("Contract ID").focus()
    desk.page.keyboard.press("Enter")
    expect(desk.grid.locator(".deskSetRow").first).to_be_visible()
    expect(desk.grid.get_by_role("searchbox", name="Search values of Contract ID")).to_be_focused()
    desk.page.keyboard.type("1012")
    expect(desk.grid.locator(".deskSetRow")).to_have_count(1)
    desk.page.keyboard.press("Tab")
    desk.page.keyboard.press("Space")
    desk.expect_words("Contract ID is CT-1012")
    desk.page.keyboard.press("Escape")
    expect(desk.grid.locator(".deskSet")).to_be_hidden()
    expect(desk.cell(0, "contract_id")).to_have_text("CT-1012")


def test_header_sorts_by_keyboard(desk: Desk) -> None:
    desk.grid.get_by_role("columnheader", name="Total").focus()
    desk.page.keyboard.press("Enter")
    expect(desk.cell(0, "item_count")).to_have_text("1")
    desk.expect_view(sort=[{"colId": "item_count", "sort": "asc"}])
