"""What a stranger and another site get from a server where people sign in: nothing."""

import socket
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page

from pages.guards.closed_doors import MINIMAL_HOST_CONFIG
from pages.web import BROWSER_COOKIE
from tests.e2e.conftest import Profiles
from tests.e2e.desk import Desk
from tests.e2e.provider import Provider, expect_form, providing
from tests.e2e.servers import Server, serving
from tests.e2e.test_sign_in import ANA, come_in, expect_who, open_tab, sign_in
from tests.e2e.waiting import expect
from tests.shop import make_shop

INSIDE = ["metrics", "agent/openapi.json", "agent/interact", "agent/mcp", "script-health-check", ""]
ENDED = "SELECT count(*) FROM audit_events WHERE action = 'sign_in.ended'"
PLANTED = "planted-by-somebody-else-before"


@pytest.fixture(scope="module")
def provider(data_dir: Path) -> Iterator[Provider]:
    """Run a provider that knows Ana."""
    with providing(data_dir) as provider:
        provider.knows("Ana", **ANA)
        yield provider


@pytest.fixture(scope="module")
def server(
    make_database: Callable[[str], str], kind: str, data_dir: Path, provider: Provider
) -> Iterator[Server]:
    """Run a server with the small shop, whose admin is Ana."""
    given = provider.settings | {"FIRST_ADMIN_EMAIL": "ana@helios.example"}
    with serving(make_shop(make_database(kind)), data_dir, **given) as server:
        yield server


@pytest.fixture(scope="module")
def behind_tls(
    make_database: Callable[[str], str], data_dir: Path, provider: Provider
) -> Iterator[str]:
    """Run a server below /desk, behind a proxy that ends TLS; yields its address."""
    given = provider.settings | {
        "PUBLIC_URL": "https://desk.helios.example/desk",
        "STREAMLIT_SERVER_BASE_URL_PATH": "desk",
    }
    with serving(make_database("sqlite"), data_dir, **given) as server:
        yield server.url


@pytest.fixture
def other_site(tmp_path: Path, server: Server) -> Iterator[str]:
    """Run another site on this machine, whose page signs people out of Order Desk if it can."""
    leave = f"{server.url}/auth/logout"
    page = f'<title>Other</title><img src="{leave}"><a href="{leave}" rel="noreferrer">Win</a>'
    (tmp_path / "index.html").write_text(page)
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as site:
        thread = Thread(target=site.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{site.server_port}/"
        site.shutdown()
        thread.join()


def cookie_of(person: BrowserContext, name: str = BROWSER_COOKIE) -> str | None:
    return {one["name"]: one["value"] for one in person.cookies()}.get(name)


def copied(person: BrowserContext) -> dict[str, str]:
    return {str(one["name"]): str(one["value"]) for one in person.cookies()}


@pytest.mark.parametrize("path", INSIDE)
def test_a_stranger_sees_nothing_of_the_inside(server: Server, path: str) -> None:
    answer = httpx.get(f"{server.url}/_stcore/{path}")
    assert (answer.status_code, answer.json()) == (404, {"error": "Not found."})
    assert httpx.get(f"{server.url}/_stcore/health").text == "ok"
    assert httpx.get(f"{server.url}/_stcore/host-config").json() == MINIMAL_HOST_CONFIG


@pytest.mark.parametrize("path", INSIDE)
def test_nor_below_a_path(behind_tls: str, path: str) -> None:
    assert httpx.get(f"{behind_tls}/_stcore/{path}").status_code == 404
    assert httpx.get(f"{behind_tls}/_stcore/health").text == "ok"
    assert httpx.get(f"{behind_tls}/_stcore/host-config").json() == MINIMAL_HOST_CONFIG


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({}, "error_description=" + "://a:" * 12_000),
        ({"Cookie": 'a="' + "\\" * 60_000 + '"'}, ""),
        ({"Cookie": "a=" + "x" * 20_000 + "\\" * 90}, ""),
        ({"Origin": "http://a" + "://a:" * 10_000}, ""),
        ({"Referer": "http://a" + "://a:" * 10_000}, ""),
    ],
)
@pytest.mark.parametrize("path", ["/oauth2callback", "/auth/login", "/auth/logout", "/orders"])
def test_one_request_of_a_stranger_holds_nobody_up(
    server: Server, headers: dict[str, str], query: str, path: str
) -> None:
    begin = time.monotonic()
    httpx.get(f"{server.url}{path}?error=access_denied&{query}", headers=headers, timeout=60)
    assert httpx.get(f"{server.url}/_stcore/health", timeout=60).text == "ok"
    assert time.monotonic() - begin < 3


def test_nor_does_a_connection_with_a_long_origin(server: Server) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Origin": "http://a" + "://a:" * 12_000,
    }
    url = f"{server.url}/_stcore/stream"
    with socket.create_connection(("127.0.0.1", urlsplit(server.url).port)) as connection:
        said = "".join(f"{name}: {value}\r\n" for name, value in upgrade.items())
        connection.sendall(f"GET {url} HTTP/1.1\r\nHost: localhost\r\n{said}\r\n".encode())
        begin = time.monotonic()  # while that connection is still open
        assert httpx.get(f"{server.url}/_stcore/health", timeout=60).text == "ok"
        assert time.monotonic() - begin < 3


