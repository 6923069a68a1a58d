"""Things that go away and come back: the database, a token. The page gets over it by itself."""

import gc
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Route
from sqlalchemy.engine import make_url

from core import storage
from tests.conftest import use_database
from tests.core.refunds.sold_items import sell
from tests.core.refunds.worker_deaths import changed
from tests.e2e.conftest import OpenDesk
from tests.e2e.desk import Desk
from tests.e2e.load import Load
from tests.e2e.servers import Server, Wire, serving
from tests.e2e.waiting import expect
from tests.rows import make_order

PATIENCE_MS = 30_000
GONE_SECONDS = 10


@pytest.fixture(scope="module")
def wire(make_database: Callable[[str], str]) -> Iterator[tuple[Wire, str]]:
    """Give a PostgreSQL database with three orders, behind a wire that is not there yet."""
    direct = make_url(make_database("postgresql"))
    use_database(direct.render_as_string(hide_password=False))
    for author in ("ana@helios.example", "ben@helios.example", "ana@blue.example"):
        make_order(author=author)
    assert direct.port is not None
    wire = Wire(direct.port)
    yield wire, direct.set(port=wire.port).render_as_string(hide_password=False)
    wire.cut()


@pytest.fixture(scope="module")
def server(wire: tuple[Wire, str], data_dir: Path) -> Iterator[Server]:
    """Run a server that was started while its database was away."""
    with serving(wire[1], data_dir, status=503) as server:
        yield server


@pytest.fixture
def line(wire: tuple[Wire, str]) -> Iterator[Wire]:
    """Give the wire to the database, and leave it mended."""
    yield wire[0]
    if wire[0].listener is None:
        wire[0].mend()


def test_database_away_at_the_start_is_said_and_its_return_noticed(
    open_tab: OpenDesk, server: Server, line: Wire
) -> None:
    desk = open_tab(server)
    desk.page.goto(f"{server.url}/orders", wait_until="commit")
    expect(desk.page.get_by_text("The database cannot be reached.")).to_be_visible(timeout=15_000)
    expect(desk.page.locator("iframe")).to_have_count(0)
    server.wait_for_status(503)
    line.mend()
    server.wait_for_status(200)
    expect(desk.page.get_by_text("3 orders")).to_be_visible(timeout=PATIENCE_MS)
    expect(desk.cell(0, "author")).to_be_visible()
    expect(desk.page.get_by_text("The database cannot be reached.")).to_have_count(0)
    expect(desk.page.get_by_text("Waiting for the database")).to_have_count(0)


def lose_database_while(act: Callable[[], object], desk: Desk, server: Server, line: Wire) -> None:
    """Do something on the page while the database is away; wait until page and rows are back."""
    said = desk.page.get_by_text("The database cannot be reached.")
    line.cut()
    server.wait_for_status(503)
    act()
    expect(said).to_be_visible(timeout=15_000)
    line.mend()
    expect(said).to_have_count(0, timeout=PATIENCE_MS)
    desk.wait_for_rows()


def test_grid_and_words_agree_after_the_database_was_lost_and_found(
    open_tab: OpenDesk, server: Server, line: Wire
) -> None:
    server.wait_for_status(200)
    desk = open_tab(server).open()
    desk.box("Author").fill("ana")
    desk.expect_words("Author contains “ana”")
    desk.expect_count(2, 3)
    lose_database_while(desk.header("Total").click, desk, server, line)
    desk.expect_words("Author contains “ana”")
    desk.expect_count(2, 3)
    expect(desk.box("Author")).to_have_value("ana")
    desk.expect_column("author", ["ana@helios.example", "ana@blue.example"])


def test_filter_typed_while_the_database_is_away_is_not_lost(
    open_tab: OpenDesk, server: Server, line: Wire
) -> None:
    server.wait_for_status(200)
    desk = open_tab(server).open()
    desk.box("Author").fill("ana")
    desk.expect_words("Author contains “ana”")
    lose_database_while(lambda: desk.box("Author").fill("blue"), desk, server, line)
    desk.expect_words("Author contains “blue”")
    desk.expect_count(1, 3)
    desk.expect_column("author", ["ana@blue.example"])


def test_database_lost_under_the_grid_is_said_there_and_rows_come_back(
    open_tab: OpenDesk, server: Server, line: Wire
) -> None:
    server.wait_for_status(200)
    desk = open_tab(server).open()
    # Its words say that page and grid are done with each other: no run is to come by itself.
    desk.box("Author").fill("ana")
    desk.expect_words("Author contains “ana”")
    desk.wait_for_run()
    notice = desk.grid.locator("#orderDeskNotice")
    line.cut()
    server.wait_for_status(503)
    desk.button_of("Contract ID").click()
    expect(notice).to_contain_text("The database cannot be reached.", timeout=15_000)
    line.mend()
    expect(desk.list_rows).to_have_text(["CT-12"], timeout=PATIENCE_MS)
    expect(notice).to_be_hidden()


