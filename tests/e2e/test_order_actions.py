"""Refund… and Send Vouchers… of selected orders in the browser, without a mail server."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator

from tests.conftest import use_database
from tests.e2e.axe import faults_in_light_and_dark
from tests.e2e.conftest import OpenDesk
from tests.e2e.desk import ITEMS, Desk, confirm_refund
from tests.e2e.servers import Server, serving
from tests.e2e.waiting import expect
from tests.rows import make_item, make_order, make_transaction

NOW = datetime.now(UTC).replace(microsecond=0)
SOON, PAST = NOW + timedelta(days=9), NOW - timedelta(days=2)
GIVEN = {"refund_expire_at": SOON, "valid_until": SOON}
GONE = {"status": "refunded", "refunded_at": PAST}
SENT_SECONDS = 20_000
ORDERS = {
    "OD-MIX": ({}, {"status": "used", "used_at": PAST}),
    "OD-GONE": (GONE,),
    "OD-KEYS": ({},),
    "OD-MAIL": ({}, GONE),
}


@pytest.fixture(scope="module")
def server(make_database: Callable[[str], str], kind: str, data_dir: Path) -> Iterator[Server]:
    """Run a server without a mail server, with an order for each test."""
    url = make_database(kind)
    use_database(url)
    for order_id, items in ORDERS.items():
        contact = f"{order_id.lower()}@helios.example"
        make_order(order_id, item_count=len(items), contact_email=contact)
        make_transaction(order_id=order_id, amount_minor=-3800 * len(items))
        for number, given in enumerate(items, 1):
            make_item(order_id, order_item_id=f"{order_id}-{number}", **(GIVEN | given))
    with serving(url, data_dir) as running:
        yield running


def opened(desk: Desk, button: str, *orders: str) -> Locator:
    """Select orders and open a dialog."""
    desk.select(*orders)
    desk.page.get_by_role("button", name=button, exact=True).click()
    return desk.page.get_by_role("dialog")


def lines_of(dialog: Locator, table: str, count: int) -> list[list[str]]:
    """Read a table of the dialog, cell by cell, when it has so many lines."""
    rows = dialog.locator(f".st-key-{table} tbody tr")
    expect(rows).to_have_count(count)
    return [row.get_by_role("cell").all_inner_texts() for row in rows.all()]


def test_refund_of_two_orders_lists_and_settles_their_items_one_by_one(
    open_tab: OpenDesk, server: Server
) -> None:
    desk = open_tab(server).open(view={"columns": ["order_id", "author", "refundable_now"]})
    dialog = opened(desk, "Refund…", "OD-MIX", "OD-GONE")
    expect(dialog.get_by_text("1 of 3 items will be refunded.")).to_be_visible()
    (able,) = lines_of(dialog, "refund_able", 1)
    assert able[:2] == ["OD-MIX", "OD-MIX-1"]
    refused = {one[1]: one[-1] for one in lines_of(dialog, "refund_refused", 2)}
    assert refused["OD-MIX-2"] == "It has been used."
    assert refused["OD-GONE-1"].startswith("It was refunded on ")
    assert faults_in_light_and_dark(desk.page) == []
    confirm_refund(dialog)
    expect(dialog.get_by_text("1 item refunded: 38.00 EUR")).to_be_visible()
    expect(dialog.get_by_text("2 items not refunded")).to_be_visible()
    results = lines_of(dialog, "refund_results", 3)
    assert results[0][:2] == ["OD-MIX", "OD-MIX-1"]
    dialog.get_by_role("button", name="Done").click()
    desk.expect_selected("1 selected")  # OD-GONE, of which nothing was refunded
    row = desk.grid.locator(".ag-row").filter(has_text="OD-MIX").first
    index = int(row.get_attribute("row-index") or -1)
    expect(desk.cell(index, "refundable_now")).to_have_text("No")
    expect(desk.grid.locator(".deskChanged").filter(has_text="OD-MIX")).to_be_visible()
    assert server.query("SELECT order_item_id FROM refunds ORDER BY 1") == ["OD-MIX-1"]


def test_vouchers_of_two_orders_are_listed_and_saved_to_the_outbox(
    open_tab: OpenDesk, server: Server
) -> None:
    desk = open_tab(server).open()
    dialog = opened(desk, "Send Vouchers…", "OD-MAIL", "OD-GONE")
    expect(dialog.get_by_text("No mail server is set up")).to_be_visible()
    (able,) = lines_of(dialog, "send_able", 1)
    assert able == ["OD-MAIL", "OD-MAIL-1", "Aspire Lounge", "Zoë Müller", "od-mail@helios.example"]
    left_out = lines_of(dialog, "send_left_out", 2)
    assert [one[1] for one in left_out] == ["OD-MAIL-2", "OD-GONE-1"]
    assert all(one[-1].startswith("It was refunded on ") for one in left_out)
    assert faults_in_light_and_dark(desk.page) == []
    dialog.get_by_role("button", name="Send 1 e-mail").click()
    expect(dialog.get_by_text("1 e-mail saved to outbox")).to_be_visible(timeout=SENT_SECONDS)
    dialog.get_by_role("button", name="Done").click()
    desk.expect_selected("")

    desk.page.goto(f"{server.url}/emails", wait_until="commit")
    expect(desk.cell(0, "status")).to_have_text("Saved to outbox")
    expect(desk.open_list("Status").filter(has_text="Saved to outbox")).to_have_count(1)
    desk.page.keyboard.press("Escape")
    desk.box_of(0).click()
    desk.page.get_by_role("button", name="Show", exact=True).click()
    expect(dialog.get_by_text("Saved to outbox")).to_be_visible()

    desk.open_order("OD-MAIL", "History")
    desk.box("Action").fill("saved_to_outbox")
    expect(desk.cell(0, "action")).to_have_text("voucher.saved_to_outbox")


def test_vouchers_of_an_order_are_downloaded(open_tab: OpenDesk, server: Server) -> None:
    desk = open_tab(server).open()
    dialog = opened(desk, "Download Vouchers…", "OD-MAIL")
    expect(dialog.get_by_text("1 of 2 vouchers will be downloaded.")).to_be_visible()
    with desk.page.expect_download() as waiting:
        dialog.get_by_role("link", name="Download 1 voucher").click()
    assert waiting.value.suggested_filename == "voucher-OD-MAIL-1.pdf"


def test_an_order_is_refunded_by_keyboard_alone(open_tab: OpenDesk, server: Server) -> None:
    desk = open_tab(server).open()
    keys = desk.page.keyboard
    row = desk.grid.locator(".ag-row").filter(has_text="OD-KEYS").first
    index = int(row.get_attribute("row-index") or -1)
    desk.grid.get_by_role("columnheader", name="Order ID").focus()
    for _ in range(index + 2):  # the filter, the first row, and so on
        keys.press("ArrowDown")
    expect(desk.cell(index, "order_id")).to_be_focused()
    keys.press("Space")
    desk.expect_selected("1 selected")
    desk.page.get_by_role("button", name="Refund…", exact=True).press("Enter")
    dialog = desk.page.get_by_role("dialog")
    desk.tab_to(dialog.get_by_role("combobox", name="Reason"))
    keys.press("ArrowDown")
    keys.press("Enter")
    desk.press(dialog.get_by_role("button", name="Refund 1 item"))
    expect(dialog.get_by_text("1 item refunded: 38.00 EUR")).to_be_visible()
    desk.expect_selected("")
    keys.press("Escape")
    expect(dialog).to_have_count(0)


def test_with_refunded_items_alone_the_three_buttons_say_the_same(
    open_tab: OpenDesk, server: Server
) -> None:
    desk = open_tab(server).open(table=ITEMS)
    desk.select("OD-GONE-1")
    dialog = desk.page.get_by_role("dialog")
    for button, done in (
        ("Refund", "refunded"), ("Download Voucher", "downloaded"), ("Send Voucher", "sent"),
    ):  # fmt: skip
        desk.page.get_by_role("button", name=button, exact=True).click()
        expect(dialog.get_by_text(f"Nothing you selected can be {done}.")).to_be_visible()
        expect(dialog.get_by_role("cell").filter(has_text="refunded on ")).to_be_visible()
        dialog.get_by_role("button", name="Cancel").click()
        expect(dialog).to_have_count(0)
