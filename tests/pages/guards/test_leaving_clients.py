"""A client that leaves: a line at the level info, and no error; other failures stay errors."""

import asyncio
import logging
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected

from pages.guards import LeavingClients
from pages.web import refuse_json
from pages.web.answers import answering


async def read(request: Request) -> Response:
    return PlainTextResponse(await request.body())


async def read_form(request: Request) -> Response:
    async with request.form() as form:
        return PlainTextResponse(str(len(form)))


async def fail(request: Request) -> Response:
    await request.receive()
    raise ConnectionError("of the database")


async def talk(socket: WebSocket) -> None:
    await socket.accept()
    while True:
        await socket.send_bytes(await socket.receive_bytes())


async def close_twice(socket: WebSocket) -> None:
    await socket.accept()
    await socket.close()
    await socket.close()


async def send_only(socket: WebSocket) -> None:
    """Send, notice that the client is gone, and use the socket again, as Streamlit does."""
    await socket.accept()
    with pytest.raises(WebSocketDisconnect):
        await socket.send_bytes(b"x")
    await socket.receive_bytes()


ROUTES = [
    Route("/read", read, methods=["POST"]),
    Route("/ours", answering("/ours", read, refuse_json), methods=["POST"]),
    Route("/form", read_form, methods=["PUT"]),
    Route("/fail", fail, methods=["POST"]),
    WebSocketRoute("/talk", talk),
    WebSocketRoute("/twice", close_twice),
    WebSocketRoute("/send", send_only),
]
GUARDED = Starlette(routes=ROUTES, middleware=[Middleware(LeavingClients)])
BARE = Starlette(routes=ROUTES)
FORM = [(b"content-type", b"multipart/form-data; boundary=x")]
LEFT: dict[str, tuple[str, type[Exception]]] = {
    "/read": ("POST", ClientDisconnect),
    "/ours": ("POST", ClientDisconnect),
    "/form": ("PUT", ClientDisconnect),
    "/talk": ("", WebSocketDisconnect),
    "/send": ("", WebSocketDisconnected),
}


def leave(app: ASGIApp, path: str, method: str, *, by_sending: bool = False) -> None:
    """Begin a request, and leave; `by_sending`, the server says so when it sends."""
    if method:
        messages: list[Message] = [{"type": "http.request", "body": b"--x\r\n", "more_body": True}]
    else:
        messages = [{"type": "websocket.connect"}]
    gone = {"type": "http.disconnect" if method else "websocket.disconnect", "code": 1006}
    scope: dict[str, Any] = {
        "type": "http" if method else "websocket",
        **({"method": method} if method else {}),
        "path": path,
        "query_string": b"",
        "headers": FORM,
    }

    async def receive() -> Message:
        return messages.pop(0) if messages else gone

    async def send(message: Message) -> None:
        if by_sending and message["type"] == "websocket.send":
            raise OSError

    async def run() -> None:
        await app(scope, receive, send)

    asyncio.run(run())


@pytest.mark.parametrize("path", LEFT)
def test_a_client_that_leaves_is_no_error(path: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    method, kind = LEFT[path]
    leave(GUARDED, path, method, by_sending=path == "/send")
    (record,) = [one for one in caplog.records if one.name.startswith("pages.guards")]
    said = f"{method or 'WebSocket'} {path}: the client has left"
    assert (record.levelname, record.getMessage(), record.exc_info) == ("INFO", said, None)
    with pytest.raises(kind):
        leave(BARE, path, method, by_sending=path == "/send")


@pytest.mark.parametrize(
    ("path", "method", "kind"),
    [("/fail", "POST", ConnectionError), ("/twice", "", WebSocketDisconnected)],
)
def test_other_failures_stay_errors(path: str, method: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        leave(GUARDED, path, method)


def test_an_error_of_the_server_itself_is_passed_on() -> None:
    """Uvicorn raises an OSError when it sends to nobody, and knows it when it comes back."""

    async def send(_message: Message) -> None:
        raise OSError("no one is there")

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})

    scope: dict[str, Any] = {"type": "websocket", "path": "/"}
    with pytest.raises(OSError, match="no one is there"):
        asyncio.run(LeavingClients(app)(scope, receive, send))
