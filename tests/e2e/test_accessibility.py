"""Every page, dialog and menu as axe sees it, in light and dark: no fault of any impact.

Each test is a tour of one tab through several states, and lists the faults of all of them. What
only comes with other rows, such as the errors of an import, is looked at where it is tested.
"""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from tests.e2e.axe import expect_no_fault, faults_in_light_and_dark, faults_of
from tests.e2e.conftest import WINDOW, OpenDesk
from tests.e2e.desk import (
    AUDIT,
    CONTRACTS,
    ITEMS,
    ORDERS,
    REFUNDS,
    TRANSACTIONS,
    USERS,
    Desk,
    Shown,
)
from tests.e2e.servers import Server
from tests.e2e.waiting import expect

# What stands out of the window to the right, and can be neither scrolled to nor seen.
OVERFLOWING = """() => [...document.querySelectorAll(":is(a, button, input, p, h1)")]
  .filter(one => !one.closest(".st-key-words, .st-key-below"))
  .filter(one => one.getBoundingClientRect().right > innerWidth + 1)
  .map(one => one.textContent || one.ariaLabel)"""


def show_orders(desk: Desk) -> None:
    desk.go_to(view={"filters": {"author": {"filterType": "text", "type": "notBlank"}}})
    desk.box_of(1).click()
    desk.expect_selected("1 selected")
    desk.cell(2, "author").evaluate("cell => cell.focus()")


def newest_of(desk: Desk) -> str:
    return desk.go_to().cell(0, "order_id").inner_text()


def show_order(desk: Desk, tab: str) -> None:
    newest = newest_of(desk)
    desk.go_to_order(newest, tab)
    expect(desk.page.get_by_role("heading", name=f"Order {newest}")).to_be_visible()


def show_refunds_of_order(desk: Desk) -> None:
    desk.go_to_order(desk.go_to(table=REFUNDS).cell(0, "order_id").inner_text(), "Refunds")


def show_notes(desk: Desk) -> None:
    """Show the history of an order that has a note."""
    noted = {"last_note": {"filterType": "text", "type": "notBlank"}}
    order_id = desk.go_to(view={"filters": noted}).cell(0, "order_id").inner_text()
    desk.go(f"/order?order={order_id}&tab=History")
    expect(desk.page.locator(".deskNote").first).to_be_visible()
    desk.wait_for_run()


def show_empty_tab(desk: Desk) -> None:
    """Show the oldest order, with which no other test acts."""
    oldest = desk.go_to(view={"sort": [{"colId": "created_at", "sort": "asc"}]}).cell(0, "order_id")
    desk.go(f"/order?order={oldest.inner_text()}&tab=History")
    expect(desk.page.get_by_text("This order has no events yet.")).to_be_visible()
    desk.wait_for_run()


def show_empty_emails(desk: Desk) -> None:
    desk.go(f"/order?order={newest_of(desk)}&tab=E-mails")
    expect(desk.page.get_by_text("This order has no e-mails yet.")).to_be_visible()
    desk.wait_for_run()


def show_reset(desk: Desk) -> None:
    desk.go_to().page.get_by_role("button", name="Reset the demo").click()
    dialog = desk.page.get_by_role("dialog")
    expect(dialog.get_by_text("cannot be undone")).to_be_visible()
    desk.wait_for_run()


def at_orders(desk: Desk) -> Desk:
    """Go to Orders, unless that is where the last test was."""
    if urlsplit(desk.page.url).path != "/orders":
        return desk.go_to()
    desk.page.keyboard.press("Escape")
    expect(desk.page.get_by_test_id("stPopoverBody")).to_have_count(0)
    return desk


def show_popover(desk: Desk, name: str) -> None:
    at_orders(desk).open_popover(name)
    desk.wait_for_run()


def show_dialog(desk: Desk) -> None:
    at_orders(desk).open_popover("Views").get_by_role("button", name="Save this view…").click()
    expect(desk.page.get_by_role("textbox", name="Name")).to_be_visible()
    desk.wait_for_run()


def show_choices(desk: Desk) -> None:
    desk.go_to().open_list("Author")
    desk.tick(desk.list_rows.first.locator("span").first.inner_text())
    expect(desk.words.get_by_role("button")).to_have_count(2)


