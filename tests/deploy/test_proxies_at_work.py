"""haproxy and nginx, with the configurations of deploy/, before two small servers that echo."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.conftest import free_port
from tests.e2e.nginx import proxying
from tests.team.haproxy import balancing
from tests.team.replicas import wait_until

BASE = "/desk"
LONG = "x" * 60_000  # as long as an address may be
BROWSERS = 16
WEBSOCKET = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",  # haproxy refuses an upgrade without one
    "Sec-WebSocket-Version": "13",
}


class Echo(BaseHTTPRequestHandler):
    """Answers with the port that was asked, and what arrived there."""

    protocol_version = "HTTP/1.1"
    server: ThreadingHTTPServer

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        said = {"port": self.server.server_port, "path": self.path, "headers": headers}
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")  # one that is gone keeps no connection open
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@contextmanager
def echoing() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=[0.02])
        thread.start()
        try:
            yield server
        finally:
            end(server)
            thread.join()


def end(server: ThreadingHTTPServer) -> None:
    """Let a server take no connection any more."""
    server.shutdown()
    server.socket.close()


@dataclass
class Site:
    """A running proxy."""

    url: str
    cookie: str  # the name of the one that keeps a browser at its process
    servers: list[ThreadingHTTPServer]

    def browser(self, **given: Any) -> httpx.Client:
        return httpx.Client(base_url=self.url, verify=False, **given)


@pytest.fixture(params=["haproxy", "nginx"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """Run a proxy under a path, before two servers."""
    with ExitStack() as stack:
        servers = [stack.enter_context(echoing()) for _ in range(2)]
        ports = [one.server_port for one in servers]
        port = free_port()
        if request.param == "nginx":
            url = stack.enter_context(proxying(tmp_path, ports, port=port, base=BASE))
            yield Site(f"{url}{BASE}", "desk_browser", servers)
        else:
            proxy = stack.enter_context(balancing(tmp_path, ports, port=port, base=BASE))
            yield Site(proxy.url, "desk_process", servers)


def test_a_browser_stays_at_one_process_and_browsers_are_spread(site: Site) -> None:
    asked = set()
    for _ in range(BROWSERS):
        with site.browser() as browser:
            first = browser.get("/orders")
            (cookie,) = first.headers.get_list("set-cookie")
            assert cookie.startswith(f"{site.cookie}=")
            assert {"HttpOnly", "Secure", "SameSite=Lax"} <= set(cookie.split("; "))
            ports = {browser.get("/orders").json()["port"] for _ in range(4)}
            assert ports == {first.json()["port"]}
            asked |= ports
    assert len(asked) == 2


def test_a_process_that_is_gone_is_passed_over(site: Site) -> None:
    with site.browser() as browser:
        port = browser.get("/orders").json()["port"]
        (gone,) = [one for one in site.servers if one.server_port == port]
        end(gone)
        assert browser.get("/orders").json()["port"] != port


def test_paths_headers_and_websockets_arrive_unchanged(site: Site) -> None:
    with site.browser() as browser:
        said = browser.get("/order?order=OD%201", headers=WEBSOCKET).json()
        assert said["path"] == f"{BASE}/order?order=OD%201"
        headers = said["headers"]
        assert headers["host"] == urlsplit(site.url).netloc
        assert headers["upgrade"] == "websocket"
        assert headers["connection"].lower() == "upgrade"
        assert len(browser.get(f"/orders?view={LONG}").json()["path"]) > len(LONG)


def test_what_is_beside_the_path_or_too_large_is_refused(site: Site) -> None:
    parts = urlsplit(site.url)
    beside = httpx.get(f"{parts.scheme}://{parts.netloc}/orders", verify=False)
    assert beside.status_code == 404
    request = f"POST {BASE}/x HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: 999000000\r\n\r\n"
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", parts.port or 0), timeout=10) as plain,
        trust.wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        tls.sendall(request.encode())
        assert tls.recv(12) == b"HTTP/1.1 413"


def test_haproxy_logs_no_token_of_a_link(tmp_path: Path) -> None:
    gone = free_port()
    with balancing(tmp_path, [gone, gone], port=free_port()) as proxy:
        said = httpx.get(f"{proxy.url}/export/orders?token=eyJzZWNyZXQ", verify=False)
        assert said.status_code == 503
        wait_until(lambda: "GET /export/orders" in proxy.log.read_text())
    log = proxy.log.read_text()
    assert "eyJzZWNyZXQ" not in log
