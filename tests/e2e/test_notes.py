"""A note on an order in the browser: written, read, followed up, found, and withdrawn."""

from datetime import UTC, datetime

from playwright.sync_api import Locator, Page

from tests.e2e.conftest import OpenDesk
from tests.e2e.servers import Server
from tests.e2e.waiting import expect

TEXT = "Called <b>the</b> lounge,\n=1+1 see https://x.example/a?b=1."


def _write(page: Page, text: str) -> None:
    page.get_by_label("Add a note").fill(text)
    page.get_by_role("spinbutton", name="year, Follow up on").click()
    page.keyboard.type(f"{datetime.now(UTC):%Y%m%d}")
    page.keyboard.press("Escape")  # closes the calendar
    expect(page.get_by_label("Follow up by")).to_be_visible()
    page.get_by_role("button", name="Add note").click()


def _notes(page: Page) -> Locator:
    return page.locator(".deskNote")


def test_a_note_is_written_followed_up_found_and_withdrawn(
    open_tab: OpenDesk, shop: Server
) -> None:
    desk = open_tab(shop).open_order("OD-ONE")
    page = desk.page
    page.get_by_role("tab", name="History").click()
    _write(page, TEXT)
    note = _notes(page)
    expect(note).to_have_count(1)
    assert note.inner_text() == TEXT
    link = note.get_by_role("link")
    expect(link).to_have_attribute("href", "https://x.example/a?b=1")
    expect(link).to_have_attribute("target", "_blank")
    expect(page.get_by_label("Add a note")).to_have_value("")

    due = page.get_by_role("link", name="1 due")
    due.click()
    desk.expect_words("Follow Up Date today or earlier", "Follow Up By is “analyst@local”")
    desk.expect_column("order_id", ["OD-ONE"])

    desk.go_to(view={"search": "the</B>", "filters": {}})
    desk.expect_column("order_id", ["OD-ONE"])

    desk.open_order("OD-ONE")
    page.get_by_role("tab", name="History").click()
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_text("Followed up by")).to_be_visible()
    expect(due).to_have_count(0)
    page.get_by_role("button", name="Withdraw").click()
    page.get_by_role("button", name="Withdraw note").click()
    expect(page.get_by_text("Withdrawn by")).to_be_visible()
    expect(_notes(page)).to_have_count(0)
