"""One order: its facts, its tabs, its files, and what a person sees who may not see it."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.e2e.conftest import OpenDesk
from tests.e2e.desk import ITEMS, Desk
from tests.e2e.servers import Server
from tests.e2e.waiting import expect
from tests.e2e.workbook import Workbook

FACTS = {
    "Created Date": "2026-03-01 12:00 (Europe/London)",
    "Contract ID": "CT-1",
    "Widget ID": "WGT-1",
    "Author": "ana@helios.example",
    "Amount": "76.00 EUR",
    "Refunded": "38.00 EUR",
    "Contact E-mail": "–",
    "Contract Balance": "0.00 EUR",
}


@pytest.fixture
def order(open_tab: OpenDesk, shop: Server) -> Desk:
    """Open the first order of the shop."""
    return open_tab(shop).open_order("OD-ONE")


def expect_not_found(desk: Desk, order_id: str) -> None:
    """Check that the page says one sentence, with a way back, and nothing of any order."""
    said = desk.page.get_by_test_id("stAlert")
    expect(said).to_have_text(
        re.compile(f"Order “{order_id}” was not found, or you have no access to it.")
    )
    expect(desk.page.get_by_role("link", name="All orders")).to_be_visible()
    desk.wait_for_run()
    expect(desk.page.locator("iframe")).to_have_count(0)
    expect(desk.page.get_by_text("Download")).to_have_count(0)
    expect(desk.page.get_by_text("ben@")).to_have_count(0)
    expect(desk.page.get_by_text("Traceback")).to_have_count(0)


def test_order_says_what_it_is(order: Desk) -> None:
    expect(order.page.get_by_role("heading", name="Order OD-ONE")).to_be_visible()
    facts = order.page.locator(".st-key-facts")
    expect(facts.get_by_test_id("stCaptionContainer")).to_have_text(list(FACTS))
    expect(facts.get_by_test_id("stText")).to_have_text(list(FACTS.values()))


def test_only_the_open_tab_is_drawn_and_the_address_knows_it(order: Desk) -> None:
    asked: list[str] = []
    order.page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    order.expect_count(2, 2)
    order.expect_column("order_item_id", ["OD-ONE-1", "OD-ONE-2"])
    expect(order.page.locator("iframe")).to_have_count(1)
    order.open_tab("Transactions")
    expect(order.page).to_have_url(re.compile("tab=Transactions"))
    order.expect_column("transaction_id", ["TX-PAID", "TX-BACK"])
    expect(order.page.locator("iframe")).to_have_count(1)
    expect(order.page.locator(".st-key-head")).to_contain_text("2 transactions")
    assert "/rows/order_items" not in asked[asked.index("/rows/transactions") :]
    order.page.reload(wait_until="commit")
    order.expect_column("transaction_id", ["TX-PAID", "TX-BACK"])


def test_each_tab_keeps_its_own_filter_in_the_address(order: Desk, open_tab: OpenDesk) -> None:
    order.box("Product").fill("fast")
    order.expect_words("Product contains “fast”")
    order.expect_column("order_item_id", ["OD-ONE-2"])
    order.open_tab("Transactions")
    order.expect_column("transaction_id", ["TX-PAID", "TX-BACK"])
    order.expect_words()
    order.box("Transaction ID").fill("back")
    order.expect_words("Transaction ID contains “back”")
    expect(order.page).to_have_url(re.compile("transactions="))
    address = order.page.url
    assert {"order", "tab", "products", "transactions"} == set(parse_qs(urlsplit(address).query))
    for desk in (order, open_tab(fresh=True)):
        desk.page.goto(address, wait_until="commit")
        desk.expect_column("transaction_id", ["TX-BACK"])
        desk.open_tab("Products")
        desk.expect_column("order_item_id", ["OD-ONE-2"])
        desk.expect_words("Product contains “fast”")


def test_file_of_a_tab_has_the_rows_of_that_order_alone(order: Desk, tmp_path: Path) -> None:
    file = order.download(tmp_path)
    assert file.column("Order Item ID") == ["OD-ONE-1", "OD-ONE-2"]
    assert file.column("Price") == [38, 38]
    assert file.says("Order ID") == "OD-ONE"
    assert file.says("Rows") == "2 of 2 order items"
    page = file.says("Page")
    assert "/order?order=OD-ONE&products=" in page
    assert "token" not in page
    again = order.open(page[page.index("/order") :], table=ITEMS)
    again.expect_column("order_item_id", ["OD-ONE-1", "OD-ONE-2"])


def test_address_of_the_file_opens_no_other_order(
    order: Desk, shop: Server, tmp_path: Path
) -> None:
    address = order.download_link.get_attribute("href") or ""
    path, query = f"{shop.url}{urlsplit(address).path}", parse_qs(urlsplit(address).query)
    for tampered in ({"order": "OD-TWO"}, {"order_id": "OD-TWO"}, {"products": "e30"}):
        one: dict[str, Any] = {key: values[0] for key, values in query.items()} | tampered
        answer = order.page.request.get(path, params=one)
        (tmp_path / "file.xlsx").write_bytes(answer.body())
        found = Workbook(tmp_path / "file.xlsx", "Order Items")
        assert found.column("Order Item ID") == ["OD-ONE-1", "OD-ONE-2"]
    for token in ("", query["token"][0][:-3] + "AAA"):
        answer = order.page.request.get(path, params={"token": token})
        assert answer.status == 401
        assert "OD-" not in answer.text()
    other = path.replace("order_items", "transactions")
    assert order.page.request.get(other, params={"token": query["token"][0]}).status == 403


def test_download_order_is_one_file_with_everything_in_it(order: Desk, tmp_path: Path) -> None:
    with order.page.expect_download() as waiting:
        order.page.get_by_role("link", name="Download Order").click()
    waiting.value.save_as(tmp_path / "order.xlsx")
    assert waiting.value.suggested_filename.startswith("order-")
    products = Workbook(tmp_path / "order.xlsx", "Products")
    assert products.sheets == ["Order", "Products", "Transactions", "Refunds", "Notes"]
    assert products.column("Order Item ID") == ["OD-ONE-1", "OD-ONE-2"]
    assert "Passenger E-mail" in products.headers
    entered = Workbook(tmp_path / "order.xlsx", "Transactions")
    assert entered.column("Transaction ID") == ["TX-PAID", "TX-BACK"]
    assert entered.column("Amount") == [-76, 38]
    facts = Workbook(tmp_path / "order.xlsx", "Order")
    lines = {name.value: text.value for name, text in facts.cells}
    assert lines["Order ID"] == "OD-ONE"
    assert lines["Created Date"] == "2026-03-01 12:00:00 (Europe/London)"
    assert lines["Refunded"] == "38.00 EUR"


def test_unknown_order_is_said_in_a_sentence(open_tab: OpenDesk, shop: Server) -> None:
    desk = open_tab(shop)
    desk.page.goto(f"{shop.url}/order?order=OD-NOWHERE", wait_until="commit")
    expect_not_found(desk, "OD-NOWHERE")
    desk.page.get_by_role("link", name="All orders").click()
    desk.expect_column("order_id", ["OD-TWO", "OD-ONE"])


@pytest.mark.usefixtures("sees_one_contract")
def test_order_that_is_not_yours_to_see_is_as_if_it_were_not_there(
    open_tab: OpenDesk, shop: Server
) -> None:
    desk = open_tab(shop)
    desk.page.goto(f"{shop.url}/order?order=OD-TWO&tab=Transactions", wait_until="commit")
    expect_not_found(desk, "OD-TWO")
    desk.page.get_by_role("link", name="All orders").click()
    desk.expect_column("order_id", ["OD-ONE"])


def test_page_without_an_order_says_how_to_open_one(open_tab: OpenDesk, shop: Server) -> None:
    desk = open_tab(shop)
    desk.page.goto(f"{shop.url}/order", wait_until="commit")
    expect(desk.page.get_by_role("heading", name="Open an order")).to_be_visible()
    desk.page.get_by_role("link", name="OD-TWO").click()
    expect(desk.page.get_by_role("heading", name="Order OD-TWO")).to_be_visible()


def test_order_in_the_bare_address_is_opened(open_tab: OpenDesk, shop: Server) -> None:
    desk = open_tab(shop)
    desk.page.goto(f"{shop.url}/?order=OD-TWO", wait_until="commit")
    expect(desk.page.get_by_role("heading", name="Order OD-TWO")).to_be_visible()
    expect(desk.page).to_have_url(re.compile(r"/order\?order=OD-TWO"))


def test_id_of_an_item_opens_its_order_where_it_is_no_link_itself(
    open_tab: OpenDesk, shop: Server
) -> None:
    desk = open_tab(shop).open(table=ITEMS)
    ids = desk.grid.locator('.ag-cell[col-id="order_item_id"]')
    item = desk.cell(0, "order_item_id").inner_text()
    order = shop.query("SELECT order_id FROM order_items WHERE order_item_id = :one", one=item)[0]
    heading = desk.page.get_by_role("heading", name=f"Order {order}", exact=True)
    ids.get_by_role("link", name=item, exact=True).click()
    expect(heading).to_be_visible()
    expect(ids.filter(has_text=item).first).to_be_visible()
    expect(ids.get_by_role("link")).to_have_count(0)
    desk.page.go_back()
    desk.cell(0, "product").click()
    expect(heading).to_have_count(0)
    desk.page.keyboard.press("Enter")
    expect(heading).to_be_visible()
