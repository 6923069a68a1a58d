"""Limit the time that the body of a request may take to arrive.

An answer waits for the whole body, even if the application does not read it: the server would
otherwise keep the connection open as long as the sender likes, and nobody would measure the time.
"""

import asyncio
import logging
from time import monotonic

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.web import refuse_json

logger = logging.getLogger(__name__)

IDLE_SECONDS = 15  # without a byte
# For the whole body; a long one has a second more for each 20 kB that came, so that a file can be
# uploaded over a slow line.
TOTAL_SECONDS, BYTES_PER_SECOND = 30, 20_000
TOO_SLOW = "The request took too long to arrive. Reload the page and try again."
GONE: Message = {"type": "http.disconnect"}


class BodyTime:
    """Refuses with 408 a body that arrives too slowly, and closes its connection.

    Only the time counts during which the application waits for the sender.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with a body that comes in time or breaks off."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = _Body(scope, receive, send)
        try:
            await self.app(scope, body.receive, body.send)
        except ClientDisconnect:
            if not body.is_cut:
                raise


class _Body:
    """The body of one request: how long it has been waited for, and how much has come."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._waited, self._bytes = 0.0, 0
        self._is_complete = self.is_cut = False
        self._reading = asyncio.Lock()  # the application may read while its answer waits

    async def receive(self) -> Message:
        """Return the next part; after a cut, what a sender leaves behind who has gone."""
        async with self._reading:
            if self.is_cut:
                return GONE
            if not self._is_complete:
                return await self._receive_in_time()
        return await self._receive()

    async def _receive_in_time(self) -> Message:
        begin = monotonic()
        try:
            async with asyncio.timeout(min(IDLE_SECONDS, self._seconds_left())):
                message = await self._receive()
        except TimeoutError:
            await self._cut()
            return GONE
        finally:
            self._waited += monotonic() - begin
        self._bytes += len(message.get("body", b""))
        self._is_complete = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the answer once the body is there; one that was cut off has an answer."""
        while not (self._is_complete or self.is_cut):
            await self.receive()
        if not self.is_cut:
            await self._send(message)

    def _seconds_left(self) -> float:
        return TOTAL_SECONDS + self._bytes / BYTES_PER_SECOND - self._waited

    async def _cut(self) -> None:
        what = (self._scope["method"], self._scope["path"], self._bytes)
        logger.warning("Cut off %s %s: its body came too slowly, %s bytes so far", *what)
        self.is_cut = True
        refusal = refuse_json(TOO_SLOW, 408)
        refusal.headers["Connection"] = "close"
        await refusal(self._scope, self._receive, self._send)
