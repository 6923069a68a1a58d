"""A refund above the limit of its contract in the browser: Bob asks for it, and Ana decides."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from core import mail
from core.ground import Role
from tests.conftest import use_database
from tests.e2e.axe import expect_no_fault
from tests.e2e.conftest import Profiles
from tests.e2e.desk import CONTRACTS, ITEMS, REFUNDS, Desk, choose_reason
from tests.e2e.provider import providing
from tests.e2e.servers import Server, serving
from tests.e2e.test_refunds import lines_of, make_paid_order
from tests.e2e.test_sign_in import ANA, BOB, come_in
from tests.e2e.waiting import expect
from tests.rows import make_actor

NOW = datetime.now(UTC).replace(microsecond=0)
SENT_SECONDS = 20_000
ZOE = "zoe@mail.example"
HISTORY = (
    "Ana declined refund R-2 of Aspire Lounge (OD-BIG-2), 38.00 EUR, that Bob asked for. “The "
    "lounge was open” The voucher is valid again, unless it has expired.",
    "Bob refunded Aspire Lounge (OD-BIG-1), 38.00 EUR to the contract's balance, approved by Ana.",
    "Ana approved refund R-1 of Aspire Lounge (OD-BIG-1), 38.00 EUR, that Bob asked for.",
    "Bob asked for approval of refund R-2 of Aspire Lounge (OD-BIG-2), 38.00 EUR. The "
    "contract's limit is 50.00 EUR in 24 hours.",
    "Bob asked for approval of refund R-1 of Aspire Lounge (OD-BIG-1), 38.00 EUR. The "
    "contract's limit is 50.00 EUR in 24 hours.",
)


@pytest.fixture
def server(make_database: Callable[[str], str], kind: str, data_dir: Path) -> Iterator[Server]:
    """Run a server whose admin is Ana; Bob, an agent, has mailed the first of two vouchers."""
    url = make_database(kind)
    use_database(url)
    make_paid_order("OD-BIG", {}, {})
    bob = make_actor(Role.AGENT, email=str(BOB["email"]), name="Bob")
    mail.send(["OD-BIG-1"], [ZOE], message=None, key="mail", actor=bob, now=NOW)
    with providing(data_dir) as provider:
        for claims in (ANA, BOB):
            provider.knows(str(claims["name"]), **claims)
        given = provider.settings | {"FIRST_ADMIN_EMAIL": str(ANA["email"])}
        with serving(url, data_dir, **given) as running:
            yield running


@pytest.fixture
def browsers(profiles: Profiles) -> Iterator[tuple[BrowserContext, BrowserContext]]:
    """Give the browsers of two people in which nobody has signed in."""
    with profiles.clean() as one, profiles.clean() as other:
        yield one, other


def limit_refunds(desk: Desk) -> None:
    """Set the limit of the contract to 50 EUR, by keyboard alone."""
    desk.table = CONTRACTS
    desk.wait_for_rows()
    page, keyboard = desk.page, desk.page.keyboard
    desk.cell(0, "name").focus()
    keyboard.press("Space")
    desk.expect_selected("1 selected")
    page.get_by_role("link", name="Contracts", exact=True).focus()
    desk.press(page.get_by_role("button", name="Change", exact=True))
    desk.tab_to(desk.dialog.get_by_role("textbox", name="Refund limit (EUR)"))
    keyboard.type("a lot")
    desk.press(desk.dialog.get_by_role("button", name="Save"))
    alert = desk.dialog.get_by_role("alert")
    expect(alert).to_contain_text("The limit must be an amount in EUR such as 500.00.")
    desk.wait_for_run()
    expect_no_fault(page)
    desk.tab_to(desk.dialog.get_by_role("textbox", name="Refund limit (EUR)"))
    keyboard.press("Control+A")
    keyboard.type("50")
    desk.press(desk.dialog.get_by_role("button", name="Save"))
    expect(desk.dialog).to_have_count(0)
    expect(desk.cell(0, "refund_limit_minor")).to_have_text("50.00")


def ask_for_both(desk: Desk) -> None:
    """Request the refund of both items: together they are above the limit."""
    desk.table = ITEMS
    desk.wait_for_rows()
    for row in (0, 1):
        desk.box_of(row).click()
    desk.expect_selected("2 selected")
    desk.page.get_by_role("button", name="Refund", exact=True).click()
    dialog = desk.dialog
    expect(dialog.get_by_text("need the approval of a second person")).to_contain_text("CT-9")
    choose_reason(dialog)
    desk.wait_for_run()
    expect_no_fault(desk.page)
    dialog.get_by_role("button", name="Ask for approval").click()
    expect(dialog.get_by_text("2 items waiting for approval: 76.00 EUR")).to_be_visible()
    assert [one[3] for one in lines_of(dialog, "results", 2)] == ["Waiting for approval"] * 2
    desk.wait_for_run()
    expect_no_fault(desk.page)
    dialog.get_by_role("button", name="Done").click()
    expect(desk.cell(0, "status")).to_have_text("Refund requested")


def approve_one(desk: Desk) -> None:
    """Follow the count in the header to what waits, and approve the first, by keyboard alone."""
    page, keyboard = desk.page, desk.page.keyboard
    desk.press(page.get_by_role("link", name="2 to approve"))
    desk.table = REFUNDS
    desk.expect_words("Status is Waiting")
    desk.expect_count(2, 2)
    first = desk.grid.locator(".ag-row").filter(has_text="OD-BIG-1").first
    row = int(first.get_attribute("row-index") or -1)
    desk.cell(row, "order_item_id").focus()
    keyboard.press("Space")
    desk.expect_selected("1 selected")
    page.get_by_role("searchbox", name="Search refunds").focus()
    desk.press(page.get_by_role("button", name="Approve"))
    expect(
        desk.dialog.get_by_text("1 of 1 will be approved. The money is paid back.")
    ).to_be_visible()
    (line,) = lines_of_waiting(desk)
    assert line[0] == "OD-BIG-1"
    assert "Goodwill" in line
    desk.wait_for_run()
    expect_no_fault(page)
    desk.press(desk.dialog.get_by_role("button", name="Approve 1 refund"))
    expect(desk.dialog.get_by_text("1 approved")).to_be_visible()
    desk.press(desk.dialog.get_by_role("button", name="Done"))
    expect(desk.dialog).to_have_count(0)
    desk.expect_count(1, 2)
    expect(page.get_by_role("link", name="1 to approve")).to_be_visible()


def lines_of_waiting(desk: Desk) -> list[list[str]]:
    rows = desk.dialog.locator(".st-key-approval_waiting tbody tr")
    expect(rows.first).to_be_visible()
    return [row.get_by_role("cell").all_inner_texts() for row in rows.all()]


def decline_other(desk: Desk) -> None:
    """Decline the other one, which needs a note, by keyboard alone."""
    page, keyboard = desk.page, desk.page.keyboard
    desk.cell(0, "order_item_id").focus()
    keyboard.press("Space")
    desk.expect_selected("1 selected")
    page.get_by_role("searchbox", name="Search refunds").focus()
    desk.press(page.get_by_role("button", name="Decline"))
    desk.press(desk.dialog.get_by_role("button", name="Decline 1 refund"))
    expect(desk.dialog.get_by_role("alert")).to_contain_text("Write in the note why")
    desk.wait_for_run()
    expect_no_fault(page)
    desk.tab_to(desk.dialog.get_by_role("textbox", name="Note"))
    keyboard.type("The lounge was open")
    desk.press(desk.dialog.get_by_role("button", name="Decline 1 refund"))
    expect(desk.dialog.get_by_text("1 declined")).to_be_visible()
    desk.press(desk.dialog.get_by_role("button", name="Done"))
    expect(desk.dialog).to_have_count(0)
    expect(page.get_by_role("link", name="to approve")).to_have_count(0)


def test_a_refund_above_the_limit_is_asked_for_and_decided_by_a_second_person(
    browsers: tuple[BrowserContext, BrowserContext], server: Server
) -> None:
    ana = Desk(come_in(browsers[0], server, "Ana", "/contracts"), server.url)
    limit_refunds(ana)
    bob = Desk(come_in(browsers[1], server, "Bob", "/order?order=OD-BIG"), server.url)
    ask_for_both(bob)
    assert server.query("SELECT balance_minor FROM contracts WHERE contract_id = 'CT-9'") == [0]
    expect(bob.page.get_by_role("link", name="to approve")).to_have_count(0)

    ana.page.goto(f"{server.url}/verify")
    approve_one(ana)
    decline_other(ana)

    bob.open_order("OD-BIG")
    bob.expect_column("status", ["Refunded", "Not used"])
    balance = bob.page.locator(".st-key-facts").get_by_test_id("stText").nth(7)
    expect(balance).to_have_text("38.00 EUR")
    bob.open_tab("Refunds")
    bob.table = REFUNDS
    status = bob.grid.locator('.ag-row [col-id="status"]')
    expect(status).to_have_count(2)
    assert sorted(status.all_inner_texts()) == ["Declined", "Succeeded"]
    expect(bob.grid.get_by_text("The lounge was open")).to_be_visible()
    send_void_notice(bob)
    bob.page.get_by_role("tab", name="History").click()
    steps = bob.page.locator(".st-key-history summary")
    for sentence in HISTORY:
        expect(steps.filter(has_text=sentence)).to_have_count(1)
    steps.filter(has_text="approved").first.click()
    expect(bob.page.get_by_text("Raw record")).to_be_visible()
    bob.wait_for_run()
    expect_no_fault(bob.page)


def send_void_notice(desk: Desk) -> None:
    """Tell who has the voucher that it is void; the notice is saved to the outbox.

    The person who asked was told of both decisions.
    """
    desk.open_tab("E-mails")
    kinds = desk.grid.locator('.ag-row [col-id="kind"]')
    told = ["Refund declined", "Refund approved", "Voucher"]
    expect(kinds).to_have_text(told, timeout=SENT_SECONDS)
    expect(desk.cell(0, "status")).to_have_text("Saved to outbox", timeout=SENT_SECONDS)
    desk.wait_for_run()
    expect_no_fault(desk.page)
    desk.box_of(told.index("Voucher")).click()
    desk.expect_selected("1 selected")
    desk.page.get_by_role("button", name="Send Void Notice").click()
    expect(kinds).to_have_text(["Void notice", *told], timeout=SENT_SECONDS)
    saved = desk.grid.locator('.ag-row [col-id="status"]')
    expect(saved).to_have_text(["Saved to outbox"] * 4, timeout=SENT_SECONDS)
