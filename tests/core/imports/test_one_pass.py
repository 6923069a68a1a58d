"""One pass lists every import error: of structure, values, references and the ledger."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from core.access import Actor
from core.imports import import_files
from core.imports.faults import Faulty
from core.imports.outcome import Outcome
from core.imports.run import check_files
from core.storage import Order
from tests.conftest import NOW
from tests.core.imports.imported import ITEM, ORDER, REFUND, Sheets, count, plain, write_workbook

Import = Callable[[Sheets], Outcome]
PAYMENT = REFUND | {"Type": "payment", "Amount": "-38.50", "Order Item ID": None}


def _order(number: int, **values: Any) -> dict[str, Any]:
    return (
        ORDER | {"Order ID": f"B{number}"} | {key.replace("_", " "): v for key, v in values.items()}
    )


def _item(number: int, **values: Any) -> dict[str, Any]:
    ids = {"Order ID": f"B{number}", "Order Item ID": f"B{number}-1"}
    return ITEM | ids | {key.replace("_", " "): value for key, value in values.items()}


def _entry(number: int, **values: Any) -> dict[str, Any]:
    given = {key.replace("_", " "): value for key, value in values.items()}
    return PAYMENT | {"Transaction ID": f"T-{number}", "Order ID": "B1"} | given


# Each row is of its own order or transaction, with one error at most.
ORDERS: list[tuple[dict[str, Any], str]] = [
    (_order(1), ""),
    (_order(2, Created_Date="2026-03-01 14.30"), "Created Date: “2026-03-01 14.30” is not a date"),
    (_order(3, Author=None), "Author: is missing"),
    (_order(4, Total=3), "Total: “3” differs from the number of its items, 1"),
    (_order(5, Amount="99.00", Currency="EUR"), "Amount: “99.00” differs from the prices"),
    (_order(6), "Order ID: “B6” is an order without items"),
    (_order(7, Amount="38.50"), "Amount: “38.50” needs a Currency in the same row"),
    (_order(8, Widget_ID="W\u202e1"), "Widget ID: “W\u202e1” contains the invisible character"),
    (_order(9, Author="Bob"), "Order ID: “B9” is in the files more than once"),
    (_order(9, Author="Eve"), "Order ID: “B9” is in the files more than once"),
    (_order(10, Widget_ID="1.23457E+12"), "Widget ID: “1.23457E+12” is a long number that lost"),
    (_order(11, Widget_ID=1234567890123456789), "is a number of more than 15 digits"),
    (_order(12, Widget_ID="#REF!"), "Widget ID: contains an error, or a formula without"),
    (_order(13, Widget_ID="W" * 201), "is longer than 200 characters"),
    (_order(14), ""),
]
ITEMS: list[tuple[dict[str, Any], str]] = [
    (_item(1), ""), (_item(2), ""), (_item(3), ""), (_item(4), ""), (_item(5), ""), (_item(7), ""),
    (_item(8), ""), (_item(9), ""), (_item(10), ""), (_item(11), ""), (_item(12), ""),
    (_item(13), ""),
    (_item(20), "Order ID: “B20” is an unknown order"),
    (_item(21, Order_ID="B14", Price="1,2,3"), "Price: “1,2,3” is not a number"),
    (_item(22, Order_ID="B14", Airport="QQQ"), "Airport: “QQQ” is an unknown airport"),
    (_item(23, Order_ID="B14", Price="-1"), "Price: “-1.00” is below zero"),
    (_item(24, Order_ID="B14", Service_Date="2026-10-25 01:30"), "happens twice in Europe/London"),
    (_item(25, Order_ID="B14", Status="refunded"), "Status: “Refunded” does not match its 0"),
    (_item(26, Order_ID="B14", Product_Type="spa"), "“spa” is not one of Lounge"),
    (_item(27, Order_ID="B14", Refunded_At="2026-03-02"), "Refunded At: is given, but Status"),
    (_item(28, Order_ID="B14", Voucher_Code="V"), "“V” is in the files more than once"),
    (_item(29, Order_ID="B14", Voucher_Code="V"), "“V” is in the files more than once"),
    (_item(30, Order_ID="B14", Contract_ID="CT-9"), "Contract ID: “CT-9” differs from its order"),
]  # fmt: skip
ENTRIES: list[tuple[dict[str, Any], str]] = [
    (_entry(1), ""),
    (_entry(2, Amount="38.50"), "Amount: “38.50” must be below zero for type Payment"),
    (_entry(3, Order_ID="B99"), "Order ID: “B99” is an unknown order"),
    (_entry(4, Order_Item_ID="B1-9"), "Order Item ID: “B1-9” is an unknown item"),
    (_entry(5, Currency="XXZ"), "Currency: “XXZ” is not a currency"),
    (_entry(6, Type="refund", Amount="38.50"), "Order Item ID: is missing; a refund needs it"),
    (_entry(7, Refund_ID="R"), "Refund ID: “R” is not allowed for type Payment"),
    (_entry(8, Currency="JPY", Amount="-39"), "differs from the balance of contract CT-1: EUR"),
    (_entry(9, Order_ID=None), "Contract ID: is missing, and no order gives it"),
]


def _write(path: Path) -> list[tuple[str, int, str]]:
    """Write the workbook with an error of each kind; return each error's place and words."""
    expected = [
        ("Orders", 1, "Surprise: is not a column of Orders"),
        ("Order Items", 2, "“lost” is in column"),
        ("Transactions", 2, "is a hidden row"),
    ]
    sheets: Sheets = {}
    for title, rows in (("Orders", ORDERS), ("Order Items", ITEMS), ("Transactions", ENTRIES)):
        sheets[title] = [dict(row) for row, _ in rows]
        expected += [(title, place, said) for place, (_, said) in enumerate(rows, 2) if said]
    sheets["Orders"][0]["Surprise"] = 1
    sheets["Order Items"][0][""] = "lost"
    write_workbook(path, sheets)
    book = openpyxl.load_workbook(path)
    book["Transactions"].row_dimensions[2].hidden = True
    book.save(path)
    return expected


