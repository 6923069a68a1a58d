"""Send a request to one middleware, in front of an application with a given answer."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Headers = Sequence[tuple[str, str]]
Wrap = Callable[[ASGIApp], ASGIApp]


@dataclass
class Answer:
    """The response, and whether the middleware passed the request on."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    is_passed_on: bool

    def all(self, name: str) -> list[str]:
        """Return every header of a name."""
        return [value for key, value in self.headers if key == name]

    @property
    def cookies(self) -> dict[str, str]:
        """Return each cookie that is set, by its name, with its attributes."""
        return {line.partition("=")[0]: line.partition("=")[2] for line in self.all("set-cookie")}


def ask(
    wrap: Wrap,
    path: str = "/",
    *,
    headers: Headers = (),
    query: str = "",
    scheme: str = "http",
    method: str = "GET",
    answer: Headers = (),
    host: str | None = "desk.helios.example",
) -> Answer:
    """Send a request as a browser does; the application answers 200 with the headers `answer`.

    It has a header Host, unless `headers` have one or `host` is None.
    """
    reached, sent = [], list[Message]()

    async def application(_scope: Scope, _receive: Receive, send: Send) -> None:
        reached.append(path)
        said = [(key.encode(), value.encode()) for key, value in answer]
        await send({"type": "http.response.start", "status": 200, "headers": said})
        await send({"type": "http.response.body", "body": b"inside"})

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    raw = [(key.lower().encode(), value.encode("latin-1")) for key, value in headers]
    if host is not None and "host" not in {key.lower() for key, _ in headers}:
        raw.append((b"host", host.encode()))
    scope: dict[str, Any] = {
        "type": "websocket" if scheme in ("ws", "wss") else "http",
        "method": method,
        "scheme": scheme,
        "path": path,
        "query_string": query.encode("latin-1"),
        "headers": raw,
    }

    async def run() -> None:
        await wrap(application)(scope, receive, send)

    asyncio.run(run())
    if sent[0]["type"] == "websocket.close":
        return Answer(403, [], b"", is_passed_on=bool(reached))
    start = sent[0]
    body = b"".join(message.get("body", b"") for message in sent[1:])
    found = [(key.decode(), value.decode()) for key, value in start["headers"]]
    return Answer(start["status"], found, body, is_passed_on=bool(reached))
