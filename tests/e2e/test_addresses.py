"""The address is the view: links, reload, Back and Forward, and links that are damaged."""

from typing import Any

import pytest

from tests.e2e.conftest import OpenDesk
from tests.e2e.desk import Desk, view_in
from tests.e2e.servers import Server
from tests.e2e.waiting import expect

NEWEST_FIRST = "ORDER BY created_at DESC, order_id DESC"
MARIA = {"author": {"filterType": "text", "type": "contains", "filter": "maria"}}
SIX = {"item_count": {"filterType": "number", "type": "equals", "filter": 6}}


def orders(server: Server, where: str) -> list[str]:
    """Return the ids of the orders that a condition leaves, newest first."""
    return server.query(f"SELECT order_id FROM orders WHERE {where} {NEWEST_FIRST}")


def test_removing_one_chip_removes_that_filter_alone(open_tab: OpenDesk, demo: Server) -> None:
    desk = open_tab().open(view={"filters": MARIA | SIX})
    desk.expect_words("Author contains “maria”", "Total = 6")
    desk.words.get_by_role("button", name="Author contains").click()
    ids = orders(demo, "item_count = 6")
    desk.expect_words("Total = 6")
    desk.expect_count(len(ids))
    desk.expect_column("order_id", ids)
    desk.expect_view(filters=SIX)
    expect(desk.box("Author")).to_have_value("")
    expect(desk.box("Total")).to_have_value("6")


def test_clear_all_shows_every_order_again(desk: Desk, demo: Server) -> None:
    desk.box("Author").fill("maria")
    desk.expect_words("Author contains “maria”")
    desk.box("Total").fill("6")
    desk.expect_words("Author contains “maria”", "Total = 6")
    desk.page.get_by_role("button", name="Clear all").click()
    desk.expect_words()
    desk.expect_count(2_000)
    desk.expect_column("order_id", orders(demo, "true"))
    desk.expect_view(filters={})
    expect(desk.box("Author")).to_have_value("")


def test_clear_all_keeps_the_sort(desk: Desk, demo: Server) -> None:
    desk.header("Total").click()
    desk.expect_view(sort=[{"colId": "item_count", "sort": "asc"}])
    desk.box("Author").fill("maria")
    desk.expect_words("Author contains “maria”")
    desk.page.get_by_role("button", name="Clear all").click()
    desk.expect_count(2_000)
    desk.expect_view(filters={}, sort=[{"colId": "item_count", "sort": "asc"}])
    by_total = "SELECT order_id FROM orders ORDER BY item_count, order_id"
    desk.expect_column("order_id", demo.query(by_total))


def test_back_and_forward_walk_through_the_views(desk: Desk, demo: Server) -> None:
    maria = orders(demo, "author LIKE '%maria%'")
    both = orders(demo, "author LIKE '%maria%' AND item_count = 6")
    desk.box("Author").fill("maria")
    desk.expect_view(filters=MARIA)
    desk.box("Total").fill("6")
    desk.expect_view(filters=MARIA | SIX)
    desk.expect_count(len(both))
    desk.page.go_back()
    desk.expect_words("Author contains “maria”")
    desk.expect_count(len(maria))
    desk.expect_column("order_id", maria)
    expect(desk.box("Total")).to_have_value("")
    desk.page.go_back()
    desk.expect_count(2_000)
    desk.expect_words()
    desk.expect_column("order_id", orders(demo, "true"))
    desk.page.go_forward()
    desk.expect_count(len(maria))
    desk.page.go_forward()
    desk.expect_words("Author contains “maria”", "Total = 6")
    desk.expect_count(len(both))
    desk.expect_column("order_id", both)


def test_filtering_after_back_goes_on_from_there(desk: Desk, demo: Server) -> None:
    desk.box("Author").fill("maria")
    desk.expect_view(filters=MARIA)
    desk.page.go_back()
    desk.expect_words()
    desk.box("Total").fill("6")
    desk.expect_words("Total = 6")
    desk.expect_view(filters=SIX)
    desk.expect_count(len(orders(demo, "item_count = 6")))


def test_back_and_forward_restore_the_text_in_every_box(desk: Desk) -> None:
    desk.box("Order ID").fill("2610")
    desk.expect_words("Order ID contains “2610”")
    desk.box("Author").fill("maria")  # the box that keeps the focus
    desk.expect_words("Order ID contains “2610”", "Author contains “maria”")
    desk.page.go_back()
    desk.expect_words("Order ID contains “2610”")
    expect(desk.box("Author")).to_have_value("")
    desk.page.go_forward()
    desk.expect_words("Order ID contains “2610”", "Author contains “maria”")
    expect(desk.box("Order ID")).to_have_value("2610")
    expect(desk.box("Author")).to_have_value("maria")


