"""Refused imports: every error with its place, every unreadable file with its reason."""

import io
import re
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from core.access import Actor
from core.ground import InvalidInput, get_settings
from core.imports import import_files
from core.imports.faults import Faulty
from core.imports.outcome import Outcome
from core.storage import Contract, Order, OrderItem, Transaction
from tests.conftest import NOW
from tests.core.imports.fuzzed_files import parts_of, write_parts
from tests.core.imports.imported import (
    ITEM,
    ORDER,
    REFUND,
    Sheets,
    changed,
    count,
    plain,
    write_workbook,
)

FAULTY: dict[str, tuple[Sheets, str]] = {
    "price": (
        changed("Order Items", Price="abc"),
        "Order Items, row 2, Price: “abc” is not a number",
    ),
    "missing": (changed("Orders", Author=" "), "Orders, row 2, Author:"),
    "date": (
        changed("Orders", **{"Created Date": "03/04/2026"}),
        "Created Date: “03/04/2026” is not a date; write it like 2026-03-01 14:30",
    ),
    "choice": (
        changed("Order Items", **{"Product Type": "spa"}),
        "Product Type: “spa” is not one of Lounge, Fast track, Meet & assist, Delay care",
    ),
    "currency": (changed("Order Items", Currency="XXZ"), "“XXZ” is not a currency such as EUR"),
    "airport": (changed("Order Items", Airport="QQQ"), "Airport: “QQQ” is an unknown airport"),
    "clock change": (
        changed("Order Items", **{"Service Date": "2026-10-25 01:30"}),
        "happens twice in Europe/London",
    ),
    "column": (changed("Orders", Surprise=1), "row 1, Surprise: is not a column of Orders"),
    "total": (changed("Orders", Total=3), "Total: “3” differs from the number of its items, 1"),
    "no items": (
        {"Orders": [ORDER, ORDER | {"Order ID": "A2"}], "Order Items": [ITEM]},
        "row 3, Order ID: “A2” is an order without items",
    ),
    "unknown order": (
        {"Orders": [ORDER], "Order Items": [ITEM, ITEM | {"Order Item ID": "x", "Order ID": "Z"}]},
        "row 3, Order ID: “Z” is an unknown order",
    ),
    "twice": (
        {"Orders": [ORDER, ORDER | {"Author": "Bob"}], "Order Items": [ITEM]},
        "Order ID: “A1” is in the files more than once, with different values",
    ),
    "refunded without": (
        changed("Order Items", Status="refunded"),
        "does not match its 0 succeeded refund transactions",
    ),
    "refund of an unused": (changed("Transactions"), "does not match its 1 succeeded refund"),
    "refund amount": (
        {
            "Orders": [ORDER],
            "Order Items": [ITEM | {"Status": "refunded"}],
            "Transactions": [REFUND | {"Amount": 10}],
        },
        "Amount: “10.00” is not the price of the refunded item",
    ),
    "sign": (
        changed("Transactions", Type="payment", **{"Order Item ID": None}),
        "must be below zero for type Payment",
    ),
    "in progress": (changed("Order Items", Status="refund_requested"), "is a refund in progress"),
    "negative": (changed("Order Items", Price=-1), "is below zero"),
    "voucher code twice": (
        {
            "Orders": [ORDER],
            "Order Items": [
                ITEM | {"Voucher Code": "AAAA"},
                ITEM | {"Order Item ID": "A1-2", "Voucher Code": "AAAA"},
            ],
        },
        "Voucher Code: “AAAA” is in the files more than once",
    ),
    "amount without currency": (
        changed("Orders", Amount=38.5),
        "Orders, row 2, Amount: “38.5” needs a Currency in the same row",
    ),
    "amount": (
        changed("Orders", Amount=99, Currency="EUR"),
        "Amount: “99.00” differs from the prices of its items in EUR",
    ),
    "balance in another currency": (
        {
            "Orders": [ORDER],
            "Order Items": [ITEM],
            "Transactions": [
                REFUND | {"Type": "top_up", "Order Item ID": None},
                REFUND
                | {"Transaction ID": "T-3", "Type": "top_up", "Order Item ID": None}
                | {"Currency": "JPY", "Amount": 10},
            ],
        },
        "Currency: “JPY” differs from the balance of contract CT-1: EUR",
    ),
    "one refund id twice": (
        {
            "Orders": [ORDER],
            "Order Items": [
                ITEM | {"Status": "refunded"},
                ITEM | {"Order Item ID": "A1-2", "Status": "refunded"},
            ],
            "Transactions": [
                REFUND | {"Refund ID": "R"},
                REFUND | {"Transaction ID": "T-3", "Order Item ID": "A1-2", "Refund ID": "R"},
            ],
        },
        "Refund ID: “R” is a refund that is already stored",
    ),
    "under no header": (
        {"Orders": [ORDER], "Order Items": [ITEM | {"": "lost"}]},
        "row 2: “lost” is in column 10, which has no header",
    ),
    "long code": (changed("Orders", **{"Widget ID": "W" * 201}), "is longer than 200 characters"),
    "error cell": (
        changed("Orders", **{"Widget ID": "#REF!"}),
        "row 2, Widget ID: contains an error, or a formula without its result",
    ),
    "bare formula": (
        changed("Order Items", **{"Refund Expire Date": "=NOW()"}),
        "Refund Expire Date: contains an error, or a formula without its result",
    ),
    "zone": (
        changed("Order Items", **{"Airport Time Zone": "Mars"}),
        "“Mars” is not a time zone such as Europe/London (IANA)",
    ),
}


