"""The downloads above a table: Excel and CSV of the same view, on every page that has a table."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from core.tables import ORDERS
from core.views import parse_view, to_address
from tests.pages.opened import open_page
from tests.rows import make_item, make_order, make_transaction

PAGES = ["orders", "order_items", "transactions", "users"]
TABS = {"Products": "order_items", "Transactions": "transactions"}


def _links(page: Any) -> dict[str, Any]:
    return {one.proto.label: urlsplit(one.proto.url) for one in page.get("link_button")}


def _fill() -> None:
    make_order("OD-1")
    make_item("OD-1")
    make_transaction(order_id="OD-1")


def _check(page: Any) -> None:
    """Both links ask for the same rows with the same token, and only the kind of file differs."""
    assert not page.exception
    links = _links(page)
    both = [links["Download Excel"], links["Download CSV"]]
    asked = [parse_qs(link.query) for link in both]
    assert [one.pop("form") for one in asked] == [["xlsx"], ["csv"]]
    assert asked[0] == asked[1]
    assert both[0].path == both[1].path
    assert set(asked[0]) >= {"token"}


@pytest.mark.parametrize("name", PAGES)
def test_every_page_with_a_table_has_both_kinds_of_file(sqlite_database: str, name: str) -> None:
    _fill()
    _check(open_page(name))


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_of_an_order_has_both_kinds_of_file(sqlite_database: str, tab: str) -> None:
    _fill()
    page = open_page("order", order="OD-1", tab=tab)
    assert "Download CSV" not in _links(page)  # it is behind the arrow
    page.session_state[f"more_{TABS[tab]}_OD-1"] = True
    _check(page.run())


def test_the_links_ask_for_the_view_on_the_screen(sqlite_database: str) -> None:
    _fill()
    view = to_address(parse_view(ORDERS, {"columns": ["author"], "search": "od"}))
    links = _links(open_page(view=view))
    asked = parse_qs(links["Download CSV"].query)["view"]
    assert asked == parse_qs(links["Download Excel"].query)["view"]
    assert asked
