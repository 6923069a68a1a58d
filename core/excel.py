"""What goes out as Excel: the rows of a view, the dump of everything, the import template."""

from collections.abc import Callable
from datetime import datetime
from typing import IO
from zoneinfo import ZoneInfo

from core import audit, db, query, saved_views
from core.settings import get_settings
from core.sheets import MAX_CELL_UNITS, MAX_ROWS, DataSheets, StreamedWorkbook
from core.tables import TABLES
from core.users import Actor
from core.view import View, describe_filter, describe_sort
from core.view_json import to_json


class Unwanted(Exception):
    """Nobody waits for the file any more."""


def export(
    view: View,
    file: IO[bytes],
    *,
    actor: Actor,
    now: datetime,
    is_wanted: Callable[[], bool] = lambda: True,
) -> int:
    """Write every row of the view to an .xlsx file and audit it; return the number of rows.

    Rows, total and the sheet *About this export* are of one moment. Raises Unwanted, leaving
    nothing behind, as soon as `is_wanted` says no.
    """
    workbook = StreamedWorkbook()
    try:
        with db.reading() as session:
            total = query.count_in(session, view.without_filters(), actor=actor)
            sheets = DataSheets(workbook, view.table.title, view.columns, view.zone)
            for frame in query.read_chunks(session, view, actor=actor):
                if not is_wanted():
                    raise Unwanted
                sheets.write(frame)
        sheets.finish()
        workbook.add_about(_about(view, sheets, total, actor=actor, now=now))
        workbook.save(file)
    finally:
        workbook.discard()
    if not is_wanted():
        raise Unwanted
    with db.writing() as session:
        audit.record(
            session,
            f"{view.table.name}.exported",
            actor=actor,
            entity="table",
            entity_id=view.table.name,
            now=now,
            after={"view": to_json(view), "rows": sheets.rows},
        )
    return sheets.rows


def dump(file: IO[bytes], *, actor: Actor, now: datetime) -> dict[str, int]:
    """Write the import workbook: every stored column of every row, instants in UTC; audit it.

    Returns the number of rows by sheet. Raises InvalidInput, naming the row, for a text that no
    cell can hold: a dump loses nothing.
    """
    workbook, counts = StreamedWorkbook(), {}
    try:
        with db.reading() as session:
            for table in TABLES.values():
                sheets = DataSheets(workbook, table.title, table.columns, "UTC", is_dump=True)
                for frame in query.read_table(session, table, actor=actor):
                    sheets.write(frame)
                sheets.finish()
                counts[table.title] = sheets.rows
        workbook.save(file)
    finally:
        workbook.discard()
    with db.writing() as session:
        audit.record(
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
    """Write the import workbook without rows: its headers, and a sheet that explains each."""
    workbook = StreamedWorkbook()
    notes: list[tuple[str, ...]] = [("Sheet", "Column", "Needed", "What it is")]
    for table in TABLES.values():
        headers = tuple(column.header for column in table.columns)
        widths = tuple(column.width / 7 for column in table.columns)
        workbook.add_notes(table.title, [headers], widths=widths)
        notes += [
            (table.title, column.header, "yes" if column.is_required else "no", column.help)
            for column in table.columns
        ]
    workbook.add_notes("Columns", notes, widths=(16, 22, 10, 90))
    workbook.save(file)


def _about(
    view: View, sheets: DataSheets, total: int, *, actor: Actor, now: datetime
) -> list[tuple[str, str]]:
    filters = [describe_filter(one) for one in view.filters] or ["none"]
    local = now.astimezone(ZoneInfo(view.zone))
    address = saved_views.address_of(view, actor=actor)
    query_text = "&".join(f"{key}={value}" for key, value in address.items())
    lines = [("Table", view.table.title)]
    lines += [("Filters" if i == 0 else "", words) for i, words in enumerate(filters)]
    lines += [
        ("Sort", describe_sort(view)),
        ("Rows", f"{sheets.rows:,} of {total:,} {view.table.many}"),
        ("Time zone", view.zone),
        ("Exported by", actor.email),
        ("Exported at", f"{local:%Y-%m-%d %H:%M:%S} ({view.zone})"),
        ("Page", f"{get_settings().public_url.rstrip('/')}/{view.table.name}?{query_text}"),
    ]
    if sheets.cut:
        cut = f"{sheets.cut:,} texts are cut after {MAX_CELL_UNITS:,} characters, all a cell holds."
        lines.append(("Note", cut))
    if sheets.sheets > 1:
        lines.append(("Note", f"A sheet holds {MAX_ROWS:,} rows, so there are {sheets.sheets}."))
    return lines