def test_a_workbook_with_an_error_of_each_kind_lists_all_of_them_at_once(
    database: str, admin: Actor, tmp_path: Path
) -> None:
    path = tmp_path / "orders.xlsx"
    expected = _write(path)
    check = check_files([path], actor=admin)
    found = [(fault.sheet, fault.row, str(fault)) for fault in check.faults]
    for sheet, row, said in expected:
        here = [words for title, place, words in found if (title, place) == (sheet, row)]
        assert any(said in words for words in here), (sheet, row, said, here)
    assert len(found) == len(expected), found
    with pytest.raises(Faulty) as refusal:
        import_files([path], actor=admin, now=NOW)
    assert [str(fault) for fault in refusal.value.faults] == [words for *_, words in found]
    assert tuple(refusal.value.follow_ups) == check.follow_ups
    assert str(refusal.value) == f"{len(expected)} import errors; nothing was imported."
    assert count(Order) == 0


def test_errors_are_listed_in_the_order_of_the_files(
    sqlite_database: str, admin: Actor, tmp_path: Path
) -> None:
    path = tmp_path / "orders.xlsx"
    _write(path)
    faults = check_files([path], actor=admin).faults
    titles = [title for title, _ in (("Orders", 0), ("Order Items", 1), ("Transactions", 2))]
    places = [(titles.index(fault.sheet), fault.row) for fault in faults]
    assert places == sorted(places)


# What may follow from another error.


def _found(import_sheets: Import, sheets: Sheets) -> tuple[list[str], list[str]]:
    with pytest.raises(Faulty) as refusal:
        import_sheets(sheets)
    error = refusal.value
    assert len(error.full_report().splitlines()) == len(error.faults) + len(error.follow_ups) + 1
    lines = [[str(one).removeprefix("orders.xlsx, ") for one in some]
             for some in (error.faults, error.follow_ups)]  # fmt: skip
    return lines[0], lines[1]


