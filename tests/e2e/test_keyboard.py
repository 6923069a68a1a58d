"""Order Desk without a mouse."""

from pathlib import Path

import pytest

from tests.e2e.conftest import OpenDesk
from tests.e2e.desk import NAMES, Desk
from tests.e2e.servers import Server
from tests.e2e.waiting import expect

# Each action that a person can do, and the test that does it by keyboard alone.
ACTIONS = {
    "filter by text": "test_keyboard::test_tab_reaches_every_header_and_filter_and_typing_filters",
    "filter by a list": "test_keyboard::test_list_of_values_works_by_keyboard",
    "filter dates": "test_dates::test_keyboard_chooses_a_relative_date_from_the_list_of_the_box",
    "sort": "test_keyboard::test_header_sorts_by_keyboard",
    "select, open, come back": "test_keyboard::test_keys_walk_tick_open_come_back_and_clear",
    "move and resize columns": "test_columns::test_column_is_moved_and_resized_by_keyboard",
    "show and hide columns": "test_keyboard::test_tools_and_downloads_work_without_a_mouse",
    "paste IDs": "test_keyboard::test_tools_and_downloads_work_without_a_mouse",
    "download": "test_keyboard::test_tools_and_downloads_work_without_a_mouse",
    "read the totals": "test_keyboard::test_totals_and_explanations_open_without_a_mouse",
    "row menu": "test_row_menu::test_the_menu_works_by_keyboard_alone",
    "copy": "test_copy::test_ticked_rows_are_copied_as_a_spreadsheet_reads_them",
    "save and open a view": "test_views::test_views_are_saved_and_opened_without_a_mouse",
    "search everything": "test_find::test_every_kind_is_found_and_opened_without_the_mouse",
    "go to a page": "test_find::test_pages_are_found_from_any_page",
    "menu of pages": "test_frame::test_on_a_phone_the_pages_are_a_menu",
    "theme": "test_keyboard::test_theme_is_chosen_without_a_mouse",
    "keys and about": "test_frame::test_about_says_the_version_and_escape_closes_it",
    "tabs of an order": "test_keyboard::test_tabs_of_an_order_work_without_a_mouse",
    "refund": "test_refunds::test_dialog_is_used_and_left_by_keyboard_alone",
    "refund again": "test_refunds_page::"
    "test_a_failed_refund_is_found_understood_and_requested_again_without_a_mouse",
    "match a refund of the provider": "test_refunds_page::"
    "test_refunds_of_the_provider_are_matched_and_dismissed_without_a_mouse",
    "approve and decline": "test_approvals::"
    "test_a_refund_above_the_limit_is_asked_for_and_decided_by_a_second_person",
    "change a contract": "test_approvals::"
    "test_a_refund_above_the_limit_is_asked_for_and_decided_by_a_second_person",
    "write a note, mention, follow up": "test_notes::"
    "test_a_colleague_is_mentioned_told_and_the_follow_up_closed_without_a_mouse",
    "withdraw a note": "test_notes::test_a_note_is_written_followed_up_found_and_withdrawn",
    "read a history": "test_history::"
    "test_a_history_is_read_opened_by_keyboard_and_shown_as_a_table",
    "show an event": "test_history::test_an_event_of_the_audit_trail_opens_beside_its_row",
    "download a voucher": "test_vouchers::test_voucher_is_downloaded_and_verified_without_a_mouse",
    "verify": "test_vouchers::test_voucher_is_downloaded_and_verified_without_a_mouse",
    "send": "test_emails::test_vouchers_are_sent_and_the_mail_is_shown_without_a_mouse",
    "import": "test_imports::test_a_file_is_imported_without_a_mouse",
    "add a user": "test_users::test_somebody_is_added_without_a_mouse",
    "overview": "test_overview::test_keyboard_reaches_the_rows_of_every_bar",
}

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


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_has_its_test(action: str) -> None:
    module, _, name = ACTIONS[action].partition("::")
    assert f"\ndef {name}(" in (Path(__file__).parent / f"{module}.py").read_text()


def test_tools_and_downloads_work_without_a_mouse(desk: Desk, demo: Server) -> None:
    page, keyboard = desk.page, desk.page.keyboard
    page.get_by_role("searchbox", name="Search orders").focus()
    desk.press(page.get_by_role("button", name="Columns", exact=True))
    desk.press(page.get_by_role("checkbox", name="Currency"), "Space")
    expect(desk.headers.filter(has_text="Currency")).to_have_count(0)
    keyboard.press("Escape")
    expect(page.get_by_test_id("stPopoverBody")).to_have_count(0)

    page.get_by_role("searchbox", name="Search orders").focus()
    desk.press(page.get_by_role("button", name="Paste IDs"))
    desk.tab_to(page.get_by_role("textbox", name="Order ID"))
    keyboard.type(demo.newest("orders")[3])
    desk.press(page.get_by_role("button", name="Show these"))
    desk.expect_count(1)

    for name in ("Download CSV", "Download Excel"):
        page.get_by_role("link", name="Orders", exact=True).focus()
        with page.expect_download() as waiting:
            desk.press(page.get_by_role("link", name=name))
        assert waiting.value.suggested_filename.startswith("orders")
    desk.press(page.get_by_role("button", name="More downloads"))
    with page.expect_download() as waiting:
        desk.press(page.get_by_role("link", name="All columns, CSV"))
    assert waiting.value.suggested_filename.endswith(".csv")
    keyboard.press("Escape")
    desk.press(desk.words.get_by_role("button", name="Clear all"))
    desk.expect_count(2_000)


def test_totals_and_explanations_open_without_a_mouse(desk: Desk) -> None:
    shown = desk.page.get_by_test_id("stPopoverBody")
    for name, said in (("Columns explained", "Meaning"), (" currencies", "EUR")):
        desk.press(desk.page.get_by_role("button", name=name))
        expect(shown).to_contain_text(said)
        desk.page.keyboard.press("Escape")
        expect(shown).to_have_count(0)


def test_theme_is_chosen_without_a_mouse(open_tab: OpenDesk) -> None:
    desk = open_tab(fresh=True).open()
    desk.press(desk.page.get_by_role("button", name="Menu", exact=True))
    desk.tab_to(desk.page.get_by_role("radio", name="System"))
    desk.page.keyboard.press("ArrowUp")  # from the first to the last
    app = desk.page.locator("[data-testid=stApp]")
    expect(app).to_have_css("background-color", "rgb(16, 22, 31)")
    desk.page.evaluate("localStorage.clear()")


def test_tabs_of_an_order_work_without_a_mouse(open_tab: OpenDesk, demo: Server) -> None:
    desk = open_tab().open_order(demo.newest("orders")[0])
    desk.tab_to(desk.page.get_by_role("tab", name="Products"))
    desk.page.keyboard.press("ArrowRight")
    expect(desk.page.get_by_role("tab", name="Transactions")).to_be_focused()
    desk.page.keyboard.press("Enter")
    desk.page.wait_for_url("**tab=Transactions**", wait_until="commit")
    with desk.page.expect_download():
        desk.press(desk.page.get_by_role("link", name="Download Order"))
