"""A demo database in the browser: reset, and left for one's own orders."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import OpenDesk
from tests.e2e.servers import Server, serving
from tests.e2e.waiting import expect


@pytest.fixture(scope="module")
def tried(data_dir: Path) -> Iterator[Server]:
    """Run a server on demo data of its own, which may be taken away."""
    with serving(f"sqlite:///{data_dir / 'tried-out.db'}", data_dir) as server:
        yield server


def test_reset_brings_new_orders_to_every_tab(open_tab: OpenDesk, tried: Server) -> None:
    desk, other = open_tab(tried).open(), open_tab(tried).open()
    desk.box_of(0).click()
    desk.expect_selected("1 selected")
    before = tried.newest("orders")[0]
    tried.execute("UPDATE orders SET author = 'somebody', author_folded = 'somebody'")
    desk.page.get_by_role("button", name="Reset the demo").click()
    dialog = desk.page.get_by_role("dialog")
    expect(dialog.get_by_text("2,000")).to_be_visible()
    dialog.get_by_role("button", name="Reset the demo").click()
    expect(desk.page.get_by_text("Demo reset.")).to_be_visible()
    desk.expect_count(2_000)
    desk.expect_selected("")
    expect(desk.cell(0, "author")).to_have_text(re.compile("@"))
    assert tried.query("SELECT count(*) FROM orders WHERE author = 'somebody'") == [0]
    assert before.startswith("OD")
    other.search("somebody")
    other.expect_count(0)
    expect(other.overlay).to_contain_text("No order matches these filters.")


def test_own_orders_begin_with_an_empty_desk(open_tab: OpenDesk, tried: Server) -> None:
    desk, other = open_tab(tried).open(), open_tab(tried)
    order_id = tried.newest("orders")[0]
    other.open_order(order_id)
    desk.page.get_by_role("button", name="Start with my own orders").click()
    dialog = desk.page.get_by_role("dialog")
    expect(dialog.get_by_text("cannot be undone")).to_be_visible()
    dialog.get_by_role("button", name="Delete demo data").click()
    expect(desk.page.get_by_text("There are no orders yet.")).to_be_visible()
    expect(desk.page.get_by_text("sample orders")).to_have_count(0)
    assert tried.query("SELECT count(*) FROM orders") == [0]
    other.page.get_by_role("tab", name="Transactions").click()
    expect(other.page.get_by_text(f"Order “{order_id}” was not found")).to_be_visible()
