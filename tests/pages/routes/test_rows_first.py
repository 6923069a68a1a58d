"""Counts wait a short time while rows are loaded, and totals until the first rows are shown."""

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


@pytest.mark.parametrize(
    ("answer", "are_shown"),
    [
        ({"rows": [], "last": None}, False),  # the grid asks for the count when it shows them
        ({"rows": [], "last": 7}, True),
        ({"count": 2_000}, True),
        ({"choices": [], "more": False}, False),
    ],
)
def test_totals_wait_until_a_new_grid_shows_its_first_rows(
    monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any], are_shown: bool
) -> None:
    monkeypatch.setattr(rows, "_accept", lambda *_: None)
    monkeypatch.setattr(rows, "_answer", lambda *_: answer)
    monkeypatch.setattr(rows, "MAX_DRAWING_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(rows, "PAUSE_SECONDS", 0.1)
    rows.expect_first_rows("of this grid")
    pauses: list[bool] = []

    def pause() -> None:
        pauses.append(True)
        if len(pauses) == 1:
            asyncio.run(_post("of another grid"))
            asyncio.run(_post("of this grid"))
        elif len(pauses) == 3:
            rows._note_shown_rows("of this grid")

    rows.let_first_rows_show("of this grid", pause)
    assert len(pauses) == (1 if are_shown else 3)


async def _post(token: str) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"{}"}

    scope: dict[str, Any] = {"type": "http", "path_params": {"table": "orders"}}
    scope["headers"] = [(b"authorization", f"Bearer {token}".encode())]
    await rows.answer_rows(Request(scope, receive))


def test_totals_wait_neither_for_a_grid_that_shows_rows_nor_for_one_that_never_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[bool] = []
    rows.let_first_rows_show("shows rows", lambda: pauses.append(True))
    assert pauses == []
    monkeypatch.setattr(rows, "MAX_DRAWING_SECONDS", 0.5)
    monkeypatch.setattr(rows, "PAUSE_SECONDS", 0.1)
    rows.expect_first_rows("never does")
    rows.let_first_rows_show("never does", lambda: pauses.append(True))
    assert 1 <= len(pauses) <= 10
    assert "never does" not in rows._drawn


def test_grids_whose_browser_has_left_are_forgotten() -> None:
    for number in range(2 * rows.MAX_DRAWN):
        rows.expect_first_rows(f"left {number}")
    assert len(rows._drawn) <= rows.MAX_DRAWN
