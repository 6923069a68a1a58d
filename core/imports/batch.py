"""Parse a few thousand rows of a sheet, column by column, into a typed frame."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from core.ground import get_settings
from core.imports.faults import FILE, ROW, SHEET, Dependent, Fault, shown
from core.imports.files import Row, Sheet, is_filled
from core.imports.formats import Formatted, FormattedText
from core.imports.headers import Header, Heading
from core.imports.spoiled import Spoiled
from core.imports.texts import text_parser
from core.imports.values import (
    parse_amount,
    parse_bytes,
    parse_day,
    parse_flag,
    parse_instant,
    parse_whole,
)
from core.storage import new_id
from core.tables import Column, Kind, Table

DTYPES = {
    Kind.NUMBER: "Int64",
    Kind.MONEY: "Int64",
    Kind.INSTANT: "Int64",  # epoch seconds
    Kind.FLAG: "boolean",
    Kind.BYTES: "object",
}
_SIMPLE = {
    Kind.NUMBER: parse_whole,
    Kind.FLAG: parse_flag,
    Kind.BYTES: parse_bytes,
    Kind.DATE: parse_day,
}


@dataclass
class Reading:
    """A sheet while it is read: its table and header, and where errors go."""

    sheet: Sheet
    title: str
    table: Table
    header: Header
    faults: list[Fault]
    spoiled: Spoiled
    unknown: set[int] = field(default_factory=set)  # positions of unknown columns with a value
    last_row: int = 0  # the number of the last row with a value so far
    filled: set[int] = field(default_factory=set)  # positions of hidden columns with a value

    def fault(self, row: int, column: str, value: Any, problem: str) -> None:
        """Add an import error."""
        place = self.sheet.file, self.title, row
        self.faults.append(Fault(*place, column, shown(value), problem))


def _formatted(value: Any, code: str) -> Any:
    """Return the value of a cell with its format, if that shows something else."""
    if isinstance(value, str):
        return FormattedText(value, code)
    return Formatted(value, code) if type(value) in (int, float) else value


class Batch:
    """Some rows of a sheet, parsed column by column."""

    def __init__(self, reading: Reading, rows: list[Row]) -> None:
        self.reading, self.table = reading, reading.table
        self.numbers = [number for number, _ in rows]
        headings = reading.header.headings
        width = max((heading.index for heading in headings), default=0) + 1
        self.raw = list(
            zip(*((v + [None] * (width - len(v)))[:width] for _, v in rows), strict=True)
        )
        self.headings = {heading.column.name: heading for heading in headings}
        self.parsed: dict[str, list[Any]] = {}
        self.spoiled: dict[str, set[int]] = {}  # by column, the positions in the batch
        self._check_outside(rows, {heading.index for heading in headings})

    def _check_outside(self, rows: list[Row], headed: set[int]) -> None:
        """Find values in columns that are not read; without a header they would be lost."""
        header, columns = self.reading.header, len(self.reading.sheet.header)
        for number, values in rows:
            if self.reading.sheet.title is None and len(values) > columns:
                self._check_length(number, values, columns)
            if len(values) > len(headed):
                for index, value in enumerate(values):
                    if index in headed or not is_filled(value):
                        continue
                    if index in header.unknown:
                        self.reading.unknown.add(index)
                    elif index not in header.seen:
                        problem = f"is in column {index + 1}, which has no header"
                        self.reading.fault(number, "", value, problem)

    def _check_length(self, number: int, values: list[Any], columns: int) -> None:
        """Refuse a line of a CSV file with more values than the header: they may have moved."""
        if not any(map(is_filled, values[columns:])):  # otherwise they are errors themselves
            problem = f"has {len(values)} values, but the header has {columns}; put quotation marks"
            self.reading.fault(number, "", "", f"{problem} around a text with the separator")

    def to_frame(self) -> pd.DataFrame:
        """Parse all columns; a value with an error is None. A row without a key gets one."""
        # Parse currencies and places first: amounts and local times depend on them.
        last = {Kind.MONEY, Kind.INSTANT}
        for heading in sorted(self.headings.values(), key=lambda h: h.column.kind in last):
            self.parsed[heading.column.name] = self._parse(heading)
        nothing = [None] * len(self.numbers)
        for name in self.reading.header.faulty:
            self.parsed[name] = list(nothing)
        keys = self.parsed[self.table.key]
        self.parsed[self.table.key] = [key or f"missing-{new_id()}" for key in keys]
        frame = pd.DataFrame(
            {
                column.name: pd.Series(
                    self.parsed[column.name], dtype=DTYPES.get(column.kind, "str")
                )
                for column in self.table.stored
                if column.name in self.parsed
            }
        )
        frame[FILE] = pd.Categorical([self.reading.sheet.file] * len(frame))
        frame[SHEET] = pd.Categorical([self.reading.title] * len(frame))
        frame[ROW] = pd.Series(self.numbers, dtype="int32")
        return frame

    def _parse(self, heading: Heading) -> list[Any]:
        column, values = heading.column, self._with_formats(heading)
        parse, found = self._parser(heading), self.reading.sheet.found
        unreadable = found.unreadable.get(heading.index + 1, ())
        parsed: list[Any] = []
        for place, value in enumerate(values):
            result = None
            if self.numbers[place] in unreadable:  # its error is known
                self._spoil(column, place)
                parsed.append(None)
                continue
            try:
                result = parse(value, place)
                if result is None and column.is_required:
                    raise ValueError("is missing")
            except Dependent:
                self._spoil(column, place)
            except (ValueError, OverflowError) as error:
                self.reading.fault(self.numbers[place], column.header, value, str(error))
                self._spoil(column, place)
            parsed.append(result)
        if found.is_hidden_column(heading.index + 1) and any(map(is_filled, values)):
            self.reading.filled.add(heading.index)
        return parsed

    def _spoil(self, column: Column, place: int) -> None:
        row = self.reading.sheet.file, self.reading.title, self.numbers[place]
        self.reading.spoiled.add(self.table, row, column.name)
        self.spoiled.setdefault(column.name, set()).add(place)

    def _is_spoiled(self, column: Column, place: int) -> bool:
        is_faulty = column.name in self.reading.header.faulty
        return is_faulty or place in self.spoiled.get(column.name, ())

    def _with_formats(self, heading: Heading) -> Sequence[Any]:
        """Return the values of a column; one whose format shows something else remembers it."""
        values = self.raw[heading.index]
        formats = self.reading.sheet.found.formats.get(heading.index + 1)
        if not formats:
            return values
        codes = (formats.get(number) for number in self.numbers)
        return [
            _formatted(value, code) if code and is_filled(value) else value
            for value, code in zip(values, codes, strict=True)
        ]

    def _parser(self, heading: Heading) -> Callable[[Any, int], Any]:
        """Return the parser of the column, which takes a value and its position in the batch."""
        column = heading.column
        if column.kind in _SIMPLE:
            one = _SIMPLE[column.kind]
            return lambda value, _place: one(value)
        if column.kind is Kind.MONEY:
            return self._amount_parser(heading)
        if column.kind is Kind.INSTANT:
            return self._instant_parser(heading)
        parse = text_parser(column)
        return lambda value, _place: parse(value)

    def _amount_parser(self, heading: Heading) -> Callable[[Any, int], Any]:
        """Return the parser of amounts, which are in the row's currency, or in the header's."""
        column = self.table.column(str(heading.column.currency))
        assert column is not None
        nothing: list[Any] = [None] * len(self.numbers)
        currencies = self.parsed.setdefault(column.name, nothing)

        def parse(value: Any, place: int) -> int | None:
            if not is_filled(value):
                return None
            if self._is_spoiled(column, place):
                raise Dependent
            currency = currencies[place] = currencies[place] or heading.currency
            if currency is None:
                raise ValueError(f"needs a {column.header} in the same row")
            if heading.currency not in (None, currency):
                problem = f"is in {heading.currency} by its header, but {column.header} is"
                raise ValueError(f"{problem} {currency}")
            has_points = self.reading.sheet.has_points
            return parse_amount(value, currency, has_points=has_points)

        return parse

    def _instant_parser(self, heading: Heading) -> Callable[[Any, int], Any]:
        """Return the parser of times; a local one is in the zone of the header, or of its place."""
        zone_column = self.table.column(heading.column.read_in or "")
        if heading.zone is not None or zone_column is None:
            zone, is_stated = heading.zone or get_settings().import_zone, heading.zone is not None
            return lambda value, _place: parse_instant(value, zone, is_stated=is_stated)
        zones = self._zones(zone_column)

        def parse(value: Any, place: int) -> int | None:
            try:
                return parse_instant(value, zones[place])
            except Dependent:
                self._refuse_place(zone_column, place)
                raise

        return parse

    def _zones(self, column: Column) -> Sequence[str | None]:
        """Return the time zone of each row's place; None if the place is unknown or has an error.

        A table whose zones come from nothing else is in IMPORT_ZONE where they are blank.
        """
        nothing = [None] * len(self.numbers)
        given, source = self.parsed.get(column.name, nothing), column.place_from
        if source is None:
            return [zone or get_settings().import_zone for zone in given]
        known, places = source.zones(), self.parsed.get(source.column, nothing)
        return [
            zone or (None if self._is_spoiled(column, number) else known.get(place or ""))
            for number, (zone, place) in enumerate(zip(given, places, strict=True))
        ]

    def _refuse_place(self, zone_column: Column, place: int) -> None:
        """Add an error for the unknown place of a row, once, unless it has an error already."""
        source = zone_column.place_from
        column = self.table.column(source.column) if source else None
        if column is None or self._is_spoiled(zone_column, place):
            return
        if not self._is_spoiled(column, place):
            value = self.parsed.get(column.name, [None] * len(self.numbers))[place]
            problem = f"is an unknown {column.header.lower()}; add its {zone_column.header}"
            self.reading.fault(self.numbers[place], column.header, value, problem)
            self._spoil(column, place)
