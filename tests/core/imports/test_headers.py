"""Sheets and their headers: what is known by its title or headers, and what brackets may hold."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from core import demo, excel, storage
from core.access import Actor
from core.imports import Check, import_files
from core.imports.faults import Faulty
from core.imports.outcome import Outcome
from core.imports.run import check_files
from core.storage import Contract, Order, OrderItem, Transaction
from core.tables import BOOKS, SHEETS
from core.views import default_view
from tests.conftest import NOW
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

Import = Callable[[Sheets], Outcome]


def _faults(import_sheets: Import, sheets: Sheets) -> list[str]:
    with pytest.raises(Faulty) as refusal:
        import_sheets(sheets)
    return [str(fault).removeprefix("orders.xlsx, ") for fault in refusal.value.faults]


def _renamed(row: Mapping[str, object], **names: str) -> dict[str, object]:
    return {names.get(key, key): value for key, value in row.items()}


# Calculated columns.


@pytest.mark.parametrize(
    ("sheet", "header"),
    [
        ("Orders", "Refundable Now"),
        ("Orders", "Refundable"),  # as older files call it
        ("Orders", "REFUNDABLE now"),
        ("Order Items", "Refundable Now"),
        ("Order Items", "refundable_now"),
    ],
)
def test_what_can_be_refunded_now_is_passed_over(
    sqlite_database: str, import_sheets: Import, sheet: str, header: str
) -> None:
    sheets = plain()
    sheets["Order Items"][0] |= {"Refundable": "No"}
    sheets[sheet][0][header] = "Yes"
    import_sheets(sheets)
    with storage.reading() as session:
        assert session.get_one(OrderItem, "A1-1").is_refundable is False


@pytest.mark.parametrize("sheet", ["Orders", "Order Items", "Transactions"])
def test_the_name_of_a_contract_is_passed_over(
    sqlite_database: str, import_sheets: Import, sheet: str
) -> None:
    sheets = changed("Transactions", Type="payment", Amount="-38.50")
    sheets[sheet][0]["Contract"] = "Helios Travel"
    import_sheets(sheets)
    with storage.reading() as session:
        assert {one.name for one in session.scalars(select(Contract))} == {"CT-1"}


# “Reference” was the header of the provider's ID, and is now that of a calculated column.


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ({"Reference": "pi_1"}, "pi_1"),  # an older file
        ({"reference": "pi_1"}, "pi_1"),
        ({"Provider Reference": "pi_1"}, "pi_1"),
        ({"Reference": "T-77", "Provider Reference": "pi_1"}, "pi_1"),  # Download Excel
        ({"Provider Reference": "pi_1", "REFERENCE": "T-77"}, "pi_1"),
        ({"Provider Reference": None, "Reference": "T-77"}, None),
    ],
)
def test_a_reference_is_the_providers_unless_the_file_has_both(
    sqlite_database: str, import_sheets: Import, given: dict[str, str], stored: str | None
) -> None:
    paid = {"Type": "payment", "Transaction ID": "TX-1", "Amount": "-38.50", "Currency": "EUR"}
    paid |= {"Created Date": "2026-03-01 10:00", "Order ID": "A1"}
    import_sheets(plain() | {"Transactions": [paid | given]})
    with storage.reading() as session:
        assert session.get_one(Transaction, "TX-1").reference == stored


# Brackets.


@pytest.mark.parametrize(
    ("sheet", "header", "value"),
    [
        ("Order Items", "Status (flight)", "used"),
        ("Order Items", "Product Type (old)", "lounge"),
        ("Order Items", "Refundable (%)", "yes"),
        ("Order Items", "Price (net)", 1),
        ("Orders", "Amount (refunded)", 38.5),
        ("Orders", "Total (of all)", 1),
        ("Orders", "Author (e-mail)", "x"),
        ("Orders", "Order ID (old)", "Z1"),
        ("Orders", "Refundable (now)", "Yes"),
        ("Orders", "Author ()", "x"),
    ],
)
def test_brackets_are_part_of_the_header_unless_they_hold_a_zone_or_a_currency(
    sqlite_database: str, import_sheets: Import, sheet: str, header: str, value: object
) -> None:
    sheets = plain()
    sheets[sheet][0][header] = value
    said = f"{sheet}, row 1, {header}: is not a column of {sheet}"
    assert _faults(import_sheets, sheets) == [said]


def test_a_currency_in_the_header_of_an_amount_must_be_that_of_the_row(
    sqlite_database: str, import_sheets: Import
) -> None:
    sheets = plain()
    sheets["Order Items"] = [_renamed(ITEM, Price="Price (USD)")]
    assert _faults(import_sheets, sheets) == [
        "Order Items, row 2, Price: “38.50” is in USD by its header, but Currency is EUR"
    ]
    assert count(Order) == 0
    sheets["Order Items"] = [_renamed(ITEM, Price="Price (eur)")]
    import_sheets(sheets)
    with storage.reading() as session:
        assert session.get_one(OrderItem, "A1-1").price_minor == 3850


def test_a_currency_in_the_header_is_the_one_of_rows_without(
    sqlite_database: str, import_sheets: Import
) -> None:
    sheets = plain()
    sheets["Orders"] = [ORDER | {"Amount (EUR)": "38.50"}]
    import_sheets(sheets)
    sheets = {
        "Orders": [ORDER | {"Order ID": "A2", "Amount (JPY)": "39"}],
        "Order Items": [ITEM | {"Order ID": "A2", "Order Item ID": "A2-1"}],
    }
    said = _faults(import_sheets, sheets)
    assert said == ["Orders, row 2, Amount: “39” differs from the prices of its items in JPY"]
    with storage.reading() as session:
        assert session.get_one(Order, "A1").amount_minor == 3850


def test_a_header_with_a_zone_that_is_none_is_named_and_the_rest_is_read(
    sqlite_database: str, import_sheets: Import
) -> None:
    sheets = plain()
    sheets["Orders"] = [_renamed(ORDER, **{"Created Date": "Created Date (local)"})]
    sheets["Order Items"][0]["Price"] = "abc"
    assert _faults(import_sheets, sheets) == [
        "Orders, row 1, Created Date (local): names “local”, which is not a time zone such as "
        "Europe/London",
        "Order Items, row 2, Price: “abc” is not a number",
    ]


@pytest.mark.parametrize("header", ["price_minor", "Price Minor", "PRICE-MINOR"])
def test_an_amount_is_not_known_by_its_name_in_the_database(
    sqlite_database: str, import_sheets: Import, header: str
) -> None:
    sheets = plain()
    sheets["Order Items"] = [_renamed(ITEM, Price=header)]
    assert _faults(import_sheets, sheets) == [
        "Order Items, row 1, Price: is missing from the header",
        f"Order Items, row 1, {header}: is not a column of Order Items",
    ]


@pytest.mark.parametrize("zone", ["localtime", "Factory", "europe/london", "UTC+2", "BST"])
def test_the_zone_of_a_header_is_that_of_a_place_never_of_the_machine(
    sqlite_database: str, import_sheets: Import, zone: str
) -> None:
    sheets = plain()
    sheets["Orders"] = [_renamed(ORDER, **{"Created Date": f"Created Date ({zone})"})]
    assert "which is not a time zone" in _faults(import_sheets, sheets)[0]


# Titles.


@pytest.mark.parametrize("title", ["Sheet1", "Tabelle1", "export (3)", "2026-03"])
def test_a_sheet_with_another_title_is_known_by_its_headers(
    sqlite_database: str, import_sheets: Import, title: str
) -> None:
    sheets = plain()
    other = {title: sheets["Orders"], "Order Items": sheets["Order Items"]}
    assert import_sheets(other).added["orders"] == 1
    import_sheets({title: [REFUND | {"Type": "payment", "Amount": -1, "Order Item ID": None}]})


def test_the_only_sheet_of_a_workbook_is_known_by_its_key_and_its_errors_are_listed(
    sqlite_database: str, import_sheets: Import
) -> None:
    order = {key: value for key, value in ORDER.items() if key != "Author"}
    assert _faults(import_sheets, {"Sheet1": [order]})[0] == (
        "Sheet1, row 1, Author: is missing from the header"
    )


def test_a_sheet_that_only_resembles_a_table_is_left_out(
    sqlite_database: str, admin: Actor, tmp_path: Path
) -> None:
    path = tmp_path / "orders.xlsx"
    pivot = {"Order ID": "A1", "Items": 1}
    copy = ORDER | {"Author": "Bob"}  # a table has its title already
    write_workbook(path, plain() | {"Pivot": [pivot], "Orders before": [copy]})
    check = check_files([path], actor=admin)
    assert check.faults == ()
    assert [title for _, title in check.left_out] == ["Pivot", "Orders before"]
    assert check.outcome.added["orders"] == 1


# Columns without values, and files without rows.


def test_an_unknown_column_that_is_empty_throughout_is_passed_over(
    sqlite_database: str, import_sheets: Import
) -> None:
    sheets = plain()
    sheets["Orders"][0] |= {"Remarks": None, "To do": "  ", "Status (flight)": "\u200b"}
    assert import_sheets(sheets).added["orders"] == 1


def test_an_unknown_column_with_a_value_in_any_row_is_one_error(
    sqlite_database: str, import_sheets: Import
) -> None:
    sheets = plain()
    sheets["Order Items"] += [
        ITEM | {"Order Item ID": f"A1-{number}", "Remarks": "x" if number > 2 else None}
        for number in range(2, 6)
    ]
    assert _faults(import_sheets, sheets) == [
        "Order Items, row 1, Remarks: is not a column of Order Items"
    ]


def test_headers_keep_their_meaning_with_characters_that_nobody_sees(
    sqlite_database: str, import_sheets: Import
) -> None:
    sheets: Sheets = {
        "\u200bOrders": [{f"\ufeff{key}\u00a0": value for key, value in ORDER.items()}],
        "Order Items": [ITEM | {"\u200b": None}],
    }
    assert import_sheets(sheets).added["orders"] == 1


def _check(tmp_path: Path, admin: Actor, sheets: Sheets) -> Check:
    write_workbook(tmp_path / "orders.xlsx", sheets)
    return check_files([tmp_path / "orders.xlsx"], actor=admin)


def test_a_file_with_headers_alone_has_no_rows_and_no_errors(
    sqlite_database: str, admin: Actor, tmp_path: Path
) -> None:
    nothing: Sheets = {
        "Orders": [dict.fromkeys(ORDER)],
        "Sheet2": [dict.fromkeys(ITEM)],
    }
    check = _check(tmp_path, admin, nothing)
    assert (check.faults, check.rows, len(check.sheets)) == ((), 0, 2)
    assert check.outcome.in_words() == "There were no rows to import."


# Our own files.


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
@pytest.mark.parametrize("all_columns", [False, True])
def test_our_own_excel_files_are_read_back_without_a_difference(
    sqlite_database: str, admin: Actor, tmp_path: Path, zone: str, all_columns: bool
) -> None:
    demo.fill(40, actor=admin, now=NOW)
    for table in SHEETS if all_columns else BOOKS:  # by default, Refunds has no key
        view = default_view(table, zone)
        view = replace(view, columns=table.offered) if all_columns else view
        path = tmp_path / f"{table.name}.xlsx"
        with path.open("wb") as file:
            rows = excel.export(view, file, actor=admin, now=NOW)
        outcome = import_files([path], actor=admin, now=NOW)
        assert (outcome.added, outcome.unchanged) == ({}, {table.name: rows})
