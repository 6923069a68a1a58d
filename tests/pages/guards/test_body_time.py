"""A body that comes too slowly is cut off with 408; the time of the application does not count."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.guards import BodyTime, body_time

PAUSE = 0.02
Part = tuple[float, bytes]  # seconds before it comes, and its bytes


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the limits: more than the machine may pause, less than a test may take."""
    monkeypatch.setattr(body_time, "IDLE_SECONDS", 0.4)
    monkeypatch.setattr(body_time, "TOTAL_SECONDS", 0.8)
    monkeypatch.setattr(body_time, "BYTES_PER_SECOND", 1_000)


async def count(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the length of the body."""
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


def sent(app: ASGIApp, parts: list[Part], *, ends: bool = True) -> list[Message]:
    """Send a body in parts and return what was answered; if it does not end, it stops for ever."""

    async def run() -> list[Message]:
        left, answered = iter(parts), list[Message]()
        end = iter([{"type": "http.request", "body": b"", "more_body": False}] if ends else [])

        async def receive() -> Message:
            for seconds, body in left:
                await asyncio.sleep(seconds)
                return {"type": "http.request", "body": body, "more_body": True}
            for message in end:
                return message
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: Message) -> None:
            answered.append(message)

        scope: dict[str, Any] = {"type": "http", "method": "POST", "path": "/rows/orders"}
        await app({**scope, "query_string": b"", "headers": []}, receive, send)
        return answered

    return asyncio.run(asyncio.wait_for(run(), 5))


def status(messages: list[Message]) -> int:
    (start,) = [one for one in messages if one["type"] == "http.response.start"]
    return int(start["status"])


def test_a_body_that_stops_is_cut_off_and_its_connection_closed() -> None:
    begins: list[list[Part]] = [[], [(0, b"{")], [(PAUSE, b"{"), (PAUSE, b"}")]]
    for parts in begins:
        answered = sent(BodyTime(count), parts, ends=False)
        assert status(answered) == 408
        assert (b"connection", b"close") in answered[0]["headers"]
        assert b"too long to arrive" in answered[1]["body"]
        assert len(answered) == 2  # the application's answer does not follow


def test_a_body_that_comes_drop_by_drop_is_cut_off() -> None:
    assert status(sent(BodyTime(count), [(PAUSE, b"x")] * 100)) == 408


def test_without_the_guard_a_body_could_take_for_ever() -> None:
    assert sent(count, [(PAUSE, b"x")] * 45)[1]["body"] == b"45"


def test_a_long_body_has_more_time() -> None:
    parts = [(PAUSE, b"x" * 100)] * 45  # 0.9 s, at five times the slowest speed
    assert sent(BodyTime(count), parts)[1]["body"] == b"4500"


def test_a_short_body_in_time_is_passed_on_whole() -> None:
    assert sent(BodyTime(count), [(PAUSE, b"ab"), (0, b""), (PAUSE, b"c")])[1]["body"] == b"3"
    assert sent(BodyTime(count), [])[1]["body"] == b"0"


async def _slow(scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope, receive)
    parts = 0
    async for _part in request.stream():
        await asyncio.sleep(0.3)  # busy, for example with another upload
        parts += 1
    await PlainTextResponse(str(parts))(scope, receive, send)


async def _stream(scope: Scope, receive: Receive, send: Send) -> None:
    async def lines() -> AsyncIterator[bytes]:
        for number in range(5):
            await asyncio.sleep(0.2)
            yield b"%d" % number

    await Request(scope, receive).body()
    await StreamingResponse(lines())(scope, receive, send)


@pytest.mark.parametrize(("app", "said"), [(_slow, b"4"), (_stream, b"01234")])
def test_the_time_of_the_application_does_not_count(app: ASGIApp, said: bytes) -> None:
    answered = sent(BodyTime(app), [(0, b"x")] * 3)
    assert status(answered) == 200
    assert b"".join(one.get("body", b"") for one in answered) == said


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("no", 401)(scope, receive, send)


def test_an_answer_waits_for_a_body_that_the_application_does_not_read() -> None:
    answered = sent(BodyTime(_refuse), [(PAUSE, b"x")] * 3)
    assert (status(answered), answered[1]["body"]) == (401, b"no")
    for parts, ends in (([(0.0, b"x")], False), ([(PAUSE, b"x")] * 100, True)):
        slow = sent(BodyTime(_refuse), parts, ends=ends)
        assert (status(slow), len(slow)) == (408, 2)
        assert (b"connection", b"close") in slow[0]["headers"]


def test_without_the_guard_an_answer_leaves_the_rest_of_its_body_to_come_for_ever() -> None:
    assert status(sent(_refuse, [(0, b"x")], ends=False)) == 401


async def _stream_at_once(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer while another task of the application reads on, to learn that the sender leaves."""

    async def lines() -> AsyncIterator[bytes]:
        yield b"done"

    await StreamingResponse(lines())({**scope, "asgi": {"spec_version": "2.3"}}, receive, send)


def test_an_answer_may_wait_while_its_application_reads() -> None:
    answered = sent(BodyTime(_stream_at_once), [(PAUSE, b"x")] * 3)
    assert (status(answered), answered[1]["body"]) == (200, b"done")


@pytest.mark.parametrize("wrap", [BodyTime, lambda app: app])
def test_a_sender_that_leaves_is_not_cut_off(wrap: Callable[[ASGIApp], ASGIApp]) -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(_message: Message) -> None:
        raise AssertionError

    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": "/", "headers": []}

    async def run() -> None:
        await wrap(count)(scope, receive, send)

    with pytest.raises(ClientDisconnect):
        asyncio.run(run())
