"""GET /export/<table>?view=…&form=xlsx|csv&token=…: the rows of a view as an Excel or CSV file.

Without `form` it is Excel, like the other files here. /export/order is the workbook of the order
that the token names. /export/refund_results?batch=… has the results of one refund request.
/export/import_faults has the errors of the person's last import.
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import IO

from starlette.requests import Request
from starlette.responses import Response

from core import access, excel, imports, refunds, views
from core.ground import InvalidInput, NotFound, zones
from core.storage import CancelToken
from core.tables import TABLES
from pages.routes.downloads import answer_file
from pages.web import grant_of

ORDER, RESULTS, FAULTS = "order", "refund_results", "import_faults"
EXPORTED = {*TABLES, ORDER, RESULTS, FAULTS}


async def answer_export(request: Request) -> Response:
    """Build the file, then stream it."""
    return await answer_file(request, _write)


def _write(request: Request, file: IO[bytes], cancel: CancelToken) -> str:
    name = request.path_params["table"]
    grant = grant_of(request, "export", table=name)
    now = datetime.now(UTC)
    file_format = excel.FileFormat.XLSX
    if name == ORDER:
        _write_order(request, grant, file, now)
    elif name == RESULTS:
        _write_results(request, grant, file, now)
    elif name == FAULTS:
        zone = _zone_of(request)
        imports.export_faults(file, actor=grant.actor, now=now, zone=zone)
    else:
        file_format = _format_of(request)
        _write_table(request, grant, file, file_format, now, cancel)
    return f"{name}-{now:%Y-%m-%d-%H%M}.{file_format}"


def _write_order(request: Request, grant: access.Grant, file: IO[bytes], now: datetime) -> None:
    zone = _zone_of(request)
    excel.export_order(grant.order_id or "", file, actor=grant.actor, now=now, zone=zone)


def _write_results(request: Request, grant: access.Grant, file: IO[bytes], now: datetime) -> None:
    batch_id = request.query_params.get("batch", "")
    zone = _zone_of(request)
    refunds.export_results(batch_id, file, actor=grant.actor, now=now, zone=zone)


def _zone_of(request: Request) -> str:
    zone = request.query_params.get("zone", "UTC")
    if zone not in zones():
        raise InvalidInput(f"“{zone[:60]}” is not an IANA time zone.")
    return zone


def _format_of(request: Request) -> excel.FileFormat:
    form = request.query_params.get("form", excel.FileFormat.XLSX)
    if form not in list(excel.FileFormat):
        raise InvalidInput(f"“{form[:60]}” is not a kind of file; use xlsx or csv.")
    return excel.FileFormat(form)


def _write_table(
    request: Request,
    grant: access.Grant,
    file: IO[bytes],
    file_format: excel.FileFormat,
    now: datetime,
    cancel: CancelToken,
) -> None:
    """Write the view; with `columns=all`, every column that the grid can show."""
    name, asked = request.path_params["table"], request.query_params
    table = TABLES.get(name)
    if table is None:
        raise NotFound(f"There is no table “{name[:60]}”.")
    view = views.opened_at(
        table, asked, actor=grant.actor, zone="UTC", order_id=grant.order_id
    ).view
    if asked.get("columns") == "all":
        view = replace(view, columns=view.all_columns)
    excel.export(view, file, actor=grant.actor, now=now, file_format=file_format, cancel=cancel)
