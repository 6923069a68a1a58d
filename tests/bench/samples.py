"""Filter values and expected first rows, taken from a filled table."""

import sqlite3
from dataclasses import dataclass
from typing import Any

from tests.bench.expected import Expected

FREQUENT, RARE = "count(*) DESC", "count(*)"


@dataclass(frozen=True)
class Sample:
    """A table of a filled database. All names come from the benchmark, so the SQL is safe."""

    connection: sqlite3.Connection
    table: str
    key: str

    def newest(self, columns: str) -> Any:
        """Return columns of the first row of the grid without a filter or sort."""
        return self._one(f"SELECT {columns} FROM {self.table} {self._order('created_at', 'DESC')}")

    def middle(self, columns: str) -> Any:
        """Return columns of the row in the middle, which is not on the screen."""
        middle = f"(SELECT max(no) / 2 FROM {self.table})"
        return self._one(f"SELECT {columns} FROM {self.table} WHERE no = {middle}")

    def value(self, column: str, by: str) -> Any:
        """Return the most frequent or the rarest value; the newest row has another value."""
        (newest,) = self.newest(column)
        statement = (
            f"SELECT {column} FROM {self.table} WHERE {column} IS NOT NULL AND {column} IS NOT ? "
            f"GROUP BY {column} ORDER BY {by} LIMIT 1"
        )
        return self.connection.execute(statement, (newest,)).fetchone()[0]

    def first(self, by: str = "created_at", direction: str = "DESC") -> Expected:
        """Return the key of the first row in a sort order."""
        statement = f"SELECT {self.key} FROM {self.table} {self._order(by, direction)}"
        return Expected(self.key, self._one(statement)[0], rows=1)

    def _order(self, by: str, direction: str) -> str:
        return f"ORDER BY {by} {direction}, {self.key} {direction} LIMIT 1"

    def _one(self, statement: str) -> Any:
        return self.connection.execute(statement).fetchone()
