"""Download Excel: the file holds the rows of the screen, and says so itself."""

from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Download

from tests.e2e.conftest import OpenDesk
from tests.e2e.desk import HEADERS, Desk
from tests.e2e.servers import Server
from tests.e2e.waiting import SLOW_PAGE, expect
from tests.e2e.workbook import Workbook

NEWEST_FIRST = "ORDER BY created_at DESC, order_id DESC"


def test_downloaded_file_holds_the_filtered_rows_of_the_grid(
    desk: Desk, demo: Server, tmp_path: Path
) -> None:
    desk.box("Author").fill("maria")
    where = f"WHERE author LIKE '%maria%' {NEWEST_FIRST}"
    ids = demo.query(f"SELECT order_id FROM orders {where}")
    desk.expect_count(len(ids))
    file = desk.download(tmp_path)
    assert file.name.startswith("orders-")
    assert file.name.endswith(".xlsx")
    assert file.column("Order ID") == ids == desk.every("order_id", len(ids))
    assert file.column("Author") == demo.query(f"SELECT author FROM orders {where}")
    assert file.says("Filters") == "Author contains “maria”"
    assert file.says("Rows") == f"{len(ids):,} of 2,000 orders"
    assert file.says("Sort") == "Created Date, descending"


def test_csv_file_holds_the_same_rows_as_the_excel_file(desk: Desk, tmp_path: Path) -> None:
    desk.box("Author").fill("maria")
    desk.expect_words("Author contains “maria”")
    header, *rows = desk.download_csv(tmp_path)
    file = desk.download(tmp_path)
    assert header == file.headers
    for place, name in enumerate(header):
        texts = [row[place] for row in rows]
        if name == "Amount":  # the text has the decimals of its currency
            assert list(map(float, texts)) == file.column(name)
        else:
            assert texts == [str(value or "") for value in file.column(name)]


def _cell(instant: datetime, zone: ZoneInfo) -> datetime | str:
    """Return a local time; one that happens twice in autumn is a text with its offset."""
    local = instant.astimezone(zone)
    happens_twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return local.isoformat(sep=" ") if happens_twice else local.replace(tzinfo=None)


def test_file_without_filters_holds_every_order_with_real_dates_and_numbers(
    open_tab: OpenDesk, demo: Server, tmp_path: Path
) -> None:
    file = open_tab(zone="America/New_York").open().download(tmp_path)
    zone = ZoneInfo("America/New_York")
    dated = [f"{header} (America/New_York)" if "Date" in header else header for header in HEADERS]
    assert file.headers == dated
    made = demo.instants(f"SELECT created_at FROM orders {NEWEST_FIRST}")
    assert file.column("Created Date (America/New_York)") == [_cell(at, zone) for at in made]
    assert file.column("Total") == demo.query(f"SELECT item_count FROM orders {NEWEST_FIRST}")
    assert file.says("Filters") == "none"
    assert file.says("Time zone") == "America/New_York"


def test_file_is_sorted_as_the_grid_is(desk: Desk, demo: Server, tmp_path: Path) -> None:
    desk.box("Contract ID").fill("CT-1012")
    desk.header("Author").click()
    desk.expect_view(sort=[{"colId": "author", "sort": "asc"}])
    ids = demo.query(
        "SELECT order_id FROM orders WHERE contract_id = 'CT-1012' ORDER BY author_folded, order_id"
    )
    desk.expect_count(len(ids))
    file = desk.download(tmp_path)
    assert file.column("Order ID") == ids == desk.every("order_id", len(ids))
    assert file.says("Sort") == "Author, ascending"


def test_file_of_the_ticked_rows_holds_exactly_these_also_if_a_filter_hides_them(
    desk: Desk, demo: Server, open_tab: OpenDesk, tmp_path: Path
) -> None:
    ids = demo.newest("orders")
    for row in (4, 0, 2):
        desk.box_of(row).click()
    desk.expect_selected("3 selected")
    desk.box("Order ID").fill(ids[2])
    desk.expect_selected("3 selected, 2 hidden by the filter")
    desk.wait_for_run()
    desk.open_popover("Download 3 selected")
    file = desk.download(tmp_path, "3 selected, Excel")
    ticked = [ids[0], ids[2], ids[4]]
    assert file.column("Order ID") == ticked
    assert file.says("Filters") == "3 selected rows"
    assert file.says("Rows") == "3 of 2,000 orders"
    header, *rows = desk.download_csv(tmp_path, "3 selected, CSV")
    assert [row[header.index("Order ID")] for row in rows] == ticked
    link = urlsplit(file.says("Page"))
    again = open_tab().open(f"{link.path}?{link.query}")
    again.expect_words("3 selected rows")
    again.expect_count(3)
    again.expect_column("order_id", ticked)


@pytest.mark.parametrize("key_ms", [0, 100, 250])
def test_file_asked_for_right_after_typing_holds_what_was_typed(
    desk: Desk, demo: Server, tmp_path: Path, key_ms: int
) -> None:
    desk.box("Author").press_sequentially("wei", delay=key_ms)
    file = desk.download(tmp_path)
    ids = demo.newest("orders", "author LIKE '%wei%'")
    assert file.says("Filters") == "Author contains “wei”"
    assert file.column("Order ID") == ids
    desk.expect_count(len(ids))


def test_file_asked_for_right_after_a_search_or_a_sort_is_that_of_the_rows(
    desk: Desk, demo: Server, tmp_path: Path
) -> None:
    desk.search("maria")
    assert desk.download(tmp_path).says("Filters") == "Search “maria”"
    desk.header("Total").click()
    assert desk.download(tmp_path).says("Sort") == "Total, ascending"
    desk.page.get_by_role("button", name="Clear all").click()
    assert desk.download(tmp_path).says("Filters") == "none"


@pytest.mark.parametrize("key", ["", "Enter"])
def test_click_while_only_the_rows_are_new_waits_and_gives_one_file_of_these_rows(
    open_tab: OpenDesk, demo: Server, tmp_path: Path, key: str
) -> None:
    desk = open_tab().open()
    desk.wait_for_run()
    desk.page.evaluate(SLOW_PAGE, 2_000)
    desk.box("Author").fill("maria")
    ids = demo.newest("orders", "author LIKE '%maria%'")
    desk.expect_column("order_id", ids)
    files: list[Download] = []
    desk.page.on("download", lambda one: files.append(one))
    with desk.page.expect_download():
        for _ in range(2):
            desk.download_link.press(key) if key else desk.download_link.click()
        expect(desk.download_link).to_have_attribute("aria-busy", "true")
    desk.expect_count(len(ids))
    expect(desk.download_link).not_to_have_attribute("aria-busy", "true")
    header, *rows = desk.download_csv(tmp_path)
    assert [row[header.index("Order ID")] for row in rows] == ids
    excel = [one for one in files if one.suggested_filename.endswith(".xlsx")]
    assert len(excel) == 1
    excel[0].save_as(tmp_path / "orders.xlsx")
    assert Workbook(tmp_path / "orders.xlsx", "Orders").column("Order ID") == ids


def test_page_named_in_the_file_opens_the_same_rows(
    desk: Desk, open_tab: OpenDesk, tmp_path: Path
) -> None:
    desk.box("Author").fill("nora")
    desk.expect_words("Author contains “nora”")
    desk.wait_for_run()
    file = desk.download(tmp_path)
    link = urlsplit(file.says("Page"))
    assert link.path == "/orders"
    again = open_tab().open(f"{link.path}?{link.query}")
    again.expect_words("Author contains “nora”")
    again.expect_column("order_id", file.column("Order ID"))
