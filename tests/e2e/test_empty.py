"""A database without orders: the page says how to get some."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import use_database
from tests.e2e.conftest import OpenDesk
from tests.e2e.servers import Server, serving
from tests.e2e.waiting import expect
from tests.rows import make_order


@pytest.fixture
def empty(make_database: Callable[[str], str], kind: str, data_dir: Path) -> Iterator[Server]:
    """Run a server on a database without orders."""
    with serving(make_database(kind), data_dir) as server:
        yield server


def test_empty_database_says_how_to_fill_it_and_shows_no_grid(
    open_tab: OpenDesk, empty: Server
) -> None:
    desk = open_tab(empty)
    desk.page.goto(empty.url, wait_until="commit")
    expect(desk.page.get_by_text("There are no orders yet.")).to_be_visible()
    expect(desk.page.get_by_text("make import FILE=")).to_be_visible()
    expect(desk.page.get_by_text("make demo ORDERS=")).to_be_visible()
    expect(desk.page.locator("iframe")).to_have_count(0)
    expect(desk.page.get_by_text("Download Excel")).to_have_count(0)
    use_database(empty.database)
    make_order("OD-FIRST")
    desk.open()
    desk.expect_count(1, 1)
    desk.expect_column("order_id", ["OD-FIRST"])
