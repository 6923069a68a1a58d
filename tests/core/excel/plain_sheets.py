"""The simple way to write a table, cell by cell with openpyxl: the oracle for the fast way.

It takes 20 times as long as `core.excel.cells`, but shows plainly what every cell must hold.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import IO, Any

import pandas as pd
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter

from core.excel.cells import MAX_EXACT_INTEGER, clean
from core.excel.columns import header_of
from core.ground import to_major
from core.tables import Column, Kind
from tests.core.read_back import local_cell

FIRST_EXACT_DAY = datetime(1900, 3, 1)  # noqa: DTZ001 - a cell has no zone
LOOKS_LIKE_FORMULA = re.compile(r"[=+\-@\t\r{]")


def write_plainly(
    file: IO[bytes],
    title: str,
    columns: Sequence[Column],
    zone: str,
    frame: pd.DataFrame,
    *,
    is_dump: bool = False,
) -> None:
    """Write a workbook of one sheet."""
    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet(title)
    for index, column in enumerate(columns, 1):
        sheet.column_dimensions[get_column_letter(index)].width = column.width / 7
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{len(frame) + 1}"
    sheet.append([_header(sheet, header_of(column, zone)) for column in columns])
    writers = [_writer(sheet, column, is_dump) for column in columns]
    lists = [_values(column, frame, zone) for column in columns]
    for values in zip(*lists, strict=True):
        sheet.append([write(value) for write, value in zip(writers, values, strict=True)])
    book.save(file)


def _header(sheet: Any, text: str) -> Any:
    cell = _as_text(WriteOnlyCell(sheet), text)
    cell.font = Font(bold=True)
    cell.fill = PatternFill("solid", fgColor="E7EBF0")
    return cell


def _values(column: Column, frame: pd.DataFrame, zone: str) -> list[Any]:
    """Turn a column of the frame into what cells hold, None for a missing value."""
    values = frame[column.name]
    listed = values.astype("object").where(values.notna(), None).tolist()
    if column.kind is Kind.INSTANT:
        zones = frame[column.place_zone] if column.place_zone else [zone] * len(frame)
        return [
            None if value is None else local_cell(value.to_pydatetime(), here)
            for value, here in zip(listed, zones, strict=True)
        ]
    if column.kind is Kind.MONEY:
        return [
            None if minor is None else to_major(minor, currency)
            for minor, currency in zip(listed, frame[str(column.currency)], strict=True)
        ]
    if column.kind is Kind.BYTES:
        return [value.hex() for value in listed]
    if column.kind is Kind.FLAG:
        return ["Yes" if value else "No" for value in listed]
    if column.has_words:
        return [None if value is None else column.word_of(value) for value in listed]
    return listed


def _writer(sheet: Any, column: Column, is_dump: bool) -> Callable[[Any], Any]:
    """Return the function that puts a value into a cell; cells are reused for every row."""
    text, quoted = WriteOnlyCell(sheet), WriteOnlyCell(sheet)
    quoted.quotePrefix = True
    usual = "yyyy-mm-dd hh:mm:ss" if column.kind is Kind.INSTANT else "General"

    @cache
    def number(number_format: str) -> Any:
        # One cell per format: openpyxl would change the format of earlier rows too.
        cell = WriteOnlyCell(sheet)
        cell.number_format = number_format
        return cell

    def write_text(value: str) -> Any:
        cell = quoted if LOOKS_LIKE_FORMULA.match(value) else text
        return _as_text(cell, clean(value, is_dump=is_dump)[0])

    def write(value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, str):
            return write_text(value)
        if isinstance(value, datetime) and value < FIRST_EXACT_DAY:
            return write_text(value.isoformat(sep=" "))
        if isinstance(value, int) and abs(value) > MAX_EXACT_INTEGER:
            return write_text(str(value))
        cell = number(_money_format(value) if isinstance(value, Decimal) else usual)
        cell.value = value
        return cell

    return write


def _as_text(cell: Any, text: str) -> Any:
    cell.value = text
    cell.data_type = "s"
    return cell


def _money_format(value: Decimal) -> str:
    decimals = max(0, -int(value.as_tuple().exponent))
    return "#,##0" + ("." + "0" * decimals if decimals else "")
