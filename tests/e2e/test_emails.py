"""Send Voucher in the browser: from two ticked items to the mail that a server received."""

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pypdf
import pytest
from playwright.sync_api import Locator

from tests.conftest import use_database
from tests.core.mail.mail_server import HOST, MailServer, mail_server
from tests.core.mail.mailing import pdfs_of
from tests.e2e.axe import expect_no_fault
from tests.e2e.conftest import OpenDesk
from tests.e2e.desk import Desk, confirm_refund
from tests.e2e.servers import Server, serving
from tests.e2e.waiting import expect
from tests.rows import make_item, make_order, make_transaction

NOW = datetime.now(UTC).replace(microsecond=0)
SOON = NOW + timedelta(days=9)
CONTACT, ZOE, OMER = "contact@helios.example", "zoe@mail.example", "omer@mail.example"
SENT_SECONDS = 20_000


@pytest.fixture(scope="module")
def mail() -> Iterator[MailServer]:
    """Run a mail server."""
    with mail_server() as running:
        yield running


@pytest.fixture(scope="module")
def server(
    make_database: Callable[[str], str], kind: str, data_dir: Path, mail: MailServer
) -> Iterator[Server]:
    """Run a server with orders of two passengers, which sends by that mail server."""
    url = make_database(kind)
    use_database(url)
    for order_id in ("OD-M", "OD-N"):
        make_order(order_id, item_count=2, contact_email=CONTACT)
        make_transaction(order_id=order_id, amount_minor=-7600)
        given = {"refund_expire_at": SOON, "valid_until": SOON}
        for number, (name, address) in enumerate((("Zoë", ZOE), ("Ömer Yılmaz", OMER)), 1):
            named = {"passenger_name": name, "passenger_email": address}
            make_item(order_id, order_item_id=f"{order_id}-{number}", **given, **named)
    settings: dict[str, Any] = {
        "SMTP_HOST": HOST,
        "SMTP_PORT": str(mail.port),
        "MAIL_FROM": "Order Desk <desk@helios.example>",
    }
    with serving(url, data_dir, **settings) as running:
        yield running


@pytest.fixture
def inbox(mail: MailServer) -> Iterator[MailServer]:
    """Begin with an empty inbox and a server that does everything right."""
    mail.received.clear()
    yield mail
    mail.recover()


def code_of(server: Server, item: str) -> str:
    code: str = server.query(
        "SELECT voucher_code FROM order_items WHERE order_item_id = :item", item=item
    )[0]
    return code


def open_dialog(desk: Desk, order_id: str, *rows: int) -> Locator:
    desk.open_order(order_id)
    for row in rows:
        desk.box_of(row).click()
    desk.expect_selected(f"{len(rows)} selected")
    desk.page.get_by_role("button", name="Send Voucher").click()
    return desk.page.get_by_role("dialog")


def text_of(message: EmailMessage) -> str:
    (pdf,) = pdfs_of(message)
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)


def test_two_ticked_items_arrive_as_one_mail_with_both_vouchers(
    open_tab: OpenDesk, server: Server, inbox: MailServer
) -> None:
    dialog = open_dialog(open_tab(server), "OD-M", 0, 1)
    expect(dialog.get_by_label("Recipients")).to_have_value(CONTACT)
    dialog.get_by_label("Message").fill("Have a good trip!")
    dialog.get_by_role("button", name="Send 1 e-mail").click()
    expect(dialog.get_by_text("1 e-mail sent")).to_be_visible(timeout=SENT_SECONDS)

    (received,) = inbox.received
    assert (received.sender, received.recipient) == ("desk@helios.example", CONTACT)
    message = received.message
    assert message["To"] == CONTACT
    assert str(message["From"]) == "Order Desk <desk@helios.example>"
    codes = [code_of(server, f"OD-M-{number}") for number in (1, 2)]
    assert all(code in text_of(message) for code in codes)
    text = message.get_body(("plain",))
    assert text is not None
    assert "Have a good trip!" in text.get_content()
    said = "SELECT count(*) FROM audit_events WHERE action = 'voucher.sent'"
    assert server.query(f"{said} AND order_id = 'OD-M'") == [2]


