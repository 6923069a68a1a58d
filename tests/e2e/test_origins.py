"""A page of another port of this machine, open in the admin's browser: it gets nothing here."""

import http.server
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import OpenDesk
from tests.e2e.servers import Server
from tests.e2e.waiting import expect

CONNECT = """url => new Promise(done => {
  const socket = new WebSocket(url, "streamlit");
  socket.onopen = () => done("open");
  socket.onerror = () => done("refused");
})"""
WRITE = """([url, method]) => fetch(url, {method, mode: "no-cors", credentials: "include"})
  .then(() => "sent", () => "refused")"""


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    """Serve a page on another port of this machine; its address."""

    class Quiet(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>elsewhere</title>")

        def log_message(self, *_given: object) -> None:
            """Log nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_address[1]}/"
    server.shutdown()
    thread.join()
    server.server_close()


def connect(page: Page, server: Server) -> str:
    url = server.url.replace("http://", "ws://") + "/_stcore/stream"
    return str(page.evaluate(CONNECT, url))


def test_a_page_of_another_port_opens_no_websocket(
    open_tab: OpenDesk, demo: Server, elsewhere: str
) -> None:
    page = open_tab(fresh=True).page
    page.goto(elsewhere)
    assert connect(page, demo) == "refused"
    assert "its origin is" in demo.log.read_text()
    page.goto(f"{demo.url}/orders", wait_until="commit")
    assert connect(page, demo) == "open"


def test_a_page_of_another_port_writes_nothing(
    open_tab: OpenDesk, demo: Server, elsewhere: str
) -> None:
    page = open_tab(fresh=True).page
    page.goto(f"{demo.url}/orders", wait_until="commit")
    page.goto(elsewhere)
    for method in ("POST", "PUT"):
        page.evaluate(WRITE, [f"{demo.url}/rows/from-elsewhere", method])
    said = demo.log.read_text()
    assert "Refused POST /rows/from-elsewhere: its origin is" in said
    assert "PUT /rows/from-elsewhere" not in said  # the browser itself sends none


def test_our_own_pages_work(open_tab: OpenDesk) -> None:
    desk = open_tab(fresh=True).open()
    expect(desk.page.locator(".st-key-who")).to_contain_text("Local mode")
