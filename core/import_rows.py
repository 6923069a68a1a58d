"""Raw sheets -> typed frames, one for each table, with every fault and where it is."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from core import money
from core.columns import Column, Kind, Table
from core.errors import InvalidInput
from core.import_faults import FILE, ROW, SHEET, SHOWN_CHARACTERS, Fault
from core.import_files import Row, Sheet, read_sheets
from core.import_values import (
    parse_amount,
    parse_bytes,
    parse_flag,
    parse_instant,
    parse_text,
    parse_whole,
)
from core.places import airport_zones, zones
from core.settings import get_settings
from core.tables import BOOKS

ROWS_A_BATCH = 10_000
MAX_CODE = 200  # an index of PostgreSQL holds no more than 2,700 bytes a row
DTYPES = {
    Kind.NUMBER: "Int64",
    Kind.MONEY: "Int64",
    Kind.INSTANT: "Int64",  # epoch seconds
    Kind.FLAG: "boolean",
    Kind.BYTES: "object",
}


@dataclass(frozen=True)
class _Heading:
    """A column of a sheet: its place, what it is, and the zone its header names."""

    index: int
    column: Column
    zone: str | None


def read_tables(paths: Sequence[Path]) -> tuple[dict[str, pd.DataFrame], list[Fault]]:
    """Read files into a typed frame for each table, and every fault of a single value.

    A frame has the columns that the files give, and file_, sheet_, row_. A column that no file
    gives is not in the frame. Raises InvalidInput for a file that cannot be read at all.
    """
    frames: dict[str, list[pd.DataFrame]] = defaultdict(list)
    faults: list[Fault] = []
    for path in paths:
        found = False
        for sheet in read_sheets(path):
            table = _table_of(sheet)
            if table is not None:
                found = True
                frames[table.name] += _read_sheet(sheet, table, faults)
        if not found:
            titles = ", ".join(table.title for table in BOOKS)
            raise InvalidInput(
                f"{path.name}: none of the sheets {titles} is in it, nor the headers of one."
            )
    # A table at a time, and its parts let go: the files may be large.
    names = [name for name, parts in frames.items() if parts]
    return {name: pd.concat(frames.pop(name), ignore_index=True) for name in names}, faults


def _table_of(sheet: Sheet) -> Table | None:
    if sheet.title is not None:
        # A dump goes on in “Orders (2)” where a sheet is full.
        title = _normal(re.sub(r"\s*\(\d+\)$", "", sheet.title))
        return next((t for t in BOOKS if title in (_normal(t.title), t.name)), None)
    headers = {_normal(_split_zone(str(header))[0]) for header in sheet.header if header}
    # The tables refer to each other's keys: it is the one that knows most of the headers.
    fitting = [t for t in BOOKS if _normal(t.key_column.header) in headers]
    return max(fitting, key=lambda t: len(headers & set(map(_normal, _headers(t)))), default=None)


def _headers(table: Table) -> list[str]:
    return [column.header for column in table.stored]


def _normal(header: str) -> str:
    return re.sub(r"[\s_\-]+", "_", header.strip().casefold())


def _split_zone(header: str) -> tuple[str, str | None]:
    found = re.match(r"(.*?)\s*\(([^()]*)\)\s*$", header, re.DOTALL)
    return (found[1], found[2].strip()) if found else (header, None)


def _read_sheet(sheet: Sheet, table: Table, faults: list[Fault]) -> list[pd.DataFrame]:
    title = sheet.title or table.title
    headings = _read_header(sheet, table, title, faults)
    if headings is None:
        return []
    heads = {heading.index + 1: heading.column.header for heading in headings}
    for number, index in sheet.unreadable:
        problem = "holds an error, or a formula without its result"
        faults.append(Fault(sheet.file, title, number, heads.get(index, ""), "", problem))
    frames = []
    rows = (row for row in sheet.rows if any(map(_is_filled, row[1])))
    while batch := list(islice(rows, ROWS_A_BATCH)):
        frames.append(_Batch(sheet.file, title, batch, headings, faults).to_frame(table))
    return frames


def _read_header(
    sheet: Sheet, table: Table, title: str, faults: list[Fault]
) -> list[_Heading] | None:
    """Match the header to the table's columns; None when a fault makes reading on senseless."""
    known = {_normal(c.header): c for c in table.stored} | {c.name: c for c in table.stored}
    headings: list[_Heading] = []
    before = len(faults)

    def fault(header: str, problem: str) -> None:
        faults.append(Fault(sheet.file, title, 1, header, "", problem))

    for index, raw in enumerate(sheet.header):
        header = "" if raw is None else str(raw).strip()
        if not header:
            continue
        name, zone = _split_zone(header)
        column = known.get(_normal(name)) or known.get(_normal(header))
        if column is None:
            fault(header, f"is not a column of {table.title}")
        elif any(heading.column == column for heading in headings):
            fault(header, "stands twice in the header")
        elif zone is not None and column.kind is Kind.INSTANT and zone not in zones():
            fault(header, f"names “{zone}”, which is not a time zone such as Europe/London")
        else:
            headings.append(_Heading(index, column, zone))
    given = {heading.column.name for heading in headings}
    for column in table.stored:
        if column.is_required and column.name not in given:
            fault(column.header, "is missing from the header")
    return headings if len(faults) == before else None


def _is_filled(value: Any) -> bool:
    return value is not None and (not isinstance(value, str) or bool(value.strip()))


