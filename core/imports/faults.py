"""Import errors: what is wrong in a file, and where."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from core.ground import AppError, flag_value, is_storable, storable, to_major, word_of
from core.tables import Column, Kind

SHOWN_CHARACTERS = 60
# The origin of a row, next to its values.
FILE, SHEET, ROW = "file_", "sheet_", "row_"
SAME_ROW = "in the same row"  # where the error is that another one may follow from


class Dependent(ValueError):
    """A value cannot be read, because another value in its row has an import error."""


@dataclass(frozen=True)
class Fault:
    """One import error, and where it is.

    If it may only follow from another import error, `cause` says from which one. A character that
    no database stores is replaced: files are full of surprises, and their errors are stored.
    """

    file: str
    sheet: str
    row: int
    column: str
    value: str
    problem: str
    cause: str = ""

    def __post_init__(self) -> None:
        """Replace what cannot be stored."""
        for name in ("file", "sheet", "column", "value", "problem", "cause"):
            text = getattr(self, name)
            if not is_storable(text):
                object.__setattr__(self, name, storable(text))

    def __str__(self) -> str:
        """Return the error as one line."""
        value = f" “{self.value}”" if self.value else ""
        column = f", {self.column}" if self.column else ""
        return f"{self.file}, {self.sheet}, row {self.row}{column}:{value} {self.in_words()}"

    def in_words(self) -> str:
        """Return what is wrong, and what it may follow from."""
        if not self.cause:
            return self.problem
        return f"{self.problem}. This may follow from another import error, {self.cause}."


class Faulty(AppError):
    """The files have import errors, so nothing was imported. `faults` lists all of them.

    `follow_ups` are those that may only follow from another one. They do not count.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = [fault for fault in faults if not fault.cause]
        self.follow_ups = [fault for fault in faults if fault.cause]
        count = len(self.faults)
        super().__init__(f"{count:,} import error{'s' * (count != 1)}; nothing was imported.")

    def report(self) -> str:
        """Return every error on its own line, then the count."""
        return "\n".join([*map(str, self.faults), str(self)])

    def full_report(self) -> str:
        """Return the report, with what may follow from another error before the count."""
        return "\n".join([*map(str, self.faults), *map(str, self.follow_ups), str(self)])


def in_order(faults: Sequence[Fault], sheets: Sequence[tuple[str, str]]) -> list[Fault]:
    """Sort import errors by sheet (file and title) and row; those that follow from others last.

    Of alike ones that follow from the same error, only the first is kept, with their number.
    """
    ordered = sorted(
        faults, key=lambda one: (bool(one.cause), sheets.index((one.file, one.sheet)), one.row)
    )
    alike = Counter(map(_kind_of, ordered))
    listed: dict[object, Fault] = {}
    for fault in ordered:
        others = alike[_kind_of(fault)] - 1 if fault.cause else 0
        more = f" ({others:,} more row{'s' * (others != 1)} like this)" if others else ""
        kind = _kind_of(fault) if fault.cause else fault
        listed.setdefault(kind, replace(fault, problem=f"{fault.problem}{more}"))
    return list(listed.values())


def _kind_of(fault: Fault) -> tuple[str, ...]:
    return fault.file, fault.sheet, fault.column, fault.cause


def fault_at(row: dict[Any, Any], column: str, value: Any, problem: str, cause: str = "") -> Fault:
    """Return an import error in a row of a frame made by read_tables."""
    place = row[FILE], row[SHEET], int(row[ROW])
    return Fault(*place, column, shown(value), problem, cause)


def shown(value: Any) -> str:
    """Return a value as an import error shows it, cut if it is long."""
    text = "" if value is None or value is pd.NA else str(value)
    if isinstance(value, float):
        text = text.removesuffix(".0")
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def as_written(column: Column, value: Any, currency: str | None = None) -> str:
    """Return a parsed value as people write it: amounts with decimals, instants in UTC."""
    if value is None:
        return ""
    if column.kind is Kind.MONEY and currency:
        return str(to_major(value, currency))
    if column.kind is Kind.INSTANT:
        return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%S} UTC"
    if column.kind is Kind.FLAG:
        return word_of(flag_value(value))
    if column.has_words:
        return column.word_of(value)
    return value.hex() if isinstance(value, bytes) else str(value)
