"""The page of one order, run without a browser."""

from datetime import UTC, datetime
from html.parser import HTMLParser
from urllib.parse import SplitResult, parse_qsl, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from core import storage
from core.access.actors import LOCAL_USER_ID
from core.ground import Role
from core.storage import User, UserContract
from core.tables import ORDER_TABS, TABLES
from core.views import parse_view, to_address
from pages.shell import plain
from tests.pages.opened import chips, open_page, texts, values
from tests.rows import make_item, make_order, make_transaction


def _one_order() -> None:
    make_order("OD-1", author="ana@helios.example", widget_id="WGT-1", amount_minor=7600)
    make_item("OD-1")
    make_transaction(order_id="OD-1", amount_minor=-7600)
    make_transaction(order_id="OD-1", type="refund", amount_minor=3800)


def _see_only(contract_id: str) -> None:
    with storage.writing() as session:
        session.get_one(User, LOCAL_USER_ID).sees_all_contracts = False
        session.add(UserContract(user_id=LOCAL_USER_ID, contract_id=contract_id))


def test_the_page_shows_the_facts_of_the_order(database: str) -> None:
    _one_order()
    page = open_page("order", order="OD-1")
    assert not page.exception
    assert page.title[0].value == "Order OD-1"
    said = values(page, "text")
    assert said == [
        "2026-03-01 12:00 (UTC)",
        "CT-1",
        "WGT-1",
        "ana@helios.example",
        "76.00 EUR",
        "38.00 EUR",
        "–",
        "0.00 EUR",
    ]


def test_without_a_refund_no_amount_is_shown(sqlite_database: str) -> None:
    make_order("OD-1", widget_id=None)
    page = open_page("order", order="OD-1")
    assert values(page, "text")[-3:] == ["–", "–", "0.00 EUR"]


def test_the_open_tab_has_only_the_rows_of_the_order(sqlite_database: str) -> None:
    _one_order()
    make_order("OD-2")
    make_item("OD-2")
    page = open_page("order", order="OD-1")
    assert "**1** order item" in texts(page)
    assert len(page.get("component_instance")) == 1
    page = open_page("order", order="OD-1", tab="Transactions")
    assert "**2** transactions" in texts(page)
    assert "order items" not in texts(page)
    assert len(page.get("component_instance")) == 1


@pytest.mark.parametrize("order_id", ["OD-2", "OD-NOWHERE"])
def test_an_order_of_others_is_not_found(database: str, order_id: str) -> None:
    _one_order()
    make_order("OD-2", contract_id="CT-2", author="ben@secret.example")
    _see_only("CT-1")
    page = open_page("order", order=order_id)
    assert not page.exception
    (said,) = [one.value for one in page.error]
    assert said == f"Order “{order_id}” was not found, or you have no access to it."
    assert "secret" not in texts(page)
    assert [one.value for one in page.title] == ["Order not found"]
    assert not page.get("component_instance")
    assert not page.get("link_button")


@pytest.mark.parametrize("order_id", ["x" * 5_000, "\x00", "**b** <b>x</b>", "' OR 1=1 --"])
def test_an_invalid_id_is_shown_as_text(database: str, order_id: str) -> None:
    _one_order()
    page = open_page("order", order=order_id)
    assert not page.exception
    (said,) = [one.value for one in page.error]
    assert said.startswith("Order “")
    assert len(said) < 300
    assert "<b>" not in said.replace("\\<", "")


def test_hostile_facts_are_shown_as_text(sqlite_database: str) -> None:
    hostile = "**bold** <b>x</b> :material/home:"
    make_order("OD-[x](http://y)", author=hostile, contract_id="CT-1")
    page = open_page("order", order="OD-[x](http://y)")
    assert "\\[x\\]" in str(page.title[0].value)
    assert hostile in values(page, "text")


@pytest.mark.parametrize(
    ("tab", "page_file"), [("Products", "order_items"), ("Transactions", "transactions")]
)
def test_a_tab_links_to_the_same_rows_on_their_own_page(
    sqlite_database: str, tab: str, page_file: str
) -> None:
    _one_order()
    make_order("OD-2")
    make_item("OD-2")
    make_item("OD-1", product="Fast Track")
    table = TABLES[page_file]
    of = {"product": {"filterType": "text", "type": "contains", "filter": "fast"}}
    filters = of if tab == "Products" else {}
    view = to_address(parse_view(table, {"filters": filters, "columns": [table.key]}))
    page = open_page("order", order="OD-1", tab=tab, **{ORDER_TABS[page_file]: view})
    (link,) = _own_pages(page)
    assert link.path == f"/{page_file}"
    asked = dict(parse_qsl(link.query))
    there = open_page(page_file, **asked)
    assert any(chip.startswith("Order ID") for chip in chips(there))
    count = "**1** of 3 order items" if tab == "Products" else "**2** transactions"
    assert count in texts(there)


def test_who_may_not_open_a_page_gets_no_link_to_it(sqlite_database: str) -> None:
    _one_order()
    with storage.writing() as session:
        session.get_one(User, LOCAL_USER_ID).role = Role.AGENT
    assert len(_own_pages(open_page("order", order="OD-1", tab="Products"))) == 1
    assert _own_pages(open_page("order", order="OD-1", tab="Transactions")) == []


@pytest.mark.parametrize("order_id", ["OD-1", 'OD"><img src=x onerror=alert(1)>', "a&b'c"])
def test_the_place_of_the_links_to_other_orders_holds_the_id_as_data(
    sqlite_database: str, order_id: str
) -> None:
    make_order(order_id)
    page = open_page("order", order=order_id)
    (place,) = [one for one in values(page, "html") if "data-beside" in str(one)]
    read = _Attributes()
    read.feed(str(place))
    assert [name for name, _ in read.seen] == ["nav"]
    assert read.seen[0][1]["data-beside"] == order_id


def _own_pages(page: AppTest) -> list[SplitResult]:
    """Return the addresses of a tab's links to the page of its table."""
    read = _Attributes()
    for one in values(page, "html"):
        read.feed(str(one))
    return [urlsplit(str(of["href"])) for _, of in read.seen if "data-goes" in of]


class _Attributes(HTMLParser):
    """Notes the elements of a text and their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def links(page: AppTest) -> list[str]:
    return [one.proto.label for one in page.get("page_link")]


def test_without_an_id_the_page_helps_to_find_an_order(database: str) -> None:
    for number in range(1, 8):
        make_order(f"OD-{number}", created_at=datetime(2026, 3, number, 12, tzinfo=UTC))
    make_order("OD-9", contract_id="CT-2", created_at=datetime(2026, 4, 1, tzinfo=UTC))
    _see_only("CT-1")
    page = open_page("order")
    assert not page.exception
    assert [one.value for one in page.title] == ["Open an order"]
    assert not page.error
    assert 'data-opens="deskSearch"' in texts(page)
    assert "All orders" in links(page)
    newest = [label for label in links(page) if "OD" in label]
    assert newest[0] == plain("OD-7 · 2026-03-07 12:00 · CT-1 · ana@helios.example")
    assert [label.split(" ")[0] for label in newest] == [
        plain(f"OD-{one}") for one in (7, 6, 5, 4, 3)
    ]


def test_without_any_order_the_page_says_so(database: str) -> None:
    page = open_page("order")
    assert not page.exception
    assert "There are no orders yet." in texts(page)
    assert "Import your own orders" in links(page)


def test_an_unknown_order_can_be_searched_for(database: str) -> None:
    page = open_page("order", order="OD-NOWHERE")
    assert 'data-opens="deskSearch"' in texts(page)
    assert "All orders" in links(page)
