"""Filters as a person sets them, each with the expected content of the grid."""

from dataclasses import dataclass

from tests.bench.expected import Expected
from tests.bench.grid_page import GridPage


@dataclass(frozen=True)
class Typed:
    """A text or number typed into the floating filter."""

    header: str
    text: str
    expected: Expected

    def __str__(self) -> str:
        """Return the name of the filter."""
        return f"{self.header}: {self.text}"

    def seconds(self, page: GridPage) -> float:
        """Filter, and return the seconds to the rows."""
        return page.type_filter(self.header, self.text, self.expected)


@dataclass(frozen=True)
class Picked(Typed):
    """A day in the floating filter."""

    def seconds(self, page: GridPage) -> float:
        """Filter, and return the seconds to the rows."""
        return page.pick_day(self.header, self.text, self.expected)


@dataclass(frozen=True)
class Listed(Typed):
    """A ticked value in the column's list."""

    def __str__(self) -> str:
        """Return the name of the filter."""
        return f"{self.header}: {self.text}, from the list"

    def seconds(self, page: GridPage) -> float:
        """Filter, and return the seconds to the rows."""
        page.open_list(self.header)
        return page.choose(self.text, self.expected)


@dataclass(frozen=True)
class Above(Typed):
    """A number in the menu of the filter, with the operator "greater than"."""

    def __str__(self) -> str:
        """Return the name of the filter."""
        return f"{self.header} > {self.text}"

    def seconds(self, page: GridPage) -> float:
        """Filter, and return the seconds to the rows."""
        return page.ask(self.header, "Greater than", self.text, self.expected)
