"""The history of an order in the browser: sentences that open, by keyboard too, and the table."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core import refunds
from core.ground import Role
from tests.conftest import use_database
from tests.e2e.axe import expect_no_fault
from tests.e2e.conftest import WINDOW, OpenDesk
from tests.e2e.desk import AUDIT
from tests.e2e.servers import Server, serving
from tests.e2e.test_accessibility import OVERFLOWING
from tests.e2e.waiting import expect
from tests.rows import make_actor, make_item, make_order, make_transaction

NOW = datetime.now(UTC).replace(microsecond=0)
SOON = NOW + timedelta(days=9)
REFUNDED = (
    "Ana Ruiz refunded Fast Track Security (F-1), 38.00 EUR to the contract's balance. "
    "Reason: flight cancelled. “Gate closed”"
)


@pytest.fixture(scope="module")
def server(make_database: Callable[[str], str], kind: str, data_dir: Path) -> Iterator[Server]:
    """Run a server with an order whose item was refunded."""
    url = make_database(kind)
    use_database(url)
    make_order("OD-1")
    dates = {"refund_expire_at": SOON, "valid_until": SOON}
    make_item("OD-1", order_item_id="F-1", product="Fast Track Security", **dates)
    make_transaction(order_id="OD-1")
    ana = make_actor(Role.AGENT, email="ana@helios.example", name="Ana Ruiz")
    said: dict[str, Any] = {"reason": "flight_cancelled", "note": "Gate closed", "key": "k"}
    refunds.request(["F-1"], actor=ana, now=NOW, **said)
    with serving(url, data_dir) as running:
        yield running


def test_a_history_is_read_opened_by_keyboard_and_shown_as_a_table(
    open_tab: OpenDesk, server: Server
) -> None:
    desk = open_tab(server)
    page = desk.page
    page.goto(f"{server.url}/order?order=OD-1&tab=History", wait_until="commit")
    steps = page.locator(".st-key-history summary")
    expect(steps).to_have_count(2)
    expect(steps.filter(has_text="Reason")).to_have_count(2)
    refunded = steps.filter(has_text=REFUNDED)
    refunded.focus()
    page.keyboard.press("Enter")
    lines = page.locator(".st-key-history table tbody tr")
    expect(lines.filter(has_text="Amount")).to_contain_text("38.00 EUR")
    expect(lines.first.get_by_role("cell")).to_have_text(["Status", "Processing", "Succeeded"])
    expect(page.get_by_text('"action": "refund.succeeded"')).to_be_visible()
    desk.wait_for_run()
    expect_no_fault(page)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate(OVERFLOWING) == []
    page.set_viewport_size(WINDOW)
    desk.table, desk.parameter = AUDIT, "history"
    desk.press(page.get_by_role("switch", name="As a table"), "Space")
    desk.wait_for_rows()
    actions = sorted(desk.cell(row, "action").inner_text() for row in range(2))
    assert actions == ["order_item.refund_requested", "refund.succeeded"]


def test_an_event_of_the_audit_trail_opens_beside_its_row(
    open_tab: OpenDesk, server: Server
) -> None:
    desk = open_tab(server).open(table=AUDIT)
    desk.box("What happened").fill("refunded fast track")
    desk.expect_words("What happened contains “refunded fast track”")
    desk.expect_column("sentence", [REFUNDED])
    desk.cell(0, "sentence").focus()
    desk.page.keyboard.press("Space")
    desk.expect_selected("1 selected")
    desk.page.get_by_role("searchbox", name="Search events").focus()
    desk.press(desk.page.get_by_role("button", name="Show", exact=True))
    expect(desk.dialog.get_by_text(REFUNDED)).to_be_visible()
    expect(desk.dialog.get_by_role("cell", name="Gate closed")).to_be_visible()
    desk.wait_for_run()
    expect_no_fault(desk.page)
    desk.close_dialog()
