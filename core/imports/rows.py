"""Turn raw sheets into typed frames, one per table, and collect every import error."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from core.ground import InvalidInput
from core.imports.batch import Batch, Reading
from core.imports.faults import Fault
from core.imports.files import Row, Sheet, is_filled, read_sheets
from core.imports.headers import Heading, read_header, table_of
from core.imports.progress import SILENT, Progress
from core.imports.spoiled import Spoiled
from core.tables import SHEETS, Table

ROWS_A_BATCH = 10_000
MAX_LISTED = 50  # errors of other files, beside a file that cannot be read
UNREADABLE = "contains an error, or a formula without its result"


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
    file is not in the frame, unless it is required. A value with an error is None, and in
    `spoiled`; a row without a key gets one.
    """

    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    spoiled: Spoiled = field(default_factory=Spoiled)
    sheets: list[SheetRead] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)  # file and sheet


def read_tables(files: Sequence[tuple[Path, str]], *, progress: Progress = SILENT) -> Tables:
    """Read files, each with its shown name.

    Raises InvalidInput for the files that cannot be read, with the first errors in values of the
    others, and Cancelled.
    """
    parts: dict[str, list[pd.DataFrame]] = defaultdict(list)
    read = Tables()
    problems = []
    for number, (path, name) in enumerate(files):
        part = progress.part(number / len(files), (number + 1) / len(files))
        try:
            _read_file(path, name, read, parts, part)
        except InvalidInput as problem:
            problems.append(str(problem))
    if problems:
        raise InvalidInput("\n".join([*problems, *map(str, read.faults[:MAX_LISTED])]))
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
        titles = ", ".join(table.title for table in SHEETS)
        raise InvalidInput(f"{name}: no sheet has the title or the headers of {titles}.")


def _read_sheet(sheet: Sheet, table: Table, read: Tables, progress: Progress) -> list[pd.DataFrame]:
    title = sheet.title or table.title
    header = read_header(sheet, table, title, read.faults)
    read.spoiled.add_columns(table, sheet.file, title, header.faulty)
    reading = Reading(sheet, title, table, header, read.faults, read.spoiled)
    frames = []
    hidden: list[int] = []
    rows = _filled_rows(reading, hidden)
    while batch := list(islice(rows, ROWS_A_BATCH)):
        frames.append(Batch(reading, batch).to_frame())
        progress.say(f"Reading {sheet.file}: {table.title}", sheet.share_at(batch[-1][0]))
    _check_columns(reading)
    _check_hidden(reading, hidden, has_rows=bool(frames))
    _check_merged(reading)
    headings = tuple(header.headings)
    read.sheets.append(SheetRead(sheet.file, title, table, headings, sum(map(len, frames))))
    return frames


def _filled_rows(reading: Reading, hidden: list[int]) -> Iterator[Row]:
    """Yield the rows that have a value; collect the numbers of the hidden ones."""
    for row in reading.sheet.rows:
        if any(map(is_filled, row[1])):
            if row[0] in reading.sheet.found.hidden_rows:
                hidden.append(row[0])
            reading.last_row = row[0]
            yield row


def _check_columns(reading: Reading) -> None:
    """Add an error for unknown columns that have a value, and for cells that cannot be read."""
    unreadable = reading.sheet.found.unreadable
    for index, header in sorted(reading.header.unknown.items()):
        if index in reading.unknown or index + 1 in unreadable:
            problem = f"is not a column of {reading.table.title}"
            reading.fault(reading.sheet.top, header, "", problem)
    heads = {heading.index + 1: heading.column.header for heading in reading.header.headings}
    for column, rows in unreadable.items():
        if column in heads or column - 1 not in reading.header.seen:
            for row in sorted(rows):
                reading.fault(row, heads.get(column, ""), "", UNREADABLE)


def _check_hidden(reading: Reading, rows: list[int], *, has_rows: bool) -> None:
    """Add an error for what is imported, but not seen in the spreadsheet."""
    top = reading.sheet.top
    if reading.sheet.is_hidden and has_rows:
        reading.fault(top, "", "", "is on a hidden sheet; show the sheet or delete it")
    for heading in reading.header.headings:
        if heading.index in reading.filled:
            problem = "is in a hidden column; show the column or delete it"
            reading.fault(top, heading.column.header, "", problem)
    if rows:
        others = len(rows) - 1
        more = f", as {'is' if others == 1 else 'are'} {others:,} more" if others else ""
        reading.fault(rows[0], "", "", f"is a hidden row{more}; show hidden rows or delete them")


def _check_merged(reading: Reading) -> None:
    """Add an error for merged cells: only the first has the value that all of them show."""
    rows: defaultdict[int, list[int]] = defaultdict(list)  # by column
    for one in reading.sheet.found.merged:
        if reading.sheet.top < one.last_row and one.first_row <= reading.last_row:
            for heading in reading.header.headings:
                if heading.index + 1 in one.columns:
                    rows[heading.index].append(one.first_row)
    for heading in reading.header.headings:
        if places := rows[heading.index]:
            others = len(places) - 1
            more = f", as {'are' if others > 1 else 'is'} {others:,} more" if others else ""
            problem = f"is in merged cells{more}; unmerge them, and fill in each"
            reading.fault(min(places), heading.column.header, "", problem)


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
