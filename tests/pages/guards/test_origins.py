"""Writes and WebSockets from pages of other sites: refused before anything reads them."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from starlette.middleware import Middleware
from starlette.types import Receive, Scope, Send

from pages.guards import OwnOrigin
from tests.core.access.test_people import SIGN_IN
from tests.core.refunds.refund_rows import settings
from tests.pages.guards.asgi import HOST, Answer, Headers, Socket, ask, serving

SITE = "https://desk.helios.example"
WRITING = ["POST", "PUT", "DELETE", "PATCH", "TRACE", "MKCOL"]
FOREIGN = [
    "https://evil.example",
    "null",
    "",
    " ",
    "http://localhost",
    "http://localhost:8502",
    "http://localhost:85011",
    "http://localhost:8501.evil.example",
    "http://localhost:8501/",
    "http://localhost:8501@evil.example",
    "http://127.0.0.1:8501",
    "http://[::1]:8501",
    "https://localhost:8501",
    "localhost:8501",
    "//localhost:8501",
    "http://localhost:8501, https://evil.example",
    "http://[",
    "http://localhost:99999999999999999999",
    "\xff\xfe",
    "http://" + "a" * 100_000,
    "file://",
    "chrome-extension://abcdefgh",
]
OTHERS = [
    "https://evil.example",
    "null",
    "http://desk.helios.example",
    "https://desk.helios.example:8443",
    "https://desk.helios.example.evil.example",
    "https://evil-desk.helios.example",
    "https://desk.helios.example/",
    "https://desk.helios.example.",
    "http://localhost:8501",
    "http://[",
    "",
]


@contextmanager
def signing_in(public_url: str = SITE) -> Iterator[None]:
    """Turn on sign-in."""
    with settings(**SIGN_IN | {"public_url": public_url}):
        yield


async def _answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Stand for the application behind: read the body, and answer with its Host."""
    await receive()
    host = dict(scope["headers"])[b"host"]
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x", host)]})
    await send({"type": "http.response.body", "body": b"done"})


def write(*origins: str, method: str = "POST", host: str = HOST, scheme: str = "http") -> Answer:
    headers: Headers = [("host", host), *(("origin", origin) for origin in origins)]
    return asyncio.run(ask(OwnOrigin(_answer), method, "/rows/orders", headers, scheme=scheme))


async def _connect(*origins: str, host: str = HOST) -> bool:
    headers: Headers = [("host", host), *(("origin", origin) for origin in origins)]
    async with serving(Middleware(OwnOrigin)) as app:
        socket = Socket(app, headers)
        is_accepted = await socket.is_accepted()
        if is_accepted:
            await socket.close()
        return is_accepted


def connects(*origins: str, host: str = HOST) -> bool:
    """Open a WebSocket to Streamlit itself, behind the middleware."""
    return asyncio.run(_connect(*origins, host=host))


def assert_refused(answer: Answer) -> None:
    assert (answer.status, answer.pieces_read) == (403, 0)
    assert b"A page at another address sent this request." in answer.body


@pytest.mark.parametrize("origin", FOREIGN)
def test_in_local_mode_a_page_of_another_address_writes_nothing(origin: str) -> None:
    assert_refused(write(origin))


@pytest.mark.parametrize("method", WRITING)
def test_only_our_own_pages_write(method: str) -> None:
    assert_refused(write("http://localhost:3000", method=method))
    assert write("http://localhost:8501", method=method).status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_is_passed_on(method: str) -> None:
    assert write("https://evil.example", method=method).status == 200


@pytest.mark.parametrize(
    ("origin", "host", "scheme"),
    [
        ("http://localhost:8501", "localhost:8501", "http"),
        ("HTTP://LocalHost:8501", "localhost:8501", "http"),
        ("http://127.0.0.1:8501", "127.0.0.1:8501", "http"),
        ("http://[::1]:8501", "[::1]:8501", "http"),
        ("http://localhost", "localhost:80", "http"),
        ("http://localhost:80", "localhost", "http"),
        ("https://localhost:8501", "localhost:8501", "https"),
        ("https://localhost", "localhost:443", "https"),
    ],
)
def test_in_local_mode_our_own_page_writes(origin: str, host: str, scheme: str) -> None:
    assert write(origin, host=host, scheme=scheme).status == 200


