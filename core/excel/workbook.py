"""Stream rows into an .xlsx file with constant memory.

openpyxl makes the workbook: sheets, headers, styles, filters and small sheets. It would take 30
times as long for the rows of a table. So Arrow makes those, and they are streamed into the archive
in place of the empty sheet's rows.
"""

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import IO, Any, Self
from zipfile import ZIP_DEFLATED, ZipFile

import pandas as pd
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from core.excel.cells import MAX_CELL_UNITS, SheetRows, Styles, clean, looks_like_formula
from core.excel.columns import header_of, pieces_of
from core.ground import MAX_DECIMALS
from core.tables import Column

# Microsoft, "Excel specifications and limits"; the header takes one row of a sheet.
MAX_ROWS = 1_048_575
# A part of 2 GiB needs ZIP64 headers, and some versions of Excel report such a file as damaged. So
# a sheet is full earlier; the margin is larger than the XML of one piece.
MAX_SHEET_BYTES = 3 * 2**29
COMPRESSION_LEVEL = 1  # deflate; level 6 makes files 20 % smaller and takes 2.5 times as long
REPEATED_ARE_TEXT = (
    "Times that happen twice, because clocks go back, are text with their offset from UTC"
)
_FIRST_PARTS = ("docProps/", "xl/theme/")  # some programs guess the file type from its first parts


@dataclass(frozen=True)
class WrittenTable:
    """What was written of a table: its rows, its sheets, and what a reader should know of it."""

    rows: int
    sheets: int
    cut: int  # texts that were cut
    repeated: int = 0  # local times that happen twice, written with their offset

    @property
    def notes(self) -> list[tuple[str, str]]:
        """Return the lines that say where the file differs from the screen."""
        lines = []
        if self.cut:
            cut = f"{self.cut:,} texts are cut after {MAX_CELL_UNITS:,} characters"
            lines.append(f"{cut}, Excel's maximum.")
        if self.sheets > 1:
            limit = f"A sheet holds at most {MAX_ROWS:,} rows (fewer if the rows are long)"
            lines.append(f"{limit}, so there are {self.sheets} sheets.")
        if self.repeated:
            cells = f"{self.repeated:,} cell{'s' * (self.repeated != 1)}"
            lines.append(f"{REPEATED_ARE_TEXT}: {cells}.")
        return [("Note", line) for line in lines]


