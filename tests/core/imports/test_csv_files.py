"""Import of CSV files: their headers, and dumped sheets as CSV."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from core import demo, excel, imports, storage
from core.access import Actor
from core.ground import InvalidInput
from core.imports import import_files
from core.imports.outcome import Outcome
from core.storage import Order, OrderItem
from tests.conftest import NOW, use_database
from tests.core.imports.imported import ITEM, ORDER, Sheets


def _write_csv(path: Path, rows: list[dict[str, Any]], **style: Any) -> Path:
    encoding = style.pop("encoding", "utf-8")
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), **style)
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_csv_files_with_the_same_headers_are_one_import(
    database: str, admin: Actor, tmp_path: Path
) -> None:
    orders = _write_csv(tmp_path / "o.csv", [ORDER], encoding="utf-8-sig", delimiter=";")
    items = _write_csv(
        tmp_path / "i.csv", [ITEM | {"Price": "1.038,50"}], encoding="utf-16", delimiter="\t"
    )
    import_files([items, orders], actor=admin, now=NOW)
    with storage.reading() as session:
        assert session.get_one(OrderItem, "A1-1").price_minor == 103850
        assert session.get_one(OrderItem, "A1-1").passenger_name == "Zoë Müller"


def test_every_dumped_sheet_is_known_by_its_headers_as_csv(
    database: str, admin: Actor, tmp_path: Path, make_database: Callable[[str], str]
) -> None:
    demo.fill(40, actor=admin, now=NOW)
    file = io.BytesIO()
    excel.dump(file, actor=admin, now=NOW)
    use_database(make_database("sqlite"))
    paths = []
    for sheet in openpyxl.load_workbook(file):
        header, *values = sheet.values
        names = [str(name) for name in header]
        rows = [dict(zip(names, row, strict=True)) for row in values]
        paths.append(_write_csv(tmp_path / f"{sheet.title}.csv", rows))
    outcome = import_files(paths, actor=admin, now=NOW)
    assert outcome.added["orders"] == 40
    assert set(outcome.added) == {"orders", "order_items", "refunds", "transactions"}


def test_a_dump_of_a_text_that_no_cell_holds_is_refused(
    sqlite_database: str, admin: Actor, import_sheets: Callable[[Sheets], Outcome], tmp_path: Path
) -> None:
    path = _write_csv(tmp_path / "o.csv", [ORDER | {"Author": "x" * 40_000}])
    items = _write_csv(tmp_path / "i.csv", [ITEM])
    imports.import_files([path, items], actor=admin, now=NOW)
    with pytest.raises(InvalidInput, match="40,000 characters"):
        excel.dump(io.BytesIO(), actor=admin, now=NOW)


MARKED = {
    "'=1+1": "=1+1",
    "'+49 30": "+49 30",
    "'-5": "-5",
    "'@home": "@home",
    "'\t=x": "=x",
    "'\r=x": "=x",
    "''=1": "'=1",
    "'''@": "''@",
    "'t Hooft": "'t Hooft",
    "'": "'",
    "O'Neil": "O'Neil",
    "=1+1": "=1+1",
    "' =1": "' =1",
}


@pytest.mark.parametrize(("written", "author"), MARKED.items(), ids=map(repr, MARKED))
def test_the_apostrophe_that_keeps_a_text_from_being_a_formula_is_taken_off(
    sqlite_database: str, admin: Actor, tmp_path: Path, written: str, author: str
) -> None:
    orders = _write_csv(tmp_path / "o.csv", [ORDER | {"Author": written}])
    import_files([orders, _write_csv(tmp_path / "i.csv", [ITEM])], actor=admin, now=NOW)
    with storage.reading() as session:
        assert session.get_one(Order, "A1").author == author


def test_a_workbook_keeps_an_apostrophe_before_a_sign(
    sqlite_database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    import_sheets({"Orders": [ORDER | {"Author": "'=1+1"}], "Order Items": [ITEM]})
    with storage.reading() as session:
        assert session.get_one(Order, "A1").author == "'=1+1"


def test_a_leading_apostrophe_does_not_hide_a_value_that_is_not_prose(
    sqlite_database: str, admin: Actor, tmp_path: Path
) -> None:
    order = {name: f"'{value}" for name, value in ORDER.items() if name != "Author"}
    item = {name: f"'{value}" for name, value in ITEM.items() if name != "Passenger"}
    item |= {"Passenger": "'s Gravesande", "Refundable": "'Yes", "Status": "'not used"}
    orders = _write_csv(tmp_path / "o.csv", [order | {"Author": "Ana"}])
    import_files([orders, _write_csv(tmp_path / "i.csv", [item])], actor=admin, now=NOW)
    with storage.reading() as session:
        stored = session.get_one(OrderItem, "A1-1")
        assert (stored.order_id, stored.price_minor, stored.currency) == ("A1", 3850, "EUR")
        assert (stored.passenger_name, stored.is_refundable) == ("'s Gravesande", True)
