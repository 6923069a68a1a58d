"""The body of a request for rows: read only with a valid token, and only for so long."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from sqlalchemy import event
from starlette.applications import Starlette

from core import access, storage
from core.access import tokens
from core.access.actors import LOCAL_USER_ID
from core.storage import User
from pages.routes import answer_rows
from pages.routes.rows import MAX_BODY_BYTES
from pages.web import BROWSER_COOKIE, own_route, refuse_json
from tests.pages.guards.asgi import Answer, Headers, ask
from tests.rows import make_order

BROWSER = "the browser of this test"
APP = Starlette(routes=[own_route("/rows/{table}", answer_rows, refuse_json, method="POST")])
BODY = json.dumps({"view": {}, "start": 0, "end": 10}).encode()


@pytest.fixture
def token(sqlite_database: str) -> str:
    """Store an order, and sign a token for rows."""
    assert sqlite_database
    make_order("OD-1")
    actor = access.find_local_actor()
    assert actor is not None
    return tokens.issue_token("rows", table="orders", actor=actor, browser=BROWSER)


def post(token: str, *pieces: bytes, more: Headers = (), browser: str = BROWSER) -> Answer:
    cookie = f"{BROWSER_COOKIE}={browser}"
    headers = [("authorization", f"Bearer {token}"), ("cookie", cookie), *more]
    return asyncio.run(ask(APP, "POST", "/rows/orders", headers, pieces))


def test_a_body_in_pieces_is_answered_with_rows(token: str) -> None:
    answer = post(token, BODY[:10], BODY[10:])
    assert (answer.status, answer.pieces_read) == (200, 2)
    assert [row["order_id"] for row in json.loads(answer.body)["rows"]] == ["OD-1"]
    declared = post(token, BODY, more=[("content-length", str(len(BODY)))])
    assert declared.body == answer.body


@pytest.mark.parametrize("fault", ["", "x", "é", "forged", "of another purpose", "old"])
def test_a_body_without_a_valid_token_is_not_read(
    token: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = access.find_local_actor()
    assert actor is not None
    other = tokens.issue_token("export", table="orders", actor=actor, browser=BROWSER)
    if fault == "old":
        monkeypatch.setattr(tokens, "TOKEN_LIFE_SECONDS", -1)
    bad = {"forged": f"{token[:-4]}AAAA", "of another purpose": other, "old": token}
    answer = post(bad.get(fault, fault), *[b"x" * 1000] * 100)
    assert (answer.status, answer.pieces_read) == (401, 0)


def test_a_body_from_another_browser_or_an_inactive_user_is_not_read(token: str) -> None:
    for browser in ("another", ""):
        answer = post(token, BODY, browser=browser)
        assert (answer.status, answer.pieces_read) == (401, 0)
    with storage.writing() as session:
        session.get_one(User, LOCAL_USER_ID).is_active = False
    answer = post(token, BODY)
    assert (answer.status, answer.pieces_read) == (401, 0)


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (str(MAX_BODY_BYTES + 1), "too long"),
        ("9" * 5_000, "too long"),
        ("-1", "Content-Length"),
        ("4e6", "Content-Length"),
    ],
)
def test_a_body_that_declares_too_much_is_refused_unread(
    token: str, declared: str, said: str
) -> None:
    answer = post(token, BODY, more=[("content-length", declared)])
    assert (answer.status, answer.pieces_read) == (400, 0)
    assert said in json.loads(answer.body)["error"]


def test_a_body_in_chunks_is_cut_off_at_the_limit(token: str) -> None:
    pieces = [b" " * 100_000] * 200
    answer = post(token, *pieces)
    assert (answer.status, answer.pieces_read) == (400, MAX_BODY_BYTES // 100_000 + 1)
    assert post(token, BODY[:-1], b" " * (MAX_BODY_BYTES - len(BODY)), b"}").status == 200


@pytest.fixture
def queries() -> Iterator[list[str]]:
    """List the SQL that the database runs."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, sql: str, *_more: object) -> None:
        asked.append(sql)

    event.listen(storage.get_engine(), "before_cursor_execute", note)
    yield asked
    event.remove(storage.get_engine(), "before_cursor_execute", note)


def test_the_actor_is_looked_up_once_per_request(token: str, queries: list[str]) -> None:
    assert post(token, BODY).status == 200
    assert len([sql for sql in queries if "FROM users" in sql]) == 1
