"""Going from page to page faster than the page can follow: the address says what is drawn."""

import re

import pytest
from playwright.sync_api import Frame, Page

from tests.e2e.conftest import OpenDesk
from tests.e2e.desk import Desk
from tests.e2e.servers import Server
from tests.e2e.waiting import expect

# What the page says to the server arrives so many milliseconds later.
FAR_SERVER = """ms => {
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (said) { setTimeout(() => send.call(this, said), ms); };
}"""
FAR_MS = 400
SAYS_NOTHING = "This page shows one order"


@pytest.fixture
def far(open_tab: OpenDesk) -> Desk:
    """Open Orders of a server that is far away."""
    desk = open_tab().open()
    desk.wait_for_run()
    desk.page.evaluate(FAR_SERVER, FAR_MS)
    return desk


def follow_addresses(page: Page) -> list[str]:
    """Return a list in which every address of the page appears."""
    seen: list[str] = []

    def note(frame: Frame) -> None:
        if frame.parent_frame is None:
            seen.append(frame.url)

    page.on("framenavigated", note)
    return seen


def test_back_before_the_order_has_answered_draws_orders_and_forward_the_order(
    far: Desk, demo: Server
) -> None:
    newest = demo.newest("orders")[0]
    seen = follow_addresses(far.page)
    far.cell(0, "author").click()
    far.page.wait_for_url("**/order?*", wait_until="commit")
    far.page.wait_for_timeout(FAR_MS / 2)  # its first messages come after Back
    far.page.go_back()
    far.page.wait_for_timeout(FAR_MS * 4)
    far.wait_for_run()
    expect(far.page.get_by_role("heading", name="Orders", exact=True)).to_be_visible()
    far.wait_for_rows()
    expect(far.page.get_by_text(SAYS_NOTHING)).to_have_count(0)
    order = f"{far.server}/order?order={newest}"
    assert seen == [order, f"{far.server}/orders"]
    far.page.go_forward()
    expect(far.page.get_by_role("heading", name=f"Order {newest}")).to_be_visible()
    assert far.page.url == order


def test_row_clicked_right_after_typing_opens_its_order(far: Desk) -> None:
    seen = follow_addresses(far.page)
    far.box("Author").fill("maria")
    far.cell(0, "contract_id").click()  # perhaps before the grid has told the page of the filter
    far.page.wait_for_url("**/order?*", wait_until="commit")
    order = far.page.url
    far.page.wait_for_timeout(FAR_MS * 4)
    far.wait_for_run()
    name = order.rpartition("=")[2]
    expect(far.page.get_by_role("heading", name=f"Order {name}")).to_be_visible()
    assert seen[-1] == far.page.url == order


def test_link_clicked_right_after_typing_is_followed(far: Desk) -> None:
    far.box("Author").fill("maria")
    far.page.get_by_role("link", name="Transactions").click()
    far.page.wait_for_timeout(FAR_MS * 4)
    far.wait_for_run()
    expect(far.page.get_by_role("heading", name="Transactions", exact=True)).to_be_visible()
    expect(far.page).to_have_url(re.compile("/transactions"))


def test_link_clicked_with_ctrl_opens_another_tab(desk: Desk) -> None:
    with desk.page.context.expect_page() as waiting:
        desk.page.get_by_role("link", name="Transactions").click(modifiers=["ControlOrMeta"])
    other = waiting.value
    expect(other.get_by_role("heading", name="Transactions", exact=True)).to_be_visible()
    other.close()
    expect(desk.page.get_by_role("heading", name="Orders", exact=True)).to_be_visible()
