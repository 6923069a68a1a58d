"""Ctrl+C: a cell, or the selected rows, as a spreadsheet reads them."""

import csv
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.conftest import use_database
from tests.e2e.conftest import OpenDesk
from tests.e2e.desk import HEADERS, TRANSACTIONS, Desk
from tests.e2e.servers import Server, serving
from tests.e2e.waiting import expect
from tests.rows import CREATED, make_order, make_transaction

HOSTILE = [
    "a\tb",
    "two\nlines",
    'a "quoted" word',
    "=1+1",
    "-2+3",
    "@SUM(A1)",
    "plain, text",
    "😀 王伟",
    "+1",
]


@pytest.fixture(scope="module")
def hostile(make_database: Callable[[str], str], kind: str, data_dir: Path) -> Iterator[Server]:
    """Run a server whose authors would fall apart in a spreadsheet."""
    url = make_database(kind)
    use_database(url)
    for no, author in enumerate(HOSTILE):
        make_order(f"OD-{no}", author=author, created_at=CREATED - timedelta(days=no))
    make_transaction(order_id="OD-0", amount_minor=-3800, reference="-38.00")
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


def as_text(author: str) -> str:
    """Return a text as a spreadsheet does not take it for a formula."""
    return f"'{author}" if author[0] in "=+-@\t\r" else author


def copied_cell(desk: Desk, index: int, name: str) -> str:
    focus(desk, index, name)
    text = copied(desk, "Copied")
    desk.page.keyboard.press("Escape")  # says how many are ticked
    expect(desk.grid.locator("#orderDeskLive")).to_have_text("0 selected")
    return text


def test_cell_is_copied_as_it_is_but_for_a_formula(open_tab: OpenDesk, hostile: Server) -> None:
    desk = open_tab(hostile).open()
    for index, author in enumerate(HOSTILE):
        assert copied_cell(desk, index, "author") == as_text(author)


def test_amount_below_zero_is_no_formula(open_tab: OpenDesk, hostile: Server) -> None:
    desk = open_tab(hostile).open(table=TRANSACTIONS)
    assert copied_cell(desk, 0, "amount_minor") == "-38.00"
    assert copied_cell(desk, 0, "reference") == "'-38.00"


def test_ticked_rows_are_copied_as_a_spreadsheet_reads_them(
    open_tab: OpenDesk, hostile: Server
) -> None:
    desk = open_tab(hostile).open()
    desk.below.get_by_role("button", name=f"Select all {len(HOSTILE)} matching").click()
    desk.expect_selected(f"{len(HOSTILE)} selected")
    focus(desk, 0, "author")
    header, *rows = rows_of(copied(desk, f"{len(HOSTILE)} rows copied"))
    assert header == HEADERS
    assert [row[HEADERS.index("Author")] for row in rows] == list(map(as_text, HOSTILE))
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
