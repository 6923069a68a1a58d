"""What is wrong in files that come in, and where: said as people wrote it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from core.ground import AppError, to_major
from core.tables import Kind

SHOWN_CHARACTERS = 60
# Where a row came from, beside its values.
FILE, SHEET, ROW = "file_", "sheet_", "row_"


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong in a file, and where."""

    file: str
    sheet: str
    row: int
    column: str
    value: str
    problem: str

    def __str__(self) -> str:
        """Say it in one line."""
        value = f" “{self.value}”" if self.value else ""
        column = f", {self.column}" if self.column else ""
        return f"{self.file}, {self.sheet}, row {self.row}{column}:{value} {self.problem}"


class Faulty(AppError):
    """The files have faults; nothing was imported. `faults` lists every one."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = list(faults)
        count = len(self.faults)
        super().__init__(f"{count:,} fault{'s' * (count != 1)}; nothing was imported.")

    def report(self) -> str:
        """Return every fault, a line each, and the count."""
        return "\n".join([*(str(fault) for fault in self.faults), str(self)])


def fault_at(row: dict[Any, Any], column: str, value: Any, problem: str) -> Fault:
    """Build the fault of a row of a frame made by read_tables."""
    shown = "" if value is None or value is pd.NA else str(value)
    return Fault(row[FILE], row[SHEET], int(row[ROW]), column, shown[:SHOWN_CHARACTERS], problem)


def as_written(kind: Kind, value: Any, currency: str | None = None) -> str:
    """Return a parsed value as people write it: amounts with decimals, instants in UTC."""
    if value is None:
        return ""
    if kind is Kind.MONEY and currency:
        return str(to_major(value, currency))
    if kind is Kind.INSTANT:
        return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%S} UTC"
    if kind is Kind.FLAG:
        return "yes" if value else "no"
    return value.hex() if isinstance(value, bytes) else str(value)
