"""The header and the tools keep to one line at every width; a phone has a bar for selected rows."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page

from tests.conftest import use_database
from tests.e2e.axe import expect_no_fault
from tests.e2e.conftest import WINDOW, OpenDesk
from tests.e2e.desk import ITEMS, ORDERS, Desk, Shown
from tests.e2e.lines import boxes_in, faults_of_line
from tests.e2e.servers import Server, serving
from tests.e2e.waiting import expect
from tests.rows import make_item, make_note, make_order, make_refund

WIDTHS = [700, 768, 900, 1024, 1100, 1180, 1280, 1440, 1920]
LONG = "maximiliane.von-und-zu-langenfeld@northwind-airways-holidays.example"
HEADER = ".st-key-navigation, .st-key-who, #deskBar"
PAGES = {
    "viewer": 5,
    "agent": 6,
    "accountant": 6,
    "admin": 11,
}
MANY = 120
ONE_LINE = 48.0  # pixels


def resize(page: Page, width: int, height: int = 900) -> None:
    """Give the window another size, and wait for the next picture."""
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))")


@pytest.fixture(scope="module")
def server(make_database: Callable[[str], str], kind: str, data_dir: Path) -> Iterator[Server]:
    """Run a server whose local user has a long name."""
    url = make_database(kind)
    use_database(url)
    make_order("OD-1")
    with serving(url, data_dir) as running:
        yield running


def make_due(server: Server, start: int, end: int) -> None:
    """Store orders to follow up, each with a refund that waits for approval."""
    use_database(server.database)
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    for number in range(start, end):
        order_id = make_order(f"OD-DUE-{number}", item_count=1)
        make_note(order_id, follow_up_on=today, follow_up_by=LONG)
        item_id = make_item(order_id, status="refund_requested")
        make_refund(item_id, status="waiting", settled_at=None)


def faults_of_header(page: Page) -> Iterator[str]:
    for width in WIDTHS:
        resize(page, width)
        boxes = boxes_in(page, HEADER)
        for fault in faults_of_line(boxes, width):
            yield f"{width}: {fault}"
        pages = boxes_in(page, ".st-key-navigation")
        yield from (f"{width}: “{one['name']}” is cut" for one in pages if one["isCut"])
        if page.locator("#deskBar").bounding_box()["height"] > 61:  # type: ignore[index]
            yield f"{width}: the header has more than one line"


def names_of_pages(page: Page) -> list[str]:
    """Return the pages in the line and in the menu behind it."""
    names = page.locator(".st-key-navigation a:visible").all_inner_texts()
    more = page.get_by_role("button", name="More", exact=True)
    if more.is_visible():
        more.click()
        names += page.locator("#deskPages").get_by_role("link").all_inner_texts()
        page.keyboard.press("Escape")
    return names


def test_the_header_is_one_line_at_every_width_for_every_role(
    open_tab: OpenDesk, server: Server
) -> None:
    server.execute(f"UPDATE users SET email = '{LONG}'")
    desk = open_tab(server, fresh=True)
    page, found = desk.page, list[str]()
    stages = [("admin", 0), ("admin", 3), ("admin", MANY)]
    stages += [(role, MANY) for role in ("viewer", "agent", "accountant")]
    made = 0
    for role, due in stages:
        make_due(server, made, due)
        made = max(made, due)
        server.execute(f"UPDATE users SET role = '{role}'")
        page.set_viewport_size(WINDOW)
        desk.open()
        desk.wait_for_run()
        shown = f"{due}" if due < 100 else "99+"
        expect(page.get_by_role("link", name=f"{shown} due")).to_have_count(min(due, 1))
        found += (f"{role}, {due} due, {one}" for one in faults_of_header(page))
        for width in (768, 1280):
            resize(page, width)
            assert len(set(names_of_pages(page))) == PAGES[role], f"{role} at {width}"
    assert found == [], "\n".join(found)
    page.set_viewport_size(WINDOW)


def test_what_is_not_in_the_line_is_in_a_menu_and_the_open_page_is_in_the_line(
    open_tab: OpenDesk,
) -> None:
    desk = open_tab().open()
    page = desk.page
    resize(page, 768)
    line = page.locator(".st-key-navigation")
    expect(line.get_by_role("link", name="Audit Trail")).to_be_hidden()
    more = page.get_by_role("button", name="More", exact=True)
    more.focus()
    page.keyboard.press("Enter")
    menu = page.get_by_role("navigation", name="Pages")
    expect(menu.get_by_role("link", name="Audit Trail")).to_be_in_viewport()
    expect_no_fault(page)
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(more).to_be_focused()
    more.click()
    menu.get_by_role("link", name="Audit Trail").click()
    expect(page.get_by_role("heading", name="Audit Trail")).to_be_visible()
    expect(menu).to_be_hidden()
    expect(line.get_by_role("link", name="Audit Trail")).to_be_in_viewport()
    expect(line.get_by_role("link", name="Overview")).to_be_in_viewport()
    assert list(faults_of_line(boxes_in(page, HEADER), 768)) == []
    page.set_viewport_size(WINDOW)


def test_a_header_without_the_fit_has_faults(open_tab: OpenDesk) -> None:
    desk = open_tab().open()
    page = desk.page
    resize(page, 768)
    page.evaluate("orderDeskPage.tuck = () => new Set(); orderDeskPage.fits = () => true")
    page.evaluate(
        "document.querySelectorAll('[data-tucked]').forEach(one => delete one.dataset.tucked)"
    )
    assert any(
        "over" in one or "out of" in one for one in faults_of_line(boxes_in(page, HEADER), 768)
    )
    page.set_viewport_size(WINDOW)


def tick(desk: Desk, *rows: int) -> None:
    for row in rows:
        desk.box_of(row).click()
    desk.expect_selected(f"{len(rows)} selected")
    desk.wait_for_run()


def action(page: Page, name: str) -> Locator:
    """Find the button of an action; with valid vouchers, Download Voucher is a link."""
    actions = page.locator(".st-key-actions")
    button = actions.get_by_role("button", name=name, exact=True)
    return button.or_(actions.get_by_role("link", name=name, exact=True))


def faults_of_strips(page: Page, width: int, strips: list[str]) -> Iterator[str]:
    for strip in strips:
        box = page.locator(strip).bounding_box()
        assert box
        if box["height"] > ONE_LINE:
            yield f"{width}: {strip} is {box['height']:.0f} pixels high"
        end = box["x"] + box["width"]
        yield from (f"{width}: {one}" for one in faults_of_line(boxes_in(page, strip), end))


@pytest.mark.parametrize("place", ["order items", "orders", "an order"])
def test_tools_keep_to_one_line_with_and_without_selected_rows(
    open_tab: OpenDesk, demo: Server, place: str
) -> None:
    desk = open_tab()
    page = desk.page
    actions = ["Refund", "Download Voucher", "Send Voucher"]
    if place == "an order":
        desk.open_order(demo.newest("orders", "item_count > 3")[0])
    else:
        desk.open(table=ITEMS if place == "order items" else ORDERS)
    if place == "orders":
        actions = ["Refund…", "Download Vouchers…", "Send Vouchers…"]
    found = list[str]()
    for is_ticked in (False, True):
        if is_ticked:
            page.set_viewport_size(WINDOW)
            tick(desk, 0, 1, 2)
        for width in WIDTHS:
            resize(page, width)
            strips = [".st-key-tools"] if place == "an order" else [".st-key-head", ".st-key-tools"]
            found += faults_of_strips(page, width, strips)
            for name in actions:
                if not action(page, name).is_visible():
                    found.append(f"{width}: {name} is hidden")
    assert found == [], "\n".join(found)
    resize(page, 768)
    columns = page.get_by_role("button", name="Columns", exact=True)
    expect(columns).to_be_hidden()
    page.get_by_role("button", name="Tools", exact=True).click()
    expect(columns).to_be_in_viewport()
    page.get_by_role("button", name="Tools", exact=True).click()
    expect(columns).to_be_hidden()
    page.set_viewport_size(WINDOW)


def expect_reached(page: Page, wanted: Locator) -> None:
    """Expect an element in the window, with nothing over it."""
    expect(wanted).to_be_in_viewport(ratio=1)
    is_on_top = """one => {
      const {left, right, top, bottom} = one.getBoundingClientRect();
      const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
      return one.contains(hit) || hit.contains(one);
    }"""
    assert wanted.evaluate(is_on_top)


@pytest.mark.parametrize(
    ("table", "names"),
    [
        (ITEMS, ("Refund", "Download Voucher", "Send Voucher")),
        (ORDERS, ("Refund…", "Download Vouchers…", "Send Vouchers…")),
    ],
    ids=["order items", "orders"],
)
@pytest.mark.parametrize(("width", "height"), [(390, 844), (320, 256)], ids=["phone", "zoom"])
def test_a_phone_has_a_bar_for_the_selected_rows(
    open_tab: OpenDesk, table: Shown, names: tuple[str, ...], width: int, height: int
) -> None:
    desk = open_tab().open(table=table)
    page = desk.page
    resize(page, width, height)
    bar = page.locator(".st-key-actions")
    expect(bar).to_be_hidden()
    tick(desk, 0, 1, 2)
    expect_reached(page, bar.get_by_text("3 selected"))
    clear = bar.get_by_role("button", name="Clear", exact=True)
    expect_reached(page, clear)
    for name in names:
        expect_reached(page, action(page, name))
    assert [one for one in boxes_in(page, ".st-key-actions") if one["isCut"]] == []
    box = bar.bounding_box()
    assert box
    assert box["y"] + box["height"] == pytest.approx(height, abs=1)
    if height > 480:  # the table and the line below it end above the bar
        below = desk.below.bounding_box()
        assert below
        assert below["y"] + below["height"] <= box["y"] + 1
        scroller = page.locator("[data-testid=stMain]")
        assert scroller.evaluate("one => one.scrollHeight <= one.clientHeight + 1")
    expect_no_fault(page)
    bar.get_by_role("button", name=names[0], exact=True).click()
    expect(desk.dialog).to_be_visible()
    desk.close_dialog()
    clear.click()
    expect(bar).to_be_hidden()
    page.set_viewport_size(WINDOW)
