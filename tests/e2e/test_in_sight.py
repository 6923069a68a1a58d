"""The columns that decide about a refund are in sight, and a refund changes what is seen there."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import ViewportSize

from tests.conftest import use_database
from tests.e2e.conftest import OpenDesk
from tests.e2e.desk import ITEMS, ORDERS, TRANSACTIONS, Desk, confirm_refund
from tests.e2e.servers import Server, serving
from tests.e2e.waiting import expect
from tests.rows import make_item, make_order, make_transaction

WIDE: ViewportSize = {"width": 1440, "height": 900}
NARROW: ViewportSize = {"width": 1280, "height": 720}
PHONE: ViewportSize = {"width": 390, "height": 844}
DECIDING = [
    *("no", "order_item_id", "product", "passenger_name", "service_at", "status"),
    *("refundable_now", "refund_expire_at", "price_minor", "currency"),
]
TO_PRICE = DECIDING[1:-1]
WIDEST = "OD2600-0008888"  # no ID of the sample orders is wider than this one in the grid's font
PINNED_ID = {"colId": "order_item_id", "pinned": "left"}
# The columns that stand in the grid whole, with what is cut off in their headers and cells.
WHOLE = """() => [...document.querySelectorAll(".ag-header-row-column [role=columnheader]")]
  .filter(one => one.getAttribute("col-id") && !one.getAttribute("col-id").startsWith("ag-Grid"))
  .filter(one => one.getBoundingClientRect().right <= document.documentElement.clientWidth)
  .sort((one, other) => one.getBoundingClientRect().left - other.getBoundingClientRect().left)
  .map(one => one.getAttribute("col-id"))"""
CUT = """() => [...document.querySelectorAll(".ag-header-cell-text, .ag-cell, .ag-cell-value")]
  .filter(one => one.clientWidth > 1) /* not what is for screen readers alone */
  .filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.textContent)"""
# The contrast of an element's text with what is behind it; a canvas tells any colour in bytes.
CONTRAST = """one => {
  const draw = document.createElement("canvas").getContext("2d");
  const light = color => {
    draw.fillStyle = "#fff";
    draw.fillStyle = color;
    draw.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...draw.getImageData(0, 0, 1, 1).data].map(part => part / 255)
      .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const isClear = color => /rgba\\(0, 0, 0, 0\\)|transparent/.test(color);
  let behind = one;
  while (isClear(getComputedStyle(behind).backgroundColor)) behind = behind.parentElement;
  const [a, b] = [getComputedStyle(one).color, getComputedStyle(behind).backgroundColor].map(light);
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}"""


@pytest.fixture(scope="module")
def server(make_database: Callable[[str], str], kind: str, data_dir: Path) -> Iterator[Server]:
    """Run a server with an order of two items that can be refunded now, and one of each state."""
    url = make_database(kind)
    use_database(url)
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(days=9)
    given: dict[str, Any] = {"refund_expire_at": soon, "valid_until": soon}
    for order_id, states in (
        ("OD-R", ["not_used", "not_used"]),
        ("OD-S", ["not_used", "used", "refund_requested", "refunded"]),
        (WIDEST, ["not_used"]),
    ):
        price = 3800 * len(states)
        make_order(order_id, item_count=len(states), amount_minor=price)
        make_transaction(order_id=order_id, amount_minor=-price)
        for number, state in enumerate(states, 1):
            at = {"used": {"used_at": soon}, "refunded": {"refunded_at": soon}}.get(state, {})
            item_id = f"{order_id}-{number}"
            make_item(order_id, order_item_id=item_id, status=state, **given, **at)
    with serving(url, data_dir) as running:
        yield running


def open_in(desk: Desk, window: ViewportSize, **given: Any) -> Desk:
    desk.page.set_viewport_size(window)
    return desk.open(**given)


def expect_whole(desk: Desk, names: list[str]) -> None:
    """Wait until the first columns of the grid are these; each is whole, and so is every text."""
    expect(desk.grid.locator(f'[role=columnheader][col-id="{names[-1]}"]').first).to_be_visible()
    frame = desk.frames.element_handle().content_frame()
    assert frame is not None
    frame.wait_for_function(f"() => ({WHOLE})().slice(0, 2).join() === '{','.join(names[:2])}'")
    assert frame.evaluate(WHOLE)[: len(names)] == names
    assert frame.evaluate(CUT) == []


@pytest.mark.parametrize(("window", "names"), [(WIDE, DECIDING), (NARROW, TO_PRICE)])
def test_what_decides_is_whole_without_scrolling(
    open_tab: OpenDesk, demo: Server, window: ViewportSize, names: list[str]
) -> None:
    desk = open_in(open_tab(), window, table=ITEMS)
    expect_whole(desk, names)
    order_id = demo.query("SELECT order_id FROM order_items ORDER BY no")[0]
    desk.go_to_order(order_id)
    expect_whole(desk, names)


def test_the_end_of_an_id_which_tells_the_items_of_an_order_apart_is_not_cut_off(
    open_tab: OpenDesk, server: Server
) -> None:
    desk = open_in(open_tab(server), WIDE, table=ITEMS)
    others = [*(f"OD-S-{number}" for number in (4, 3, 2, 1)), "OD-R-2", "OD-R-1"]
    desk.expect_column("order_item_id", [f"{WIDEST}-1", *others])
    expect_whole(desk, DECIDING)


def test_orders_and_transactions_show_their_amounts_at_once(open_tab: OpenDesk) -> None:
    desk = open_in(open_tab(), NARROW, table=ORDERS)
    expect_whole(desk, ["no", "order_id", "widget_id", "created_at", "item_count", "contract_id"])
    expect_whole(desk, ["no", "order_id"])
    frame = desk.frames.element_handle().content_frame()
    assert frame is not None
    assert frame.evaluate(WHOLE)[-3:] == ["author", "amount_minor", "currency"]
    desk.go_to(table=TRANSACTIONS)
    names = ["no", "short_reference", "transaction_id", "created_at", "type", "amount_minor"]
    expect_whole(desk, [*names, "currency", "status"])


def test_window_changes_what_is_seen_but_not_the_view(open_tab: OpenDesk, tmp_path: Path) -> None:
    desk = open_in(open_tab(), NARROW, table=ITEMS)
    first = desk.headers.first
    expect(first).to_have_text("Order Item ID")
    desk.box("Product").fill("shower")
    desk.expect_words("Product contains “shower”")
    desk.wait_for_view(lambda view: view.get("columns", [])[1:2] == [PINNED_ID])
    assert desk.download(tmp_path).headers[:2] == ["No", "Order Item ID"]
    desk.page.set_viewport_size(WIDE)
    expect(first).to_have_text("No")
    desk.page.set_viewport_size(PHONE)
    expect(first).to_have_text("Order Item ID")
    pinned = desk.grid.locator(".ag-pinned-left-header .ag-header-cell-text")
    expect(pinned.filter(has_text="Order Item ID")).to_have_count(0)
    desk.page.set_viewport_size(WIDE)
    expect(pinned.filter(has_text="Order Item ID")).to_have_count(1)


def test_layout_of_a_narrow_window_is_kept_in_a_wide_one(open_tab: OpenDesk) -> None:
    desk = open_in(open_tab(), NARROW, table=ITEMS)
    first = desk.headers.first
    expect(first).to_have_text("Order Item ID")
    desk.header_cell("Product").focus()
    desk.page.keyboard.press("Shift+ArrowRight")
    expect(desk.headers.nth(1)).to_have_text("Passenger")
    desk.wait_for_view(lambda view: view.get("columns", [])[2:4] == ["passenger_name", "product"])
    expect(first).to_have_text("Order Item ID")
    desk.page.set_viewport_size(WIDE)
    expect(first).to_have_text("No")
    desk.page.reload(wait_until="commit")
    desk.wait_for_rows()
    assert desk.headers.all_inner_texts()[:4] == ["No", "Order Item ID", "Passenger", "Product"]


def test_no_that_a_person_unpins_stays_in_a_narrow_window(open_tab: OpenDesk) -> None:
    desk = open_in(open_tab(), NARROW, table=ITEMS)
    expect(desk.headers.first).to_have_text("Order Item ID")
    desk.open_popover("Columns").get_by_role("button", name="Remove No").click()
    expect(desk.headers.nth(1)).to_have_text("No")
    desk.wait_for_view(lambda view: view.get("columns", [])[:2] == [PINNED_ID, "no"])
    desk.page.get_by_role("button", name="Reset columns").click()
    expect(desk.headers.nth(1)).to_have_text("Product")


def test_refund_of_one_item_is_seen_in_its_row(open_tab: OpenDesk, server: Server) -> None:
    desk = open_tab(server).open_order("OD-R")
    desk.expect_column("order_item_id", ["OD-R-1", "OD-R-2"])
    marked = desk.grid.locator(".ag-center-cols-container .deskChanged")
    for name, text in (("status", "Not used"), ("refundable_now", "Yes")):
        expect(desk.cell(0, name)).to_have_text(text)
    expect(marked).to_have_count(0)
    desk.box_of(0).click()
    desk.page.get_by_role("button", name="Refund", exact=True).click()
    dialog = desk.page.get_by_role("dialog")
    confirm_refund(dialog)
    expect(dialog.get_by_text("1 item refunded")).to_be_visible()
    dialog.get_by_role("button", name="Done").click()
    expect(dialog).to_have_count(0)
    for name, text in (("status", "Refunded"), ("refundable_now", "No")):
        expect(desk.cell(0, name)).to_have_text(text)
        expect(desk.cell(0, name)).to_be_in_viewport()
    expect(marked).to_have_count(1)
    expect(marked).to_have_attribute("row-index", "0")
    # The mark is a bar too, not a colour alone.
    bar = desk.grid.locator(".ag-pinned-left-cols-container .deskChanged")
    assert "inset" in bar.evaluate("row => getComputedStyle(row).boxShadow")
    assert desk.cell(0, "refundable_now").evaluate(CONTRAST) >= 4.5
    expect(marked).to_have_count(0, timeout=20_000)
    for name, text in (("status", "Not used"), ("refundable_now", "Yes")):
        expect(desk.cell(1, name)).to_have_text(text)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_tag_can_be_read(
    open_tab: OpenDesk, server: Server, scheme: Literal["light", "dark"]
) -> None:
    desk = open_tab(server, fresh=True)
    desk.page.emulate_media(color_scheme=scheme)
    desk.open_order("OD-S")
    words = ["Not used", "Used", "Refund requested", "Refunded"]
    desk.expect_column("status", words)
    for index in range(len(words)):
        tag = desk.cell(index, "status").locator(".deskWord")
        assert tag.evaluate(CONTRAST) >= 4.5
        assert desk.cell(index, "refundable_now").evaluate(CONTRAST) >= 4.5
    pale = desk.cell(0, "status").locator(".deskWord")
    pale.evaluate("tag => { tag.style.color = 'gray' }")
    assert pale.evaluate(CONTRAST) < 4.5