def test_back_to_a_view_leaves_its_address_alone(open_tab: OpenDesk, demo: Server) -> None:
    desk = open_tab().open()
    desk.box("Order ID").fill("2610")
    desk.expect_words("Order ID contains “2610”")
    desk.box("Contract ID").fill("1001")
    desk.expect_words("Order ID contains “2610”", "Contract ID contains “1001”")
    desk.page.wait_for_url(lambda url: "contract_id" in view_in(url)["filters"])
    both = desk.page.url
    desk.page.get_by_role("button", name="Clear all").click()
    desk.expect_view(filters={})
    desk.page.reload(wait_until="commit")
    desk.wait_for_rows()
    desk.box("Contract ID").fill("1002")  # from here the grid knows this filter before the other
    desk.page.wait_for_url(lambda url: "contract_id" in view_in(url)["filters"])
    for _ in range(2):
        desk.page.go_back()
    desk.expect_column(
        "order_id", orders(demo, "order_id LIKE '%2610%' AND contract_id LIKE '%1001%'")
    )
    desk.header("Total").click()
    desk.expect_view(sort=[{"colId": "item_count", "sort": "asc"}])
    desk.page.go_back()
    desk.expect_view(sort=[{"colId": "created_at", "sort": "desc"}])
    assert desk.page.url == both


def test_reload_keeps_filters_sort_and_rows(desk: Desk, demo: Server) -> None:
    desk.box("Author").fill("maria")
    desk.header("Total").click()
    sort = [{"colId": "item_count", "sort": "asc"}]
    desk.expect_view(filters=MARIA, sort=sort)
    desk.page.reload(wait_until="commit")
    ids = demo.query(
        "SELECT order_id FROM orders WHERE author LIKE '%maria%' ORDER BY item_count, order_id"
    )
    desk.expect_words("Author contains “maria”")
    desk.expect_count(len(ids))
    desk.expect_column("order_id", ids)
    desk.expect_view(filters=MARIA, sort=sort)
    expect(desk.box("Author")).to_have_value("maria")


def test_link_shows_another_browser_the_same_rows_in_the_links_zone(open_tab: OpenDesk) -> None:
    first = open_tab(zone="America/New_York").open()
    day = first.cell(12, "created_at").inner_text()[:10]
    first.box("Created Date").fill(day)
    first.expect_words(f"Created Date on {day}")
    first.expect_view(zone="America/New_York")
    expect(first.cell(0, "created_at")).to_contain_text(day)
    said = first.page.locator(".st-key-head strong").first
    expect(said).not_to_have_text("2,000")
    count = int(said.inner_text())
    shown = first.every("created_at", count)
    second = open_tab(zone="Europe/London")
    second.page.goto(first.page.url, wait_until="commit")
    second.expect_words(f"Created Date on {day}")
    expect(second.page.get_by_text("times in America/New_York")).to_be_visible()
    second.expect_count(count)
    assert second.every("created_at", count) == shown
    assert {cell[:10] for cell in shown} == {day}


def test_long_list_of_values_travels_in_a_short_link(open_tab: OpenDesk, demo: Server) -> None:
    authors = demo.query("SELECT DISTINCT author FROM orders ORDER BY author")[:150]
    chosen = {"author": {"filterType": "set", "values": authors[:-1]}}
    desk = open_tab().open(view={"filters": chosen})
    desk.open_list("Author")
    desk.grid.get_by_role("searchbox", name="Search values of Author").fill(authors[-1])
    desk.tick(authors[-1])
    names = ", ".join(f"'{author}'" for author in authors)
    count = len(orders(demo, f"author IN ({names})"))
    desk.expect_count(count)
    desk.page.wait_for_url("**/orders?saved=*", wait_until="commit")
    again = open_tab()
    again.page.goto(desk.page.url, wait_until="commit")
    again.expect_count(count)
    again.wait_for_rows()


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("view=eyJmaWx0ZXJzIjp7ImF1dGhvciI", "The view in the link is damaged."),
        ("saved=0123456789abcdef", "View “0123456789abcdef” was not found"),
    ],
)
def test_damaged_link_warns_and_shows_every_order(
    open_tab: OpenDesk, demo: Server, query: str, reason: str
) -> None:
    desk = open_tab()
    desk.page.goto(f"{desk.server}/orders?{query}", wait_until="commit")
    warning = desk.page.get_by_role("alert")
    expect(warning).to_contain_text("The filters in the link were ignored.")
    desk.expect_count(2_000)
    desk.expect_column("order_id", orders(demo, "true"))
    desk.expect_words()
    desk.wait_for_run()
    expect(warning).to_contain_text(reason)


def test_link_with_hidden_columns_shows_the_others_in_its_order(open_tab: OpenDesk) -> None:
    view: dict[str, Any] = {"columns": ["author", "order_id", "item_count"]}
    desk = open_tab().open(view=view)
    expect(desk.headers).to_have_text(["Author", "Order ID", "Total"])
