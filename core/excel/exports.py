"""Files to take away: the rows of a view, one order, a dump of everything, the import template."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import IO
from urllib.parse import urlencode

import pandas as pd
from sqlalchemy.orm import Session

from core import access, query, storage
from core.access import Actor, may, require
from core.excel.about import ABOUT, About, about_export
from core.excel.csv_file import write_csv
from core.excel.limit import check_limit, record_export
from core.excel.workbook import StreamedWorkbook
from core.ground import Permission, flag_value, format_money, get_settings, in_zone, word_of
from core.query import OrderDetails, get_order
from core.storage import CancelToken
from core.tables import NOTES, ORDER_ITEMS, REFUNDS, SHEETS, TRANSACTIONS
from core.views import View, default_view, to_json

MANY_ROWS = 10_000  # an export of more comes from the standby
SHEETS_OF_ORDER = (
    ("Products", ORDER_ITEMS),
    ("Transactions", TRANSACTIONS),
    ("Refunds", REFUNDS),
    ("Notes", NOTES),
)


class FileFormat(StrEnum):
    """The kinds of file that the rows of a view can be written to."""

    XLSX = "xlsx"
    CSV = "csv"


def export(
    view: View,
    file: IO[bytes],
    *,
    actor: Actor,
    now: datetime,
    file_format: FileFormat = FileFormat.XLSX,
    cancel: CancelToken | None = None,
) -> int:
    """Write every row of the view to a file, audit it, and return the number of rows.

    They come from one snapshot of the database, as does what the sheet *About this export* of an
    Excel file says. Many rows come from the standby, if there is one; sheet and audit trail say as
    of when. Keys of rows that the actor cannot see are left out. Raises NotPermitted, and
    as access.handing_out does. Raises TooManyRows over the hourly limit, before anything is
    written. Raises QueryCancelled once `cancel` is set; this is not audited.
    """
    cancel = cancel or CancelToken()
    view = query.only_visible(view, actor=actor, now=now)
    _check_limit([view], actor, now)
    rows, as_of = _write(view, file, file_format, actor=actor, now=now, cancel=cancel)
    cancel.check()
    after = {"view": to_json(view), "order_id": view.order_id, "file": file_format}
    record_export(
        file,
        f"{view.table.name}.exported",
        view.table.permission(view.order_id),
        rows=rows,
        actor=actor,
        entity="table",
        entity_id=view.table.name,
        now=now,
        after=after if as_of is None else after | {"as_of": as_of.isoformat()},
    )
    return rows


def _write(
    view: View,
    file: IO[bytes],
    file_format: FileFormat,
    *,
    actor: Actor,
    now: datetime,
    cancel: CancelToken,
) -> tuple[int, datetime | None]:
    """Write the rows; return how many, and as of when they are if they come from the standby.

    Few rows come from the primary: nobody misses what they have just done.
    """
    about = None if file_format is FileFormat.CSV else about_export(view, actor=actor, now=now)

    def read(session: Session, as_of: datetime | None) -> tuple[int, datetime | None]:
        file.seek(0)
        file.truncate()  # the standby may have failed after a part
        with cancel.cancelling(session), closing(chunks_of(session)) as chunks:
            if about is None:
                return write_csv(file, view.columns, view.zone, chunks), as_of
            return _write_workbook(about, file, session, chunks, as_of), as_of

    def chunks_of(session: Session) -> Generator[pd.DataFrame]:
        with closing(query.read_chunks(session, view, actor=actor, now=now)) as frames:
            yield from _until_cancelled(frames, cancel)

    def count(session: Session, _as_of: datetime | None) -> int:
        return query.count_in(session, view, actor=actor, now=now)

    if storage.has_standby() and storage.read_aside(count) > MANY_ROWS:
        return storage.read_aside(read)
    with storage.reading() as session:
        return read(session, None)


def _write_workbook(
    about: About,
    file: IO[bytes],
    session: Session,
    chunks: Iterator[pd.DataFrame],
    as_of: datetime | None,
) -> int:
    view, actor, now = about.view, about.actor, about.now
    with StreamedWorkbook(file) as workbook:
        total = query.count_in(session, view.without_filters(), actor=actor, now=now)
        totals = query.totals_in(session, view, actor=actor, now=now)
        written = workbook.add_table(view.table.title, view.columns, view.zone, chunks)
        workbook.add_lines(ABOUT, about.lines(written, total, totals, as_of))
    return written.rows


def _check_limit(views: Sequence[View], actor: Actor, now: datetime) -> None:
    with storage.reading() as session:
        check_limit(
            session,
            lambda: sum(query.count_in(session, view, actor=actor, now=now) for view in views),
            actor=actor,
            now=now,
        )


def _until_cancelled(frames: Iterator[pd.DataFrame], cancel: CancelToken) -> Iterator[pd.DataFrame]:
    for frame in frames:
        cancel.check()
        yield frame


def export_order(order_id: str, file: IO[bytes], *, actor: Actor, now: datetime, zone: str) -> None:
    """Write the workbook of one order and audit it.

    Its sheets are Order and those of SHEETS_OF_ORDER, without those that the actor's role cannot
    see. Raises NotFound if the order does not exist or the actor has no access to it;
    TooManyRows over the hourly limit; and what access.handing_out raises.
    """
    order, rows = get_order(order_id, actor=actor), 0
    views = {
        title: replace(default_view(table, zone, order_id=order_id), columns=table.offered)
        for title, table in SHEETS_OF_ORDER
        if may(actor, table.permission(order_id))
    }
    _check_limit(list(views.values()), actor, now)
    with StreamedWorkbook(file) as workbook, storage.reading() as session:
        workbook.add_lines("Order", _order_lines(order, actor=actor, now=now, zone=zone))
        for title, view in views.items():
            with closing(query.read_chunks(session, view, actor=actor, now=now)) as frames:
                written = workbook.add_table(title, view.columns, zone, frames)
            rows += written.rows
            workbook.add_lines("Order", [(title, note) for _, note in written.notes])
    record_export(
        file,
        "order.exported",
        Permission.ORDERS,
        rows=rows,
        actor=actor,
        entity="order",
        entity_id=order_id,
        order_id=order_id,
        contract_id=order.contract_id,
        now=now,
    )


def _order_lines(
    order: OrderDetails, *, actor: Actor, now: datetime, zone: str
) -> list[tuple[str, str]]:
    address = urlencode({"order": order.order_id})
    return [
        ("Order ID", order.order_id),
        ("No", str(order.no)),
        ("Created Date", in_zone(order.created_at, zone, seconds=True)),
        ("Contract ID", order.contract_id),
        ("Contract", order.contract_name),
        ("Widget ID", order.widget_id or ""),
        ("Author", order.author),
        ("Total", str(order.item_count)),
        ("Amount", format_money(order.amount_minor, order.currency)),
        ("Refunded", format_money(order.refunded_minor, order.currency)),
        ("Contact E-mail", order.contact_email or ""),
        ("Exported by", actor.email),
        ("Exported at", in_zone(now, zone, seconds=True)),
        ("Page", f"{get_settings().public_url}/order?{address}"),
    ]


def dump(file: IO[bytes], *, actor: Actor, now: datetime) -> dict[str, int]:
    """Write every stored column of every row as an import workbook, times in UTC, and audit it.

    Returns the number of rows by sheet. Raises NotPermitted; InvalidInput, with the row, if a text
    is too long for a cell (a dump must not lose anything); and what access.handing_out raises.
    """
    require(actor, Permission.IMPORT)
    counts = {}
    with StreamedWorkbook(file) as workbook, storage.reading() as session:
        for table in SHEETS:
            # All times in one zone, so that the import can read every row back; and codes where
            # the words depend on a setting.
            columns = [replace(one, place_zone=None, wording=None) for one in table.stored]
            with closing(query.read_table(session, table, actor=actor)) as frames:
                written = workbook.add_table(table.title, columns, "UTC", frames, is_dump=True)
            counts[table.title] = written.rows
    with access.handing_out(file, actor, Permission.IMPORT) as session:
        access.record_event(
            session,
            "orders.dumped",
            actor=actor,
            entity="database",
            entity_id="orders",
            now=now,
            after=counts,
        )
    return counts


def write_template(file: IO[bytes]) -> None:
    """Write the import workbook without rows: the headers, and a sheet that explains them."""
    notes: list[tuple[str, ...]] = [("Sheet", "Column", "Required", "Meaning")]
    with StreamedWorkbook(file) as workbook:
        for table in SHEETS:
            headers = tuple(column.header for column in table.stored)
            widths = tuple(column.width / 7 for column in table.stored)
            workbook.add_notes(table.title, [headers], widths=widths)
            notes += [
                (
                    table.title,
                    column.header,
                    word_of(flag_value(column.is_required)),
                    column.import_help,
                )
                for column in table.stored
            ]
        workbook.add_notes("Columns", notes, widths=(16, 22, 10, 90))
