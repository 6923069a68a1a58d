"""GET /auth/logout: it ends the sign-in on the server, and another site cannot do it."""

import json
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from streamlit import config
from streamlit.auth_util import set_cookie_with_chunks
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from core import access, storage
from core.access import CONSOLE, Actor, Rights
from core.ground import NotSignedIn, Role
from core.storage import AuditEvent
from pages.guards import SignOut
from pages.web import claims_in, streamlit_secrets
from tests.core.access.test_people import SIGN_IN
from tests.core.refunds.refund_rows import settings
from tests.pages.asked import Answer, Headers, ask

ANA = "ana@helios.example"
BROWSER = "b" * 32
HERE, THERE = "https://desk.helios.example", "https://evil.example"


@pytest.fixture(autouse=True)
def signing_in(sqlite_database: str) -> Iterator[None]:
    """Turn on sign-in, with Ana as a user."""
    before = config.get_option("server.cookieSecret")
    with settings(**SIGN_IN):
        streamlit_secrets()
        now = datetime.now(UTC)
        rights = Rights(Role.AGENT, sees_all_contracts=True)
        access.add_user(ANA, rights=rights, actor=CONSOLE, now=now)
        yield
    config.set_option("server.cookieSecret", before)


def claims(**given: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    usual = {
        "iss": "https://id.helios.example",
        "sub": "ana-1",
        "email": ANA,
        "email_verified": True,
        "nonce": "first",
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(hours=8)).timestamp()),
    }
    return usual | {"is_logged_in": True, "origin": HERE, "provider": "default"} | given


def cookies_of(said: dict[str, Any]) -> dict[str, str]:
    """Write the cookies as Streamlit does after a sign-in."""
    secret = config.get_option("server.cookieSecret")
    written: dict[str, str] = {}

    def sign(name: str, value: str) -> bytes:
        return create_signed_value(secret, name, value)

    def write(name: str, value: str) -> None:
        written[name] = sign(name, value).decode()

    set_cookie_with_chunks(write, sign, USER_COOKIE_NAME, said, cookie_attr_size=100)
    return written


def leave(cookies: dict[str, str], headers: Headers = (), **given: Any) -> Answer:
    line = "; ".join(f"{name}={value}" for name, value in cookies.items())
    base = given.pop("base", "")
    path = given.pop("path", f"{base}/auth/logout")
    sent = [*headers, ("cookie", line)]
    return ask(lambda app: SignOut(app, base), path, headers=sent, **given)


def ended() -> list[str]:
    wanted = select(AuditEvent.actor).where(AuditEvent.action == "sign_in.ended")
    with storage.reading() as session:
        return list(session.scalars(wanted))


def come_in(said: dict[str, Any]) -> tuple[Actor, str]:
    """Open a page; return its actor and one of its tokens."""
    actor = access.accept_sign_in(said, now=datetime.now(UTC))
    return actor, access.issue_token("rows", table="orders", actor=actor, browser=BROWSER)


@pytest.mark.parametrize("base", ["", "/desk"])
@pytest.mark.parametrize(
    "extra", [{}, {"picture": secrets.token_hex(4_000)}], ids=["one cookie", "chunks"]
)
def test_after_signing_out_neither_copied_cookies_nor_old_tokens_open_anything(
    base: str, extra: dict[str, str]
) -> None:
    said = claims(**extra)
    cookies = cookies_of(said)
    assert (len(cookies) > 1) == bool(extra)
    assert claims_in(cookies) == said
    _, token = come_in(said)
    assert access.accept_token(token, "rows", table="orders", browser=BROWSER).actor.email == ANA
    assert leave(cookies, base=base).is_passed_on  # to Streamlit, which drops the cookies
    with pytest.raises(NotSignedIn):
        access.accept_token(token, "rows", table="orders", browser=BROWSER)
    with pytest.raises(NotSignedIn):
        access.accept_sign_in(said, now=datetime.now(UTC))
    assert ended() == [ANA]


def test_cookies_that_are_not_streamlits_end_nothing() -> None:
    said = claims()
    _, token = come_in(said)
    name, value = next(iter(cookies_of(said).items()))
    forged = create_signed_value("another secret", name, json.dumps(said)).decode()
    for cookies in ({}, {name: forged}, {name: value[:-1]}, {name: ""}, {name: "ä"}):
        assert leave(cookies).is_passed_on
    assert access.accept_token(token, "rows", table="orders", browser=BROWSER).actor.email == ANA
    assert ended() == []


@pytest.mark.parametrize(
    "headers",
    [
        [("Sec-Fetch-Site", "cross-site")],
        [("Sec-Fetch-Site", "same-site")],
        [("Sec-Fetch-Site", "cross-site"), ("Referer", f"{HERE}/orders")],
        [("Sec-Fetch-Site", "none"), ("Sec-Fetch-Site", "cross-site")],
        [("Referer", f"{THERE}/page")],
        [("Referer", f"{HERE}.evil.example/page")],
        [("Referer", f"{THERE}/?{HERE}/")],
        [("Referer", f"https://desk.helios.example@evil.example/{HERE}")],
        [("Referer", "http://[")],
        [("Origin", THERE)],
        [("Origin", "null")],
        [("Origin", HERE), ("Referer", f"{THERE}/")],
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_another_site_signs_nobody_out(headers: Headers, method: str) -> None:
    said = claims()
    _, token = come_in(said)
    answer = leave(cookies_of(said), headers, method=method)
    assert (answer.status, answer.is_passed_on) == (403, False)
    assert answer.cookies == {}
    if method == "GET":
        assert b"Another site tried to sign you out." in answer.body
        assert b"Not signed out" in answer.body
    assert access.accept_token(token, "rows", table="orders", browser=BROWSER).actor.email == ANA
    assert ended() == []


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Sec-Fetch-Site", "same-origin"), ("Referer", f"{HERE}/orders")],
        [("Sec-Fetch-Site", "none")],
        [("Referer", f"{HERE}/orders?x=1")],
        [("Origin", HERE)],
        [("Host", "127.0.0.1:8501"), ("Referer", f"{HERE}/orders")],  # a proxy renamed the host
    ],
)
def test_a_page_of_ours_and_the_person_themselves_do(headers: Headers) -> None:
    said = claims()
    come_in(said)
    assert leave(cookies_of(said), headers).is_passed_on
    assert ended() == [ANA]


@pytest.mark.parametrize("path", ["/", "/auth/login", "/oauth2callback", "/desk/auth/logout"])
def test_other_paths_end_nothing(path: str) -> None:
    said = claims()
    come_in(said)
    foreign = [("Sec-Fetch-Site", "cross-site")]
    assert leave(cookies_of(said), foreign, path=path).is_passed_on
    assert ended() == []


def test_while_the_database_is_away_nobody_is_told_that_they_have_signed_out() -> None:
    cookies = cookies_of(claims())
    with settings(**SIGN_IN, database_url="postgresql+psycopg://desk@127.0.0.1:1/none"):
        storage.get_engine.cache_clear()
        try:
            answer = leave(cookies)
        finally:
            storage.get_engine.cache_clear()
    assert (answer.status, answer.is_passed_on) == (503, False)
    assert b"The database cannot be reached." in answer.body
