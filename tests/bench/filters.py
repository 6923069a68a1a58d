"""Filters as a person sets them, each with what the grid has to show then."""

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
        """Say which filter it is."""
        return f"{self.header}: {self.text}"

    def seconds(self, page: GridPage) -> float:
        """Filter, and return the seconds to the rows."""
        return page.type_filter(self.header, self.text, self.expected)


@dataclass(frozen=True)
class Picked(Typed):
    """A day put into the floating filter."""

    def seconds(self, page: GridPage) -> float:
        """Filter, and return the seconds to the rows."""
        return page.pick_day(self.header, self.text, self.expected)


@dataclass(frozen=True)
class Listed(Typed):
    """A value ticked in the column's list."""

    def __str__(self) -> str:
        """Say which filter it is."""
        return f"{self.header}: {self.text}, from the list"

    def seconds(self, page: GridPage) -> float:
        """Filter, and return the seconds to the rows."""
        page.open_list(self.header)
        return page.choose(self.text, self.expected)


@dataclass(frozen=True)
class Above(Typed):
    """A number typed into the filter's own menu, where it asks for greater ones."""

    def __str__(self) -> str:
        """Say which filter it is."""
        return f"{self.header} > {self.text}"

    def seconds(self, page: GridPage) -> float:
        """Filter, and return the seconds to the rows."""
        return page.ask(self.header, "Greater than", self.text, self.expected)