def show_values(desk: Desk, table: Shown, header: str) -> None:
    desk.go_to(table=table).open_list(header)


def show_date_filter(desk: Desk) -> None:
    desk.go_to(table=ITEMS).button_of("Service Date").click()
    expect(desk.grid.locator(".ag-filter-menu")).to_be_visible()


def show_nothing(desk: Desk) -> None:
    desk.go_to(view={"search": "no such order", "ids": ["OD-NOWHERE"]})
    expect(desk.page.get_by_role("alert")).to_contain_text("OD-NOWHERE")
    desk.expect_count(0)


def show_unknown_order(desk: Desk) -> None:
    desk.go("/order?order=OD-NOWHERE")
    expect(desk.page.get_by_role("link", name="All orders")).to_be_visible()
    desk.wait_for_run()


def show_refund(desk: Desk) -> None:
    """Tick so many that both tables of the dialog scroll."""
    desk.go_to(view={"search": "lounge"}, table=ITEMS)
    for row in range(14):
        desk.box_of(row).click()
    desk.expect_selected("14 selected")
    desk.page.get_by_role("button", name="Refund", exact=True).click()
    expect(desk.page.get_by_text("of 14 items will be refunded.")).to_be_visible()
    desk.wait_for_run()


def show_new_user(desk: Desk) -> None:
    desk.go_to(table=USERS)
    desk.page.get_by_role("button", name="Add user").click()
    expect(desk.page.get_by_role("dialog").get_by_role("textbox", name="E-mail")).to_be_visible()
    desk.wait_for_run()


def show_selected(desk: Desk, table: Shown, button: str) -> None:
    """Tick the first row, and open the dialog of a button, after the dialog before."""
    if desk.dialog.count():
        desk.close_dialog()
    desk.go_to(table=table)
    desk.clear_selection()
    desk.box_of(0).click()
    desk.expect_selected("1 selected")
    desk.page.get_by_role("button", name=button, exact=True).click()
    expect(desk.dialog).to_be_visible()
    desk.wait_for_run()


def show_import(desk: Desk) -> None:
    desk.go("/imports")
    expect(desk.page.get_by_role("button", name="Check files")).to_be_visible()
    desk.wait_for_run()


def show_overview(desk: Desk, show: str, shown: str) -> None:
    desk.go(f"/overview?show={show}")
    expect(desk.page.locator(shown)).to_have_count(11)
    desk.wait_for_run()


