"""Files to take away: the rows of a view, one order, a dump of everything, the import template."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import IO
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pandas as pd

from core import access, query, storage, views
from core.access import Actor, may, require
from core.excel.csv_file import write_csv
from core.excel.limit import check_limit, record_export
from core.excel.workbook import StreamedWorkbook, WrittenTable
from core.ground import Permission, flag_value, format_money, get_settings, in_zone, word_of
from core.query import OrderDetails, get_order
from core.storage import CancelToken
from core.tables import NOTES, ORDER_ITEMS, ORDER_TABS, REFUNDS, SHEETS, TRANSACTIONS
from core.views import View, default_view, describe_sort, to_json

ABOUT = "About this export"
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
    Excel file says. Keys of rows that the actor cannot see are left out. Raises NotPermitted, and
    as access.handing_out does. Raises TooManyRows over the hourly limit, before anything is
    written. Raises QueryCancelled once `cancel` is set; this is not audited.
    """
    cancel = cancel or CancelToken()
    view = query.only_visible(view, actor=actor, now=now)
    _check_limit([view], actor, now)
    write = _write_csv if file_format is FileFormat.CSV else _write_workbook
    rows = write(view, file, actor=actor, now=now, cancel=cancel)
    cancel.check()
    record_export(
        file,
        f"{view.table.name}.exported",
        view.table.permission(view.order_id),
        rows=rows,
        actor=actor,
        entity="table",
        entity_id=view.table.name,
        now=now,
        after={"view": to_json(view), "order_id": view.order_id, "file": file_format},
    )
    return rows


def _write_workbook(
    view: View, file: IO[bytes], *, actor: Actor, now: datetime, cancel: CancelToken
) -> int:
    with StreamedWorkbook(file) as workbook:
        with storage.reading() as session, cancel.cancelling(session):
            total = query.count_in(session, view.without_filters(), actor=actor, now=now)
            totals = query.totals_in(session, view, actor=actor, now=now)
            with closing(query.read_chunks(session, view, actor=actor, now=now)) as frames:
                chunks = _until_cancelled(frames, cancel)
                written = workbook.add_table(view.table.title, view.columns, view.zone, chunks)
        workbook.add_lines(ABOUT, _about(view, written, total, totals, actor=actor, now=now))
    return written.rows


def _write_csv(
    view: View, file: IO[bytes], *, actor: Actor, now: datetime, cancel: CancelToken
) -> int:
    with (
        storage.reading() as session,
        cancel.cancelling(session),
        closing(query.read_chunks(session, view, actor=actor, now=now)) as frames,
    ):
        return write_csv(file, view.columns, view.zone, _until_cancelled(frames, cancel))


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


def _about(
    view: View,
    written: WrittenTable,
    total: int,
    totals: dict[str, int],
    *,
    actor: Actor,
    now: datetime,
) -> list[tuple[str, str]]:
    filters = view.in_words(query.names_in(view, actor=actor)) or ["none"]
    amount = view.table.amount
    sums = [format_money(minor, code) for code, minor in totals.items()]
    local = now.astimezone(ZoneInfo(view.zone))
    lines = [("Table", view.table.title)]
    lines += [("Filters" if i == 0 else "", words) for i, words in enumerate(filters)]
    days = query.describe_days(view, now)
    lines += [("Days" if i == 0 else "", words) for i, words in enumerate(days)]
    lines += [
        ("Sort", describe_sort(view)),
        ("Rows", f"{written.rows:,} of {total:,} {view.table.many}"),
        *(
            (f"Total {amount.header}" if i == 0 else "", one)
            for i, one in enumerate(sums)
            if amount
        ),
        ("Time zone", view.zone),
        ("Exported by", actor.email),
        ("Exported at", f"{local:%Y-%m-%d %H:%M:%S} ({view.zone})"),
        ("Page", _page_of(view, actor)),
    ]
    if view.order_id is not None:
        lines.insert(1, ("Order ID", view.order_id))
    return [*lines, *written.notes]


def _page_of(view: View, actor: Actor) -> str:
    """Return the address that opens the view; it contains no token."""
    page, parameters = view.table.name, views.address_of(view, actor=actor)
    if view.order_id is not None:
        tab = ORDER_TABS[view.table.name]
        address = views.address_of(view, actor=actor, parameter=tab)
        page, parameters = "order", {"order": view.order_id} | address
    return f"{get_settings().public_url}/{page}?{urlencode(parameters)}"
