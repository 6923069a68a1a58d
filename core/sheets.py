"""Sheets of an .xlsx file, streamed row by row by openpyxl, so that memory stays flat.

Real dates, real numbers, text as text: no cell ever becomes a formula, a link or an error.
"""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import IO, Any

import pandas as pd
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from core import money
from core.columns import Column, Kind, in_words
from core.errors import InvalidInput
from core.frames import local_times

# Microsoft, "Excel specifications and limits"; the header takes one row of a sheet.
MAX_ROWS = 1_048_575
MAX_CELL_UNITS = 32_767
MAX_EXACT_INTEGER = 2**53
# Before it, Excel's calendar has a 29 February 1900 that never was: such days are text.
FIRST_EXACT_DAY = datetime(1900, 3, 1)  # noqa: DTZ001 - a cell has no zone

# What XML 1.0 cannot hold, and what would be read back as something else.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPE_LIKE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_LOOKS_LIKE_FORMULA = re.compile(r"[=+\-@\t\r{]")
REPLACEMENT = "\ufffd"


def header_of(column: Column, zone: str) -> str:
    """Return the header; that of an instant names the zone its dates are in, or no one zone."""
    is_local = column.kind is Kind.INSTANT and column.place_zone is None
    return f"{column.header} ({zone})" if is_local else column.header


def clean(text: str, *, is_dump: bool = False) -> tuple[str, bool]:
    """Return the text as a cell can hold it, and whether it had to be cut.

    Characters that XML forbids become U+FFFD, in a dump the escape `_x0001_`, which is read back;
    a text like `_x0041_` is escaped, or Excel would show A. The limit of a cell is counted in
    UTF-16 units, as Excel does.
    """
    text = _ESCAPE_LIKE.sub("_x005F_", text).replace("\r", "_x000D_")
    text = _FORBIDDEN.sub(_escape if is_dump else REPLACEMENT, text)
    if len(text) <= MAX_CELL_UNITS // 2:
        return text, False
    units = text.encode("utf-16-le")
    if len(units) <= MAX_CELL_UNITS * 2:
        return text, False
    return units[: MAX_CELL_UNITS * 2].decode("utf-16-le", errors="ignore"), True


def _escape(found: re.Match[str]) -> str:
    return f"_x{ord(found[0]):04X}_"


class StreamedWorkbook:
    """An openpyxl workbook being streamed; its sheets live in temporary files until saved."""

    def __init__(self) -> None:
        self.book = Workbook(write_only=True)

    def add_sheet(self, title: str, widths: Iterable[float]) -> Any:
        """Add an empty sheet whose columns are so many characters wide."""
        sheet = self.book.create_sheet(title)
        for index, width in enumerate(widths, 1):
            sheet.column_dimensions[get_column_letter(index)].width = width
        return sheet

    def add_lines(self, title: str, lines: list[tuple[str, str]]) -> None:
        """Add a sheet with a label and a text a line."""
        sheet = self.add_sheet(title, (18, 100))
        label, text = WriteOnlyCell(sheet), WriteOnlyCell(sheet)
        label.font = Font(bold=True)
        text.alignment = Alignment(wrap_text=True, vertical="top")
        label.alignment = Alignment(vertical="top")
        for name, value in lines:
            _set_text(label, name)
            _set_text(text, clean(value)[0])
            sheet.append([label, text])

    def add_notes(
        self, title: str, rows: list[tuple[str, ...]], *, widths: tuple[float, ...]
    ) -> None:
        """Add a sheet of plain rows under a bold header."""
        sheet = self.add_sheet(title, widths)
        for row in rows:
            cells = [WriteOnlyCell(sheet) for _ in row]
            for cell, value in zip(cells, row, strict=True):
                _set_text(cell, value)
                cell.font = Font(bold=row is rows[0])
            sheet.append(cells)

    def save(self, file: IO[bytes]) -> None:
        """Write the whole file."""
        self.book.save(file)

    def discard(self) -> None:
        """Remove the temporary files of sheets that were not saved (openpyxl waits for exit)."""
        sheets: Any = self.book.worksheets  # the stubs do not know write-only sheets
        for sheet in sheets:
            if sheet._writer is None:
                continue
            if not sheet.closed:
                sheet.close()
            if os.path.exists(sheet._writer.out):
                sheet._writer.cleanup()


