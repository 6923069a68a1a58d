"""Filtering in the grid: rows, count, words and address change together and agree."""

from collections import Counter
from datetime import date
from zoneinfo import ZoneInfo

from tests.e2e.conftest import OpenDesk
from tests.e2e.desk import Desk
from tests.e2e.servers import Server
from tests.e2e.waiting import expect

NEWEST_FIRST = "ORDER BY created_at DESC, order_id DESC"


def orders(server: Server, where: str) -> list[str]:
    """Return the ids of the orders that a condition leaves, newest first."""
    return server.query(f"SELECT order_id FROM orders WHERE {where} {NEWEST_FIRST}")


def days(server: Server, zone: str) -> list[tuple[date, str]]:
    """Return the day of every order in a zone, with its id, newest first."""
    made = server.instants(f"SELECT created_at FROM orders {NEWEST_FIRST}")
    local = [at.astimezone(ZoneInfo(zone)).date() for at in made]
    return list(zip(local, orders(server, "true"), strict=True))


def test_filtering_a_column_shows_the_rows_and_says_so_in_words(desk: Desk, demo: Server) -> None:
    desk.box("Author").fill("MARIA")
    ids = orders(demo, "author LIKE '%maria%'")
    assert 0 < len(ids) < 300
    desk.expect_count(len(ids))
    desk.expect_words("Author contains “MARIA”")
    contains = {"filterType": "text", "type": "contains", "filter": "MARIA"}
    desk.expect_view(filters={"author": contains})
    assert desk.every("order_id", len(ids)) == ids


def test_filters_on_two_columns_both_apply(desk: Desk, demo: Server) -> None:
    desk.box("Order ID").fill("OD2610")
    desk.expect_words("Order ID contains “OD2610”")
    desk.box("Contract ID").fill("ct-1001")
    ids = orders(demo, "order_id LIKE 'OD2610%' AND contract_id = 'CT-1001'")
    assert ids
    desk.expect_words("Order ID contains “OD2610”", "Contract ID contains “ct-1001”")
    desk.expect_count(len(ids))
    desk.expect_column("order_id", ids)


def test_number_filter_takes_exactly_that_number(desk: Desk, demo: Server) -> None:
    desk.box("Total").fill("6")
    ids = orders(demo, "item_count = 6")
    desk.expect_words("Total = 6")
    desk.expect_count(len(ids))
    desk.expect_column("order_id", ids)


def test_number_range_takes_both_ends(desk: Desk, demo: Server) -> None:
    desk.button_of("Total").click()
    desk.grid.get_by_role("combobox", name="Filtering operator").first.click()
    desk.grid.get_by_role("option", name="Between").click()
    menu = desk.grid.locator(".ag-filter-menu")
    menu.get_by_placeholder("From").first.fill("4")
    menu.get_by_placeholder("To").first.fill("5")
    ids = orders(demo, "item_count BETWEEN 4 AND 5")
    desk.expect_words("Total between 4 and 5")
    desk.expect_count(len(ids))


def test_day_filter_takes_the_day_of_the_browsers_zone(open_tab: OpenDesk, demo: Server) -> None:
    by_zone = {zone: days(demo, zone) for zone in ("America/New_York", "UTC")}
    counts = {zone: Counter(day for day, _ in rows) for zone, rows in by_zone.items()}
    new_york = counts["America/New_York"]
    day = next(one for one, count in new_york.items() if count != counts["UTC"][one] and count > 2)
    ids = [order_id for one, order_id in by_zone["America/New_York"] if one == day]
    desk = open_tab(zone="America/New_York").open()
    desk.box("Created Date").fill(f"{day}")
    desk.expect_words(f"Created Date on {day}")
    desk.expect_count(len(ids))
    desk.expect_column("order_id", ids)
    for index in range(len(ids[:10])):
        expect(desk.cell(index, "created_at")).to_contain_text(f"{day} ")
    desk.expect_view(zone="America/New_York")


def test_day_range_takes_both_days_whole(desk: Desk, demo: Server) -> None:
    rows = days(demo, "Europe/London")
    first, last = rows[60][0], rows[20][0]
    desk.button_of("Created Date").click()
    desk.grid.get_by_role("combobox", name="Filtering operator").first.click()
    desk.grid.get_by_role("option", name="Between").click()
    fields = desk.grid.locator(".ag-filter-menu input[type=date]")
    fields.nth(0).fill(f"{first}")
    fields.nth(1).fill(f"{last}")
    ids = [order_id for day, order_id in rows if first <= day <= last]
    desk.expect_words(f"Created Date between {first} and {last}")
    desk.expect_count(len(ids))
    desk.expect_column("order_id", ids)


def test_list_of_values_counts_as_the_database_does(desk: Desk, demo: Server) -> None:
    rows = desk.open_list("Widget ID")
    blank = demo.query("SELECT count(*) FROM orders WHERE widget_id IS NULL")[0]
    expect(rows.first).to_have_text(f"(blank){blank:,}")
    values = demo.query("SELECT DISTINCT widget_id FROM orders WHERE widget_id > '' ORDER BY 1")
    counts = demo.query(
        "SELECT count(*) FROM orders WHERE widget_id > '' GROUP BY widget_id ORDER BY widget_id"
    )
    told = [f"{value}{count:,}" for value, count in zip(values, counts, strict=True)]
    expect(rows).to_have_text([f"(blank){blank:,}", *told])


