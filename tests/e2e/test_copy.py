"""Ctrl+C: a cell, or the selected rows, as a spreadsheet reads them."""

import csv
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.conftest import use_database
from tests.e2e.conftest import OpenDesk
from tests.e2e.desk import HEADERS, Desk
from tests.e2e.servers import Server, serving
from tests.e2e.waiting import expect
from tests.rows import CREATED, make_order

HOSTILE = [
    "a\tb",
    "two\nlines",
    'a "quoted" word',
    "=1+1",
    "-2+3",
    "@SUM(A1)",
    "plain, text",
    "😀 王伟",
]


@pytest.fixture(scope="module")
def hostile(make_database: Callable[[str], str], kind: str, data_dir: Path) -> Iterator[Server]:
    """Run a server whose authors would fall apart in a spreadsheet."""
    url = make_database(kind)
    use_database(url)
    for no, author in enumerate(HOSTILE):
        make_order(f"OD-{no}", author=author, created_at=CREATED - timedelta(days=no))
    with serving(url, data_dir) as server:
        yield server


def copied(desk: Desk, said: str) -> str:
    """Press Ctrl+C and return what is in the clipboard, when the grid has said so."""
    desk.page.keyboard.press("ControlOrMeta+C")
    expect(desk.grid.locator("#orderDeskLive")).to_have_text(said)
    text: str = desk.page.evaluate("navigator.clipboard.readText()")
    return text


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(text.splitlines(keepends=True), dialect="excel-tab"))


def focus(desk: Desk, index: int, name: str) -> None:
    """Put the focus on a cell as a click does; on a row of Orders a click would open it."""
    desk.cell(index, name).evaluate("cell => cell.focus()")


def test_cell_is_copied_as_it_is(open_tab: OpenDesk, hostile: Server) -> None:
    desk = open_tab(hostile).open()
    for index, author in enumerate(HOSTILE):
        focus(desk, index, "author")
        assert copied(desk, "Copied") == author
        desk.page.keyboard.press("Escape")  # says how many are ticked
        expect(desk.grid.locator("#orderDeskLive")).to_have_text("0 selected")


def test_ticked_rows_are_copied_as_a_spreadsheet_reads_them(
    open_tab: OpenDesk, hostile: Server
) -> None:
    desk = open_tab(hostile).open()
    desk.below.get_by_role("button", name=f"Select all {len(HOSTILE)} matching").click()
    desk.expect_selected(f"{len(HOSTILE)} selected")
    focus(desk, 0, "author")
    header, *rows = rows_of(copied(desk, f"{len(HOSTILE)} rows copied"))
    assert header == HEADERS
    as_text = [f"'{one}" if one[0] in "=-@" else one for one in HOSTILE]
    assert [row[-1] for row in rows] == as_text
    assert [row[1] for row in rows] == [f"OD-{no}" for no in range(len(HOSTILE))]
    assert {len(row) for row in rows} == {len(HEADERS)}


def test_ticked_rows_are_copied_when_the_filter_hides_them(
    open_tab: OpenDesk, hostile: Server
) -> None:
    desk = open_tab(hostile).open(view={"columns": ["author", "amount_minor", "order_id"]})
    desk.box_of(1).click()
    desk.box_of(6).click()
    desk.expect_selected("2 selected")
    desk.box("Order ID").fill("OD-6")
    desk.expect_selected("2 selected, 1 hidden by the filter")
    focus(desk, 0, "author")
    header, *rows = rows_of(copied(desk, "2 rows copied"))
    assert header == ["Author", "Amount", "Order ID"]
    assert rows == [["two\nlines", "38.00", "OD-1"], ["plain, text", "38.00", "OD-6"]]