FOLLOWING: dict[str, tuple[Sheets, list[str], list[str]]] = {
    "an order without its ID": (
        {"Orders": [ORDER | {"Order ID": None}], "Order Items": [ITEM]},
        ["Orders, row 2, Order ID: is missing"],
        ["Order Items, row 2, Order ID: “A1” is an unknown order. This may follow from another "
         "import error, in Order ID of a row of Orders."],
    ),
    "an item without its order": (
        {"Orders": [ORDER], "Order Items": [ITEM | {"Order ID": None}]},
        ["Order Items, row 2, Order ID: is missing"],
        ["Orders, row 2, Order ID: “A1” is an order without items. This may follow from another "
         "import error, in Order ID of a row of Order Items."],
    ),
    "a price": (
        {"Orders": [ORDER | {"Amount": "38.50", "Currency": "EUR"}],
         "Order Items": [ITEM | {"Price": "abc"}]},
        ["Order Items, row 2, Price: “abc” is not a number"],
        ["Orders, row 2, Amount: “38.50” differs from the prices of its items in EUR. This may "
         "follow from another import error, in the items of order A1."],
    ),
    "a currency": (
        {"Orders": [ORDER], "Order Items": [ITEM | {"Currency": "XXZ"}]},
        ["Order Items, row 2, Currency: “XXZ” is not a currency such as EUR (ISO 4217)"],
        ["Orders, row 2, Currency: is missing, and the items have several currencies. This may "
         "follow from another import error, in the items of order A1."],
    ),
    "an airport": (
        {"Orders": [ORDER], "Order Items": [ITEM | {"Airport": "12"}]},
        ["Order Items, row 2, Airport: “12” is not an IATA code of three letters"],
        [],
    ),
    "a refund": (
        {"Orders": [ORDER], "Order Items": [ITEM | {"Status": "refunded"}],
         "Transactions": [REFUND | {"Amount": "x"}]},
        ["Transactions, row 2, Amount: “x” is not a number"],
        ["Order Items, row 2, Status: “Refunded” does not match its 0 succeeded refund "
         "transactions. This may follow from another import error, in order item A1-1, or in one "
         "of its transactions."],
    ),
    "the price of a refunded item": (
        {"Orders": [ORDER], "Order Items": [ITEM | {"Status": "refunded", "Price": "x"}],
         "Transactions": [dict(REFUND)]},
        ["Order Items, row 2, Price: “x” is not a number"],
        ["Transactions, row 2, Amount: “38.50” is not the price of the refunded item. This may "
         "follow from another import error, in order item A1-1."],
    ),
    "a key in the files twice": (
        {"Orders": [ORDER, ORDER | {"Created Date": "x"}], "Order Items": [ITEM]},
        ["Orders, row 3, Created Date: “x” is not a date; write it like 2026-03-01 14:30"],
        ["Orders, row 2, Order ID: “A1” is in the files more than once, with different values (1 "
         "more row like this). This may follow from another import error, in one of these rows."],
    ),
    "a status": (
        {"Orders": [ORDER], "Order Items": [ITEM | {"Status": "gone", "Used At": "2026-07-01"}]},
        ["Order Items, row 2, Status: “gone” is not one of Not used, Used, Refund requested, "
         "Refunded"],
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("sheets", "faults", "follow_ups"), FOLLOWING.values(), ids=FOLLOWING)
def test_what_may_follow_from_another_error_is_said_as_such(
    sqlite_database: str,
    import_sheets: Import,
    sheets: Sheets,
    faults: list[str],
    follow_ups: list[str],
) -> None:
    assert _found(import_sheets, sheets) == (faults, follow_ups)


def test_a_missing_column_is_one_error_and_its_consequences_are_listed_once(
    sqlite_database: str, import_sheets: Import
) -> None:
    items = [
        {key: value for key, value in _item(number).items() if key != "Price"}
        for number in range(1, 31)
    ]
    orders = [_order(number, Amount="38.50", Currency="EUR") for number in range(1, 31)]
    faults, follow_ups = _found(import_sheets, {"Orders": orders, "Order Items": items})
    assert faults == ["Order Items, row 1, Price: is missing from the header"]
    assert len(follow_ups) == 30  # each names its order
    orders = [{k: v for k, v in one.items() if k != "Order ID"} for one in orders]
    faults, follow_ups = _found(import_sheets, {"Orders": orders, "Order Items": items})
    assert faults[0] == "Orders, row 1, Order ID: is missing from the header"
    assert follow_ups == [
        "Order Items, row 2, Order ID: “B1” is an unknown order (29 more rows like this). This may "
        "follow from another import error, in Order ID of a row of Orders."
    ]


def test_a_mistake_that_another_error_does_not_explain_is_an_error_of_its_own(
    sqlite_database: str, import_sheets: Import
) -> None:
    sheets: Sheets = {
        "Orders": [_order(1, Total=5), _order(2), _order(3)],
        "Order Items": [_item(1), _item(2), _item(4, Order_ID=None), _item(5, Order_ID="B9")],
    }
    faults, follow_ups = _found(import_sheets, sheets)
    assert faults == [
        "Orders, row 2, Total: “5” differs from the number of its items, 1",
        "Order Items, row 4, Order ID: is missing",
        "Order Items, row 5, Order ID: “B9” is an unknown order",
    ]
    assert [line.split(".")[0] for line in follow_ups] == [
        "Orders, row 4, Order ID: “B3” is an order without items"
    ]


def test_a_row_with_several_errors_has_each_of_them(
    sqlite_database: str, import_sheets: Import
) -> None:
    sheets = plain()
    sheets["Order Items"][0] |= {
        "Order ID": "Z", "Price": "-1", "Airport": "QQQ", "Product": None, "Used At": "2026-07-01",
    }  # fmt: skip
    faults, _ = _found(import_sheets, sheets)
    columns = [line.split(":")[0].rsplit(", ", 1)[1] for line in faults]
    assert sorted(columns) == ["Airport", "Order ID", "Order ID", "Price", "Product", "Used At"]


@pytest.mark.both_databases
def test_a_stored_row_with_an_error_is_compared_in_its_other_values(
    database: str, import_sheets: Import
) -> None:
    import_sheets(plain())
    sheets = plain()
    sheets["Order Items"][0] |= {"Price": "abc", "Passenger": "Bob", "Status": "x", "Used At": "y"}
    faults, follow_ups = _found(import_sheets, sheets)
    places = {f"Order Items, row 2, {name}" for name in ("Passenger", "Price", "Status", "Used At")}
    assert {line.split(":")[0] for line in faults} == places
    assert len(faults) == len(places)
    assert follow_ups == []
