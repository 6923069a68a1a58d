"""Read imported files: workbooks and CSV files as sheets of raw rows, one row at a time."""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from python_calamine import (
    CalamineError,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from core.ground import InvalidInput, get_settings, storable, trim
from core.imports.parts import DAMAGE, check_parts
from core.imports.scan import Findings, odd_styles, scan_sheet

OLE_SIGNATURE = bytes.fromhex("d0cf11e0a1b11ae1")
PROTECTED = (
    "the workbook is protected by a password, or in the old .xls format. "
    "Save it as .xlsx without a password."
)
MAX_CELL_CHARACTERS = 200_000
DELIMITERS = ",;\t"
# Download CSV puts an apostrophe before a text that a spreadsheet would take for a formula.
_MARKED = re.compile(r"'+[=+\-@\t\r]")
# Other programs write ="000123", so that Excel keeps the zeros.
_WRAPPED = re.compile(r'="([^"]*)"')
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_SEPARATOR = re.compile(r"sep=([,;\t])")  # a first line for Excel alone
_FIRST_CHARACTERS = 65_536
Row = tuple[int, list[Any]]  # its number in the file, from 1; its values


NO_TEXT = "the file is not UTF-8 or UTF-16 text. Save it as CSV UTF-8."


@dataclass(frozen=True)
class Sheet:
    """A sheet of a workbook, or a CSV file (its title is None): header and data rows."""

    file: str
    title: str | None
    header: list[Any]
    rows: Iterator[Row]
    share_at: Callable[[int], float]  # the part of the file (0 to 1) that is read up to a row
    titles: tuple[str, ...] = ()  # of all sheets of the workbook
    is_hidden: bool = False
    found: Findings = field(default_factory=Findings)
    top: int = 1  # the number of the header's row
    has_points: bool = False  # separated by commas, so that a point is the decimal mark


def read_sheets(path: Path, name: str) -> Iterator[Sheet]:
    """Yield the sheets of a file shown as `name`; consume each before the next.

    Raises InvalidInput, with the file's name, if it is missing, empty, damaged, protected, too
    large when unpacked, or not a workbook or CSV file.
    """
    if not path.is_file():
        raise InvalidInput(f"{path}: the file was not found.")
    with path.open("rb") as file:
        start = file.read(8)
    if not start:
        raise InvalidInput(f"{name}: the file is empty.")
    if start == OLE_SIGNATURE:
        raise InvalidInput(f"{name}: {PROTECTED}")
    if start.startswith(b"PK"):
        yield from _read_workbook(path, name)
    elif path.suffix.lower() in (".xlsx", ".xlsm"):
        raise InvalidInput(f"{name}: this is not a workbook; the file is damaged.")
    else:
        yield from _read_csv(path, name)


def _read_workbook(path: Path, name: str) -> Iterator[Sheet]:
    """Read with calamine: 300,000 rows take 2 s, with openpyxl over a minute."""
    try:
        with zipfile.ZipFile(path) as archive:
            check_parts(archive, limit_mb=get_settings().import_max_mb)
            with CalamineWorkbook.from_path(path) as workbook:
                yield from _worksheets(name, archive, workbook)
    except InvalidInput as error:
        raise InvalidInput(f"{name}: {error}") from None
    except PasswordError:
        raise InvalidInput(f"{name}: {PROTECTED}") from None
    except (CalamineError, *DAMAGE):
        damaged = f"{name}: the workbook is damaged, or not a valid Excel file."
        raise InvalidInput(damaged) from None


def _worksheets(name: str, archive: zipfile.ZipFile, workbook: CalamineWorkbook) -> Iterator[Sheet]:
    some = [one for one in workbook.sheets_metadata if one.typ is SheetTypeEnum.WorkSheet]
    titles = tuple(storable(one.name) for one in some)
    odd = odd_styles(archive)
    for place, about in enumerate(some):
        found = scan_sheet(archive, about.name, odd)
        sheet = workbook.get_sheet_by_name(about.name)
        rows = enumerate(sheet.iter_rows(), 1)
        top, header = _first_row(rows)
        share_at = partial(_share, place, len(some), sheet.total_height)
        is_hidden = about.visible != SheetVisibleEnum.Visible
        yield Sheet(name, titles[place], header, rows, share_at, titles, is_hidden, found, top)


def _first_row(rows: Iterator[Row]) -> Row:
    """Return the first row that is not blank: the header."""
    return next(((at, list(values)) for at, values in rows if any(map(is_filled, values))), (1, []))


def is_filled(value: Any) -> bool:
    """Return whether a cell has a value: something other than blanks."""
    return value is not None and (not isinstance(value, str) or bool(trim(value)))


def _share(place: int, sheets: int, height: int, row: int) -> float:
    return (place + row / max(1, height)) / sheets


def _read_csv(path: Path, name: str) -> Iterator[Sheet]:
    size, limit_mb = path.stat().st_size, get_settings().import_max_mb
    if size > limit_mb * 1_000_000:
        raise InvalidInput(f"{name}: it is over the limit of {limit_mb:,} MB (IMPORT_MAX_MB).")
    with path.open("rb") as file:
        start = file.read(2)
    with path.open("rb") as file, io.TextIOWrapper(file, _encoding_of(start), newline="") as text:
        delimiter = _delimiter_of(name, text)
        rows = _decoded(name, text, delimiter)
        top, header = _first_row(rows)
        if len(header) == 2 and header[0].lower() == "sep=" and not header[1]:
            top, header = _first_row(rows)
        share_at, has_points = (lambda _row: file.tell() / size), delimiter == ","
        yield Sheet(name, None, header, rows, share_at, top=top, has_points=has_points)


def _encoding_of(start: bytes) -> str:
    """Return the encoding of a file by its first two bytes: a mark, or half a letter."""
    if start in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    if 0 in start:
        return "utf-16-be" if start[0] == 0 else "utf-16-le"
    return "utf-8-sig"


def _delimiter_of(name: str, text: io.TextIOWrapper) -> str:
    """Return the separator of the header, which may have others inside quotation marks."""
    try:
        first = text.read(_FIRST_CHARACTERS)
    except UnicodeError:
        raise InvalidInput(f"{name}: {NO_TEXT}") from None
    text.seek(0)
    line = next(iter(_QUOTED.sub("", first).strip("\ufeff\r\n").splitlines()), "")
    stated = _SEPARATOR.fullmatch(line.lower())
    return stated[1] if stated else max(DELIMITERS, key=line.count)


def _decoded(name: str, text: io.TextIOWrapper, delimiter: str) -> Iterator[Row]:
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    reader = None
    try:
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        number = 1
        for values in reader:
            yield number, [_as_meant(value) for value in values]
            number = reader.line_num + 1
    except UnicodeError:
        raise InvalidInput(f"{name}: {NO_TEXT}") from None
    except csv.Error as error:
        line = reader.line_num if reader else 1
        raise InvalidInput(f"{name}, line {line}: {error}.") from None


def _as_meant(value: str) -> str:
    """Return a text without what is there for Excel: an apostrophe before it, or =" " around it."""
    if value.startswith("'") and _MARKED.match(value):
        return value[1:]
    wrapped = _WRAPPED.fullmatch(value) if value.startswith("=") else None
    return wrapped[1] if wrapped else value
