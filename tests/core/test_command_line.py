"""The commands of docs/command-line.md, run as a person runs them."""

from pathlib import Path

import openpyxl
import pytest

from core import storage
from core.__main__ import main
from core.storage import Order
from core.tables import ORDERS
from core.views import parse_view, to_address
from tests.core.imports.imported import ITEM, ORDER, write_workbook
from tests.rows import make_order


def test_demo_fills_an_empty_database(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--orders", "30"]) == 0
    assert "30 sample orders" in capsys.readouterr().out
    with storage.reading() as session:
        assert session.query(Order).count() == 30


def test_a_faulty_import_lists_the_faults_and_fails(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "orders.xlsx"
    write_workbook(path, {"Orders": [ORDER], "Order Items": [ITEM | {"Price": "abc"}]})
    assert main(["import", str(path)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "orders.xlsx, Order Items, row 2, Price: “abc” is not a number",
        "1 import error; nothing was imported.",
    ]


def test_import_and_dump_say_what_they_did(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "orders.xlsx", tmp_path / "dump.xlsx"
    write_workbook(path, {"Orders": [ORDER], "Order Items": [ITEM]})
    assert main(["import", str(path)]) == 0
    assert "Orders: 1 added, 0 already stored." in capsys.readouterr().out
    assert main(["dump", str(out)]) == 0
    assert "1 Orders, 1 Order Items, 0 Transactions" in capsys.readouterr().out
    assert openpyxl.load_workbook(out).sheetnames == [
        "Orders",
        "Order Items",
        "Transactions",
        "Notes",
        "Refunds",
    ]


def test_export_writes_the_view_of_an_address(database: str, tmp_path: Path) -> None:
    make_order("OD-1", author="ana")
    make_order("OD-2", author="bob")
    filters = {"author": {"filterType": "text", "type": "equals", "filter": "bob"}}
    view = to_address(parse_view(ORDERS, {"filters": filters, "columns": ["order_id"]}))
    out = tmp_path / "out.xlsx"
    assert main(["export", "orders", "--view", view, "--zone", "Europe/Rome", str(out)]) == 0
    rows = list(openpyxl.load_workbook(out)["Orders"].values)
    assert rows == [("Order ID",), ("OD-2",)]


def test_export_writes_csv_if_the_file_is_called_so(sqlite_database: str, tmp_path: Path) -> None:
    make_order("OD-1", author="-ana")
    view = to_address(parse_view(ORDERS, {"columns": ["order_id", "author"]}))
    out = tmp_path / "out.CSV"
    assert main(["export", "orders", "--view", view, str(out)]) == 0
    assert out.read_bytes() == b"\xef\xbb\xbfOrder ID,Author\r\nOD-1,'-ana\r\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["import", "/no/such/file.xlsx"], "the file was not found"),
        (["dump", "/no/such/folder/x.xlsx"], "The folder /no/such/folder was not found"),
        (["export", "orders", "--view", "!!!", "x.xlsx"], "damaged"),
        (["export", "orders", "--zone", "Mars", "x.xlsx"], "not an IANA time zone"),
    ],
)
def test_what_cannot_be_done_is_said_and_leaves_no_file(
    sqlite_database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_template_is_written(sqlite_database: str, tmp_path: Path) -> None:
    assert main(["template", str(tmp_path / "t.xlsx")]) == 0
    assert "Columns" in openpyxl.load_workbook(tmp_path / "t.xlsx").sheetnames
