"""The address that is kept during a sign-in: a path on this site, or nothing."""

import asyncio
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from pages.guards import DeepLink
from pages.guards.deep_link import COOKIE, MAX_LENGTH

HERE = "http://localhost:8501"
GOOD = [
    "/orders",
    "/order?order=OD-1&tab=Transactions",
    "/orders?view=eyJ9-_.~%20%C3%96",
    "/orders?a='b'&c=(d)*!$@:/?",
    "/",
]
BAD = [
    "",
    "orders",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example/",
    "javascript:alert(1)",
    "/a\r\nSet-Cookie: x=y",
    "/a b",
    "/a,b",
    '/a"b',
    "/ä",
    "/a\x00",
    "/" + "a" * MAX_LENGTH,
]


SIGNED_IN = "_streamlit_user=signed; Path=/; HttpOnly"


def ask(
    path: str, location: str = "/", base: str = "", said: str = SIGNED_IN, **headers: str
) -> dict[str, list[str]]:
    """Send a request to the middleware, in front of a redirect; return the response's headers."""

    async def redirects(_scope: Scope, _receive: Receive, send: Send) -> None:
        where = [(b"location", location.encode()), (b"set-cookie", said.encode())]
        await send({"type": "http.response.start", "status": 302, "headers": where})

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError("the body was read")

    raw = [(b"host", b"localhost:8501")]
    raw += [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": path, "headers": raw}
    asyncio.run(DeepLink(redirects, base)(scope, receive, send))
    found: dict[str, list[str]] = {}
    for name, value in sent[0]["headers"]:
        found.setdefault(name.decode(), []).append(value.decode())
    return found


def kept(referer: str) -> str:
    """Start a sign-in from a page; return the address in the cookie."""
    (_, cookie) = ask("/auth/login", "https://id.example/", referer=referer)["set-cookie"]
    assert cookie.endswith("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax")
    return cookie.removeprefix(f"{COOKIE}=").split(";")[0]


def redirected_to(address: str, base: str = "") -> str:
    """End a sign-in with an address in the cookie; return where the response redirects to."""
    answer = ask(f"{base}/oauth2callback", f"{base}/", base, cookie=f"{COOKIE}={address}")
    ended = f"{COOKIE}=; Path={base or '/'}; Max-Age=0; HttpOnly; SameSite=Lax"
    assert answer["set-cookie"] == [SIGNED_IN, ended]
    return answer["location"][0]


@pytest.mark.parametrize("address", GOOD)
def test_an_address_is_kept_and_redirected_to(address: str) -> None:
    assert kept(HERE + address) == address
    assert redirected_to(address) == address


@pytest.mark.parametrize("address", BAD)
def test_an_invalid_address_redirects_to_the_first_page(address: str) -> None:
    assert redirected_to(address) == "/"


@pytest.mark.parametrize(
    "referer",
    [
        "",
        "https://evil.example/orders",
        "http://localhost:8501.evil.example/orders",
        "http://evil.example:8501/orders",
        "http://[evil/orders",
        "about:x",
    ],
)
def test_the_address_of_another_site_is_not_kept(referer: str) -> None:
    assert kept(referer) == ""


def test_characters_that_a_cookie_cannot_hold_are_escaped_or_left_out() -> None:
    assert kept(f"{HERE}/orders?a=1;2,3") == "/orders?a=1%3B2%2C3"
    assert kept(f"{HERE}/orders?view={'x' * MAX_LENGTH}") == "/orders"
    assert kept(f"{HERE}//evil.example/orders") == ""


def test_with_a_base_path_only_addresses_below_it_are_used() -> None:
    assert redirected_to("/desk/orders", "/desk") == "/desk/orders"
    for other in ("/orders", "/desktop/orders", "/"):
        assert redirected_to(other, "/desk") == "/desk/"


@pytest.mark.parametrize("path", ["/", "/orders", "/auth/logout", "/export/orders"])
def test_other_responses_are_unchanged(path: str) -> None:
    answer = ask(path, referer=f"{HERE}/x", cookie=f"{COOKIE}=/y")
    assert answer == {"location": ["/"], "set-cookie": [SIGNED_IN]}


@pytest.mark.parametrize("said", ["other=1", '_streamlit_user=""; Max-Age=0', "_streamlit_user="])
def test_a_callback_without_a_sign_in_keeps_the_address(said: str) -> None:
    """Any site can link to the callback, so a sign-in in progress must go on."""
    answer = ask("/oauth2callback", "/", said=said, cookie=f"{COOKIE}=/orders")
    assert answer == {"location": ["/"], "set-cookie": [said]}


def test_another_redirect_of_the_callback_is_unchanged() -> None:
    answer = ask("/oauth2callback", "/elsewhere", cookie=f"{COOKIE}=/orders")
    assert answer["location"] == ["/elsewhere"]
