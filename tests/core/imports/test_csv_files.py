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
from core.imports.faults import Faulty
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
    assert set(outcome.added) == {"orders", "order_items", "refunds", "transactions", "notes"}


def test_a_dump_of_a_text_that_no_cell_holds_is_refused(
    sqlite_database: str, admin: Actor, import_sheets: Callable[[Sheets], Outcome], tmp_path: Path
) -> None:
    path = _write_csv(tmp_path / "o.csv", [ORDER])
    items = _write_csv(tmp_path / "i.csv", [ITEM | {"Product": "x" * 40_000}])
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


# How other programs write CSV.

HEADER, LINE = "Order ID;Created Date;Contract ID;Author", "A1;2026-03-01 10:00;CT-1;Ana"
QUOTED = HEADER.replace("Order ID", '"Order\nID"').replace("Created Date", '"Created\r\nDate"')
WAYS = {
    "line breaks in the header": f"{QUOTED}\n{LINE}",
    "line breaks and tabs": f"{QUOTED}\n{LINE}".replace(";", "\t"),
    "commas in the header": f'{HEADER};"a, b, c, d, e, f"\n{LINE};',
    "the separator in a first line": f"sep=;\n{HEADER}\n{LINE}",
    "blank lines first": f"\n;;;\n{HEADER}\n\n{LINE}",
    "zeros kept for Excel": f'{HEADER}\n{LINE}'.replace("A1;", '="A1";'),
    "the same, quoted": f'{HEADER}\n{LINE}'.replace("A1;", '"=""A1""";'),
}  # fmt: skip


@pytest.mark.parametrize("text", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_what_other_programs_write_is_understood(
    sqlite_database: str, admin: Actor, tmp_path: Path, text: str, encoding: str
) -> None:
    orders = tmp_path / "o.csv"
    orders.write_bytes(text.encode(encoding))
    import_files([orders, _write_csv(tmp_path / "i.csv", [ITEM])], actor=admin, now=NOW)
    with storage.reading() as session:
        assert session.get_one(Order, "A1").author == "Ana"


def _report(paths: list[Path], admin: Actor) -> list[str]:
    with pytest.raises(Faulty) as refusal:
        import_files(paths, actor=admin, now=NOW)
    return [str(fault) for fault in refusal.value.faults]


def test_a_line_that_a_comma_moved_is_an_error_even_if_it_only_has_a_blank_too_many(
    sqlite_database: str, admin: Actor, tmp_path: Path
) -> None:
    items = tmp_path / "i.csv"
    values = [value.replace("38.50", "38,50") for value in ITEM.values()]
    items.write_text(f"{','.join(ITEM)},Flight No\n{','.join(values)},\n")
    said = _report([_write_csv(tmp_path / "o.csv", [ORDER]), items], admin)
    assert "row 2: has 11 values, but the header has 10" in " ".join(said)


@pytest.mark.parametrize(
    "value", ["#N/A", "#REF!", "#NAME?", "#DIV/0!", "#BEZUG!", "#NV", "###", "Err:502", "'#VALUE!"]
)
def test_the_error_of_a_formula_is_no_text(
    sqlite_database: str, admin: Actor, tmp_path: Path, value: str
) -> None:
    orders = _write_csv(tmp_path / "o.csv", [ORDER | {"Widget ID": value}])
    said = _report([orders, _write_csv(tmp_path / "i.csv", [ITEM])], admin)
    assert ["is the error of a formula" in one for one in said] == [True]


def test_all_files_that_cannot_be_read_are_named_at_once(
    sqlite_database: str, admin: Actor, tmp_path: Path
) -> None:
    paths = [tmp_path / name for name in ("empty.csv", "other.csv", "binary.csv")]
    for path, content in zip(paths, (b"", b"x,y\n1,2\n", b"\x81\xff\xfe"), strict=True):
        path.write_bytes(content)
    sound = _write_csv(tmp_path / "o.csv", [ORDER | {"Created Date": "soon"}])
    with pytest.raises(InvalidInput) as refusal:
        import_files([*paths, sound], actor=admin, now=NOW)
    *lines, last = str(refusal.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == [path.name for path in paths]
    assert last.startswith("o.csv, Orders, row 2, Created Date: “soon” is not a date")
