"""A downloaded Excel file, read back."""

from pathlib import Path
from typing import Any

import openpyxl


class Workbook:
    """A file of a table's view; of the workbook of an order, name the `sheet`."""

    def __init__(self, path: Path, sheet: str = "Orders") -> None:
        book = openpyxl.load_workbook(path)
        self.name = path.name
        self.sheets = book.sheetnames
        self.cells: list[tuple[Any, ...]] = list(book[sheet].iter_rows())
        self.headers: list[str] = [cell.value for cell in self.cells[0]]
        about = book[book.sheetnames[-1]].iter_rows(values_only=True)
        self.about = [(str(line[0] or ""), str(line[1])) for line in about]
        book.close()

    def column(self, header: str) -> list[Any]:
        """Return the values of a column."""
        index = self.headers.index(header)
        return [row[index].value for row in self.cells[1:]]

    def says(self, label: str) -> str:
        """Return what the sheet About this export says of something, its first line."""
        return next(text for name, text in self.about if name == label)
