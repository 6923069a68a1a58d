"""GET /export/<table>?view=…&token=…: the rows of a view as an Excel file.

The file is an unnamed temporary one: it is gone when the answer has been sent, or was cut off.
"""

import asyncio
import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import IO

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from core import excel, saved_views, tokens
from core.errors import NotFound
from core.tables import TABLES
from pages.web import PRIVATE, browser_of

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CHUNK_BYTES = 256 * 1024
ASK_SECONDS = 0.5
# So many files are made at once; more wait, and everybody else's pages keep their threads.
_LIMITER = CapacityLimiter(4)


async def answer_export(request: Request) -> Response:
    """Build the file while watching that somebody still waits for it, then stream it."""
    stop = threading.Event()
    building = asyncio.ensure_future(to_thread.run_sync(_build, request, stop, limiter=_LIMITER))
    try:
        while not building.done():
            await asyncio.wait([building], timeout=ASK_SECONDS)
            if not building.done() and await request.is_disconnected():
                stop.set()
    except asyncio.CancelledError:
        stop.set()
        raise
    try:
        file, name = building.result()
    except excel.Unwanted:
        return Response(status_code=499)  # nobody is there to read it
    size = file.seek(0, 2)
    headers = PRIVATE | {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Length": str(size),
        "Content-Encoding": "identity",  # it is compressed already
    }
    return StreamingResponse(_chunks(file), media_type=XLSX, headers=headers)


def _build(request: Request, stop: threading.Event) -> tuple[IO[bytes], str]:
    table_name = request.path_params["table"]
    token = request.query_params.get("token", "")
    actor = tokens.accept(token, "export", table=table_name, browser=browser_of(request))
    table = TABLES.get(table_name)
    if table is None:
        raise NotFound(f"There is no table “{table_name[:60]}”.")
    view = saved_views.view_at(table, request.query_params, zone="UTC")
    now = datetime.now(UTC)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by _chunks, when it has been sent
    try:
        excel.export(view, file, actor=actor, now=now, is_wanted=lambda: not stop.is_set())
    except BaseException:
        file.close()
        raise
    return file, f"{table.name}-{now:%Y-%m-%d-%H%M}.xlsx"


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
