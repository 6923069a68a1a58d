"""GET /export/<table>?view=…&token=…: the rows of a view as an Excel file.

/export/order is the workbook of one order, which the token names; /export/refunds?batch=… has the
results of one request to refund.

The file is an unnamed temporary one: it is gone when the answer has been sent, or was cut off.
"""

import asyncio
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import IO

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from core import excel, refund_results, saved_views, tokens
from core.errors import InvalidInput, NotFound
from core.places import zones
from core.tables import TABLES
from pages.web import PRIVATE, browser_of

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ORDER, REFUNDS = "order", "refunds"
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
    name = request.path_params["table"]
    token = request.query_params.get("token", "")
    grant = tokens.accept(token, "export", table=name, browser=browser_of(request))
    now = datetime.now(UTC)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by _chunks, when it has been sent
    try:
        if name == ORDER:
            _write_order(request, grant, file, now)
        elif name == REFUNDS:
            _write_refunds(request, grant, file, now)
        else:
            _write_table(request, grant, file, now, stop)
    except BaseException:
        file.close()
        raise
    return file, f"{name}-{now:%Y-%m-%d-%H%M}.xlsx"


def _write_order(request: Request, grant: tokens.Grant, file: IO[bytes], now: datetime) -> None:
    zone = _zone_of(request)
    excel.export_order(grant.order_id or "", file, actor=grant.actor, now=now, zone=zone)


def _write_refunds(request: Request, grant: tokens.Grant, file: IO[bytes], now: datetime) -> None:
    batch_id = request.query_params.get("batch", "")
    zone = _zone_of(request)
    refund_results.export_results(batch_id, file, actor=grant.actor, now=now, zone=zone)


def _zone_of(request: Request) -> str:
    zone = request.query_params.get("zone", "UTC")
    if zone not in zones():
        raise InvalidInput(f"“{zone[:60]}” is not an IANA time zone.")
    return zone


def _write_table(
    request: Request, grant: tokens.Grant, file: IO[bytes], now: datetime, stop: threading.Event
) -> None:
    """Write the view; `columns=all` writes every column that the grid can show."""
    name, asked = request.path_params["table"], request.query_params
    table = TABLES.get(name)
    if table is None:
        raise NotFound(f"There is no table “{name[:60]}”.")
    view = saved_views.view_at(table, asked, actor=grant.actor, zone="UTC", order_id=grant.order_id)
    if asked.get("columns") == "all":
        view = replace(view, columns=view.all_columns)
    excel.export(view, file, actor=grant.actor, now=now, is_wanted=lambda: not stop.is_set())


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
