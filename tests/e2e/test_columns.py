"""Columns: shown, hidden, pinned, moved and resized; the view keeps all of it, and so the file."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator

from tests.e2e.conftest import OpenDesk
from tests.e2e.desk import COLUMNS, HEADERS, ITEMS, Desk, view_in
from tests.e2e.waiting import expect

SIX: dict[str, Any] = {"item_count": {"filterType": "number", "type": "equals", "filter": 6}}
OTHERS = [header for header in HEADERS if header != "Author"]


@pytest.fixture
def wide(open_tab: OpenDesk) -> Desk:
    """Open some orders in a tab of its own."""
    return open_tab().open(view={"filters": SIX})


def toggle(popover: Locator, header: str) -> None:
    popover.get_by_test_id("stCheckbox").get_by_text(header, exact=True).click()


def pin(desk: Desk, header: str) -> None:
    popover = desk.open_popover("Columns")
    popover.get_by_role("combobox", name="Pinned to the left").click()
    desk.page.get_by_role("option", name=header, exact=True).click()


def undated(headers: list[str]) -> list[str]:
    return [header.partition(" (")[0] for header in headers]


def width_of(desk: Desk, header: str) -> float:
    box = desk.header_cell(header).bounding_box()
    assert box
    return box["width"]


def test_columns_that_are_hidden_and_shown_are_so_in_link_and_file(
    wide: Desk, open_tab: OpenDesk, tmp_path: Path
) -> None:
    popover = wide.open_popover("Columns")
    toggle(popover, "Widget ID")
    shown = [header for header in HEADERS if header != "Widget ID"]
    expect(wide.headers).to_have_text(shown)
    toggle(popover, "Refundable Now")
    shown.append("Refundable Now")
    expect(wide.headers).to_have_text(shown)
    expect(wide.cell(0, "refundable_now")).to_have_text(re.compile("^(Yes|No)$"))
    wide.page.keyboard.press("Escape")
    wide.expect_words("Total = 6")
    wide.expect_view(filters=SIX)
    file = wide.download(tmp_path)
    assert undated(file.headers) == shown
    wide.open_popover("More downloads")
    every = wide.download(tmp_path, "All columns, Excel")
    lines = wide.download_csv(tmp_path, "All columns, CSV")
    assert lines[0] == every.headers
    assert [line[1] for line in lines[1:]] == every.column("Order ID")
    wide.page.keyboard.press("Escape")
    of_notes = ["Notes", "Last Note", "Follow Up Date", "Follow Up By"]
    assert undated(every.headers) == [*shown, "Widget ID", "Contract", "Contact E-mail", *of_notes]
    assert every.column("Order ID") == file.column("Order ID")
    wide.page.reload(wait_until="commit")
    expect(wide.headers).to_have_text(shown)
    stranger = open_tab(fresh=True)
    stranger.page.goto(wide.page.url, wait_until="commit")
    expect(stranger.headers).to_have_text(shown)


def test_column_is_moved_by_dragging_its_header(wide: Desk, tmp_path: Path) -> None:
    source = wide.header("Author").bounding_box()
    target = wide.header("Order ID").bounding_box()
    assert source
    assert target
    mouse, middle = wide.page.mouse, source["y"] + source["height"] / 2
    mouse.move(source["x"] + 20, middle)
    mouse.down()
    mouse.move(source["x"] - 40, middle, steps=4)
    mouse.move(target["x"] + 5, middle, steps=12)
    mouse.up()
    moved = ["No", "Author", *OTHERS[1:]]
    expect(wide.headers).to_have_text(moved)
    wide.expect_view(columns=[COLUMNS[header] for header in moved])
    assert undated(wide.download(tmp_path).headers) == moved
    wide.page.go_back()
    expect(wide.headers).to_have_text(HEADERS)


def test_column_is_moved_and_resized_by_keyboard(wide: Desk, open_tab: OpenDesk) -> None:
    wide.header_cell("Total").focus()
    wide.page.keyboard.press("Shift+ArrowLeft")
    moved = ["No", "Order ID", "Widget ID", "Total", "Created Date", *HEADERS[5:]]
    expect(wide.headers).to_have_text(moved)
    wide.wait_for_view(lambda view: view.get("columns", [])[3:4] == ["item_count"])
    before = width_of(wide, "Total")
    wide.header_cell("Total").focus()
    for _ in range(5):
        wide.page.keyboard.press("Alt+ArrowRight")
    wide.wait_for_view(lambda view: isinstance(view["columns"][3], dict))
    width = width_of(wide, "Total")
    assert width > before
    assert view_in(wide.page.url)["columns"][3] == {"colId": "item_count", "width": round(width)}
    wide.page.reload(wait_until="commit")
    wide.wait_for_rows()
    expect(wide.headers).to_have_text(moved)
    assert width_of(wide, "Total") == pytest.approx(width, abs=1)


def test_column_is_resized_with_the_mouse_and_keeps_its_width(
    wide: Desk, open_tab: OpenDesk
) -> None:
    edge = wide.header_cell("Order ID").locator(".ag-header-cell-resize").bounding_box()
    assert edge
    mouse, middle = wide.page.mouse, edge["y"] + edge["height"] / 2
    mouse.move(edge["x"] + edge["width"] / 2, middle)
    mouse.down()
    mouse.move(edge["x"] + 90, middle, steps=6)
    mouse.up()
    wide.wait_for_view(lambda view: isinstance(view.get("columns", ["", ""])[1], dict))
    width = width_of(wide, "Order ID")
    stranger = open_tab(fresh=True)
    stranger.page.goto(wide.page.url, wait_until="commit")
    stranger.wait_for_rows()
    assert width_of(stranger, "Order ID") == pytest.approx(width, abs=1)


def test_pinned_column_comes_first_and_stays_while_the_rest_scrolls(
    wide: Desk, tmp_path: Path
) -> None:
    pinned = wide.grid.locator(".ag-pinned-left-header .ag-header-cell-text")
    pin(wide, "Author")
    shown = ["Author", *OTHERS]
    expect(wide.headers).to_have_text(shown)
    expect(pinned.last).to_have_text("Author")
    wide.page.keyboard.press("Escape")
    wide.wait_for_view(lambda view: {"colId": "author", "pinned": "left"} in view["columns"])
    assert undated(wide.download(tmp_path).headers) == shown
    wide.page.reload(wait_until="commit")
    expect(wide.headers).to_have_text(shown)
    expect(pinned.last).to_have_text("Author")
    box = wide.grid.locator('.ag-pinned-left-cols-container .ag-row[row-index="0"]')
    expect(box.get_by_role("checkbox")).to_be_visible()
    popover = wide.open_popover("Columns")
    popover.get_by_role("button", name="Reset columns").click()
    expect(wide.headers).to_have_text(HEADERS)
    wide.expect_words("Total = 6")


def test_last_column_cannot_be_hidden(open_tab: OpenDesk) -> None:
    desk = open_tab().open(view={"columns": ["order_id"]})
    popover = desk.open_popover("Columns")
    toggle(popover, "Order ID")
    expect(desk.page.get_by_text("A table needs at least one column.")).to_be_visible()
    expect(desk.headers).to_have_text(["Order ID"])
    expect(popover.get_by_role("checkbox", name="Order ID")).to_be_checked()


def test_link_with_a_column_that_is_gone_keeps_the_rest_and_says_so(open_tab: OpenDesk) -> None:
    view = {"filters": SIX, "columns": ["author", "gone", "order_id"]}
    desk = open_tab().open(view=view)
    said = desk.page.get_by_role("alert")
    expect(desk.headers).to_have_text(["Author", "Order ID"])
    desk.expect_words("Total = 6")
    desk.wait_for_run()
    expect(said).to_contain_text("Part of this view was ignored. The rest is shown.")
    expect(said).to_contain_text("Orders has no column “gone”.")


def test_column_that_is_added_comes_into_sight(open_tab: OpenDesk) -> None:
    desk = open_tab().open(table=ITEMS)
    last = desk.header_cell("Created Date")
    expect(last).not_to_be_in_viewport()
    toggle(desk.open_popover("Columns"), "Used At")
    expect(desk.header_cell("Used At")).to_be_in_viewport(ratio=0.99)
    toggle(desk.page.get_by_test_id("stPopoverBody"), "Product")  # one that goes moves nothing
    expect(desk.headers.filter(has_text="Product").first).not_to_have_text("Product")
    expect(desk.header_cell("Used At")).to_be_in_viewport(ratio=0.99)


def test_box_that_takes_no_text_opens_its_list(open_tab: OpenDesk) -> None:
    desk = open_tab().open(table=ITEMS)
    desk.box("Refundable Now").click()
    expect(desk.list_rows).to_have_count(2)
    desk.list_rows.filter(has_text="Yes").click()
    desk.expect_words("Refundable Now is Yes")
    desk.page.keyboard.press("Escape")
    desk.box("Status").click()  # a box for text stays one
    expect(desk.list_rows).to_have_count(0)
    desk.box("Refundable Now").press("ArrowDown")
    expect(desk.list_rows).to_have_count(2)
