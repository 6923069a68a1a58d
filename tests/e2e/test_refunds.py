"""Refunding ticked order items in the browser: reasons, results, and that it happens once."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator

from tests.conftest import free_port, use_database
from tests.e2e.axe import expect_no_fault
from tests.e2e.conftest import OpenDesk, on_both_databases
from tests.e2e.desk import ITEMS, Desk, choose_reason, confirm_refund
from tests.e2e.servers import Server, serving
from tests.e2e.waiting import expect
from tests.e2e.workbook import Workbook
from tests.rows import make_item, make_order, make_transaction

NOW = datetime.now(UTC).replace(microsecond=0)
SOON, PAST = NOW + timedelta(days=9), NOW - timedelta(days=2)
GIVEN = {"refund_expire_at": SOON, "valid_until": SOON}
PAID_BY_CARD = {"method": "card", "reference": "pi_1"}


def make_paid_order(order_id: str, *items: dict[str, object], **payment: object) -> None:
    """Store an order with its items, named -1, -2 and so on, and its payment."""
    price = 3800 * len(items)
    make_order(order_id, item_count=len(items), amount_minor=price, contract_id="CT-9")
    usual = GIVEN | {"contract_id": "CT-9"}
    for number, given in enumerate(items, 1):
        make_item(order_id, order_item_id=f"{order_id}-{number}", **(usual | given))
    paid = {"contract_id": "CT-9", "amount_minor": -price} | payment
    make_transaction(order_id=order_id, **paid)


@pytest.fixture(scope="module")
def server(make_database: Callable[[str], str], kind: str, data_dir: Path) -> Iterator[Server]:
    """Run a server with an order for each test; nobody answers for its cards."""
    url = make_database(kind)
    use_database(url)
    gone = {"status": "refunded", "refunded_at": PAST}
    used = {"status": "used", "used_at": PAST}
    late = {"refund_expire_at": PAST, "airport_tz": "Asia/Tokyo"}
    make_paid_order("OD-MIX", {}, late, used, gone)
    for order_id in ("OD-CLICKS", "OD-BOTH", "OD-LATE", "OD-KEYS"):
        make_paid_order(order_id, {})
    make_paid_order("OD-CARD", {}, **PAID_BY_CARD)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRIPE_API_KEY", "sk_test_nobody")
        patch.setenv("STRIPE_API_BASE", f"http://127.0.0.1:{free_port()}")
        with serving(url, data_dir) as running:
            yield running


def open_dialog(desk: Desk, *rows: int) -> Locator:
    """Tick rows and open the dialog."""
    for row in rows:
        desk.box_of(row).click()
    desk.expect_selected(f"{len(rows)} selected")
    desk.page.get_by_role("button", name="Refund", exact=True).click()
    dialog = desk.page.get_by_role("dialog")
    expect(dialog.get_by_text("will be refunded.")).to_be_visible()
    return dialog


def lines_of(dialog: Locator, table: str, count: int = 1) -> list[list[str]]:
    """Read a table of the dialog, cell by cell, when it has so many lines."""
    rows = dialog.locator(f".st-key-refund_{table} tbody tr")
    expect(rows).to_have_count(count)
    return [row.get_by_role("cell").all_inner_texts() for row in rows.all()]


def facts_of(desk: Desk) -> Locator:
    return desk.page.locator(".st-key-facts").get_by_test_id("stText")


def test_mixed_selection_says_each_reason_and_refunds_the_one(
    open_tab: OpenDesk, server: Server, tmp_path: Path
) -> None:
    desk = open_tab(server, zone="America/New_York").open_order("OD-MIX")
    balance = server.query("SELECT balance_minor FROM contracts WHERE contract_id = 'CT-9'")[0]
    desk.expect_column("order_item_id", [f"OD-MIX-{number}" for number in (1, 2, 3, 4)])
    dialog = open_dialog(desk, 0, 1, 2, 3)
    expect(dialog.get_by_text("1 of 4 items will be refunded.")).to_be_visible()
    (able,) = lines_of(dialog, "able")
    assert [able[0], able[3]] == ["OD-MIX-1", "38.00 EUR"]
    assert able[4].endswith("(Europe/London)")
    assert "Total 38.00 EUR" in dialog.locator(".st-key-refund_sums").inner_text()
    assert f"{balance / 100:,.2f} → {balance / 100 + 38:,.2f} EUR" in dialog.inner_text()
    refused = {one[0]: one[2] for one in lines_of(dialog, "refused", 3)}
    assert refused["OD-MIX-2"].startswith("The Refund Expire Date has passed: ")
    assert "(Asia/Tokyo). In your time zone: " in refused["OD-MIX-2"]
    assert refused["OD-MIX-2"].endswith("(America/New_York).")
    assert refused["OD-MIX-3"] == "It has been used."
    assert refused["OD-MIX-4"].startswith("It was refunded on ")

    confirm_refund(dialog)
    expect(dialog.get_by_text("1 item refunded: 38.00 EUR")).to_be_visible()
    expect(dialog.get_by_text("3 items not refunded")).to_be_visible()
    desk.expect_selected("3 selected")
    expect(desk.cell(0, "status")).to_have_text("Refunded")
    expect(facts_of(desk).nth(5)).to_have_text("38.00 EUR")
    expect(facts_of(desk).nth(7)).to_have_text(f"{balance / 100 + 38:,.2f} EUR")
    with desk.page.expect_download() as waiting:
        dialog.get_by_role("link", name="Download Results").click()
    waiting.value.save_as(tmp_path / "refunds.xlsx")
    file = Workbook(tmp_path / "refunds.xlsx", "Refunds")
    assert file.column("Result") == ["Refunded", *["Not refunded"] * 3]
    assert file.column("Amount")[0] == 38
    dialog.get_by_role("button", name="Done").click()
    expect(dialog).to_have_count(0)
    desk.clear_selection()
    desk.open_tab("Transactions")
    expect(desk.cell(0, "type")).to_have_text("Refund")


@on_both_databases
def test_five_fast_clicks_on_confirm_make_one_refund(open_tab: OpenDesk, server: Server) -> None:
    desk = open_tab(server).open_order("OD-CLICKS")
    dialog = open_dialog(desk, 0)
    choose_reason(dialog)
    confirm = dialog.get_by_role("button", name="Refund 1 item")
    confirm.evaluate("button => { for (let i = 0; i < 5; i++) button.click() }")
    expect(dialog.get_by_text("1 item refunded: 38.00 EUR")).to_be_visible()
    desk.wait_for_run()
    made = "FROM {} WHERE order_item_id = 'OD-CLICKS-1'"
    assert server.query(f"SELECT count(*) {made.format('refunds')}") == [1]
    assert server.query(f"SELECT status {made.format('transactions')}") == ["succeeded"]
    asked = "SELECT count(*) FROM audit_events WHERE entity_id = 'OD-CLICKS-1'"
    assert server.query(asked) == [1]


@on_both_databases
def test_two_people_with_the_same_item_refund_it_once(open_tab: OpenDesk, server: Server) -> None:
    one, other = (open_tab(server, fresh=True).open_order("OD-BOTH") for _ in range(2))
    # A reason draws the dialog anew, with what can be refunded then: so both have theirs first.
    dialogs = [choose_reason(open_dialog(desk, 0)) for desk in (one, other)]
    for dialog in dialogs:
        dialog.get_by_role("button", name="Refund 1 item").click()
    for dialog in dialogs:
        said = re.compile(r"1 item (refunded: 38\.00 EUR|not refunded)")
        expect(dialog.get_by_text(said)).to_be_visible()
    # Either may be the first. The other is told that it is being settled, or was refunded.
    first, second = sorted(dialogs, key=lambda one: one.get_by_text("not refunded").count())
    expect(first.get_by_text("1 item refunded: 38.00 EUR")).to_be_visible()
    reason = lines_of(second, "results")[0][4]
    assert reason.startswith(("It was refunded on ", "A refund is in progress."))
    expect_no_fault(other.page)
    assert server.query("SELECT status FROM refunds WHERE order_id = 'OD-BOTH'") == ["succeeded"]


def test_deadline_that_passes_while_the_dialog_is_open_is_said(
    open_tab: OpenDesk, server: Server
) -> None:
    desk = open_tab(server).open_order("OD-LATE")
    dialog = choose_reason(open_dialog(desk, 0))
    desk.wait_for_run()  # the deadline passes after the last look
    server.execute(
        "UPDATE order_items SET refund_expire_at = created_at WHERE order_id = 'OD-LATE'"
    )
    dialog.get_by_role("button", name="Refund 1 item").click()
    expect(dialog.get_by_text("1 item not refunded")).to_be_visible()
    assert "The Refund Expire Date has passed" in lines_of(dialog, "results")[0][4]
    assert server.query("SELECT count(*) FROM refunds WHERE order_id = 'OD-LATE'") == [0]


def test_card_whose_provider_does_not_answer_stays_in_progress(
    open_tab: OpenDesk, server: Server
) -> None:
    desk = open_tab(server).open_order("OD-CARD")
    dialog = open_dialog(desk, 0)
    confirm_refund(dialog)
    expect(dialog.get_by_text("1 item in progress: 38.00 EUR")).to_be_visible()
    (line,) = lines_of(dialog, "results")
    assert line[4] == "The card provider did not answer. Order Desk will ask again."
    dialog.get_by_role("button", name="Done").click()
    expect(desk.cell(0, "status")).to_have_text("Refund requested")
    again = open_dialog(desk, 0)
    assert lines_of(again, "refused")[0][2] == "A refund is in progress."
    expect(again.get_by_role("button", name="Refund 0 items")).to_be_disabled()


def test_dialog_is_used_and_left_by_keyboard_alone(open_tab: OpenDesk, server: Server) -> None:
    desk = open_tab(server).open_order("OD-KEYS")
    dialog = open_dialog(desk, 0)
    desk.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    desk.expect_selected("1 selected")
    desk.page.get_by_role("button", name="Refund", exact=True).press("Enter")
    reason = dialog.get_by_role("combobox", name="Reason")
    reason.press("ArrowDown")
    reason.press("Enter")
    dialog.get_by_role("textbox", name="Note").fill("asked by mail =1+1")
    dialog.get_by_role("textbox", name="Note").press("Enter")
    dialog.get_by_role("button", name="Refund 1 item").press("Enter")
    expect(dialog.get_by_text("1 item refunded: 38.00 EUR")).to_be_visible()
    notes = server.query("SELECT note FROM refunds WHERE order_id = 'OD-KEYS'")
    assert notes == ["asked by mail =1+1"]


def test_refund_is_offered_only_when_something_is_ticked(
    open_tab: OpenDesk, server: Server
) -> None:
    desk = open_tab(server).open(table=ITEMS)
    refund = desk.page.get_by_role("button", name="Refund", exact=True)
    expect(refund).to_be_disabled()
    desk.box_of(0).click()
    expect(refund).to_be_enabled()
    desk.box("Order ID").fill("OD-LATE")
    desk.expect_words("Order ID contains “OD-LATE”")
    desk.expect_selected("1 selected, 1 hidden by the filter")
    refund.click()
    dialog = desk.page.get_by_role("dialog")
    expect(dialog.get_by_text("The current filter hides 1 of the selected rows.")).to_be_visible()
