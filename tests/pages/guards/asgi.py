"""Send requests to an ASGI application in this process; count how much of the body it reads."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message
from streamlit.runtime import Runtime, get_instance

from tests.pages.opened import MAIN

Headers = Sequence[tuple[str, str]]
HOST = "localhost:8501"


@dataclass
class Answer:
    """The response, and how many pieces of the body the application has read."""

    status: int
    headers: dict[str, str]
    body: bytes
    pieces_read: int


def _raw(headers: Headers) -> list[tuple[bytes, bytes]]:
    given = headers if any(name == "host" for name, _ in headers) else [("host", HOST), *headers]
    return [(name.encode(), value.encode("latin-1")) for name, value in given]


async def ask(
    app: ASGIApp,
    method: str,
    path: str,
    headers: Headers = (),
    pieces: Iterable[bytes] = (),
    *,
    scheme: str = "http",
    breaks_off: bool = False,
) -> Answer:
    """Send a request whose body comes in pieces on demand; `breaks_off` disconnects at the end."""
    bodies, read, is_over, sent = iter(pieces), 0, breaks_off, list[Message]()

    async def receive() -> Message:
        nonlocal read, is_over
        for piece in bodies:
            read += 1
            return {"type": "http.request", "body": piece, "more_body": True}
        if is_over:
            return {"type": "http.disconnect"}
        is_over = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": scheme,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": _raw(headers),
        "server": ("localhost", 8501),
        "client": ("127.0.0.1", 50000),
    }
    await app(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent)
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], found, body, read)


class Socket:
    """A WebSocket of a page. It is accepted or refused, and stays open until `close`."""

    def __init__(self, app: ASGIApp, headers: Headers = (), path: str = "/_stcore/stream") -> None:
        self.sent: asyncio.Queue[Message] = asyncio.Queue()
        self.received: asyncio.Queue[Message] = asyncio.Queue()
        self.received.put_nowait({"type": "websocket.connect"})
        self.scope: dict[str, Any] = {
            "type": "websocket",
            "scheme": "ws",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": _raw(headers),
            "subprotocols": ["streamlit"],
            "server": ("localhost", 8501),
            "client": ("127.0.0.1", 50000),
        }
        self.task = asyncio.ensure_future(app(self.scope, self.received.get, self.sent.put))

    async def is_accepted(self) -> bool:
        """Wait for the handshake, and return whether it was accepted."""
        first = await asyncio.wait_for(self.sent.get(), 5)
        return bool(first["type"] == "websocket.accept")

    async def close(self) -> None:
        """Close it like a browser that leaves the page."""
        await self.received.put({"type": "websocket.disconnect", "code": 1001})
        await asyncio.wait_for(self.task, 5)


@asynccontextmanager
async def serving(*middleware: Middleware) -> AsyncIterator[ASGIApp]:
    """Run Streamlit behind our middleware, in this process, until the block ends."""
    app = st.App(MAIN, middleware=list(middleware))
    async with living(app):
        yield app


@asynccontextmanager
async def living(app: ASGIApp) -> AsyncIterator[None]:
    """Start an application with Streamlit's runtime; end both when the block ends."""
    received: asyncio.Queue[Message] = asyncio.Queue()
    sent: asyncio.Queue[Message] = asyncio.Queue()
    life = asyncio.ensure_future(app({"type": "lifespan"}, received.get, sent.put))
    received.put_nowait({"type": "lifespan.startup"})
    started = asyncio.ensure_future(sent.get())
    await asyncio.wait([life, started], return_when=asyncio.FIRST_COMPLETED)
    if life.done():
        life.result()  # says why it could not start
    try:
        assert started.result()["type"] == "lifespan.startup.complete"
        yield
    finally:
        received.put_nowait({"type": "lifespan.shutdown"})
        await life
        await get_instance().stopped
        Runtime._instance = None  # a process has one runtime; allow a new one
