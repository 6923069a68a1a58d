"""A note on an order in the browser: written, read, followed up, found, and withdrawn."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page

from core.ground import Role
from tests.conftest import use_database
from tests.e2e.axe import expect_no_fault
from tests.e2e.conftest import WINDOW, OpenDesk
from tests.e2e.desk import EMAILS, Desk
from tests.e2e.servers import Server, serving
from tests.e2e.test_accessibility import OVERFLOWING
from tests.e2e.waiting import expect
from tests.rows import make_actor, make_order

TEXT = "Called <b>the</b> lounge,\n=1+1 see https://x.example/a?b=1."
BEN = {"email": "ben@blue.example", "name": "Ben Ho"}
SENT_SECONDS = 20_000


@pytest.fixture(scope="module")
def server(make_database: Callable[[str], str], kind: str, data_dir: Path) -> Iterator[Server]:
    """Run a server without a mail server, with an order and a colleague who sees it."""
    url = make_database(kind)
    use_database(url)
    for order_id in ("OD-ONE", "OD-TWO"):
        make_order(order_id)
    make_actor(Role.AGENT, **BEN)
    with serving(url, data_dir) as running:
        yield running


def open_history(desk: Desk, order_id: str) -> Page:
    desk.page.goto(f"{desk.server}/order?order={order_id}&tab=History", wait_until="commit")
    expect(desk.page.get_by_label("Add a note")).to_be_visible()
    return desk.page


def choose_today(page: Page) -> None:
    """Type today below *Follow up on*, which asks who follows up: the person who writes."""
    page.keyboard.type(f"{datetime.now(UTC):%Y%m%d}")
    page.keyboard.press("Escape")  # closes the calendar
    by = page.get_by_role("combobox", name="Follow up by")
    expect(by).to_be_visible()


def _notes(page: Page) -> Locator:
    return page.locator(".deskNote")


def test_a_note_is_written_followed_up_found_and_withdrawn(
    open_tab: OpenDesk, server: Server
) -> None:
    desk = open_tab(server)
    page = open_history(desk, "OD-ONE")
    page.get_by_label("Add a note").fill(TEXT)
    page.get_by_role("spinbutton", name="year, Follow up on").click()
    choose_today(page)
    desk.wait_for_run()
    expect_no_fault(page)
    page.get_by_role("button", name="Add note").click()
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

    open_history(desk, "OD-ONE")
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_text("Followed up by")).to_be_visible()
    expect(due).to_have_count(0)
    desk.press(page.get_by_role("button", name="Withdraw"))
    withdraw = page.get_by_role("button", name="Withdraw note")
    expect(withdraw).to_be_visible()
    desk.wait_for_run()
    expect_no_fault(page)
    desk.press(withdraw)
    expect(page.get_by_text("Withdrawn by")).to_be_visible()
    expect(_notes(page)).to_have_count(0)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate(OVERFLOWING) == []
    page.set_viewport_size(WINDOW)


def test_a_colleague_is_mentioned_told_and_the_follow_up_closed_without_a_mouse(
    open_tab: OpenDesk, server: Server
) -> None:
    desk = open_tab(server)
    page = open_history(desk, "OD-TWO")
    keyboard = page.keyboard
    desk.tab_to(page.get_by_label("Add a note"))
    keyboard.type("Please call back")
    desk.tab_to(page.get_by_role("combobox", name="Mention"))
    keyboard.type("Ben")
    keyboard.press("Enter")
    expect(page.get_by_label("Add a note")).to_have_value("Please call back @Ben Ho ")
    desk.tab_to(page.get_by_role("spinbutton", name="year, Follow up on"))
    choose_today(page)
    desk.press(page.get_by_role("button", name="Add note"))
    expect(_notes(page)).to_have_text("Please call back @Ben Ho")
    told = page.locator(".st-key-history summary")
    expect(told.filter(has_text="Local analyst wrote a note that mentions Ben Ho.")).to_be_visible()
    desk.press(page.get_by_role("button", name="Done"))
    expect(page.get_by_text("Followed up by Local analyst")).to_be_visible()
    closed = "SELECT count(*) FROM notes WHERE order_id = 'OD-TWO' AND done_by = 'analyst@local'"
    assert server.query(closed) == [1]

    desk.open(table=EMAILS)
    expect(desk.cell(0, "recipient")).to_have_text(BEN["email"])
    expect(desk.cell(0, "status")).to_have_text("Saved to outbox", timeout=SENT_SECONDS)
    desk.box_of(0).click()
    page.get_by_role("button", name="Show", exact=True).click()
    mail = desk.dialog.frame_locator("iframe")
    expect(mail.get_by_role("blockquote")).to_have_text("Please call back @Ben Ho")
    expect(mail.get_by_text("Local analyst mentioned you in a note")).to_be_visible()
