"""What our own routes share: one id in the header, in the sentence and in the log."""

import asyncio
import json
import logging

import pytest
from starlette.requests import Request
from starlette.responses import Response

from core.ground import NotFound
from core.ground.logs import _add_request
from pages.web import answering, refuse_json


def ask(error: Exception | None) -> Response:
    async def endpoint(_request: Request) -> Response:
        if error is not None:
            raise error
        return Response("fine")

    scope = {"type": "http", "method": "GET", "path": "/rows/x", "query_string": b"token=abcdef"}
    request = Request(scope | {"headers": [], "server": ("localhost", 80), "scheme": "http"})

    async def run() -> Response:
        return await answering(endpoint, refuse_json)(request)

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
