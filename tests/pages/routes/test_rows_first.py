"""Counts wait a short time while rows are loaded."""

import asyncio
import threading
import time
from typing import Any

import pytest
from starlette.requests import Request

from pages.routes import rows


def test_a_count_waits_until_the_rows_are_found() -> None:
    order: list[str] = []
    begun, may_end = threading.Event(), threading.Event()

    def look() -> None:
        with rows._loading_rows():
            begun.set()
            may_end.wait(5)
            order.append("rows")

    def count() -> None:
        rows.let_rows_go_first()
        order.append("count")

    looking, counting = threading.Thread(target=look), threading.Thread(target=count)
    looking.start()
    begun.wait(5)
    counting.start()
    time.sleep(0.05)  # give the count a chance to be first
    may_end.set()
    looking.join()
    counting.join()
    assert order == ["rows", "count"]


def test_a_count_does_not_wait_for_rows_that_take_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_WAIT_SECONDS", 0.05)
    with rows._loading_rows():
        rows.let_rows_go_first()


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
        try:
            await asyncio.wait_for(rows.answer_rows(request), 1)
        except TimeoutError:
            return False
        finally:
            for one in busy:
                rows._OTHERS_AT_ONCE.release_on_behalf_of(one)
        return True

    assert asyncio.run(ask()) is is_answered
