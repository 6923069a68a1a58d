"""What the import's tests share: a small order, and workbooks made of dicts."""

from pathlib import Path
from typing import Any

import openpyxl
from sqlalchemy import func, select

from core import storage
from core.storage import Base

ORDER = {
    "Order ID": "A1",
    "Created Date": "2026-03-01 10:00",
    "Contract ID": "CT-1",
    "Author": "Ana",
}
ITEM = {
    "Order Item ID": "A1-1",
    "Order ID": "A1",
    "Product Type": "lounge",
    "Product": "Aspire Lounge",
    "Airport": "LHR",
    "Passenger": "Zoë Müller",
    "Service Date": "2026-07-01 12:00",
    "Price": "38.50",
    "Currency": "EUR",
}
REFUND = {
    "Transaction ID": "T-2",
    "Created Date": "2026-04-01 10:00",
    "Type": "refund",
    "Order ID": "A1",
    "Order Item ID": "A1-1",
    "Amount": "38.50",
    "Currency": "EUR",
}
Sheets = dict[str, list[dict[str, Any]]]


def plain() -> Sheets:
    """Return an order with one item; the caller may change it."""
    return {"Orders": [dict(ORDER)], "Order Items": [dict(ITEM)]}


def write_workbook(path: Path, sheets: Sheets) -> None:
    """Write sheets of dicts; the header has the keys of all rows."""
    book = openpyxl.Workbook()
    del book["Sheet"]
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        header = list(dict.fromkeys(key for row in rows for key in row))
        sheet.append(header)
        for row in rows:
            sheet.append([row.get(key) for key in header])
    book.save(path)


def count(model: type[Base]) -> int:
    """Count the rows of a table."""
    with storage.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def changed(sheet: str, **values: Any) -> Sheets:
    """Return the plain sheets with some values of one sheet changed."""
    sheets = plain()
    if sheet == "Transactions":
        sheets[sheet] = [REFUND | values]
    else:
        sheets[sheet][0] |= values
    return sheets
