"""Turn raw sheets into typed frames, one per table, and collect every import error."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from core.ground import InvalidInput, get_settings
from core.imports.faults import FILE, ROW, SHEET, SHOWN_CHARACTERS, Fault
from core.imports.files import Row, Sheet, read_sheets
from core.imports.headers import Heading, read_header, table_of
from core.imports.progress import SILENT, Progress
from core.imports.texts import text_parser
from core.imports.values import parse_amount, parse_bytes, parse_flag, parse_instant, parse_whole
from core.tables import BOOKS, Column, Kind, Table

ROWS_A_BATCH = 10_000
DTYPES = {
    Kind.NUMBER: "Int64",
    Kind.MONEY: "Int64",
    Kind.INSTANT: "Int64",  # epoch seconds
    Kind.FLAG: "boolean",
    Kind.BYTES: "object",
}


@dataclass(frozen=True)
class SheetRead:
    """A sheet that was read: its name, its table, its recognised columns, its row count."""

    file: str
    title: str
    table: Table
    headings: tuple[Heading, ...]
    rows: int


@dataclass
class Tables:
    """The content of files: a typed frame for each table, and every error in a single value.

    A frame has the columns that are in the files, and file_, sheet_, row_. A column that is in no
    file is not in the frame.
    """

    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    sheets: list[SheetRead] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)  # file and sheet


def read_tables(files: Sequence[tuple[Path, str]], *, progress: Progress = SILENT) -> Tables:
    """Read files, each with its shown name.

    Raises InvalidInput for a file that cannot be read, and Cancelled.
    """
    parts: dict[str, list[pd.DataFrame]] = defaultdict(list)
    read = Tables()
    for number, (path, name) in enumerate(files):
        _read_file(
            path, name, read, parts, progress.part(number / len(files), (number + 1) / len(files))
        )
    # One table at a time, to free the memory of its parts: the files may be large.
    for table in [table for table, frames in parts.items() if frames]:
        read.frames[table] = pd.concat(parts.pop(table), ignore_index=True)
    return read


def _read_file(
    path: Path,
    name: str,
    read: Tables,
    parts: dict[str, list[pd.DataFrame]],
    progress: Progress,
) -> None:
    progress.say(f"Reading {name}", 0)
    found = False
    for sheet in read_sheets(path, name):
        table = table_of(sheet)
        if table is not None:
            found = True
            parts[table.name] += _read_sheet(sheet, table, read, progress)
        elif sheet.title is not None:
            read.left_out.append((name, sheet.title))
    if not found:
        titles = ", ".join(table.title for table in BOOKS)
        raise InvalidInput(f"{name}: no sheet has the title or the headers of {titles}.")


def _read_sheet(sheet: Sheet, table: Table, read: Tables, progress: Progress) -> list[pd.DataFrame]:
    title = sheet.title or table.title
    headings = read_header(sheet, table, title, read.faults)
    if headings is None:
        return []
    heads = {heading.index + 1: heading.column.header for heading in headings}
    for number, index in sheet.unreadable:
        problem = "contains an error, or a formula without its result"
        read.faults.append(Fault(sheet.file, title, number, heads.get(index, ""), "", problem))
    frames = []
    rows = (row for row in sheet.rows if any(map(_is_filled, row[1])))
    while batch := list(islice(rows, ROWS_A_BATCH)):
        frames.append(_Batch(sheet.file, title, table, batch, headings, read.faults).to_frame())
        progress.say(f"Reading {sheet.file}: {table.title}", sheet.share_at(batch[-1][0]))
    read.sheets.append(SheetRead(sheet.file, title, table, tuple(headings), sum(map(len, frames))))
    return frames


def _is_filled(value: Any) -> bool:
    return value is not None and (not isinstance(value, str) or bool(value.strip()))


class _Batch:
    """A few thousand rows of a sheet, parsed column by column."""

    def __init__(
        self,
        file: str,
        title: str,
        table: Table,
        rows: list[Row],
        headings: list[Heading],
        faults: list[Fault],
    ) -> None:
        self.file, self.title, self.table, self.faults = file, title, table, faults
        self.numbers = [number for number, _ in rows]
        width = max(heading.index for heading in headings) + 1
        self.raw = list(
            zip(*((v + [None] * (width - len(v)))[:width] for _, v in rows), strict=True)
        )
        self.headings = {heading.column.name: heading for heading in headings}
        self._check_outside(rows, {heading.index for heading in headings})
        self.parsed: dict[str, list[Any]] = {}

    def _check_outside(self, rows: list[Row], headed: set[int]) -> None:
        """Add an error for values in a column without a header, which would be lost."""
        for number, values in rows:
            if len(values) > len(headed):
                for index, value in enumerate(values):
                    if index not in headed and _is_filled(value):
                        problem = f"is in column {index + 1}, which has no header"
                        fault = Fault(self.file, self.title, number, "", str(value)[:60], problem)
                        self.faults.append(fault)

    def to_frame(self) -> pd.DataFrame:
        # Parse currencies and places first: amounts and local times depend on them.
        last = {Kind.MONEY, Kind.INSTANT}
        ordered = sorted(self.headings.values(), key=lambda h: h.column.kind in last)
        for heading in ordered:
            self.parsed[heading.column.name] = self._parse(heading)
        frame = pd.DataFrame(
            {
                column.name: pd.Series(
                    self.parsed[column.name], dtype=DTYPES.get(column.kind, "str")
                )
                for column in self.table.stored
                if column.name in self.parsed
            }
        )
        frame[FILE] = pd.Categorical([self.file] * len(frame))
        frame[SHEET] = pd.Categorical([self.title] * len(frame))
        frame[ROW] = pd.Series(self.numbers, dtype="int32")
        return frame

    def _parse(self, heading: Heading) -> list[Any]:
        column, values = heading.column, self.raw[heading.index]
        parse = self._parser(heading)
        parsed: list[Any] = []
        for place, value in enumerate(values):
            try:
                result = parse(value, place)
                if result is None and column.is_required:
                    raise ValueError("is missing")
            except (ValueError, OverflowError) as error:
                self._fault(column, place, value, str(error))
                result = None
            parsed.append(result)
        return parsed

    def _parser(self, heading: Heading) -> Callable[[Any, int], Any]:
        """Return the parser of the column, which takes a value and its position in the batch."""
        column = heading.column
        simple = {Kind.NUMBER: parse_whole, Kind.FLAG: parse_flag, Kind.BYTES: parse_bytes}
        if column.kind in simple:
            one = simple[column.kind]
            return lambda value, _place: one(value)
        if column.kind is Kind.MONEY:
            currencies = self.parsed.get(str(column.currency), [None] * len(self.numbers))
            return lambda value, place: _amount(value, currencies[place])
        if column.kind is Kind.INSTANT:
            zones = self._zones(heading)
            return lambda value, place: parse_instant(value, zones[place])
        parse = text_parser(column)
        return lambda value, _place: parse(value)

    def _zones(self, heading: Heading) -> Sequence[str]:
        """Return the zone of each row's local times: by header, place or IMPORT_ZONE."""
        usual = get_settings().import_zone
        place_zone = self.table.column(heading.column.place_zone or "")
        if heading.zone is not None or place_zone is None:
            return [heading.zone or usual] * len(self.numbers)
        nothing = [None] * len(self.numbers)
        given = self.parsed.get(place_zone.name, nothing)
        source = place_zone.place_from
        places = self.parsed.get(source.column, nothing) if source else nothing
        known = source.zones() if source else {}
        return [
            zone or known.get(place or "", usual) for zone, place in zip(given, places, strict=True)
        ]

    def _fault(self, column: Column, place: int, value: Any, problem: str) -> None:
        shown = "" if value is None else str(value)
        if len(shown) > SHOWN_CHARACTERS:
            shown = shown[:SHOWN_CHARACTERS] + "…"
        self.faults.append(
            Fault(self.file, self.title, self.numbers[place], column.header, shown, problem)
        )


def _amount(value: Any, currency: str | None) -> int | None:
    if currency is not None:
        return parse_amount(value, currency)
    if _is_filled(value):
        raise ValueError("needs a Currency in the same row")
    return None


def iterate(frame: pd.DataFrame) -> Iterator[dict[Any, Any]]:
    """Yield a frame's rows as dicts of plain values, converted in batches; missing is None."""
    names = list(frame.columns)
    for first in range(0, len(frame), ROWS_A_BATCH):
        part = frame.iloc[first : first + ROWS_A_BATCH]
        columns = [
            part[name].astype("object").where(part[name].notna(), None).tolist() for name in names
        ]
        for values in zip(*columns, strict=True):
            yield dict(zip(names, values, strict=True))
