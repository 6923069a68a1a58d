"""Selected rows: they survive filters, scrolling, and opening and leaving an order."""

import re

from tests.e2e.conftest import OpenDesk
from tests.e2e.desk import Desk
from tests.e2e.servers import Server
from tests.e2e.waiting import expect

SCROLL_TOP = "viewport => viewport.scrollTop"
# Scroll down, and while the browser is busy for two seconds, back up: where are the rows then?
SCROLL_WHILE_BUSY = """(viewport, top) => new Promise(done => {
  viewport.addEventListener("scroll", () => {
    const end = performance.now() + 2000;
    while (performance.now() < end);
    viewport.scrollTop = 0;
    setTimeout(() => done(viewport.scrollTop), 1000);
  }, {once: true});
  viewport.scrollTop = top;
})"""


def test_back_from_an_order_finds_filter_ticks_and_place_as_they_were(
    open_tab: OpenDesk, demo: Server
) -> None:
    desk = open_tab().open()
    desk.box("Contract ID").fill("CT-1001")
    ids = demo.newest("orders", "contract_id = 'CT-1001'")
    desk.expect_column("order_id", ids)
    totals = demo.query("SELECT item_count FROM orders WHERE order_id = :one", one=ids[0])
    others = demo.newest("orders", f"contract_id = 'CT-1001' AND item_count <> {totals[0]}")
    desk.box_of(0).click()
    desk.box_of(ids.index(others[0])).click()
    desk.expect_selected("2 selected")
    desk.box("Total").fill(f"{totals[0]}")
    left = demo.newest("orders", f"contract_id = 'CT-1001' AND item_count = {totals[0]}")
    desk.expect_column("order_id", left)
    desk.expect_count(len(left))
    desk.expect_selected("2 selected, 1 hidden by the filter")
    address = desk.page.url

    desk.scroll_to(30)
    desk.cell(32, "author").click()
    expect(desk.page).to_have_url(re.compile(rf"/order\?order={left[32]}$"))
    expect(desk.page.get_by_role("heading", name=f"Order {left[32]}")).to_be_visible()
    desk.wait_for_run()
    grids: list[str] = []
    desk.page.on("framenavigated", lambda frame: grids.append(frame.url))
    desk.page.go_back()
    expect(desk.cell(32, "order_id")).to_have_text(left[32])
    expect(desk.cell(32, "order_id")).to_be_in_viewport()
    assert desk.grid.locator(".ag-body-viewport").evaluate(SCROLL_TOP) > 900
    assert desk.page.url == address
    desk.expect_words("Contract ID contains “CT-1001”", f"Total = {totals[0]}")
    desk.expect_selected("2 selected, 1 hidden by the filter")
    desk.scroll_to(0)
    expect(desk.box_of(0)).to_be_checked()
    assert len([url for url in grids if "/component/" in url]) == 1  # it was made once

    stranger = open_tab(fresh=True)
    stranger.page.goto(address, wait_until="commit")
    stranger.expect_column("order_id", left)
    stranger.expect_count(len(left))
    stranger.expect_selected("")


def test_list_stays_where_it_was_scrolled_to_while_the_browser_was_busy(desk: Desk) -> None:
    viewport = desk.grid.locator(".ag-body-viewport")
    assert viewport.evaluate(SCROLL_WHILE_BUSY, 1_080) == 0


def test_ticks_outlive_sorting_scrolling_and_other_pages(desk: Desk, demo: Server) -> None:
    ids = demo.newest("orders")
    desk.box_of(0).click()
    desk.scroll_to(1_500)
    desk.box_of(1_500).click()
    desk.expect_selected("2 selected")
    desk.header("Order ID").click()
    desk.expect_column("order_id", sorted(ids))
    desk.expect_selected("2 selected")
    desk.page.get_by_role("link", name="Transactions").click()
    expect(desk.page.get_by_role("heading", name="Transactions")).to_be_visible()
    desk.expect_selected("")
    desk.page.get_by_role("link", name="Orders").click()
    desk.expect_column("order_id", ids)
    desk.expect_selected("2 selected")
    expect(desk.box_of(0)).to_be_checked()
    expect(desk.box_of(1)).not_to_be_checked()


def test_select_all_matching_adds_to_what_is_ticked_and_clear_unticks(
    desk: Desk, demo: Server
) -> None:
    ids = demo.newest("orders")
    desk.box_of(0).click()
    desk.box("Contract ID").fill("CT-1012")
    matching = demo.newest("orders", "contract_id = 'CT-1012'")
    desk.expect_count(len(matching))
    desk.below.get_by_role("button", name=f"Select all {len(matching)} matching").click()
    both = len({ids[0], *matching})
    hidden = ", 1 hidden by the filter" * (ids[0] not in matching)
    desk.expect_selected(f"{both} selected{hidden}")
    for index in range(3):
        expect(desk.box_of(index)).to_be_checked()
    desk.below.get_by_role("button", name="Clear selection").click()
    desk.expect_selected("")
    expect(desk.box_of(0)).not_to_be_checked()


def test_more_than_a_thousand_rows_cannot_be_selected_and_that_is_said(
    desk: Desk,
) -> None:
    desk.box_of(0).click()
    desk.expect_selected("1 selected")
    expect(desk.below).to_contain_text("Select all works for up to 1,000 rows")
    desk.button_of("No").click()
    desk.choose_operator("Less than or equal to")
    desk.grid.locator(".ag-filter-menu").get_by_placeholder("Filter...").first.fill("1000")
    desk.expect_count(1_000)
    desk.below.get_by_role("button", name="Select all 1,000 matching").click()
    said = desk.page.get_by_text("You can select at most 1,000 rows. Clear the selection first.")
    expect(said).to_be_visible()
    desk.expect_selected("1 selected, 1 hidden by the filter")
    desk.clear_selection()
    desk.below.get_by_role("button", name="Select all 1,000 matching").click()
    desk.expect_selected("1,000 selected")
    desk.page.get_by_role("button", name="Clear all").click()
    expect(desk.cell(0, "no")).to_have_text("2000")
    desk.expect_selected("1,000 selected")
    desk.box_of(0).click()
    expect(desk.grid.get_by_role("alert")).to_have_text("You can select at most 1,000 rows.")
    expect(desk.box_of(0)).not_to_be_checked()
    desk.expect_selected("1,000 selected")


def test_marking_text_in_a_row_does_not_open_its_order(desk: Desk) -> None:
    box = desk.cell(3, "author").bounding_box()
    assert box
    desk.page.mouse.move(box["x"] + 10, box["y"] + 15)
    desk.page.mouse.down()
    desk.page.mouse.move(box["x"] + 120, box["y"] + 15, steps=5)
    desk.page.mouse.up()
    desk.box_of(3).click()
    desk.expect_selected("1 selected")
    assert desk.page.url.startswith(f"{desk.server}/orders")
