"""The downloads above a table: Excel and CSV of the same view, on every page that has a table."""

import io
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from core import excel
from core.access import Actor
from core.tables import ORDER_TABS, ORDERS, TABLES, Table
from core.views import View, default_view, opened_at, parse_view, to_address
from tests.conftest import NOW
from tests.pages.opened import chips, grid_says, open_page, texts
from tests.rows import make_item, make_order, make_refund, make_transaction

PAGES = ["orders", "order_items", "transactions", "users"]
TABS = {"Products": "order_items", "Transactions": "transactions"}


def _links(page: Any) -> dict[str, Any]:
    return {one.proto.label: urlsplit(one.proto.url) for one in page.get("link_button")}


def _fill() -> None:
    make_order("OD-1")
    make_refund(make_item("OD-1"))
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


def _linked(page: Any, label: str, table: Table, actor: Actor, **of: Any) -> View:
    """Return the view that a link to a file asks for."""
    asked = {name: values[0] for name, values in parse_qs(_links(page)[label].query).items()}
    return opened_at(table, asked, actor=actor, zone="UTC", **of).view


def _check_selected(page: Any, actor: Actor, table: Table, place: str, *keys: str) -> None:
    """The button says how many rows are selected; behind it are both kinds of file of these."""
    more = f"more_{place}"
    labels = {one.proto.popover.label for one in page.get("popover")}
    assert f"Download {len(keys):,} selected" in labels
    page.session_state[more] = True
    page = grid_says(page, place=place, view={}, selected=list(keys))
    order_id = place.removeprefix(f"{table.name}_") if place != table.name else None
    for name in ("Excel", "CSV"):
        label = f"{len(keys):,} selected, {name}"
        view = _linked(page, label, table, actor, order_id=order_id)
        assert view.keys == keys
        assert not view.without_filters().with_keys(keys).filters
        link = _links(page)[label]
        assert parse_qs(link.query)["form"] == [{"Excel": "xlsx", "CSV": "csv"}[name]]
        assert link.path == _links(page)["Download Excel"].path


@pytest.mark.parametrize("name", [name for name in TABLES if name not in ("emails", "notes")])
def test_every_table_offers_its_selected_rows_as_both_kinds_of_file(
    sqlite_database: str, admin: Actor, name: str
) -> None:
    _fill()
    excel.export(default_view(ORDERS), io.BytesIO(), actor=admin, now=NOW)  # makes an event
    page = open_page(name)
    assert "selected, Excel" not in " ".join(_links(page))
    page = grid_says(page, place=name, view={}, selected=["OD-1", "a b"])
    _check_selected(page, admin, TABLES[name], name, "OD-1", "a b")


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_of_an_order_offers_its_selected_rows(
    sqlite_database: str, admin: Actor, tab: str
) -> None:
    _fill()
    place = f"{TABS[tab]}_OD-1"
    assert TABS[tab] in ORDER_TABS
    page = open_page("order", order="OD-1", tab=tab)
    page = grid_says(page, place=place, view={}, selected=["OD-1-1"])
    _check_selected(page, admin, TABLES[TABS[tab]], place, "OD-1-1")


def test_selected_rows_that_the_filter_hides_are_in_the_file_and_the_page_says_so(
    sqlite_database: str, admin: Actor
) -> None:
    _fill()
    none = {"author": {"filterType": "text", "type": "contains", "filter": "nobody"}}
    view = to_address(parse_view(ORDERS, {"filters": none, "columns": ["author", "order_id"]}))
    page = open_page(view=view)
    page.session_state["more_orders"] = True
    answer: dict[str, Any] = {
        "view": {"filters": none, "columns": ["author", "order_id"]},
        "selected": ["OD-1"],
    }
    page = grid_says(page, **answer)
    assert "**1 selected row**" in texts(page)
    assert "including rows that the filter hides" in texts(page)
    asked = _linked(page, "1 selected, Excel", ORDERS, admin)
    assert (asked.keys, asked.filters) == (("OD-1",), ())
    assert [column.name for column in asked.columns] == ["author", "order_id"]
    assert "All columns, Excel" not in _links(page)  # of no rows


def test_the_most_rows_that_can_be_selected_have_a_short_link(
    sqlite_database: str, admin: Actor
) -> None:
    _fill()
    keys = [f"OD-{number:06d}" for number in range(1_000)]
    page = grid_says(open_page(), view={}, selected=keys)
    page.session_state["more_orders"] = True
    page = grid_says(page, view={}, selected=keys)
    link = _links(page)["1,000 selected, Excel"]
    assert len(link.query) < 1_000
    assert _linked(page, "1,000 selected, Excel", ORDERS, admin).keys == tuple(keys)


def test_a_link_to_selected_rows_shows_them_and_a_chip_removes_that(
    sqlite_database: str,
) -> None:
    for number in range(3):
        make_order(f"OD-{number}")
    page = open_page(view=to_address(parse_view(ORDERS, {"keys": ["OD-2", "OD-0"]})))
    assert "**2** of 3 orders" in texts(page)
    assert chips(page) == ["2 selected rows"]
    next(one for one in page.button if one.label == "2 selected rows").click().run()
    assert "**3** orders" in texts(page)
