"""How the own routes send a file that is made when it is asked for: built, watched, streamed.

The file is an unnamed temporary one: it is gone when the answer has been sent, or was cut off.
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
    "pdf": "application/pdf",
    "zip": "application/zip",
    "eml": "message/rfc822",
}
CHUNK_BYTES = 256 * 1024
ASK_SECONDS = 0.5
# So many files are made at once; more wait, and everybody else's pages keep their threads.
_LIMITER = CapacityLimiter(4)

Write = Callable[[Request, IO[bytes], CancelToken], str]


async def answer_file(request: Request, write: Write) -> Response:
    """Have `write` fill a file and name it, while watching that somebody still waits for it."""
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
        return Response(status_code=499)  # nobody is there to read it
    size = file.seek(0, 2)
    headers = PRIVATE | {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Length": str(size),
        "Content-Encoding": "identity",  # it is compressed already
    }
    media_type = MEDIA_TYPES[name.rpartition(".")[2]]
    return _Download(file, media_type=media_type, headers=headers)


def _build(request: Request, write: Write, cancel: CancelToken) -> tuple[IO[bytes], str]:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by _Download, when it has been sent
    try:
        return file, write(request, file, cancel)
    except BaseException:
        file.close()
        raise


class _Download(StreamingResponse):
    """Sends a file, and closes it, which removes it, also when nobody takes it to the end."""

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