@pytest.fixture
def busy(make_database: Callable[[str], str]) -> Iterator[tuple[Wire, str, str]]:
    """Give a database of its own with a wire that is there: the wire, the way by it, the direct."""
    direct = make_database("postgresql")
    address = make_url(direct)
    assert address.port is not None
    wire = Wire(address.port)
    wire.mend()
    yield wire, address.set(port=wire.port).render_as_string(hide_password=False), direct
    wire.cut()
    use_database(direct)
    storage.get_engine().dispose()
    gc.collect()  # finds what the pool dropped here, and not in the middle of another test


# The pool drops connections that were in use when they broke; the collector finds them open.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_database_gone_for_ten_seconds_under_load_loses_and_doubles_no_action(
    open_tab: OpenDesk, busy: tuple[Wire, str, str], data_dir: Path
) -> None:
    wire, by_wire, direct = busy
    use_database(direct)
    load = Load(sell(500), sell(9))
    use_database(by_wire)
    with changed({"LEASE_SECONDS": "5"}), serving(by_wire, data_dir) as server:
        desk = open_tab(server).open()
        said = desk.page.get_by_text("The database cannot be reached.")
        with load.going_on():
            load.wait_for_answers(12)
            wire.cut()
            gone_until = time.monotonic() + GONE_SECONDS
            server.wait_for_status(503)
            desk.header("Total").click()
            expect(said).to_be_visible(timeout=15_000)
            threading.Event().wait(max(0, gone_until - time.monotonic()))
            assert load.failures > 0
            wire.mend()
            server.wait_for_status(200)
            load.wait_for_answers(len(load.answers) + 12)
        expect(said).to_have_count(0, timeout=PATIENCE_MS)
        desk.wait_for_rows()
        desk.page.close()
        use_database(direct)
        server.wait_until(load.is_done)
    load.check(data_dir / "outbox")


def test_token_that_is_too_old_is_renewed_once_and_the_rows_come(desk: Desk) -> None:
    tokens: list[str] = []

    def refuse_first(route: Route) -> None:
        tokens.append(route.request.headers["authorization"])
        if len(tokens) == 1:
            route.fulfill(status=401, json={"error": "This page was open for too long."})
        else:
            route.continue_()

    desk.page.route("**/rows/orders", refuse_first)
    try:
        desk.box("Author").fill("maria")
        desk.expect_words("Author contains “maria”")
        expect(desk.cell(0, "author")).to_contain_text("maria")
        assert tokens[1] != tokens[0]
        expect(desk.grid.locator("#orderDeskNotice")).to_be_hidden()
        desk.box("Author").fill("nora")
        expect(desk.cell(0, "author")).to_contain_text("nora")
        assert set(tokens[1:]) == {tokens[1]}
    finally:
        desk.page.unroute("**/rows/orders")


def test_token_that_is_never_accepted_is_said_and_not_asked_for_ever(open_tab: OpenDesk) -> None:
    desk = open_tab()
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.post_data or "")
        route.fulfill(status=401, json={"error": "You are not signed in."})

    desk.page.route("**/rows/orders", refuse)
    desk.page.goto(f"{desk.server}/orders", wait_until="commit")
    notice = desk.grid.locator("#orderDeskNotice")
    expect(notice).to_have_text("You are not signed in. Reload this page.", timeout=20_000)
    assert len(asked) <= 8


def test_filter_typed_while_the_server_restarts_is_not_lost(
    open_tab: OpenDesk, demo: Server, data_dir: Path
) -> None:
    with serving(demo.database, data_dir) as first:
        desk = open_tab(first).open()
        desk.box("Contract ID").fill("CT-1001")
        desk.expect_words("Contract ID contains “CT-1001”")
    desk.box("Author").fill("maria")
    notice = desk.grid.locator("#orderDeskNotice")
    expect(notice).to_contain_text("The server cannot be reached.")
    with serving(demo.database, data_dir, port=make_url(first.url).port):
        expect(notice).to_be_hidden(timeout=PATIENCE_MS)
        expect(desk.cell(0, "author")).to_contain_text("maria")
        # The page's own connection comes back some seconds after the rows.
        expect(desk.words.get_by_role("button")).to_have_count(3, timeout=PATIENCE_MS)
        desk.expect_words("Contract ID contains “CT-1001”", "Author contains “maria”")
        rule = "author LIKE '%maria%' AND contract_id = 'CT-1001'"
        desk.expect_count(demo.query(f"SELECT count(*) FROM orders WHERE {rule}")[0])
        desk.page.close()


@pytest.mark.parametrize("key_ms", [260, 450])
def test_typing_faster_than_a_far_server_answers_loses_no_letter(
    open_tab: OpenDesk, demo: Server, key_ms: int
) -> None:
    wire = Wire(int(demo.url.rsplit(":", 1)[1]), delay=0.06)
    wire.mend()
    desk = open_tab(replace(demo, url=f"http://localhost:{wire.port}")).open()
    desk.box("Order ID").press_sequentially("OD2511", delay=key_ms)
    count = demo.query("SELECT count(*) FROM orders WHERE order_id LIKE '%OD2511%'")[0]
    desk.expect_count(count)
    desk.expect_words("Order ID contains “OD2511”")
    expect(desk.box("Order ID")).to_have_value("OD2511")
    desk.page.close()
    wire.cut()