def test_vouchers_are_sent_and_the_mail_is_shown_without_a_mouse(
    open_tab: OpenDesk, server: Server, inbox: MailServer
) -> None:
    desk = open_tab(server).open_order("OD-M")
    page, keyboard = desk.page, desk.page.keyboard
    desk.cell(0, "product").focus()
    keyboard.press("Space")
    desk.expect_selected("1 selected")
    page.get_by_role("tab", name="Products").focus()
    desk.press(page.get_by_role("button", name="Send Voucher"))
    expect(desk.dialog.get_by_label("Recipients")).to_have_value(CONTACT)
    desk.press(desk.dialog.get_by_role("button", name="Send 1 e-mail"))
    expect(desk.dialog.get_by_text("1 e-mail sent")).to_be_visible(timeout=SENT_SECONDS)
    desk.press(desk.dialog.get_by_role("button", name="Done"))
    expect(desk.dialog).to_have_count(0)
    desk.tab_to(page.get_by_role("tab", name="Products"))
    for name in ("Transactions", "Refunds", "E-mails"):
        keyboard.press("ArrowRight")
        expect(page.get_by_role("tab", name=name)).to_be_focused()
        desk.wait_for_run()
    expect(desk.frames).to_have_count(1)  # that of the tab before is gone
    expect(desk.cell(0, "recipient")).to_have_text(CONTACT)  # its row is loaded
    desk.cell(0, "recipient").focus()
    keyboard.press("Space")
    desk.expect_selected("1 selected")
    page.get_by_role("tab", name="E-mails").focus()
    desk.press(page.get_by_role("button", name="Show", exact=True))
    expect(desk.dialog).to_contain_text(CONTACT)
    desk.close_dialog()


def test_each_passenger_gets_their_own_voucher_alone(
    open_tab: OpenDesk, server: Server, inbox: MailServer
) -> None:
    dialog = open_dialog(open_tab(server), "OD-M", 0, 1)
    dialog.get_by_text("Each passenger").click()
    expect(dialog.get_by_role("cell").filter(has_text=ZOE)).to_be_visible()
    dialog.get_by_role("button", name="Send 2 e-mails").click()
    expect(dialog.get_by_text("2 e-mails sent")).to_be_visible(timeout=SENT_SECONDS)
    arrived = {one.recipient: text_of(one.message) for one in inbox.received}
    assert sorted(arrived) == [OMER, ZOE]
    assert code_of(server, "OD-M-1") in arrived[ZOE]
    assert code_of(server, "OD-M-2") not in arrived[ZOE]
    assert code_of(server, "OD-M-2") in arrived[OMER]


def test_unknown_address_is_warned_of_before_anything_is_sent(
    open_tab: OpenDesk, server: Server, inbox: MailServer
) -> None:
    dialog = open_dialog(open_tab(server), "OD-M", 0)
    dialog.get_by_label("Recipients").fill("stranger@mail.example")
    dialog.get_by_role("button", name="Send 1 e-mail").click()  # the very click after typing
    warning = dialog.get_by_text("stranger@mail.example is not the contact or a passenger of OD-M")
    expect(warning).to_be_visible()
    assert server.query(
        "SELECT count(*) FROM deliveries WHERE recipient = 'stranger@mail.example'"
    ) == [0]
    dialog.get_by_role("button", name="Send 1 e-mail").click()
    expect(dialog.get_by_text("1 e-mail sent")).to_be_visible(timeout=SENT_SECONDS)
    assert [one.recipient for one in inbox.received] == ["stranger@mail.example"]


def test_faulty_addresses_are_named_and_nothing_is_sent(
    open_tab: OpenDesk, server: Server, inbox: MailServer
) -> None:
    dialog = open_dialog(open_tab(server), "OD-M", 0)
    dialog.get_by_label("Recipients").fill(f"{ZOE}, nobody\nBcc: x@y.example")
    dialog.get_by_label("Message").click()
    expect(dialog.get_by_text("“nobody” is not a valid address")).to_be_visible()
    expect(dialog.get_by_text("“Bcc: x@y.example” is not a valid address")).to_be_visible()
    expect_no_fault(dialog.page)
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    assert inbox.received == []


def test_preview_shows_the_mail_and_runs_nothing(open_tab: OpenDesk, server: Server) -> None:
    dialog = open_dialog(open_tab(server), "OD-M", 0, 1)
    dialog.get_by_text("Preview").click()
    mail = dialog.frame_locator("iframe")
    expect(mail.get_by_role("heading", name="Your 2 vouchers")).to_be_visible()
    expect(mail.get_by_text("Ömer Yılmaz")).to_be_visible()
    dialog.get_by_role("tab", name="Plain text").click()
    expect(dialog.get_by_text(code_of(server, "OD-M-1")).last).to_be_visible()


