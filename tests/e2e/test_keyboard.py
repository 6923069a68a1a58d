"""Orders without a mouse."""

from tests.e2e.desk import NAMES, Desk
from tests.e2e.servers import Server
from tests.e2e.waiting import expect

TICKS = "ag-Grid-SelectionColumn"

BORDER = "cell => getComputedStyle(cell).borderTopColor"
RING = "one => getComputedStyle(one).outlineStyle + getComputedStyle(one).boxShadow"

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
    for _ in ("Currency", "Amount"):
        desk.page.keyboard.press("Shift+Tab")
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
    desk.expect_words("Contract ID is CT-1012 (Atlântico Viagens)")
    desk.page.keyboard.press("Escape")
    expect(desk.grid.locator(".deskSet")).to_be_hidden()
    expect(desk.cell(0, "contract_id")).to_have_text("CT-1012")


def test_header_sorts_by_keyboard(desk: Desk) -> None:
    desk.grid.get_by_role("columnheader", name="Total").focus()
    desk.page.keyboard.press("Enter")
    expect(desk.cell(0, "item_count")).to_have_text("1")
    desk.expect_view(sort=[{"colId": "item_count", "sort": "asc"}])


def test_keys_walk_tick_open_come_back_and_clear(desk: Desk, demo: Server) -> None:
    ids = demo.newest("orders")
    keyboard = desk.page.keyboard
    desk.grid.get_by_role("columnheader", name="Order ID").focus()
    for _ in range(3):  # the filter, the first row, the second
        keyboard.press("ArrowDown")
    expect(desk.cell(1, "order_id")).to_be_focused()
    keyboard.press("Space")
    desk.expect_selected("1 selected")
    expect(desk.box_of(1)).to_be_checked()
    keyboard.press("ArrowDown")
    keyboard.press("ArrowRight")
    keyboard.press("Space")
    desk.expect_selected("2 selected")
    expect(desk.cell(2, "widget_id")).to_be_focused()
    assert desk.cell(2, "widget_id").evaluate(BORDER) != desk.cell(2, "author").evaluate(BORDER)
    keyboard.press("Enter")
    expect(desk.page.get_by_role("heading", name=f"Order {ids[2]}")).to_be_visible()
    desk.page.go_back()
    desk.expect_selected("2 selected")
    expect(desk.cell(2, "widget_id")).to_be_focused()
    keyboard.press("Escape")
    desk.expect_selected("")
    expect(desk.box_of(1)).not_to_be_checked()


def test_focus_can_be_seen_on_headers_filters_and_tools(desk: Desk) -> None:
    desk.page.get_by_role("searchbox", name="Search orders").focus()
    for _ in range(3):
        desk.page.keyboard.press("Tab")
        ring = desk.page.locator("button:focus-visible").evaluate(RING)
        assert ring != "nonenone", "the button in focus looks like any other"
    desk.page.keyboard.press("Tab")
    desk.page.keyboard.press("Tab")
    header = desk.grid.locator(".ag-header-cell:focus-visible")
    assert header.evaluate(RING) != "nonenone"
