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

from core.ground import InvalidInput, get_settings
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
    titles = tuple(one.name for one in some)
    odd = odd_styles(archive)
    for place, about in enumerate(some):
        found = scan_sheet(archive, about.name, odd)
        sheet = workbook.get_sheet_by_name(about.name)
        rows = iter(sheet.iter_rows())
        header = list(next(rows, []))
        share_at = partial(_share, place, len(some), sheet.total_height)
        is_hidden = about.visible != SheetVisibleEnum.Visible
        numbered = enumerate(rows, 2)
        yield Sheet(name, about.name, header, numbered, share_at, titles, is_hidden, found)


def _share(place: int, sheets: int, height: int, row: int) -> float:
    return (place + row / max(1, height)) / sheets


def _read_csv(path: Path, name: str) -> Iterator[Sheet]:
    size, limit_mb = path.stat().st_size, get_settings().import_max_mb
    if size > limit_mb * 1_000_000:
        raise InvalidInput(f"{name}: it is over the limit of {limit_mb:,} MB (IMPORT_MAX_MB).")
    with path.open("rb") as file:
        start = file.read(4)
    encoding = "utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    with path.open("rb") as file, io.TextIOWrapper(file, encoding, newline="") as text:
        delimiter = _delimiter_of(name, text)
        rows = _decoded(name, text, delimiter)
        _, header = next(rows, (1, []))
        share_at, has_points = (lambda _row: file.tell() / size), delimiter == ","
        yield Sheet(name, None, header, rows, share_at, has_points=has_points)


def _delimiter_of(name: str, text: io.TextIOWrapper) -> str:
    try:
        first = text.readline()
    except UnicodeError:
        raise InvalidInput(f"{name}: {NO_TEXT}") from None
    text.seek(0)
    return max(DELIMITERS, key=first.count)


def _decoded(name: str, text: io.TextIOWrapper, delimiter: str) -> Iterator[Row]:
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    reader = None
    try:
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        number = 1
        for values in reader:
            yield number, [_without_mark(value) for value in values]
            number = reader.line_num + 1
    except UnicodeError:
        raise InvalidInput(f"{name}: {NO_TEXT}") from None
    except csv.Error as error:
        line = reader.line_num if reader else 1
        raise InvalidInput(f"{name}, line {line}: {error}.") from None


def _without_mark(value: str) -> str:
    return value[1:] if value.startswith("'") and _MARKED.match(value) else value
