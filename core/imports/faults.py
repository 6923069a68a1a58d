"""Import errors: what is wrong in a file, and where."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from core.ground import AppError, flag_value, to_major, word_of
from core.tables import Column, Kind

SHOWN_CHARACTERS = 60
# The origin of a row, next to its values.
FILE, SHEET, ROW = "file_", "sheet_", "row_"


@dataclass(frozen=True)
class Fault:
    """One import error, and where it is."""

    file: str
    sheet: str
    row: int
    column: str
    value: str
    problem: str

    def __str__(self) -> str:
        """Return the error as one line."""
        value = f" “{self.value}”" if self.value else ""
        column = f", {self.column}" if self.column else ""
        return f"{self.file}, {self.sheet}, row {self.row}{column}:{value} {self.problem}"


class Faulty(AppError):
    """The files have import errors, so nothing was imported. `faults` lists all of them."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = list(faults)
        count = len(self.faults)
        super().__init__(f"{count:,} import error{'s' * (count != 1)}; nothing was imported.")

    def report(self) -> str:
        """Return every error on its own line, then the count."""
        return "\n".join([*(str(fault) for fault in self.faults), str(self)])


def fault_at(row: dict[Any, Any], column: str, value: Any, problem: str) -> Fault:
    """Return an import error in a row of a frame made by read_tables."""
    shown = "" if value is None or value is pd.NA else str(value)
    return Fault(row[FILE], row[SHEET], int(row[ROW]), column, shown[:SHOWN_CHARACTERS], problem)


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
    if column.allowed:
        return word_of(value)
    return value.hex() if isinstance(value, bytes) else str(value)
