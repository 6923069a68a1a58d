"""Files read back as people see them: sheets, headers, rows, and what an Excel file says."""

import csv
import io
import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl

from core.ground import to_major
from core.tables import Column, Kind
from tests.core.random_rows import Row


def open_book(file: io.BytesIO) -> Any:
    """Open a workbook that was just written."""
    file.seek(0)
    return openpyxl.load_workbook(file)


def rows_of_sheet(sheet: Any) -> tuple[list[Any], list[tuple[Any, ...]]]:
    """Return a sheet's headers and rows, its texts as Excel shows them.

    The range of its filter says how many rows it has, were the last ones all blank.
    """
    last = int(re.sub(r".*\D", "", sheet.auto_filter.ref))
    values = sheet.iter_rows(max_row=max(last, sheet.max_row), values_only=True)
    header, *rows = ([_shown(value) for value in row] for row in values)
    return header, [tuple(row) for row in rows]


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return re.sub(r"_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), value)
    return Decimal(str(value)) if isinstance(value, float) else value


def rows_of_csv(file: io.BytesIO) -> tuple[list[str], list[list[str]]]:
    """Return a CSV file's headers and rows, as any reader of RFC 4180 returns them."""
    text = file.getvalue().decode()
    assert text.startswith("\ufeff")
    assert text.endswith("\r\n")
    header, *rows = csv.reader(io.StringIO(text[1:], newline=""), strict=True)
    return header, rows


def csv_cell(column: Column, row: Row, zone: str) -> str:
    """Return what a CSV file has of a stored value; it can hold every character."""
    shown = cell(column, row, zone)
    if column.kind in (Kind.TEXT, Kind.CODE) and shown is not None and not column.has_words:
        return re.sub(r"^(?='*[=+\-@\t\r])", "'", row[column.name])
    if isinstance(shown, Decimal):
        return f"{shown:f}"
    if isinstance(shown, bytes):
        return shown.hex()
    return "" if shown is None else str(shown)


def said_in(sheet: Any) -> dict[str, list[str]]:
    """Return what a sheet of lines says: texts by label; a line without one goes on."""
    said: dict[str, list[str]] = {}
    label = ""
    for name, text in sheet.iter_rows(values_only=True):
        label = name or label
        said.setdefault(label, []).append(_shown(text))
    return said


def header_cell(column: Column, zone: str) -> str:
    """Return a header: the dates of a place are in no one zone, all others name theirs."""
    is_local = column.kind is Kind.INSTANT and column.place_zone is None
    return f"{column.header} ({zone})" if is_local else column.header


def cell(column: Column, row: Row, zone: str) -> Any:
    """Return what a person expects to see of a stored value."""
    value = row[column.name]
    if column.kind is Kind.FLAG:
        return "Yes" if value else "No"
    if value is None:
        return None
    if isinstance(value, datetime):
        return local_cell(value, row[column.place_zone] if column.place_zone else zone)
    if column.kind is Kind.MONEY:
        return to_major(value, row[str(column.currency)])
    if column.has_words:
        return column.word_of(value)
    return value.replace("\x01", "\ufffd") if isinstance(value, str) else value


def local_cell(instant: datetime, zone: str) -> datetime | str:
    """Return an instant as a local time; with its offset if the clock shows that time twice."""
    local = instant.astimezone(ZoneInfo(zone))
    first, second = (local.replace(fold=fold).utcoffset() for fold in (0, 1))
    if first == second:
        return local.replace(tzinfo=None)
    has_seconds = local.utcoffset() % timedelta(minutes=1)  # type: ignore[operator]
    return (instant if has_seconds else local).isoformat(sep=" ")