@pytest.mark.parametrize("host", ["evil.example:8501", "desk.evil.example", "192.168.0.10:8501"])
def test_in_local_mode_a_rebound_name_is_not_our_own(host: str) -> None:
    assert_refused(write(f"http://{host}", host=host))


@pytest.mark.parametrize("origin", OTHERS)
def test_with_sign_in_the_site_is_that_of_public_url(origin: str) -> None:
    with signing_in():
        for host in ("desk.helios.example", "app:8501", origin.partition("//")[2] or "x"):
            assert_refused(write(origin, host=host))


@pytest.mark.parametrize(
    "origin", [SITE, f"{SITE}:443", SITE.upper(), "https://DESK.helios.example:443"]
)
@pytest.mark.parametrize("host", ["desk.helios.example", "app:8501", "127.0.0.1:8501", ""])
def test_with_sign_in_our_own_page_writes_through_any_proxy(origin: str, host: str) -> None:
    for public_url in (SITE, f"{SITE}/desk", f"{SITE}:443/", SITE.upper()):
        with signing_in(public_url):
            assert write(origin, host=host).status == 200


def test_with_sign_in_on_this_machine_its_other_names_are_accepted() -> None:
    with signing_in("http://localhost:8501"):
        for host in ("localhost:8501", "127.0.0.1:8501", "[::1]:8501"):
            assert write(f"http://{host}", host=host).status == 200
        assert_refused(write("http://127.0.0.1:8502", host="127.0.0.1:8501"))
        assert_refused(write("http://evil.example:8501", host="evil.example:8501"))


def test_several_origins_or_hosts_are_refused() -> None:
    own = f"http://{HOST}"
    assert_refused(write(own, own))
    assert_refused(write(own, "https://evil.example"))
    headers: Headers = [("host", HOST), ("host", "evil.example"), ("origin", own)]
    assert_refused(asyncio.run(ask(OwnOrigin(_answer), "POST", "/x", headers)))
    with signing_in():
        assert_refused(write(SITE, SITE))


def test_a_request_without_origin_is_passed_on() -> None:
    assert write().status == 200
    assert connects()


@pytest.mark.parametrize(
    "origin", ["http://localhost:3000", "https://evil.example", "null", "http://127.0.0.1:8501"]
)
def test_a_page_of_another_address_gets_no_websocket(origin: str) -> None:
    assert not connects(origin)
    assert connects(f"http://{HOST}")


def test_streamlit_itself_accepts_other_pages_of_this_machine() -> None:
    async def connect_unguarded() -> bool:
        async with serving() as app:
            socket = Socket(app, [("origin", "http://localhost:3000")])
            is_accepted = await socket.is_accepted()
            await socket.close()
            return is_accepted

    assert asyncio.run(connect_unguarded())  # what the middleware prevents


def test_no_outside_service_is_asked_for_the_address_of_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    for name in ("get_external_ip", "get_internal_ip"):
        monkeypatch.setattr(f"streamlit.net_util.{name}", lambda name=name: asked.append(name))
    with signing_in():
        assert not connects("https://evil.example", host="desk.helios.example")
        # A proxy's own host name, and a default port that is named: Streamlit would ask.
        assert connects(SITE, host="app:8501")
        assert connects(f"{SITE}:443", host="desk.helios.example")
    assert asked == []


def test_a_long_origin_costs_nothing() -> None:
    began = time.perf_counter()
    for origin in (
        "http://" + "a:" * 1_000_000,
        "[" * 1_000_000,
        "http://localhost:" + "8" * 10**6,
    ):
        assert_refused(write(origin))
    assert time.perf_counter() - began < 1
