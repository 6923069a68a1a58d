"""Every page, in light and dark, as axe sees it: no serious fault, in the grid's frame neither."""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.e2e.conftest import WINDOW, OpenDesk
from tests.e2e.desk import AUDIT, ITEMS, TRANSACTIONS, USERS, Desk, Shown
from tests.e2e.servers import Server
from tests.e2e.waiting import expect
from tests.effort import is_thorough

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
GRAVE = {"serious", "critical"}
# What these show has every colour. The others are looked at in dark by a thorough run.
COLOURFUL = {"overview", "orders", "refund", "list of values", "no row"}
LOOK = "options => axe.run(options).then(found => found.violations)"
# Page and grid, of which the second follows the first a moment later.
IS_DARK = """() => {
  const grid = document.querySelector("iframe")?.contentDocument.querySelector(".ag-root-wrapper");
  return [document.querySelector("[data-testid=stApp]"), grid].filter(Boolean).every(one =>
    one.ownerDocument.defaultView.getComputedStyle(one)
      .backgroundColor.match(/\\d+/g).every(part => part < 128));
}"""
# What stands out of the window to the right, and can be neither scrolled to nor seen.
OVERFLOWING = """() => [...document.querySelectorAll(":is(a, button, input, p, h1)")]
  .filter(one => !one.closest(".st-key-words, .st-key-below"))
  .filter(one => one.getBoundingClientRect().right > innerWidth + 1)
  .map(one => one.textContent || one.ariaLabel)"""
axe = Axe()


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


def show_empty_tab(desk: Desk) -> None:
    newest = newest_of(desk)
    desk.go(f"/order?order={newest}&tab=History")
    expect(desk.page.get_by_text("This order has no events yet.")).to_be_visible()
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
    at_orders(desk).open_popover("Views").get_by_role("button", name="Save this view …").click()
    expect(desk.page.get_by_role("textbox", name="Name")).to_be_visible()
    desk.wait_for_run()


def show_choices(desk: Desk) -> None:
    desk.go_to().open_list("Author")
    desk.tick(desk.list_rows.first.locator("span").first.inner_text())
    expect(desk.words.get_by_role("button")).to_have_count(2)


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


def show_import(desk: Desk) -> None:
    desk.go("/imports")
    expect(desk.page.get_by_role("button", name="Check files")).to_be_visible()
    desk.wait_for_run()


def show_overview(desk: Desk, show: str, shown: str) -> None:
    desk.go(f"/overview?show={show}")
    expect(desk.page.locator(shown)).to_have_count(8)
    desk.wait_for_run()


STATES: dict[str, Callable[[Desk], object]] = {
    "overview": lambda desk: show_overview(desk, "Charts", '[role="graphics-document"]'),
    "overview as tables": lambda desk: show_overview(desk, "Tables", ".st-key-plots table"),
    "orders": show_orders,
    "order items": lambda desk: desk.go_to(table=ITEMS),
    "transactions": lambda desk: desk.go_to(table=TRANSACTIONS),
    "products of an order": lambda desk: show_order(desk, "Products"),
    "transactions of an order": lambda desk: show_order(desk, "Transactions"),
    "history of an order": show_empty_tab,
    "import": show_import,
    "users": lambda desk: desk.go_to(table=USERS),
    "add a user": show_new_user,
    "audit trail": lambda desk: desk.go_to(table=AUDIT),
    "views": lambda desk: show_popover(desk, "Views"),
    "paste IDs": lambda desk: show_popover(desk, "Paste IDs"),
    "columns": lambda desk: show_popover(desk, "Columns"),
    "more downloads": lambda desk: show_popover(desk, "More downloads"),
    "columns explained": lambda desk: show_popover(desk, "What do the columns mean?"),
    "reset the demo": show_reset,
    "save a view": show_dialog,
    "refund": show_refund,
    "list of values": show_choices,
    "date filter": show_date_filter,
    "no row": show_nothing,
    "unknown order": show_unknown_order,
}


@pytest.fixture
def looked_at(open_tab: OpenDesk) -> Desk:
    """Open Orders in a new tab: dialogs, colours and sizes of one test do not reach the next."""
    return open_tab().open()


def grave_faults(page: Page, only: Sequence[str] = RULES) -> list[str]:
    """Let axe look at the page and its frames; return what is serious, with where it is."""
    for frame in page.frames:
        if not frame.evaluate("() => 'axe' in window"):
            frame.evaluate(axe.axe_script)
    found = page.evaluate(LOOK, {"runOnly": list(only), "resultTypes": ["violations"]})
    return [
        f"{fault['id']}: {node['target']} {node['html'][:200]}"
        for fault in found
        for node in fault["nodes"]
        if fault["impact"] in GRAVE
    ]


def expect_no_grave_fault(page: Page, *, in_dark: bool = False) -> None:
    """Check the page in light, and also in dark if asked; a thorough run always asks."""
    assert grave_faults(page) == []
    if in_dark or is_thorough():
        page.emulate_media(color_scheme="dark")
        page.wait_for_function(IS_DARK)
        assert grave_faults(page, ["color-contrast"]) == []
        page.emulate_media(color_scheme="light")


@pytest.mark.parametrize("state", STATES)
def test_page_has_no_grave_fault(looked_at: Desk, state: str) -> None:
    STATES[state](looked_at)
    expect_no_grave_fault(looked_at.page, in_dark=state in COLOURFUL)


@pytest.mark.usefixtures("sees_nothing")
def test_empty_page_has_no_grave_fault(open_tab: OpenDesk, shop: Server) -> None:
    desk = open_tab(shop)
    desk.page.goto(f"{shop.url}/orders", wait_until="commit")
    expect(desk.page.get_by_text("You see no orders yet.")).to_be_visible()
    desk.wait_for_run()
    expect_no_grave_fault(desk.page)


@pytest.fixture
def sees_nothing(shop: Server) -> Iterator[None]:
    """Let the local user of the shop see no contract, for the length of a test."""
    shop.execute("UPDATE users SET sees_all_contracts = false")
    yield
    shop.execute("UPDATE users SET sees_all_contracts = true")


def test_refused_download_has_no_grave_fault(open_tab: OpenDesk, demo: Server) -> None:
    page = open_tab(fresh=True).page
    page.goto(f"{demo.url}/export/orders?token=forged")
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        assert grave_faults(page) == []


@pytest.mark.parametrize("table", [ITEMS, TRANSACTIONS])
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
    (fault,) = grave_faults(looked_at.page)
    assert fault.startswith("label: ['iframe'")
