"""What our own routes share: one id in the header, in the sentence and in the log."""

import asyncio
import json
import logging
import os
import re

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from core.ground import NotFound
from core.ground.logs import JsonLine, TextLine, _add_request
from pages.web import refuse_json
from pages.web.answers import GONE, answering


def ask(error: Exception | None, path: str = "/rows/x") -> Response:
    async def endpoint(_request: Request) -> Response:
        if error is not None:
            raise error
        return Response("fine")

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"token=abcdef"}
    request = Request(scope | {"headers": [], "server": ("localhost", 80), "scheme": "http"})

    async def run() -> Response:
        return await answering("/rows/{table}", endpoint, refuse_json)(request)

    return asyncio.run(run())


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Capture the log, from level INFO, with the ids."""
    caplog.set_level(logging.INFO)
    caplog.handler.addFilter(_add_request)
    return caplog


@pytest.mark.parametrize(
    ("error", "status"), [(None, 200), (NotFound("It is not there."), 404), (KeyError("x"), 500)]
)
def test_answer_and_each_log_line_have_the_same_id(
    log: pytest.LogCaptureFixture, error: Exception | None, status: int
) -> None:
    answer = ask(error)
    reference = answer.headers["x-request-id"]
    assert (answer.status_code, len(reference)) == (status, 8)
    assert {record.request for record in log.records} == {reference}  # type: ignore[attr-defined]
    assert "abcdef" not in log.text


def test_unknown_failure_names_its_id_and_nothing_else(log: pytest.LogCaptureFixture) -> None:
    answer = ask(KeyError("password=hunter22"))
    reference = answer.headers["x-request-id"]
    said = json.loads(bytes(answer.body))["error"]
    assert said == f"Something went wrong. The error is logged as {reference}."


def test_ids_differ_from_request_to_request() -> None:
    assert len({ask(None).headers["x-request-id"] for _ in range(20)}) == 20


def record_of_an_answer(log: pytest.LogCaptureFixture, user_id: str | None) -> logging.LogRecord:
    """Ask as a user, and return the record that says how it was answered."""
    error = NotFound("It is not there.")
    error.user_id = user_id
    ask(error)
    (found,) = [one for one in log.records if " answered with " in one.getMessage()]
    return found


@pytest.mark.parametrize(("user_id", "who"), [("u-1", "user u-1"), (None, "nobody")])
def test_a_line_says_who_asked_for_what_and_how_long_it_took(
    log: pytest.LogCaptureFixture, sqlite_database: str, user_id: str | None, who: str
) -> None:
    record = record_of_an_answer(log, user_id)
    said = re.sub(r"in \d\.\d{3} s", "in … s", record.getMessage())
    assert said == f"GET /rows/x answered with 404 in … s for {who}"
    line = json.loads(JsonLine().format(record))
    assert line["seconds"] >= 0
    assert line["process"] == os.getpid()
    facts = {name: line[name] for name in ("method", "route", "path", "status", "user")}
    assert facts == {
        "method": "GET",
        "route": "/rows/{table}",
        "path": "/rows/x",
        "status": 404,
        "user": user_id,
    }
    assert f"[{os.getpid()} " in TextLine().format(record)


@pytest.mark.parametrize("line", [TextLine(), JsonLine()], ids=["text", "json"])
def test_no_path_can_forge_a_line_or_show_a_secret(
    log: pytest.LogCaptureFixture, sqlite_database: str, line: logging.Formatter
) -> None:
    ask(None, path="/rows/x\r\n2026-11-24 ERROR core Paid twice token=abcdef")
    written = [line.format(record) for record in log.records]
    assert all(len(one.splitlines()) == 1 for one in written)
    assert "abcdef" not in "".join(written)
    assert any("Paid twice" in one for one in written)


def test_a_client_that_has_left_is_logged_as_499(log: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ClientDisconnect):
        ask(ClientDisconnect())
    assert [one.facts["status"] for one in log.records] == [GONE]  # type: ignore[attr-defined]
