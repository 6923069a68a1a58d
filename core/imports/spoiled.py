"""Which values of the files have an import error.

Such a value is None in the frames. Other checks must not take it for a blank.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pandas as pd

from core.imports.faults import FILE, ROW, SHEET
from core.tables import Table

Place = tuple[str, str, int]  # file, sheet and row


class Spoiled:
    """The values that have an import error: by row, and columns of whole sheets."""

    def __init__(self) -> None:
        self._cells: defaultdict[Place, set[str]] = defaultdict(set)
        self._columns: dict[tuple[str, str], frozenset[str]] = {}
        self._tables: set[tuple[str, str]] = set()

    def add(self, table: Table, place: Place, name: str) -> None:
        """Add a value: its row and the name of its column."""
        self._cells[place].add(name)
        self._tables.add((table.name, name))

    def add_columns(self, table: Table, file: str, sheet: str, names: Iterable[str]) -> None:
        """Add columns of a sheet that cannot be read, or that are missing."""
        self._columns[file, sheet] = frozenset(names)
        self._tables |= {(table.name, name) for name in names}

    def of(self, row: dict[Any, Any]) -> frozenset[str]:
        """Return the names of the columns whose value in the row has an error."""
        if not self._tables:
            return frozenset()
        cells = self._cells.get((row[FILE], row[SHEET], int(row[ROW])), ())
        return self._columns.get((row[FILE], row[SHEET]), frozenset()).union(cells)

    def has(self, table: Table, *names: str) -> bool:
        """Return whether a row of the table has an error in one of the columns."""
        return any((table.name, name) in self._tables for name in names)

    def sound(self, frame: pd.DataFrame, names: frozenset[str]) -> pd.DataFrame:
        """Return the rows without an error in these columns."""
        if not self._tables or not len(frame):
            return frame
        places = frame[[FILE, SHEET, ROW]].to_dict("records")
        return frame[[names.isdisjoint(self.of(place)) for place in places]]