class DataSheets:
    """The rows of a table: one sheet, and another whenever the last is full."""

    def __init__(
        self,
        workbook: StreamedWorkbook,
        title: str,
        columns: Sequence[Column],
        zone: str,
        *,
        is_dump: bool = False,
    ) -> None:
        self.workbook, self.title = workbook, title
        # A dump is in one zone throughout, so that it can be read back wherever it came from.
        self.columns = [replace(c, place_zone=None) for c in columns] if is_dump else columns
        self.zone, self.is_dump = zone, is_dump
        self.rows = self.rows_here = self.sheets = self.cut = 0
        self.sheet: Any = None

    def write(self, frame: pd.DataFrame) -> None:
        """Append a frame that has the sheet's columns, and those that they need."""
        lists = [self._values(column, frame) for column in self.columns]
        for values in zip(*lists, strict=True):
            if self.sheet is None or self.rows_here == MAX_ROWS:
                self._begin()
            self.sheet.append(
                [writer(value) for writer, value in zip(self.writers, values, strict=True)]
            )
            self.rows += 1
            self.rows_here += 1

    def finish(self) -> None:
        """End the last sheet; a table without rows is a header."""
        if self.sheet is None:
            self._begin()
        self._end()

    def _begin(self) -> None:
        self._end()
        self.sheets += 1
        title = self.title if self.sheets == 1 else f"{self.title} ({self.sheets})"
        self.sheet = self.workbook.add_sheet(title, (c.width / 7 for c in self.columns))
        self.sheet.freeze_panes = "A2"
        self.rows_here = 0
        header = []
        for column in self.columns:
            cell = WriteOnlyCell(self.sheet)
            _set_text(cell, header_of(column, self.zone))
            cell.font = Font(bold=True)
            cell.fill = PatternFill("solid", fgColor="E7EBF0")
            header.append(cell)
        self.sheet.append(header)
        self.writers = [self._writer(column) for column in self.columns]

    def _end(self) -> None:
        if self.sheet is not None:
            last = get_column_letter(len(self.columns))
            self.sheet.auto_filter.ref = f"A1:{last}{self.rows_here + 1}"

    def _values(self, column: Column, frame: pd.DataFrame) -> list[Any]:
        """Turn a column of the frame into what cells hold, None for a missing value."""
        values = frame[column.name]
        if column.kind is Kind.INSTANT:
            values = local_times(frame, column, self.zone)
        listed = values.astype("object").where(values.notna(), None).tolist()
        if column.kind is Kind.MONEY:
            return [
                None if minor is None else money.to_major(minor, currency)
                for minor, currency in zip(listed, frame[str(column.currency)], strict=True)
            ]
        if column.kind is Kind.BYTES:
            return [value.hex() for value in listed]
        if column.kind is Kind.FLAG:
            return ["yes" if value else "no" for value in listed]
        if column.allowed and not self.is_dump:
            return [None if value is None else in_words(value) for value in listed]
        return listed

    def _writer(self, column: Column) -> Callable[[Any], Any]:
        """Return what puts a value of the column into a cell; cells are reused row by row."""
        text, quoted = WriteOnlyCell(self.sheet), WriteOnlyCell(self.sheet)
        quoted.quotePrefix = True  # stays text after F2 and Enter (OWASP ASVS 1.2.10)
        usual = "yyyy-mm-dd hh:mm:ss" if column.kind is Kind.INSTANT else "General"

        @cache
        def number(number_format: str) -> Any:
            # A cell each: openpyxl would take another format back to the rows above.
            cell = WriteOnlyCell(self.sheet)
            cell.number_format = number_format
            return cell

        def write_text(value: str) -> Any:
            cleaned, is_cut = clean(value, is_dump=self.is_dump)
            if is_cut and self.is_dump:
                raise InvalidInput(
                    f"{self.title}, row {self.rows_here + 2}: {column.header} has {len(value):,} "
                    f"characters; a cell holds at most {MAX_CELL_UNITS:,}. Nothing was written."
                )
            self.cut += is_cut
            cell = quoted if _LOOKS_LIKE_FORMULA.match(cleaned) else text
            return _set_text(cell, cleaned)

        def write(value: Any) -> Any:
            if value is None:
                return None
            if isinstance(value, str):
                return write_text(value)
            if isinstance(value, datetime) and value < FIRST_EXACT_DAY:
                return write_text(f"{value:%Y-%m-%d %H:%M:%S}")
            if isinstance(value, int) and abs(value) > MAX_EXACT_INTEGER:
                return write_text(str(value))
            cell = number(_money_format(value) if isinstance(value, Decimal) else usual)
            cell.value = value
            return cell

        return write


def _set_text(cell: Any, text: str) -> Any:
    cell.value = text
    cell.data_type = "s"  # openpyxl would make a formula of =1+1 and an error of #N/A
    return cell


def _money_format(value: Decimal) -> str:
    decimals = max(0, -int(value.as_tuple().exponent))
    return "#,##0" + ("." + "0" * decimals if decimals else "")
