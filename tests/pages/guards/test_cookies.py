"""Cookies: Secure over TLS, and a new browser cookie after a sign-in."""

from collections.abc import Iterator
from functools import partial

import pytest

from core.ground import get_settings
from pages.guards import BrowserCookie, SecureCookies, SecurityHeaders
from pages.web import BROWSER_COOKIE
from tests.core.access.test_people import SIGN_IN
from tests.core.refunds.refund_rows import settings
from tests.pages.asked import Answer, Headers, ask

HEADERS = partial(SecurityHeaders, base="")
OTHERS = [
    ("set-cookie", "_streamlit_user=x; HttpOnly; Max-Age=2592000; Path=/; SameSite=lax"),
    ("set-cookie", "_streamlit_xsrf=2|a|b|1; Path=/; SameSite=Lax"),
    ("set-cookie", "_streamlit_session=x; path=/; httponly; samesite=lax"),
    ("set-cookie", "order_desk_address=/orders; Path=/; Max-Age=600; HttpOnly; SameSite=Lax"),
    ("Set-Cookie", "secure=secure"),
    ("content-type", "text/html"),
]
PAGE = [("accept", "text/html")]


@pytest.fixture
def local() -> Iterator[None]:
    """Turn off sign-in."""
    with settings(oidc_metadata_url="", oidc_client_id="", oidc_client_secret=""):
        assert not get_settings().has_sign_in
        yield


def is_secure(cookie: str) -> bool:
    return "secure" in [one.strip().lower() for one in cookie.split(";")[1:]]


def secured(scheme: str) -> list[bool]:
    answer = ask(SecureCookies, scheme=scheme, answer=OTHERS)
    cookies = answer.all("set-cookie") + answer.all("Set-Cookie")
    assert len(cookies) == 5
    assert answer.all("content-type") == ["text/html"]
    return [is_secure(cookie) for cookie in cookies]


def test_over_https_every_cookie_is_secure(local: None) -> None:
    assert secured("https") == [True] * 5


def test_over_http_no_cookie_is_secure(local: None) -> None:
    assert secured("http") == [False] * 5


def test_behind_a_proxy_that_ends_tls_cookies_are_secure_and_hsts_is_sent() -> None:
    with settings(**SIGN_IN):
        assert secured("http") == [True] * 5
        headers = ask(HEADERS, scheme="http").all("strict-transport-security")
    assert headers == ["max-age=31536000"]


def test_sign_in_over_http_on_this_machine_leaves_cookies_unchanged() -> None:
    with settings(**SIGN_IN | {"public_url": "http://localhost:8501"}):
        assert secured("http") == [False] * 5
        assert ask(HEADERS).all("strict-transport-security") == []


def test_a_secure_cookie_is_left_unchanged(local: None) -> None:
    given = [("set-cookie", "a=b; SECURE; Path=/")]
    answer = ask(SecureCookies, scheme="https", answer=given)
    assert answer.all("set-cookie") == ["a=b; SECURE; Path=/"]


SIGNED_IN = [("set-cookie", "_streamlit_user=signed; Path=/; HttpOnly")]


def browser_cookie(
    path: str, headers: Headers, base: str = "", *, answer: Headers = SIGNED_IN
) -> Answer:
    return ask(lambda app: BrowserCookie(app, base), path, headers=headers, answer=answer)


@pytest.mark.parametrize("base", ["", "/desk"])
def test_a_sign_in_sets_a_new_browser_cookie(base: str) -> None:
    planted = [*PAGE, ("cookie", f"{BROWSER_COOKIE}=planted")]
    given = [
        browser_cookie(f"{base}/oauth2callback", planted, base).cookies[BROWSER_COOKIE]
        for _ in range(2)
    ]
    assert len(set(given)) == 2
    for one in given:
        value = one.partition(";")[0]
        assert len(value) >= 32
        assert value != "planted"
        assert "HttpOnly" in one
        assert "SameSite=Lax" in one


@pytest.mark.parametrize("said", [[], [("set-cookie", '_streamlit_user=""; Max-Age=0')]])
def test_a_callback_without_a_sign_in_keeps_the_cookie(said: Headers) -> None:
    """Any site can link to the callback, so open pages must keep working."""
    mine = [*PAGE, ("cookie", f"{BROWSER_COOKIE}=mine")]
    assert BROWSER_COOKIE not in browser_cookie("/oauth2callback", mine, answer=said).cookies


@pytest.mark.parametrize("path", ["/", "/orders", "/desk/oauth2callback", "/auth/login"])
def test_on_every_other_path_a_browser_keeps_its_cookie(path: str) -> None:
    kept = browser_cookie(path, [*PAGE, ("cookie", f"{BROWSER_COOKIE}=mine")])
    assert BROWSER_COOKIE not in kept.cookies
    assert BROWSER_COOKIE in browser_cookie(path, PAGE).cookies
