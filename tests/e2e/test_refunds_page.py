"""The page Refunds in the browser: a failed refund is repaired, and the provider's are matched."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator

from core import storage
from core.ground import Role
from core.refunds import request
from core.storage import ProviderRefund
from tests.conftest import free_port, use_database
from tests.core.refunds.refund_rows import settings
from tests.core.refunds.returned import unmatched_items
from tests.e2e.axe import expect_no_fault
from tests.e2e.conftest import OpenDesk
from tests.e2e.desk import REFUNDS, Desk
from tests.e2e.servers import Server, serving
from tests.e2e.slow_card import CARD, SlowCard, answering_slowly
from tests.e2e.waiting import expect
from tests.rows import make_actor, make_item, make_order, make_transaction

NOW = datetime.now(UTC).replace(microsecond=0)
SOON = NOW + timedelta(days=9)
REFUSED = "Stripe refused the refund: The card has expired."


@pytest.fixture
def provider() -> Iterator[SlowCard]:
    """Run a card provider that answers at once."""
    with answering_slowly("OD-C") as card:
        card.seconds = 0
        yield card


@pytest.fixture
def failed(
    make_database: Callable[[str], str], kind: str, data_dir: Path, provider: SlowCard
) -> Iterator[Server]:
    """Run a server with an order that was paid by card, and whose refund Ana requested in vain."""
    url = make_database(kind)
    use_database(url)
    make_order("OD-C")
    make_item("OD-C", order_item_id="OD-C-1", refund_expire_at=SOON, valid_until=SOON)
    make_transaction(order_id="OD-C", **CARD)
    ana = make_actor(Role.AGENT, email="ana@helios.example", name="Ana Ruiz")
    provider.is_refusing = True
    request(["OD-C-1"], reason="goodwill", key="in vain", actor=ana, now=NOW)
    provider.is_refusing = False
    with serving(url, data_dir) as running:
        yield running


def test_a_failed_refund_is_found_understood_and_requested_again_without_a_mouse(
    open_tab: OpenDesk, failed: Server
) -> None:
    desk = open_tab(failed).open(table=REFUNDS)
    page, keyboard = desk.page, desk.page.keyboard
    desk.open_popover("Views").get_by_role("button", name="Failed").press("Enter")
    desk.expect_words("Status is Failed")
    expect(desk.cell(0, "failure")).to_have_text(REFUSED)
    desk.cell(0, "order_item_id").focus()
    keyboard.press("Space")
    desk.expect_selected("1 selected")
    page.get_by_role("searchbox", name="Search refunds").focus()
    desk.press(page.get_by_role("button", name="Refund again"))
    expect(desk.dialog.get_by_text("1 of 1 item will be refunded.")).to_be_visible()
    desk.tab_to(desk.dialog.get_by_role("combobox", name="Reason"))
    keyboard.press("ArrowDown")
    keyboard.press("Enter")
    desk.wait_for_run()
    expect_no_fault(page)
    desk.press(desk.dialog.get_by_role("button", name="Refund 1 item"))
    expect(desk.dialog.get_by_text("1 item refunded: 38.00 EUR")).to_be_visible()
    desk.press(desk.dialog.get_by_role("button", name="Done"))
    expect(desk.dialog).to_have_count(0)
    desk.expect_count(0, 1)  # the view shows those that failed
    desk.press(desk.words.get_by_role("button", name="Clear all"))
    expect(desk.cell(0, "status")).to_have_text("Succeeded")
    expect(desk.cell(0, "attempt")).to_have_text("2")
    expect(desk.cell(0, "failure")).to_have_text("")
    desk.open_order("OD-C", "Refunds")
    expect(desk.cell(0, "external_reference")).to_have_text("re_1")
    told = (
        "Local analyst refunded Aspire Lounge (OD-C-1), 38.00 EUR to the card.",
        "Local analyst requested again refund R-1 of Aspire Lounge (OD-C-1), 38.00 EUR.",
        f"Ana Ruiz's refund R-1 of Aspire Lounge (OD-C-1), 38.00 EUR, failed. {REFUSED}",
        "Ana Ruiz requested refund R-1 of Aspire Lounge (OD-C-1), 38.00 EUR.",
    )
    page.get_by_role("tab", name="History").click()
    steps = page.locator(".st-key-history summary")
    expect(steps).to_have_count(len(told))
    for step, sentence in zip(steps.all(), told, strict=True):
        expect(step).to_contain_text(sentence)


@pytest.fixture
def unmatched(make_database: Callable[[str], str], kind: str, data_dir: Path) -> Iterator[Server]:
    """Run a server with two refunds at the provider that Order Desk did not make."""
    url = make_database(kind)
    use_database(url)
    nobody = f"http://127.0.0.1:{free_port()}"
    with settings(stripe_api_key="sk_test_nobody", stripe_api_base=nobody):
        unmatched_items()
        make_item(make_order("OD-TIP"), price_minor=1250)
        tip = {"payment_reference": "pi_2", "order_id": "OD-TIP", "contract_id": "CT-1"}
        amount = {"amount_minor": 500, "currency": "EUR"}
        with storage.writing() as session:
            session.add(ProviderRefund(reference="re_tip", found_at=NOW, **tip, **amount))
        with serving(url, data_dir) as running:
            yield running


def open_match(desk: Desk, number: int) -> Locator:
    """Open the form below a notice, by keyboard."""
    button = desk.page.get_by_role("button", name="Match refund").nth(number)
    desk.press(button)
    form = desk.page.get_by_test_id("stPopoverBody")
    expect(form).to_be_visible()
    return form


def test_refunds_of_the_provider_are_matched_and_dismissed_without_a_mouse(
    open_tab: OpenDesk, unmatched: Server
) -> None:
    desk = open_tab(unmatched).open(table=REFUNDS)
    page, keyboard = desk.page, desk.page.keyboard
    listed = page.locator(".st-key-to_be_matched summary")
    expect(listed).to_contain_text("To be matched (2)")
    listed.focus()
    keyboard.press("Enter")
    expect(page.get_by_text("re_hand")).to_be_visible()
    desk.wait_for_run()
    expect_no_fault(page)
    form = open_match(desk, 0)
    expect_no_fault(page)
    desk.tab_to(form.get_by_role("combobox", name="Order item"))
    keyboard.press("ArrowDown")
    keyboard.press("Enter")
    desk.press(form.get_by_role("button", name="Match"))
    expect(page.get_by_test_id("stToast")).to_contain_text("Matched. The item is now refunded.")
    expect(listed).to_contain_text("To be matched (1)")
    expect(desk.grid.locator(".ag-row").filter(has_text="re_hand").first).to_be_visible()
    form = open_match(desk, 0)
    expect(form.get_by_text("No item of this order with this price is left")).to_be_visible()
    desk.press(form.get_by_role("button", name="Belongs to no item"))
    toast = page.get_by_test_id("stToast").last
    expect(toast).to_contain_text("Write in the note")
    desk.tab_to(form.get_by_role("textbox", name="Note"))
    keyboard.type("A tip")
    keyboard.press("Enter")
    desk.wait_for_run()
    desk.press(form.get_by_role("button", name="Belongs to no item"))
    expect(listed).to_have_count(0)
    notes = unmatched.query("SELECT note FROM provider_refunds WHERE dismissed_by IS NOT NULL")
    assert notes == ["A tip"]