def test_rejected_mail_says_why_on_the_emails_page_and_is_resent(
    open_tab: OpenDesk, server: Server, inbox: MailServer
) -> None:
    inbox.refused["full@mail.example"] = "552 mailbox is full"
    desk = open_tab(server)
    dialog = open_dialog(desk, "OD-M", 0)
    dialog.get_by_label("Recipients").fill("full@mail.example")
    dialog.get_by_label("Message").click()
    expect(dialog.get_by_text("is not the contact or a passenger")).to_be_visible()
    dialog.get_by_role("button", name="Send 1 e-mail").click()
    expect(dialog.get_by_text("1 e-mail failed")).to_be_visible(timeout=SENT_SECONDS)
    expect(dialog.get_by_role("cell").filter(has_text="mailbox is full")).to_be_visible()
    dialog.get_by_role("button", name="Done").click()

    desk.page.goto(f"{server.url}/emails", wait_until="commit")
    expect(desk.cell(0, "recipient")).to_have_text("full@mail.example")
    expect(desk.cell(0, "last_error")).to_contain_text("mailbox is full")
    expect_no_fault(desk.page)
    inbox.recover()
    desk.box_of(0).click()
    desk.page.get_by_role("button", name="Resend").click()
    expect(desk.cell(0, "status")).to_have_text("Sent", timeout=SENT_SECONDS)
    expect(desk.cell(0, "last_error")).to_have_text("")
    assert [one.recipient for one in inbox.received] == ["full@mail.example"]


def test_refund_leads_to_a_void_notice_to_whom_had_the_voucher(
    open_tab: OpenDesk, server: Server, inbox: MailServer
) -> None:
    desk = open_tab(server)
    dialog = open_dialog(desk, "OD-N", 0)
    dialog.get_by_role("button", name="Send 1 e-mail").click()
    expect(dialog.get_by_text("1 e-mail sent")).to_be_visible(timeout=SENT_SECONDS)
    dialog.get_by_role("button", name="Done").click()
    desk.box_of(0).click()
    desk.page.get_by_role("button", name="Refund", exact=True).click()
    copies = dialog.locator(".st-key-refund_copies")
    expect(copies.get_by_role("cell").filter(has_text=f"e-mailed to {CONTACT}")).to_be_visible()
    confirm_refund(dialog)
    dialog.get_by_role("button", name="Send Void Notice").click()
    expect(desk.page.get_by_text("1 e-mail queued.")).to_be_visible()
    expect(dialog.get_by_role("button", name="Send Void Notice")).to_be_disabled()
    dialog.get_by_role("button", name="Done").click()

    desk.open_tab("E-mails")
    expect(desk.cell(0, "kind")).to_have_text("Void notice")
    expect(desk.cell(0, "status")).to_have_text("Sent", timeout=SENT_SECONDS)
    first, notice = inbox.received
    assert (first.recipient, notice.recipient) == (CONTACT, CONTACT)
    assert pdfs_of(notice.message) == []
    assert code_of(server, "OD-N-1") in str(notice.message["Subject"])

    desk.box_of(1).click()  # the mail that brought the voucher
    desk.page.get_by_role("button", name="Show").click()
    with desk.page.expect_download() as waiting:
        dialog.get_by_role("link", name="Download E-mail").click()
    kept = message_from_bytes(waiting.value.path().read_bytes(), policy=policy.default)
    assert isinstance(kept, EmailMessage)
    assert pdfs_of(kept) == []
    assert "It was refunded on" in kept.as_string()


def test_queue_that_waits_for_the_mail_server_says_so_and_loses_nothing(
    open_tab: OpenDesk, server: Server, inbox: MailServer
) -> None:
    inbox.stop()
    desk = open_tab(server)
    dialog = open_dialog(desk, "OD-M", 0)
    dialog.get_by_role("button", name="Send 1 e-mail").click()
    expect(dialog.get_by_text("Sending has been paused since")).to_be_visible(timeout=SENT_SECONDS)
    inbox.start()
    server.execute("DELETE FROM database_facts WHERE name = 'mail_paused'")  # its minute is over
    expect(dialog.get_by_text("1 e-mail sent")).to_be_visible(timeout=SENT_SECONDS)
    assert [one.recipient for one in inbox.received] == [CONTACT]