class _Batch:
    """Some thousand rows of a sheet, parsed column by column."""

    def __init__(
        self,
        file: str,
        title: str,
        rows: list[Row],
        headings: list[_Heading],
        faults: list[Fault],
    ) -> None:
        self.file, self.title, self.faults = file, title, faults
        self.numbers = [number for number, _ in rows]
        width = max(heading.index for heading in headings) + 1
        self.raw = list(
            zip(*((v + [None] * (width - len(v)))[:width] for _, v in rows), strict=True)
        )
        self.headings = {heading.column.name: heading for heading in headings}
        self._check_outside(rows, {heading.index for heading in headings})
        self.parsed: dict[str, list[Any]] = {}

    def _check_outside(self, rows: list[Row], headed: set[int]) -> None:
        """Find values that stand under no header, which would be lost."""
        for number, values in rows:
            if len(values) > len(headed):
                for index, value in enumerate(values):
                    if index not in headed and _is_filled(value):
                        problem = f"stands in column {index + 1}, which has no header"
                        fault = Fault(self.file, self.title, number, "", str(value)[:60], problem)
                        self.faults.append(fault)

    def to_frame(self, table: Table) -> pd.DataFrame:
        # Amounts need their currency, and local times their airport's zone, so those come first.
        last = {Kind.MONEY, Kind.INSTANT}
        ordered = sorted(self.headings.values(), key=lambda h: h.column.kind in last)
        for heading in ordered:
            self.parsed[heading.column.name] = self._parse(heading)
        frame = pd.DataFrame(
            {
                column.name: pd.Series(
                    self.parsed[column.name], dtype=DTYPES.get(column.kind, "str")
                )
                for column in table.stored
                if column.name in self.parsed
            }
        )
        frame[FILE] = pd.Categorical([self.file] * len(frame))
        frame[SHEET] = pd.Categorical([self.title] * len(frame))
        frame[ROW] = pd.Series(self.numbers, dtype="int32")
        return frame

    def _parse(self, heading: _Heading) -> list[Any]:
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

    def _parser(self, heading: _Heading) -> Callable[[Any, int], Any]:
        """Return what parses a value of the column at a place in the batch."""
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
        if column.allowed is not None:
            return lambda value, _place: _member(column, parse_text(value))
        if column.name in CHECKS:
            check = CHECKS[column.name]
            return lambda value, _place: check(parse_text(value))
        if column.kind is Kind.CODE:
            return lambda value, _place: _code(parse_text(value))
        return lambda value, _place: parse_text(value)

    def _zones(self, heading: _Heading) -> Sequence[str]:
        """Return the zone that a local time of each row is in: header, place, or setting."""
        usual = get_settings().import_zone
        if heading.zone is not None or heading.column.place_zone is None:
            return [heading.zone or usual] * len(self.numbers)
        nothing = [None] * len(self.numbers)
        given = self.parsed.get("airport_tz", nothing)
        airports = self.parsed.get("airport_iata", nothing)
        known = airport_zones()
        return [
            zone or known.get(airport or "", usual)
            for zone, airport in zip(given, airports, strict=True)
        ]

    def _fault(self, column: Column, place: int, value: Any, problem: str) -> None:
        shown = "" if value is None else str(value)
        if len(shown) > SHOWN_CHARACTERS:
            shown = shown[:SHOWN_CHARACTERS] + "…"
        self.faults.append(
            Fault(self.file, self.title, self.numbers[place], column.header, shown, problem)
        )


def _member(column: Column, text: str | None) -> str | None:
    """Read “Not used” as not_used; expired is derived from the day, so it reads as not used."""
    if text is None or column.allowed is None:
        return None
    name = _normal(text.replace("&", "and"))
    if column.name == "status" and name == "expired":
        name = "not_used"
    members = [member.value for member in column.allowed]
    if name not in members:
        raise ValueError(f"is not one of {', '.join(members)}")
    return name


def _amount(value: Any, currency: str | None) -> int | None:
    if currency is not None:
        return parse_amount(value, currency)
    if _is_filled(value):
        raise ValueError("needs its Currency beside it")
    return None


def _code(text: str | None) -> str | None:
    if text is not None and len(text) > MAX_CODE:
        raise ValueError(f"is longer than {MAX_CODE} characters")
    return text


def _check_currency(text: str | None) -> str | None:
    if text is None:
        return None
    if not money.is_currency(text.upper()):
        raise ValueError("is not a currency such as EUR (ISO 4217)")
    return text.upper()


def _check_zone(text: str | None) -> str | None:
    if text is not None and text not in zones():
        raise ValueError("is not a time zone such as Europe/London (IANA)")
    return text


def _check_airport(text: str | None) -> str | None:
    if text is None:
        return None
    if not re.fullmatch(r"[A-Za-z]{3}", text):
        raise ValueError("is not an IATA code of three letters")
    return text.upper()


CHECKS: dict[str, Callable[[str | None], str | None]] = {
    "currency": _check_currency,
    "airport_tz": _check_zone,
    "airport_iata": _check_airport,
}


def iterate(frame: pd.DataFrame) -> Iterator[dict[Any, Any]]:
    """Iterate over a frame's rows as plain values, some thousand at a time; missing is None."""
    names = list(frame.columns)
    for first in range(0, len(frame), ROWS_A_BATCH):
        part = frame.iloc[first : first + ROWS_A_BATCH]
        columns = [
            part[name].astype("object").where(part[name].notna(), None).tolist() for name in names
        ]
        for values in zip(*columns, strict=True):
            yield dict(zip(names, values, strict=True))