def test_ticking_blank_and_a_value_shows_the_rows_of_both(desk: Desk, demo: Server) -> None:
    desk.open_list("Widget ID")
    desk.tick("(blank)")
    ids = orders(demo, "widget_id IS NULL")
    desk.expect_words("Widget ID is (blank)")
    desk.expect_count(len(ids))
    desk.expect_column("order_id", ids)
    desk.tick("WGT-BLUE-APP")
    ids = orders(demo, "widget_id IS NULL OR widget_id = 'WGT-BLUE-APP'")
    desk.expect_words("Widget ID is WGT-BLUE-APP or (blank)")
    desk.expect_count(len(ids))
    desk.tick("(blank)")
    ids = orders(demo, "widget_id = 'WGT-BLUE-APP'")
    desk.expect_words("Widget ID is WGT-BLUE-APP")
    desk.expect_column("order_id", ids)
    desk.tick("WGT-BLUE-APP")
    desk.expect_words()
    desk.expect_count(2_000)


def test_searching_the_list_finds_values_and_keeps_what_is_ticked(desk: Desk, demo: Server) -> None:
    rows = desk.open_list("Author")
    search = desk.grid.get_by_role("searchbox", name="Search values of Author")
    expect(search).to_be_focused()
    search.fill("MARIA")
    authors = demo.query(
        "SELECT DISTINCT author FROM orders WHERE author LIKE '%maria%' ORDER BY 1"
    )
    expect(rows.locator(".deskSetValue")).to_have_text(authors)
    desk.tick(authors[0])
    desk.expect_words(f"Author is {authors[0]}")
    search.fill("no such author")
    expect(desk.grid.get_by_text("No value matches.")).to_be_visible()
    search.fill("wei.zhang@helios")
    expect(rows).to_have_count(1)
    desk.tick("wei.zhang@helios.example")
    desk.expect_words(f"Author is {authors[0]} or wei.zhang@helios.example")
    ids = orders(demo, f"author IN ('{authors[0]}', 'wei.zhang@helios.example')")
    desk.expect_count(len(ids))
    desk.page.keyboard.press("Escape")
    expect(search).to_be_hidden()
    expect(desk.open_list("Author").nth(len(authors))).to_be_attached()
    expect(search).to_have_value("")


def test_list_counts_only_rows_that_the_other_filters_leave(desk: Desk, demo: Server) -> None:
    desk.box("Total").fill("6")
    desk.expect_words("Total = 6")
    rows = desk.open_list("Contract ID")
    counts = demo.query(
        "SELECT contract_id || ' · ' || name || count(*) FROM orders JOIN contracts "
        "USING (contract_id) WHERE item_count = 6 GROUP BY contract_id, name ORDER BY contract_id"
    )
    expect(rows).to_have_text(counts)


def test_the_list_of_contract_ids_says_and_finds_their_names(desk: Desk, demo: Server) -> None:
    rows = desk.open_list("Contract ID")
    listed = demo.query(
        "SELECT DISTINCT contract_id || ' · ' || name FROM orders JOIN contracts "
        "USING (contract_id) ORDER BY 1"
    )
    expect(rows.locator(".deskSetValue")).to_have_text(listed)
    search = desk.grid.get_by_role("searchbox", name="Search values of Contract ID")
    search.fill("podróż")
    expect(rows.locator(".deskSetValue")).to_have_text("CT-1010 · Wisła Podróże")
    search.fill("1003")
    expect(rows.locator(".deskSetValue")).to_have_text("CT-1003 · Blue Lagoon Tours")
    search.fill("lagoon")
    desk.tick("CT-1003 · Blue Lagoon Tours")
    desk.expect_words("Contract ID is CT-1003 (Blue Lagoon Tours)")
    ids = orders(demo, "contract_id = 'CT-1003'")
    desk.expect_count(len(ids))
    desk.expect_column("order_id", ids)
    expect(desk.box("Contract ID")).to_have_value("(1) CT-1003")


def test_filter_that_matches_nothing_says_so_and_offers_no_file(desk: Desk) -> None:
    desk.box("Order ID").fill("no such order")
    desk.expect_count(0)
    expect(desk.overlay).to_contain_text("No order matches these filters.Filters: Order ID")
    expect(desk.page.get_by_text("Nothing to export: no order matches")).to_be_visible()
    expect(desk.page.get_by_role("button", name="Download Excel")).to_be_disabled()
    expect(desk.download_link).to_have_count(0)
    expect(desk.page.get_by_text("Download CSV")).to_have_count(0)
    expect(desk.page.get_by_text("More downloads")).to_have_count(0)
    desk.search("nor anybody")
    expect(desk.overlay).to_contain_text("Filters: Search “nor anybody” · Order ID")
    desk.overlay.get_by_role("button", name="Clear filters").click()
    desk.expect_count(2_000)
    expect(desk.overlay).to_be_hidden()
    expect(desk.box("Order ID")).to_have_value("")
    expect(desk.download_link).to_be_visible()
