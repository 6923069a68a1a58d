"""Open a file with every kind of value in LibreOffice, and compare every cell as CSV."""

import csv
import os
import re
import subprocess
from collections.abc import Iterator
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

from core.excel import StreamedWorkbook
from core.excel.cells import MAX_CELL_UNITS, MAX_EXACT_INTEGER
from core.ground import format_amount, word_of
from core.query import to_frame
from core.tables import Column, Kind
from tests.bench.figures import Figure
from tests.conftest import NOW
from tests.core.every_kind import (
    BYTES,
    CODE,
    CURRENCY,
    EDGE_MOMENTS,
    EDGE_NUMBERS,
    EVERY_KIND,
    FLAG,
    HOSTILE,
    MADE,
    MONEY,
    NUMBER,
    SERVICE,
    STATUS,
    TEXT,
    ZONE,
)
from tests.core.random_rows import CURRENCIES, ZONES

LONDON = "Europe/London"
# LibreOffice shows some seconds before 1970 one second too early, for any writer.
MOMENTS = [moment for moment in EDGE_MOMENTS if moment.year != 1969] + [NOW]
# It shows fifteen digits of a number, like Excel.
NUMBERS = [number for number in EDGE_NUMBERS if abs(number) != MAX_EXACT_INTEGER]
FORBIDDEN = "\x00\x01\x0b\x1f\ufffe\uffff"
# Separator, quote, UTF-8, from line 1, quote every text, write cells as they are shown.
AS_CSV = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,true,true"
MAX_SECONDS = 180


def open_in_office() -> Iterator[Figure]:
    """Write a file, convert it to CSV with LibreOffice, and compare every cell."""
    rows = [_row(number, text) for number, text in enumerate(HOSTILE)]
    with TemporaryDirectory() as folder:
        path = Path(folder, "orders.xlsx")
        with path.open("wb") as file, StreamedWorkbook(file) as workbook:
            frame = to_frame(EVERY_KIND, rows)
            workbook.add_table("Orders", EVERY_KIND, LONDON, [frame])
            workbook.add_lines("About this export", [("Filters", "=1+1")])
        complaints = _convert(path)
        with path.with_suffix(".csv").open(encoding="utf-8", newline="") as made:
            header, *found = csv.reader(made)
    yield _none("complaints of LibreOffice about a file", complaints)
    expected = [_shown(row) for row in rows]
    no_row: list[str] = []
    differing = sum(
        one != other
        for cells, others in zip_longest(found, expected, fillvalue=no_row)
        for one, other in zip_longest(cells, others)
    )
    yield Figure("columns that LibreOffice reads", f"{len(header)}")
    yield Figure("cells that LibreOffice reads", f"{sum(map(len, found)):,}")
    yield _none("of these other than they are", differing)


def _none(measure: str, count: int) -> Figure:
    return Figure(measure, f"{count:,}", bar="0", is_met=count == 0)


def _convert(path: Path) -> int:
    """Convert the workbook to a CSV file beside it; return the number of warnings."""
    done = subprocess.run(
        ["soffice", "--headless", "--convert-to", AS_CSV, "--outdir", path.parent, path],
        env=os.environ | {"HOME": str(path.parent), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=MAX_SECONDS,
        check=True,
    )
    lines = [line for line in done.stderr.splitlines() if "javaldx" not in line]  # no Java needed
    for line in lines:
        print(f"  {line}")
    return len(lines)


def _row(number: int, text: str) -> tuple[Any, ...]:
    """Make a row with a difficult value in every column."""
    moment = MOMENTS[number % len(MOMENTS)]
    values = {
        TEXT: text,
        CODE: text[::-1],
        STATUS: "not_used",
        NUMBER: NUMBERS[number % len(NUMBERS)],
        MONEY: (number - 9) * 12_345,
        CURRENCY: CURRENCIES[number % len(CURRENCIES)],
        MADE: moment,
        SERVICE: moment,
        ZONE: ZONES[number % len(ZONES)],
        FLAG: number % 2 == 0,
        BYTES: number.to_bytes(8, "big"),
    }
    return tuple(values[column] for column in EVERY_KIND)


def _shown(row: tuple[Any, ...]) -> list[str]:
    """Return the expected text of each cell of a row."""
    by_column = dict(zip(EVERY_KIND, row, strict=True))
    return [_cell(column, value, by_column) for column, value in by_column.items()]


def _cell(column: Column, value: Any, row: dict[Column, Any]) -> str:
    if isinstance(value, datetime):
        zone = ZoneInfo(row[ZONE] if column.place_zone else LONDON)
        return value.astimezone(zone).replace(tzinfo=None).isoformat(sep=" ")
    if column.kind is Kind.MONEY:
        return format_amount(value, row[CURRENCY])
    if column.kind is Kind.FLAG:
        return "Yes" if value else "No"
    if column.kind is Kind.BYTES:
        return str(value.hex())
    if column.allowed:
        return word_of(value)
    return _as_a_cell_holds_it(value) if isinstance(value, str) else str(value)


def _as_a_cell_holds_it(text: str) -> str:
    text = "".join("\ufffd" if one in FORBIDDEN else one for one in text)
    units = text.encode("utf-16-le")[: 2 * MAX_CELL_UNITS]
    # LibreOffice has only one kind of line end.
    return re.sub("\r\n|\n\r", "\n", units.decode("utf-16-le", "ignore"))