def show_title(desk: Desk, path: str, title: str) -> None:
    desk.go(path)
    expect(desk.page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    desk.wait_for_run()


def show_verdict(desk: Desk) -> None:
    """Check a code that nobody has, after it was seen that the page is empty."""
    desk.page.get_by_role("textbox", name="Code").fill("7QXM-22KD-9WTA")
    desk.page.get_by_role("button", name="Verify").click()
    expect(desk.page.locator(".st-key-recent_checks table")).to_be_visible()
    desk.wait_for_run()


def show_send(desk: Desk) -> None:
    desk.go_to(view={"search": "executive"}, table=ITEMS)
    desk.expect_words("Search “executive”")
    desk.clear_selection()
    desk.box_of(0).click()
    desk.box_of(1).click()
    desk.expect_selected("2 selected")
    desk.page.get_by_role("button", name="Send Voucher").click()
    expect(desk.dialog).to_be_visible()
    desk.wait_for_run()


def show_filter(desk: Desk, header: str) -> None:
    desk.page.keyboard.press("Escape")
    desk.button_of(header).click()
    expect(desk.grid.locator(".ag-filter-menu, .deskSet, .deskDate").first).to_be_visible()


def show_dates(desk: Desk) -> None:
    """Open the list of the box below a date, with what is wrong with a text in it."""
    desk.go_to(table=ITEMS)
    desk.box("Service Date").fill("nonsense")
    expect(desk.grid.locator(".deskList")).to_be_visible()


def show_row_menu(desk: Desk) -> None:
    at_orders(desk).cell(1, "author").click(button="right")
    expect(desk.grid.get_by_role("menu", name="Row")).to_be_visible()


def show_menu(desk: Desk) -> None:
    at_orders(desk).page.get_by_role("button", name="Menu", exact=True).click()
    expect(desk.page.get_by_role("dialog", name="Menu")).to_be_visible()


def show_own_dialog(desk: Desk, key: str, name: str) -> None:
    """Open a dialog of the frame: the keys, or the search."""
    desk.page.keyboard.press("Escape")
    desk.page.keyboard.press(key)
    expect(desk.page.get_by_role("dialog", name=name)).to_be_visible()


def show_hits(desk: Desk) -> None:
    desk.page.keyboard.type("OD26")
    expect(desk.page.get_by_role("option").first).to_be_visible()


def show_totals(desk: Desk) -> None:
    at_orders(desk).below.get_by_role("button", name=" currencies").click()
    expect(desk.page.get_by_test_id("stPopoverBody").locator("td").first).to_be_visible()


def show_rule(desk: Desk) -> None:
    desk.go_to(table=ITEMS)
    desk.open_popover("Columns and refunds explained")


def show_phone(desk: Desk) -> None:
    desk.page.set_viewport_size({"width": 390, "height": 844})
    desk.go_to()
    desk.page.get_by_role("button", name="Tools", exact=True).click()
    expect(desk.page.get_by_role("button", name="Columns", exact=True)).to_be_visible()


def show_phone_menu(desk: Desk) -> None:
    desk.page.get_by_role("button", name="Pages", exact=True).click()
    expect(desk.page.get_by_role("link", name="Audit Trail")).to_be_visible()


TOURS: dict[str, dict[str, Callable[[Desk], object]]] = {
    "pages": {
        "overview": lambda desk: show_overview(desk, "Charts", '[role="graphics-document"]'),
        "overview as tables": lambda desk: show_overview(desk, "Tables", ".st-key-plots table"),
        "emails": lambda desk: show_title(desk, "/emails", "E-mails"),
        "import": show_import,
        "verify": lambda desk: show_title(desk, "/verify", "Verify"),
        "verdict": show_verdict,
        "no order": lambda desk: show_title(desk, "/order", "Open an order"),
        "unknown order": show_unknown_order,
    },
    "tables": {
        "orders": show_orders,
        "order items": lambda desk: desk.go_to(table=ITEMS),
        "transactions": lambda desk: desk.go_to(table=TRANSACTIONS),
        "refunds": lambda desk: desk.go_to(table=REFUNDS),
        "users": lambda desk: desk.go_to(table=USERS),
        "contracts": lambda desk: desk.go_to(table=CONTRACTS),
        "audit trail": lambda desk: desk.go_to(table=AUDIT),
        "no row": show_nothing,
    },
    "an order": {
        "products": lambda desk: show_order(desk, "Products"),
        "transactions": lambda desk: show_order(desk, "Transactions"),
        "refunds": show_refunds_of_order,
        "e-mails": show_empty_emails,
        "history": show_empty_tab,
        "notes": show_notes,
    },
    "menus": {
        "views": lambda desk: show_popover(desk, "Views"),
        "paste IDs": lambda desk: show_popover(desk, "Paste IDs"),
        "columns": lambda desk: show_popover(desk, "Columns"),
        "more downloads": lambda desk: show_popover(desk, "More downloads"),
        "columns explained": lambda desk: show_popover(desk, "Columns explained"),
        "totals": show_totals,
        "row": show_row_menu,
        "menu": show_menu,
        "rule": show_rule,
        "phone": show_phone,
        "pages on a phone": show_phone_menu,
    },
    "filters": {
        "list of values": show_choices,
        "contracts with their names": lambda desk: show_values(desk, ORDERS, "Contract ID"),
        "states": lambda desk: show_values(desk, ITEMS, "Status"),
        "reasons": lambda desk: show_values(desk, REFUNDS, "Reason"),
        "text": lambda desk: show_filter(desk.go_to(), "Order ID"),
        "number": lambda desk: show_filter(desk, "Total"),
        "date": show_date_filter,
        "list of dates": show_dates,
    },
    "dialogs": {
        "save a view": show_dialog,
        "refund": show_refund,
        "refund again": lambda desk: show_selected(desk, REFUNDS, "Refund again"),
        "approve": lambda desk: show_selected(desk, REFUNDS, "Approve"),
        "decline": lambda desk: show_selected(desk, REFUNDS, "Decline"),
        "change a contract": lambda desk: show_selected(desk, CONTRACTS, "Change"),
        "own rights": lambda desk: show_selected(desk, USERS, "Change"),
        "an event": lambda desk: show_selected(desk, AUDIT, "Show"),
        "add a user": show_new_user,
        "send": show_send,
        "reset the demo": show_reset,
    },
    "dialogs of the frame": {
        "keys": lambda desk: show_own_dialog(desk, "?", "Keyboard shortcuts"),
        "search": lambda desk: show_own_dialog(desk, "Control+k", "Search everything"),
        "hits": show_hits,
    },
}


@pytest.fixture
def looked_at(open_tab: OpenDesk) -> Iterator[Desk]:
    """Open Orders in a new tab: dialogs, colours and sizes of one test do not reach the next."""
    desk = open_tab().open()
    yield desk
    desk.page.set_viewport_size(WINDOW)


@pytest.mark.parametrize("tour", TOURS)
def test_no_state_has_a_fault(looked_at: Desk, tour: str) -> None:
    found = list[str]()
    for state, show in TOURS[tour].items():
        show(looked_at)
        found += (f"{state}: {fault}" for fault in faults_in_light_and_dark(looked_at.page))
    assert not found, "\n".join(found)


def test_empty_page_has_no_fault(open_tab: OpenDesk, shop: Server, sees_nothing: None) -> None:
    desk = open_tab(shop)
    desk.page.goto(f"{shop.url}/orders", wait_until="commit")
    expect(desk.page.get_by_text("You see no orders yet.")).to_be_visible()
    desk.wait_for_run()
    expect_no_fault(desk.page)


def test_page_without_permission_has_no_fault(
    open_tab: OpenDesk, shop: Server, is_viewer: None
) -> None:
    desk = open_tab(shop)
    desk.page.goto(f"{shop.url}/users", wait_until="commit")
    expect(desk.page.get_by_role("alert")).to_be_visible()
    desk.wait_for_run()
    expect_no_fault(desk.page)


@pytest.fixture
def sees_nothing(shop: Server) -> Iterator[None]:
    """Let the local user of the shop see no contract, for the length of a test."""
    shop.execute("UPDATE users SET sees_all_contracts = false")
    yield
    shop.execute("UPDATE users SET sees_all_contracts = true")


@pytest.fixture
def is_viewer(shop: Server) -> Iterator[None]:
    """Let the local user of the shop be a viewer, for the length of a test."""
    shop.execute("UPDATE users SET role = 'viewer'")
    yield
    shop.execute("UPDATE users SET role = 'admin'")


def test_refused_download_has_no_fault(open_tab: OpenDesk, demo: Server) -> None:
    page = open_tab(fresh=True).page
    page.goto(f"{demo.url}/export/orders?token=forged")
    assert faults_of(page) == []
    page.emulate_media(color_scheme="dark")
    assert faults_of(page) == []


@pytest.mark.parametrize("table", [ITEMS, TRANSACTIONS, REFUNDS])
def test_zoom_of_400_percent_cuts_nothing_off(looked_at: Desk, table: Shown) -> None:
    """As WCAG 1.4.10 asks: at 320 CSS pixels nothing but the grid scrolls sideways."""
    looked_at.page.set_viewport_size({"width": 320, "height": 640})
    looked_at.open(table=table)
    looked_at.wait_for_run()
    assert looked_at.page.evaluate(OVERFLOWING) == []
    looked_at.page.get_by_role("button", name="Pages", exact=True).click()
    link = looked_at.page.get_by_role("link", name="Audit Trail")
    expect(link).to_be_in_viewport()
    looked_at.page.keyboard.press("Escape")
    looked_at.page.set_viewport_size(WINDOW)


def test_axe_looks_into_the_frame_of_the_grid(looked_at: Desk) -> None:
    looked_at.open()
    looked_at.box("Author").evaluate("box => box.removeAttribute('aria-label')")
    (fault,) = faults_of(looked_at.page)
    assert fault.startswith("critical label: ['iframe'")
