"""Files that come in: workbooks and CSV files as sheets of raw rows, read a row at a time."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from xml.etree import ElementTree

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum

from core.errors import InvalidInput
from core.settings import get_settings

OLE_SIGNATURE = bytes.fromhex("d0cf11e0a1b11ae1")
PROTECTED = (
    "the workbook is protected by a password, or in the old .xls format. "
    "Save it as .xlsx without a password."
)
MAX_CELL_CHARACTERS = 200_000
DELIMITERS = ",;\t"
Row = tuple[int, list[Any]]  # its number in the file, counted from 1 as people do; its values


# A cell with an error, and a formula that was saved without its result (never, by Excel itself).
_UNREADABLE = re.compile(
    rb"<c\b(?=[^>]*\br=\"([A-Z]+)(\d+)\")(?:[^>]*\bt=\"e\"|"
    rb"[^>]*>\s*<f\b(?:[^>]*/>|[^>]*>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>)"
)
_OVERLAP = 8_192  # more than a cell with a formula takes


@dataclass(frozen=True)
class Sheet:
    """A sheet of a workbook (or a CSV file, whose title is None): header and data rows."""

    file: str
    title: str | None
    header: list[Any]
    rows: Iterator[Row]
    path: Path

    def unreadable_cells(self) -> list[tuple[int, int]]:
        """Return row and column of the cells that hold no value but an error or a bare formula.

        The reader gives such cells as empty, and so they would be lost unseen.
        """
        if self.title is None:
            return []
        with zipfile.ZipFile(self.path) as archive:
            part = _part_of(archive, self.title)
            return list(_find_unreadable(archive.open(part)))


def _find_unreadable(part: IO[bytes]) -> dict[tuple[int, int], None]:
    found: dict[tuple[int, int], None] = {}
    tail = b""
    with part:
        while block := part.read(1 << 20):
            text = tail + block
            for letters, digits in _UNREADABLE.findall(text):
                found[int(digits), _column_number(letters.decode())] = None
            tail = text[-_OVERLAP:]
    return found


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _part_of(archive: zipfile.ZipFile, title: str) -> str:
    """Return the name of the part of the zip file that holds the sheet."""
    # Expat limits the expansion of entities by itself, and fetches none.
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314
    links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    sheets = (one for one in book.iter() if one.tag.endswith("}sheet"))
    sheet = next(one for one in sheets if one.get("name") == title)
    key = next(value for name, value in sheet.items() if name.endswith("}id"))
    target = targets[key]
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def read_sheets(path: Path) -> Iterator[Sheet]:
    """Yield the sheets of a file, each to be read before the next.

    Raises InvalidInput, naming the file, when it is missing, empty, damaged, protected, too large
    unpacked, or not a workbook or CSV file.
    """
    if not path.is_file():
        raise InvalidInput(f"{path}: there is no such file.")
    with path.open("rb") as file:
        start = file.read(8)
    if not start:
        raise InvalidInput(f"{path.name}: the file is empty.")
    if start == OLE_SIGNATURE:
        raise InvalidInput(f"{path.name}: {PROTECTED}")
    if start.startswith(b"PK"):
        yield from _read_workbook(path)
    elif path.suffix.lower() in (".xlsx", ".xlsm"):
        raise InvalidInput(f"{path.name}: this is not a workbook; the file is damaged.")
    else:
        yield from _read_csv(path)


def _read_workbook(path: Path) -> Iterator[Sheet]:
    """Read with calamine: 300,000 rows in 2 s, where openpyxl takes over a minute."""
    damaged = f"{path.name}: the workbook is damaged, or not one that Excel can open."
    limit = get_settings().import_max_mb
    try:
        with zipfile.ZipFile(path) as archive:
            if "xl/workbook.xml" not in archive.namelist():
                raise InvalidInput(damaged)
            unpacked = sum(entry.file_size for entry in archive.infolist()) // 1_000_000
        if unpacked > limit:
            raise InvalidInput(
                f"{path.name}: unpacked it has {unpacked:,} MB, over the limit of {limit:,} MB "
                "(IMPORT_MAX_MB)."
            )
        workbook = CalamineWorkbook.from_path(path)
    except PasswordError:
        raise InvalidInput(f"{path.name}: {PROTECTED}") from None
    except (zipfile.BadZipFile, CalamineError, OSError):
        raise InvalidInput(damaged) from None
    with workbook:
        for about in workbook.sheets_metadata:
            if about.typ is not SheetTypeEnum.WorkSheet:
                continue
            try:
                rows = iter(workbook.get_sheet_by_name(about.name).iter_rows())
            except CalamineError:
                raise InvalidInput(damaged) from None
            header = next(rows, [])
            yield Sheet(path.name, about.name, list(header), enumerate(rows, 2), path)


def _read_csv(path: Path) -> Iterator[Sheet]:
    with path.open("rb") as file:
        start = file.read(4)
    encoding = "utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    with path.open(encoding=encoding, newline="") as text:
        rows = _decoded(path, text)
        _, header = next(rows, (1, []))
        yield Sheet(path.name, None, header, rows, path)


def _decoded(path: Path, text: io.TextIOWrapper) -> Iterator[Row]:
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    reader = None
    try:
        first = text.readline()
        delimiter = max(DELIMITERS, key=first.count)
        text.seek(0)
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        number = 1
        for values in reader:
            yield number, list(values)
            number = reader.line_num + 1
    except UnicodeError:
        raise InvalidInput(
            f"{path.name}: the file is neither UTF-8 nor UTF-16 text. Save it as CSV UTF-8."
        ) from None
    except csv.Error as error:
        line = reader.line_num if reader else 1
        raise InvalidInput(f"{path.name}, line {line}: {error}.") from None