def test_behind_tls_every_cookie_is_secure_and_browsers_stay_with_https(behind_tls: str) -> None:
    names = set()
    for path in (
        "/",
        "/orders",
        "/auth/login",
        "/auth/logout",
        "/oauth2callback",
        "/_stcore/health",
    ):
        answer = httpx.get(behind_tls + path, headers={"Accept": "text/html"})
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        for cookie in answer.headers.get_list("set-cookie"):
            names.add(cookie.partition("=")[0])
            assert "Secure" in cookie.split("; ")[1:], cookie
    assert {BROWSER_COOKIE, "order_desk_address", "_streamlit_xsrf"} <= names


def test_over_http_on_this_machine_no_cookie_is_secure(server: Server) -> None:
    for path in ("/", "/auth/login", "/_stcore/health"):
        answer = httpx.get(server.url + path, headers={"Accept": "text/html"})
        assert answer.headers.get_list("set-cookie")
        assert "Secure" not in str(answer.headers.get_list("set-cookie"))
        assert "strict-transport-security" not in answer.headers


def test_below_a_path_another_site_signs_nobody_out_and_takes_no_cookie_away(
    behind_tls: str,
) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site", "Cookie": f"{BROWSER_COOKIE}={PLANTED}"}
    assert httpx.get(f"{behind_tls}/auth/logout", headers=foreign).status_code == 403
    back = httpx.get(f"{behind_tls}/oauth2callback", headers={"Cookie": f"{BROWSER_COOKIE}=x"})
    assert f"{BROWSER_COOKIE}=" not in str(back.headers.get_list("set-cookie"))


def rows_with(page: Page, server: Server, cookies: dict[str, str]) -> int:
    """Ask for rows with the token of a page's grid, from elsewhere; return the status."""
    token = page.evaluate("() => window.token")
    body: dict[str, Any] = {"view": {}, "start": 0, "end": 5}
    bearer = {"Authorization": f"Bearer {token}"}
    url = f"{server.url}/rows/orders"
    return httpx.post(url, json=body, headers=bearer, cookies=cookies).status_code


def keep_token(page: Page) -> None:
    """Keep the token with which the grid of a page asks for rows."""
    with page.expect_request(lambda request: "/rows/orders" in request.url) as asked:
        page.reload()
    token = asked.value.headers["authorization"].removeprefix("Bearer ")
    page.evaluate("token => { window.token = token }", token)


def test_signing_in_gives_another_browser_cookie_with_which_the_grid_works_at_once(
    person: BrowserContext, server: Server
) -> None:
    planted: Any = {"name": BROWSER_COOKIE, "value": PLANTED, "url": server.url}
    person.add_cookies([planted])
    page = open_tab(person, f"{server.url}/orders")
    expect_form(page, "Sign in to see your orders.")
    assert cookie_of(person) == PLANTED
    refused: list[str] = []
    page.on("response", lambda one: refused.append(one.url) if one.status == 401 else None)
    sign_in(page, "Ana")
    expect_who(page, "Ana")
    Desk(page, server.url).wait_for_rows()
    assert refused == []
    mine = cookie_of(person)
    assert mine not in (None, "", PLANTED)
    keep_token(page)
    assert rows_with(page, server, {BROWSER_COOKIE: PLANTED}) == 401
    assert rows_with(page, server, {BROWSER_COOKIE: str(mine)}) == 200


def test_the_way_out_ends_what_was_copied(
    profiles: Profiles, person: BrowserContext, server: Server
) -> None:
    page = come_in(person, server, "Ana")
    Desk(page, server.url).wait_for_rows()
    keep_token(page)
    cookies = copied(person)
    assert rows_with(page, server, cookies) == 200
    (before,) = server.query(ENDED)
    left = httpx.get(f"{server.url}/auth/logout", cookies=cookies)
    assert left.status_code == 302
    assert server.query(ENDED) == [before + 1]
    assert rows_with(page, server, cookies) == 401
    with profiles.clean() as thief:
        thief.add_cookies([{"name": n, "value": v, "url": server.url} for n, v in cookies.items()])
        expect_form(open_tab(thief, f"{server.url}/orders"), "You have signed out.")


def test_another_sites_picture_and_link_sign_nobody_out(
    person: BrowserContext, server: Server, other_site: str
) -> None:
    page = come_in(person, server, "Ana")
    Desk(page, server.url).wait_for_rows()
    (before,) = server.query(ENDED)
    evil = open_tab(person, other_site)
    with evil.expect_response(lambda one: one.url.endswith("/auth/logout")) as answered:
        evil.get_by_role("link", name="Win").click()
    assert answered.value.status == 403
    expect(evil.get_by_role("heading", name="Not signed out")).to_be_visible()
    evil.get_by_role("link", name="Back to Order Desk").click()
    expect_who(evil, "Ana")
    assert server.query(ENDED) == [before]
    # The button of a page does sign out, and once is audited once.
    page.locator(".st-key-account").get_by_role("button").click()
    with page.expect_request(lambda one: one.url.endswith("/auth/logout")):
        page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="End session").click()
    expect_form(page, "Sign in to see your orders.")
    assert server.query(ENDED) == [before + 1]


def test_a_sign_in_that_begins_at_one_process_ends_at_another(
    person: BrowserContext, server: Server, data_dir: Path, provider: Provider
) -> None:
    given = provider.settings | {"PUBLIC_URL": server.url}
    with serving(server.database, data_dir, **given) as twin:
        page = open_tab(person, f"{twin.url}/orders")
        sign_in(page, "Ana")
        expect_who(page, "Ana")
        assert page.url.startswith(server.url)