@pytest.mark.parametrize(("sheets", "said"), FAULTY.values(), ids=FAULTY.keys())
def test_a_fault_is_named_with_its_place_and_nothing_is_written(
    sqlite_database: str,
    import_sheets: Callable[[Sheets], Outcome],
    sheets: Sheets,
    said: str,
) -> None:
    with pytest.raises(Faulty) as refusal:
        import_sheets(sheets)
    assert said in refusal.value.report()
    assert "orders.xlsx" in refusal.value.report()
    assert [count(model) for model in (Order, OrderItem, Transaction, Contract)] == [0] * 4


def test_every_fault_is_listed_not_the_first_alone(
    database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    sheets = plain()
    sheets["Orders"] += [ORDER | {"Order ID": None}, ORDER | {"Order ID": "A3", "No": "x"}]
    sheets["Order Items"][0] |= {"Price": "abc", "Airport": "12"}
    with pytest.raises(Faulty) as refusal:
        import_sheets(sheets)
    assert len(refusal.value.faults) == 4
    assert refusal.value.report().endswith("4 import errors; nothing was imported.")


def _make_protected(path: Path) -> None:
    path.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 2_000)


def _make_bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"")
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 3_000_000)


def _make_lying_bomb(path: Path) -> None:
    """Write a part of 3 MB that declares 9 bytes, in both size fields of the zip file."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", b" " * 3_000_000)
        archive.writestr("xl/workbook.xml", b"")
    size, lie = (number.to_bytes(4, "little") for number in (3_000_000, 9))
    path.write_bytes(path.read_bytes().replace(size, lie))


def _with_sheet(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """Return a function that writes a small workbook with changed XML in its first sheet."""

    def make(path: Path) -> None:
        write_workbook(path, plain())
        parts = parts_of(path)
        first = "xl/worksheets/sheet1.xml"
        write_parts(path, parts | {first: change(parts[first])})

    return make


def _with_cells(cells: bytes) -> Callable[[Path], None]:
    end = b"</sheetData>"
    return _with_sheet(lambda sheet: sheet.replace(end, cells + end))


def _with_entity(declared: bytes) -> Callable[[Path], None]:
    """Return a function that writes a workbook with an entity as author."""
    kind = b"<!DOCTYPE worksheet [" + declared + b"]>"
    return _with_sheet(lambda sheet: kind + sheet.replace(b"<t>Ana<", b"<t>&a;<"))


def _make_counting(path: Path) -> None:
    """Write a workbook that declares billions of texts."""
    write_workbook(path, plain())
    styles = "xl/styles.xml"
    claim = b'<cellXfs count="99999999999"'
    parts = parts_of(path)
    write_parts(path, parts | {styles: re.sub(b'<cellXfs( count="[0-9]+")?', claim, parts[styles])})


LAUGHS = b'<!ENTITY z "ha">' + b"".join(
    b'<!ENTITY %c "%s">' % (letter, b"&%c;" % (letter + 1) * 10) for letter in range(97, 122)
)


def _make_truncated(path: Path) -> None:
    whole = io.BytesIO()
    book = openpyxl.Workbook()
    book.save(whole)
    path.write_bytes(whole.getvalue()[:-200])


UNREADABLE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "empty.xlsx": (lambda path: path.write_bytes(b""), "the file is empty"),
    "protected.xlsx": (_make_protected, "protected by a password"),
    "truncated.xlsx": (_make_truncated, "damaged"),
    "text.xlsx": (lambda path: path.write_text("hello"), "not a workbook"),
    "other.xlsx": (
        lambda path: write_workbook(path, {"Sheet1": [{"x": 1}]}),
        "no sheet has the title or the headers of",
    ),
    "other.csv": (
        lambda path: path.write_text("x;y\n1;2\n"),
        "no sheet has the title or the headers of",
    ),
    "latin1.csv": (lambda path: path.write_bytes("Ordér ID;é\n".encode("latin-1")), "UTF-8"),
    "quotes.csv": (lambda path: path.write_text(",".join(ORDER) + '\n"x,y\n'), "line 2"),
    "bomb.xlsx": (_make_bomb, "over the limit of 1 MB"),
    "lying.xlsx": (_make_lying_bomb, "over the limit of 1 MB"),
    "counting.xlsx": (_make_counting, "damaged"),
    "laughs.xlsx": (_with_entity(LAUGHS), "damaged"),
    "outside.xlsx": (_with_entity(b'<!ENTITY a SYSTEM "file:///etc/hostname">'), "damaged"),
    "far.xlsx": (
        _with_cells(b'<row r="9"><c r="A9"/></row><row r="1048576"><c r="XFD1048576"/></row>'),
        "the sheet Orders extends to row 1,048,576 and column 16,384, more than can be read",
    ),
    "farther.xlsx": (_with_cells(b"<row r='4294967295'><c><v>1</v></c></row>"), "4,294,967,295"),
    "wide.xlsx": (
        _with_cells(b"<row>" + b"<c/>" * 20_000 + b"</row>" + b"<row/>" * 2_000),
        "extends to row 2,003 and column 20,000",
    ),
    "folder.xlsx": (lambda path: path.mkdir(), "the file was not found"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_file_that_cannot_be_read_is_refused_with_its_name_and_reason(
    sqlite_database: str, admin: Actor, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPORT_MAX_MB", "1")
    get_settings.cache_clear()
    make, said = UNREADABLE[name]
    path = tmp_path / name
    make(path)
    with pytest.raises(InvalidInput) as refusal:
        import_files([path], actor=admin, now=NOW)
    assert said in str(refusal.value)
    assert name in str(refusal.value)
    assert count(Order) == 0
    get_settings.cache_clear()


def test_a_file_that_unpacks_to_far_more_than_it_is_takes_no_room(
    sqlite_database: str, admin: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPORT_MAX_MB", "150")
    get_settings.cache_clear()
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        with archive.open("xl/sharedStrings.xml", "w") as part:
            for _ in range(196):
                part.write(b" " * 1_000_000)
    assert path.stat().st_size < 575_000
    tracemalloc.start()
    with pytest.raises(InvalidInput, match="over the limit of 150 MB"):
        import_files([path], actor=admin, now=NOW)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20_000_000
    get_settings.cache_clear()
