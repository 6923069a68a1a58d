"""Counts wait a short time while rows are loaded."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from starlette.requests import Request

from pages.routes import rows

PATIENCE_SECONDS = 5


def _wait_for(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_a_count_waits_until_the_rows_are_found() -> None:
    order: list[str] = []

    def count() -> None:
        rows.let_rows_go_first()
        order.append("count")

    counting = threading.Thread(target=count)
    with rows._loading_rows():
        counting.start()
        _wait_for(lambda: rows._idle._waiters)  # type: ignore[attr-defined]
        order.append("rows")
    counting.join()
    assert order == ["rows", "count"]


def test_a_count_does_not_wait_for_rows_that_take_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_WAIT_SECONDS", 0.05)
    order: list[str] = []

    def count() -> None:
        rows.let_rows_go_first()
        order.append("count")

    counting = threading.Thread(target=count)
    with rows._loading_rows():
        counting.start()
        counting.join(PATIENCE_SECONDS)
        order.append("rows")
    counting.join()
    assert order == ["count", "rows"]


@pytest.mark.parametrize(("body", "is_answered"), [(b'{"start":0}', True), (b'{"count":1}', False)])
def test_rows_do_not_wait_for_the_counts_of_others(
    monkeypatch: pytest.MonkeyPatch, body: bytes, is_answered: bool
) -> None:
    monkeypatch.setattr(rows, "_accept", lambda *_: None)
    monkeypatch.setattr(rows, "_answer", lambda *_: {"rows": []})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def ask() -> bool:
        busy = range(int(rows._OTHERS_AT_ONCE.total_tokens))
        for one in busy:
            rows._OTHERS_AT_ONCE.acquire_on_behalf_of_nowait(one)
        path = {"table": "orders"}
        request = Request({"type": "http", "headers": [], "path_params": path}, receive)
        asking = asyncio.ensure_future(rows.answer_rows(request))
        while not (asking.done() or rows._OTHERS_AT_ONCE.statistics().tasks_waiting):
            await asyncio.sleep(0.001)
        was_answered = asking.done()
        for one in busy:
            rows._OTHERS_AT_ONCE.release_on_behalf_of(one)
        await asking
        return was_answered

    assert asyncio.run(ask()) is is_answered
