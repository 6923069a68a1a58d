"""A client that leaves before its request is answered: no fault of ours, so no error in the log."""

import logging

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect, WebSocketDisconnected

logger = logging.getLogger(__name__)


class LeavingClients:
    """Ends a request quietly when its client has left; it logs a line at the level info."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and note whether its client leaves."""
        has_left = False

        async def receive_noting() -> Message:
            nonlocal has_left
            message = await receive()
            has_left = has_left or message["type"] in ("http.disconnect", "websocket.disconnect")
            return message

        async def send_noting(message: Message) -> None:
            nonlocal has_left
            try:
                await send(message)
            except OSError:  # how a server says so, by the specification of ASGI
                has_left = True
                raise

        try:
            await self.app(scope, receive_noting, send_noting)
        except (ClientDisconnect, WebSocketDisconnect, WebSocketDisconnected) as error:
            # The last one also says that an application sends after its own close: that is a fault.
            if isinstance(error, WebSocketDisconnected) and not has_left:
                raise
            what = (scope.get("method", "WebSocket"), scope["path"])
            logger.info("%s %s: the client has left", *what)
