"""Import in the browser: errors, fixed, imported, shown on Orders; cancelled, stopped."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Page

from tests.core.imports.imported import ITEM, ORDER, changed, plain, write_workbook
from tests.e2e.axe import expect_no_fault, faults_of
from tests.e2e.conftest import OpenDesk
from tests.e2e.desk import Desk
from tests.e2e.servers import Server, serving
from tests.e2e.waiting import expect
from tests.e2e.workbook import Workbook

MANY = 20_000
END_SECONDS = 8  # the process ends within 5


@pytest.fixture(scope="module")
def server(make_database: Callable[[str], str], data_dir: Path) -> Iterator[Server]:
    """Run a server on a database without orders, into which this module imports."""
    with serving(make_database("sqlite"), data_dir) as server:
        yield server


def choose(page: Page, *paths: Path) -> None:
    """Choose files, once those of before are gone."""
    box = page.locator("input[type=file]")
    expect(box).to_have_count(1)
    box.set_input_files(paths)


def check(page: Page, *paths: Path) -> None:
    """Choose files and have them checked."""
    choose(page, *paths)
    page.get_by_role("button", name="Check files").click()


def download(page: Page, name: str, folder: Path) -> Path:
    role: Literal["link", "button"] = "link" if name == "Download Import Errors" else "button"
    with page.expect_download() as waiting:
        page.get_by_role(role, name=name).click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def at_imports(desk: Desk) -> Page:
    desk.page.goto(f"{desk.server}/imports", wait_until="commit")
    expect(desk.page.get_by_role("heading", name="Import", exact=True)).to_be_visible()
    return desk.page


def test_a_workbook_with_errors_is_fixed_and_imported(
    open_tab: OpenDesk, server: Server, tmp_path: Path
) -> None:
    desk = open_tab(server)
    page = desk.page
    page.goto(f"{server.url}/orders", wait_until="commit")
    page.get_by_role("link", name="Import your own orders").click()
    expect(page).to_have_url(re.compile(r"/imports$"))
    template = Workbook(download(page, "Download Template", tmp_path))
    assert template.headers[:2] == ["No", "Order ID"]

    path = tmp_path / "my_*orders*.xlsx"
    write_workbook(path, changed("Order Items", Price="abc", Airport="Q"))
    check(page, path)
    expect(page.get_by_role("alert")).to_contain_text("my_*orders*.xlsx")
    expect(page.get_by_role("alert")).to_contain_text("2 import errors; nothing was imported.")
    assert server.query("SELECT count(*) FROM orders") == [0]
    faults = Workbook(download(page, "Download Import Errors", tmp_path), "Import errors")
    assert faults.column("File") == [path.name, path.name]
    assert set(zip(faults.column("Column"), faults.column("Value"), strict=True)) == {
        ("Price", "abc"),
        ("Airport", "Q"),
    }
    assert faults.column("Row") == [2, 2]
    desk.wait_for_run()
    expect_no_fault(page)

    write_workbook(path, plain())
    check(page, path)
    expect(page.get_by_role("heading", name="What the files contain")).to_be_visible()
    assert server.query("SELECT count(*) FROM orders") == [0]
    desk.wait_for_run()
    expect_no_fault(page)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Orders: 1 added")
    assert server.query("SELECT order_id FROM orders") == ["A1"]

    page.get_by_role("link", name="See them on Orders").click()
    desk.wait_for_rows()
    desk.expect_count(1, 1)
    desk.expect_column("order_id", ["A1"])
    page.goto(f"{server.url}/overview?period=All+time", wait_until="commit")
    figures = page.locator(".st-key-figures")
    expect(figures.get_by_role("link", name=re.compile(r"^Orders created\s*1"))).to_be_visible()
    expect(
        figures.get_by_role("link", name=re.compile(r"^Order items created\s*1"))
    ).to_be_visible()
    expect(at_imports(open_tab(server)).get_by_role("status")).to_contain_text("1 added")


def test_a_file_is_imported_without_a_mouse(
    open_tab: OpenDesk, server: Server, tmp_path: Path
) -> None:
    desk = open_tab(server)
    page, path = at_imports(desk), tmp_path / "keys.xlsx"
    order = {"Order ID": "B-KEYS"}
    item = {"Order Item ID": "B-KEYS-1"} | order
    write_workbook(path, {"Orders": [ORDER | order], "Order Items": [ITEM | item]})
    with page.expect_file_chooser() as choosing:
        desk.press(page.get_by_test_id("stFileUploaderDropzone").locator("button"))
    choosing.value.set_files(path)
    expect(page.get_by_role("button", name="Check files")).to_be_enabled()
    desk.press(page.get_by_role("button", name="Check files"))
    expect(page.get_by_role("heading", name="What the files contain")).to_be_visible()
    desk.press(page.get_by_role("button", name="Import", exact=True))
    expect(page.get_by_role("status")).to_contain_text("Orders: 1 added")
    last = page.locator(".st-key-recent_imports").get_by_role("cell")
    expect(last.nth(2)).to_have_text("keys.xlsx")


def _many(folder: Path) -> list[Path]:
    """Write so many orders, each with an item, that importing them takes some seconds."""
    lines = [",".join(ORDER), ",".join(ITEM)]
    numbers = range(MANY)
    orders = (ORDER | {"Order ID": f"M{number}"} for number in numbers)
    items = (
        ITEM | {"Order ID": f"M{number}", "Order Item ID": f"M{number}-1"} for number in numbers
    )
    paths = [folder / "orders.csv", folder / "items.csv"]
    for path, header, rows in zip(paths, lines, (orders, items), strict=True):
        path.write_text("\n".join([header, *(",".join(row.values()) for row in rows)]))
    return paths


def test_a_long_import_says_how_far_it_is_and_ends_whole_when_cancelled_or_stopped(
    open_tab: OpenDesk, make_database: Callable[[str], str], data_dir: Path, tmp_path: Path
) -> None:
    paths = _many(tmp_path)
    kept = tmp_path / "kept"
    kept.mkdir()
    with serving(make_database("sqlite"), data_dir, TMPDIR=str(kept)) as server:
        page = at_imports(open_tab(server))
        check(page, *paths)
        expect(page.get_by_role("progressbar")).to_be_visible()
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_role("alert")).to_contain_text("Cancelled; nothing was imported.")
        check(page, *paths)
        page.get_by_role("button", name="Import", exact=True).click(timeout=60_000)
        writing = re.compile(rf"Writing [\d,]+ of {MANY:,} order")
        expect(page.get_by_text(writing)).to_be_visible(timeout=60_000)
        assert faults_of(page) == []
        second = at_imports(open_tab(server))
        expect(second.get_by_text(writing)).to_be_visible()
        expect(second.get_by_role("button", name="Check files")).to_have_count(0)
        server.process.terminate()
        server.process.wait(END_SECONDS)
        assert server.query("SELECT count(*) FROM orders") == [0]
        assert server.query("SELECT count(*) FROM contracts") == [0]
        assert list(kept.glob("order-desk-import-*")) == []


def test_files_take_so_much_room_until_they_are_checked(
    open_tab: OpenDesk, make_database: Callable[[str], str], data_dir: Path, tmp_path: Path
) -> None:
    files = [tmp_path / "one.csv", tmp_path / "two.csv"]
    for file in files:
        file.write_text("Milk\n" + "2\n" * 750_000)
    room: dict[str, Any] = {"UPLOADS_MAX_MB_PER_PERSON": "1"}  # and one more, for what a form adds
    with serving(make_database("sqlite"), data_dir, **room) as server:
        page = at_imports(open_tab(server, fresh=True))
        for file in files:  # the second has the room of the first again, in the same tab
            check(page, file)
            expect(page.get_by_role("alert")).to_contain_text(f"{file.name}")
        with page.expect_response(lambda answer: answer.status == 413):
            choose(page, *files)
        expect(page.get_by_test_id("stFileChipIconError")).to_have_count(1)
