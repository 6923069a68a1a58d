"""The scenes of the pictures: a page, and the steps that lead to it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from playwright.sync_api import expect

from tests.e2e.desk import ITEMS, REFUNDS, Desk
from tests.e2e.servers import PROJECT

Scheme = Literal["light", "dark"]


@dataclass(frozen=True)
class Scene:
    """One picture: the name of its file, its colour scheme, and the steps to it."""

    name: str
    scheme: Scheme
    go: Callable[[Desk], object]
    page: str = "orders"  # the file in pages/ that the picture needs

    @property
    def is_there(self) -> bool:
        """Return whether this version of Order Desk has the page."""
        return (PROJECT / "pages" / f"{self.page}.py").exists()


def show_filtered(desk: Desk) -> None:
    """Filter by three columns, and select two rows."""
    contract = {"filterType": "set", "values": ["CT-1001", "CT-1007"]}
    widget = {"filterType": "text", "type": "notBlank"}
    total = {"filterType": "number", "type": "greaterThan", "filter": 2}
    filters = {"contract_id": contract, "widget_id": widget, "item_count": total}
    desk.open(view={"filters": filters})
    desk.box_of(1).click()
    desk.box_of(3).click()
    desk.expect_selected("2 selected")


def show_states(desk: Desk) -> None:
    """Show order items in several states."""
    desk.open(view={"search": "müller"}, table=ITEMS)


def show_order(desk: Desk) -> None:
    """Open the newest order."""
    newest = desk.open().cell(0, "order_id").inner_text()
    desk.open_order(newest)


def show_refund(desk: Desk) -> None:
    """Open the refund dialog for items of which some can be refunded."""
    desk.open(view={"search": "lounge"}, table=ITEMS)
    for row in range(8):
        desk.box_of(row).click()
    desk.expect_selected("8 selected")
    desk.page.get_by_role("button", name="Refund", exact=True).click()
    expect(desk.page.get_by_text("items will be refunded.")).to_be_visible()


def show_refunds(desk: Desk) -> None:
    """Show all refunds, of which some wait for approval."""
    desk.open(table=REFUNDS)


def show_approval(desk: Desk) -> None:
    """Open the dialog of refunds that wait for a second person."""
    waiting = {"filters": {"status": {"filterType": "set", "values": ["waiting"]}}}
    desk.open(view=waiting, table=REFUNDS)
    for row in range(3):
        desk.box_of(row).click()
    desk.expect_selected("3 selected")
    desk.page.get_by_role("button", name="Approve", exact=True).click()
    expect(desk.page.get_by_text("will be approved.")).to_be_visible()


def show_history(desk: Desk) -> None:
    """Open the history of an order with a note and an event."""
    noted = {"filters": {"note": {"filterType": "text", "type": "equals", "filter": "Gate closed"}}}
    order_id = desk.open(view=noted, table=REFUNDS).cell(0, "order_id").inner_text()
    desk.page.goto(f"{desk.server}/order?order={order_id}&tab=History", wait_until="commit")
    expect(desk.page.locator(".deskNote")).to_be_visible()
    desk.page.locator(".st-key-history summary").filter(has_text="refunded").click()
    expect(desk.page.get_by_text("Raw record")).to_be_visible()


def show_send(desk: Desk) -> None:
    """Open the Send Voucher dialog with its preview."""
    desk.open(view={"search": "lounge"}, table=ITEMS)
    desk.box_of(0).click()
    desk.expect_selected("1 selected")
    desk.page.get_by_role("button", name="Send Voucher").click()
    dialog = desk.page.get_by_role("dialog")
    dialog.get_by_text("Preview").click()
    expect(dialog.get_by_text("Subject")).to_be_visible()


def show_explained(desk: Desk) -> None:
    """Open the explanation of the columns."""
    desk.open(table=ITEMS).open_popover("Columns and refunds explained")


def at(address: str) -> Callable[[Desk], object]:
    """Return the step to a page without a table."""
    return lambda desk: desk.page.goto(f"{desk.server}{address}", wait_until="commit")


SCENES = (
    Scene("overview", "light", at("/overview"), page="overview"),
    Scene("orders-light", "light", lambda desk: desk.open()),
    Scene("orders-dark", "dark", lambda desk: desk.open()),
    Scene("filtered", "light", show_filtered),
    Scene("order-items", "light", show_states),
    Scene("order-dark", "dark", show_order),
    Scene("refund", "light", show_refund),
    Scene("refunds", "light", show_refunds, page="refunds"),
    Scene("approval", "light", show_approval, page="refunds"),
    Scene("history", "light", show_history, page="refunds"),
    Scene("send", "light", show_send),
    Scene("columns", "dark", show_explained),
    Scene("imports", "light", at("/imports"), page="imports"),
)
TOUR = (
    *("overview", "orders-light", "filtered", "order-items", "refund", "refunds", "history"),
    *("send", "imports"),
)
