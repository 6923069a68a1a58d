"""The first look at Orders: what is there, in which order, and what the browser does for it."""

from zoneinfo import ZoneInfo

from tests.e2e.conftest import OpenDesk
from tests.e2e.desk import HEADERS, Desk
from tests.e2e.servers import Server
from tests.e2e.waiting import expect

NEWEST_FIRST = "SELECT order_id FROM orders ORDER BY created_at DESC, order_id DESC"


def test_first_start_shows_the_demo_orders_newest_first(desk: Desk, demo: Server) -> None:
    ids = demo.query(NEWEST_FIRST)
    assert len(ids) == 2_000
    desk.expect_count(2_000)
    desk.expect_column("order_id", ids)
    expect(desk.headers).to_have_text(HEADERS)
    desk.expect_words()


def test_times_are_in_the_zone_of_the_browser(open_tab: OpenDesk, demo: Server) -> None:
    desk = open_tab(zone="America/New_York").open()
    expect(desk.page.get_by_text("times in America/New_York")).to_be_visible()
    newest = demo.instants("SELECT max(created_at) FROM orders")[0]
    local = newest.astimezone(ZoneInfo("America/New_York"))
    expect(desk.cell(0, "created_at")).to_have_text(f"{local:%Y-%m-%d %H:%M}")


def test_clicking_headers_sorts_every_row(desk: Desk, demo: Server) -> None:
    desk.header("Total").click()
    ascending = "SELECT order_id FROM orders ORDER BY item_count, order_id"
    desk.expect_column("order_id", demo.query(ascending))
    desk.expect_view(sort=[{"colId": "item_count", "sort": "asc"}])
    desk.header("Total").click()
    descending = "SELECT order_id FROM orders ORDER BY item_count DESC, order_id DESC"
    desk.expect_column("order_id", demo.query(descending))
    desk.header("Author").click(modifiers=["Shift"])
    both = "SELECT order_id FROM orders ORDER BY item_count DESC, author_folded, order_id"
    desk.expect_column("order_id", demo.query(both))
    desk.expect_count(2_000)


def test_blanks_are_last_in_both_directions(desk: Desk, demo: Server) -> None:
    for direction in ("ASC", "DESC"):
        desk.header("Widget ID").click()
        first = demo.query(
            f"SELECT widget_id FROM orders ORDER BY widget_id {direction} NULLS LAST LIMIT 1"
        )
        expect(desk.cell(0, "widget_id")).to_have_text(first[0])


def test_scrolling_to_row_1500_and_to_the_end_shows_those_rows(desk: Desk, demo: Server) -> None:
    ids = demo.query(NEWEST_FIRST)
    desk.expect_count(2_000)
    for index in (1_500, 1_999, 700):
        desk.scroll_to(index)
        expect(desk.cell(index, "order_id")).to_have_text(ids[index])


def test_mouse_wheel_scrolls_the_grid(desk: Desk, demo: Server) -> None:
    ids = demo.query(NEWEST_FIRST)
    desk.row(2).hover()
    desk.page.mouse.wheel(0, 300 * 36)
    expect(desk.cell(305, "order_id")).to_have_text(ids[305])


def test_nothing_leaves_the_machine_and_no_script_fails(open_tab: OpenDesk) -> None:
    desk = open_tab(fresh=True)
    asked: list[str] = []
    failed: list[str] = []
    desk.page.on("request", lambda request: asked.append(request.url))
    desk.page.on("pageerror", lambda error: failed.append(str(error)))
    desk.page.goto(f"{desk.server}/", wait_until="commit")  # its plots ask for scripts, too
    expect(desk.page.get_by_test_id("stVegaLiteChart")).to_have_count(11)
    desk.wait_for_run()
    desk.open()
    desk.box("Order ID").fill("26")
    desk.expect_words("Order ID contains “26”")
    desk.open_list("Contract ID")
    assert len(asked) > 50
    assert [url for url in asked if not url.startswith((desk.server, "data:", "blob:"))] == []
    assert failed == []
