"""Nobody who is not let in sees a page or a row, on whatever address the server is asked first."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import use_database
from tests.e2e.conftest import OpenDesk
from tests.e2e.servers import Server, start_server, stop_server
from tests.e2e.waiting import expect
from tests.rows import make_order

DEEP = ["/orders", "/refunds", "/main", "/order?order=OD-SECRET", "/"]
SECRET = "OD-SECRET"


@pytest.fixture(scope="module")
def asked_first(make_database: Callable[[str], str], data_dir: Path) -> Iterator[dict[str, Server]]:
    """Start a server for each page, none of them asked yet, whose local user is deactivated."""
    url = make_database("sqlite")
    use_database(url)
    make_order(SECRET)
    with ExitStack() as stack:
        servers = {}
        for path in DEEP:
            servers[path] = start_server(url, data_dir)
            stack.callback(stop_server, servers[path])
        for server in servers.values():
            server.wait_for_status(200)
        servers[DEEP[0]].execute("UPDATE users SET is_active = false")
        yield servers


@pytest.mark.parametrize("path", DEEP)
def test_first_request_of_a_server_shows_no_page_to_a_deactivated_user(
    open_tab: OpenDesk, asked_first: dict[str, Server], path: str
) -> None:
    desk = open_tab(asked_first[path], fresh=True)
    received: list[bytes] = []
    desk.page.on(
        "websocket",
        lambda opened: opened.on(
            "framereceived",
            lambda frame: received.append(frame if isinstance(frame, bytes) else b""),
        ),
    )
    desk.page.goto(f"{desk.server}{path}", wait_until="commit")
    expect(desk.page.get_by_text("You are not signed in.")).to_be_visible(timeout=15_000)
    expect(desk.page.locator("[data-testid=stApp]")).to_have_attribute(
        "data-test-script-state", "notRunning"
    )
    expect(desk.page.locator("iframe")).to_have_count(0)
    expect(desk.page.get_by_text("Download Excel")).to_have_count(0)
    expect(desk.page.get_by_text("analyst@local")).to_have_count(0)
    assert received
    assert not any(SECRET.encode() in frame or b"agGrid" in frame for frame in received)


def test_user_who_is_let_in_again_sees_the_rows(
    open_tab: OpenDesk, asked_first: dict[str, Server]
) -> None:
    server = asked_first["/orders"]
    desk = open_tab(server)
    desk.page.goto(f"{server.url}/orders", wait_until="commit")
    expect(desk.page.get_by_text("You are not signed in.")).to_be_visible()
    server.execute("UPDATE users SET is_active = true")
    try:
        desk.open("/orders")
        desk.expect_column("order_id", [SECRET])
    finally:
        server.execute("UPDATE users SET is_active = false")


def test_user_deactivated_while_a_page_is_open_gets_no_more_rows(
    open_tab: OpenDesk, asked_first: dict[str, Server]
) -> None:
    server = asked_first["/orders"]
    server.execute("UPDATE users SET is_active = true")
    desk = open_tab(server).open("/orders")
    desk.wait_for_run()  # a run of the page that comes later is already the stranger's
    server.execute("UPDATE users SET is_active = false")
    desk.box("Author").fill("ana")
    # In place of the page, and as a notice of the widget that spoke last.
    expect(desk.page.get_by_text("You are not signed in.").first).to_be_visible()
    expect(desk.page.locator("iframe")).to_have_count(0)
    expect(desk.page.get_by_text("Download Excel")).to_have_count(0)
