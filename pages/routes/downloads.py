"""Build a file for a request and stream it; stop when the browser no longer waits.

The file is temporary and has no name. It is removed when it is sent or the connection breaks.
"""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from typing import IO, Any

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from core.storage import CancelToken, QueryCancelled
from pages.web import PRIVATE

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MEDIA_TYPES = {
    "xlsx": XLSX,
    "csv": "text/csv; charset=utf-8; header=present",
    "pdf": "application/pdf",
    "zip": "application/zip",
    "eml": "message/rfc822",
}
CHUNK_BYTES = 256 * 1024
ASK_SECONDS = 0.5
# At most so many files are built at once. Others wait, so that pages keep their threads.
_LIMITER = CapacityLimiter(4)

Write = Callable[[Request, IO[bytes], CancelToken], str]


async def answer_file(request: Request, write: Write) -> Response:
    """Let `write` fill a file and return its name; cancel it when the browser disconnects."""
    cancel = CancelToken()
    building = asyncio.ensure_future(
        to_thread.run_sync(_build, request, write, cancel, limiter=_LIMITER)
    )
    try:
        while not building.done():
            await asyncio.wait([building], timeout=ASK_SECONDS)
            if not building.done() and await request.is_disconnected():
                await to_thread.run_sync(cancel.set)
    except asyncio.CancelledError:
        cancel.set()
        raise
    try:
        file, name = building.result()
    except QueryCancelled:
        return Response(status_code=499)  # the client has disconnected
    size = file.seek(0, 2)
    headers = PRIVATE | {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Length": str(size),
        # Most files are already compressed, and browsers show how much of a known size has come.
        "Content-Encoding": "identity",
    }
    media_type = MEDIA_TYPES[name.rpartition(".")[2]]
    return _Download(file, media_type=media_type, headers=headers)


def _build(request: Request, write: Write, cancel: CancelToken) -> tuple[IO[bytes], str]:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - _Download closes it after sending
    try:
        return file, write(request, file, cancel)
    except BaseException:
        file.close()
        raise


class _Download(StreamingResponse):
    """Sends a file and closes it, which removes it, also if the download is cut off."""

    def __init__(self, file: IO[bytes], **given: Any) -> None:
        super().__init__(_chunks(file), **given)
        self.file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        with self.file:
            await super().__call__(scope, receive, send)


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(CHUNK_BYTES):
        yield chunk