class StreamedWorkbook:
    """A workbook that is being written; the file is valid only if the `with` block succeeds."""

    def __init__(self, file: IO[bytes]) -> None:
        self.book = Workbook()
        self.book.remove(self.book.worksheets[0])
        self.archive = ZipFile(file, "w", ZIP_DEFLATED, compresslevel=COMPRESSION_LEVEL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        with self.archive:
            if failure is None:
                self._add_parts(self._parts())

    def add_lines(self, title: str, lines: list[tuple[str, str]]) -> None:
        """Add a sheet with one label and one text per row, or more rows to such a sheet."""
        is_new = title not in self.book.sheetnames
        sheet = self._add_sheet(title, (18, 100)) if is_new else self.book[title]
        for row, (name, value) in enumerate(lines, 1 if is_new else sheet.max_row + 1):
            label = _put(sheet, row, 1, name)
            label.font = Font(bold=True)
            label.alignment = Alignment(vertical="top")
            text = _put(sheet, row, 2, value)
            text.alignment = Alignment(wrap_text=True, vertical="top")

    def add_notes(
        self, title: str, rows: list[tuple[str, ...]], *, widths: tuple[float, ...]
    ) -> None:
        """Add a sheet of plain rows under a bold header."""
        sheet = self._add_sheet(title, widths)
        for row, values in enumerate(rows, 1):
            for index, value in enumerate(values, 1):
                _put(sheet, row, index, value).font = Font(bold=row == 1)

    def add_table(
        self,
        title: str,
        columns: Sequence[Column],
        zone: str,
        frames: Iterable[pd.DataFrame],
        *,
        is_dump: bool = False,
    ) -> WrittenTable:
        """Write frames one by one; they have the columns and the columns that those depend on.

        When a sheet is full, the rows continue on “Orders (2)”. A table without rows is a header.
        Raises InvalidInput, with the row, if a text of a dump is too long for a cell.
        """
        pieces = pieces_of(frames)
        piece = next(pieces, None)
        rows = sheets = cut = repeated = 0
        while piece is not None or sheets == 0:
            sheets += 1
            sheet = self._add_header(title if sheets == 1 else f"{title} ({sheets})", columns, zone)
            maker = SheetRows(sheet.title, columns, zone, _styles_in(sheet), is_dump=is_dump)
            head, _ = self._around_rows(sheet)
            with self.archive.open(_path(sheet), "w", force_zip64=False) as part:
                here, size = 0, part.write(head)
                while piece is not None and here < MAX_ROWS and size < MAX_SHEET_BYTES:
                    some, piece = piece.iloc[: MAX_ROWS - here], piece.iloc[MAX_ROWS - here :]
                    size += part.write(maker.to_xml(some, here + 2))
                    here += len(some)
                    piece = next(pieces, None) if piece.empty else piece
                sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{here + 1}"
                part.write(self._around_rows(sheet)[1])
            rows, cut, repeated = rows + here, cut + maker.cut, repeated + maker.repeated
        return WrittenTable(rows, sheets, cut, repeated)

    def _add_sheet(self, title: str, widths: Iterable[float]) -> Any:
        """Add an empty sheet; `widths` are the widths of its columns in characters."""
        sheet = self.book.create_sheet(title)
        for index, width in enumerate(widths, 1):
            sheet.column_dimensions[get_column_letter(index)].width = width
        return sheet

    def _add_header(self, title: str, columns: Sequence[Column], zone: str) -> Any:
        sheet = self._add_sheet(title, (column.width / 7 for column in columns))
        sheet.freeze_panes = "A2"
        for index, column in enumerate(columns, 1):
            cell = _put(sheet, 1, index, header_of(column, zone))
            cell.font = Font(bold=True)
            cell.fill = PatternFill("solid", fgColor="E7EBF0")
        return sheet

    def _around_rows(self, sheet: Any) -> tuple[bytes, bytes]:
        """Return the XML of a sheet up to its header row, and the XML after its last row."""
        parts = self._parts()
        if not self.archive.namelist():
            self._add_parts({name: parts[name] for name in parts if name.startswith(_FIRST_PARTS)})
        head, end, tail = parts[_path(sheet)].partition(b"</sheetData>")
        # It would say that the header is all there is.
        return re.sub(b"<dimension [^<>]*>", b"", head), end + tail

    def _parts(self) -> dict[str, bytes]:
        """Have openpyxl write the workbook, whose tables have no rows."""
        saved = io.BytesIO()
        self.book.save(saved)
        with ZipFile(saved) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def _add_parts(self, parts: dict[str, bytes]) -> None:
        written = set(self.archive.namelist())
        for name in parts:
            if name not in written:
                self.archive.writestr(name, parts[name])


def _path(sheet: Any) -> str:
    """Return the name of a sheet's part; openpyxl numbers the sheets in order."""
    return f"xl/worksheets/sheet{sheet.parent.index(sheet) + 1}.xml"


def _put(sheet: Any, row: int, column: int, text: str) -> Any:
    cell = sheet.cell(row, column, clean(text)[0])
    cell.data_type = "s"  # else openpyxl turns =1+1 into a formula and #N/A into an error
    cell.quotePrefix = looks_like_formula(text)
    return cell


def _styles_in(sheet: Any) -> Styles:
    """Register the styles of table cells with openpyxl, and return their numbers."""

    def number_of(name: str, value: str | bool) -> int:
        cell: Any = WriteOnlyCell(sheet)
        setattr(cell, name, value)
        return int(cell.style_id)

    formats = {count: f"#,##0.{'0' * count}".rstrip(".") for count in range(MAX_DECIMALS + 1)}
    return Styles(
        quoted=number_of("quotePrefix", True),
        instant=number_of("number_format", "yyyy-mm-dd hh:mm:ss"),
        money={count: number_of("number_format", form) for count, form in formats.items()},
    )
