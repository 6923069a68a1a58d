"""Workbooks: what the cells show is what is imported, or an error says that it is not."""

import codecs
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from core import storage
from core.access import Actor
from core.ground import InvalidInput
from core.imports import import_files
from core.imports.faults import Faulty
from core.imports.outcome import Outcome
from core.storage import Order, OrderItem
from tests.conftest import NOW
from tests.core.imports.fuzzed_files import parts_of, write_parts
from tests.core.imports.imported import ITEM, ORDER, Sheets, changed, count, plain, write_workbook
from tests.core.imports.sheets_xml import (
    Change,
    with_empty_results,
    with_results,
    write_changed,
)

ORDERS_XML, ITEMS_XML = "xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"
EMPTY = ['=IFERROR(VLOOKUP(1,Z:Z,1),"")', '=IF(A5="","",A5)', '=T("")', '=""&""']


def _report(path: Path, admin: Actor) -> str:
    with pytest.raises(Faulty) as refusal:
        import_files([path], actor=admin, now=NOW)
    assert count(Order) == 0
    return refusal.value.report()


def _edited(path: Path, edit: Callable[[Any], None], sheets: Sheets | None = None) -> Path:
    """Write the plain sheets, and edit the workbook with openpyxl."""
    write_workbook(path, sheets or plain())
    book = openpyxl.load_workbook(path)
    edit(book)
    book.save(path)
    return path


# Formulas.


@pytest.mark.parametrize("formula", EMPTY)
def test_a_formula_whose_result_is_the_empty_text_is_a_blank(
    sqlite_database: str, admin: Actor, tmp_path: Path, formula: str
) -> None:
    path = tmp_path / "orders.xlsx"
    sheets = changed("Orders", **{"Widget ID": formula, "Contact E-mail": formula})
    write_changed(path, sheets, ORDERS_XML, with_empty_results)
    import_files([path], actor=admin, now=NOW)
    with storage.reading() as session:
        order = session.get_one(Order, "A1")
        assert (order.widget_id, order.contact_email) == (None, None)


def test_rows_of_formulas_without_a_text_below_the_data_are_no_rows(
    sqlite_database: str, admin: Actor, tmp_path: Path
) -> None:
    path = tmp_path / "orders.xlsx"
    sheets = plain()
    sheets["Orders"] += [dict.fromkeys(ORDER, '=IF(Z1="","",Z1)')] * 3
    write_changed(path, sheets, ORDERS_XML, with_empty_results)
    assert import_files([path], actor=admin, now=NOW).added["orders"] == 1


def test_the_result_of_a_formula_is_the_value(
    sqlite_database: str, admin: Actor, tmp_path: Path
) -> None:
    path = tmp_path / "orders.xlsx"
    sheets = changed("Orders", **{"Widget ID": '="W-" & 1'})
    write_changed(path, sheets, ORDERS_XML, with_results(b"W-1"))
    import_files([path], actor=admin, now=NOW)
    with storage.reading() as session:
        assert session.get_one(Order, "A1").widget_id == "W-1"


def test_a_formula_that_was_saved_without_its_result_is_still_an_error(
    sqlite_database: str, admin: Actor, tmp_path: Path
) -> None:
    path = tmp_path / "orders.xlsx"
    write_workbook(path, changed("Orders", **{"Widget ID": EMPTY[0], "Author": EMPTY[1]}))
    said = _report(path, admin)
    assert said.count("contains an error, or a formula without its result") == 2
    assert "is missing" not in said


@pytest.mark.parametrize("value", [b"<![CDATA[W-1]]>", b"W<![CDATA[-1]]>", b"W<!-- a -->-1"])
def test_a_value_that_the_reader_would_lose_is_an_error(
    sqlite_database: str, admin: Actor, tmp_path: Path, value: bytes
) -> None:
    path = tmp_path / "orders.xlsx"
    sheets = changed("Orders", **{"Widget ID": '="W-1"'})
    write_changed(path, sheets, ORDERS_XML, with_results(value))
    assert "Orders, row 2, Widget ID: contains an error" in _report(path, admin)


def test_a_text_without_a_result_is_a_blank_too(
    sqlite_database: str, admin: Actor, tmp_path: Path
) -> None:
    path = tmp_path / "orders.xlsx"
    sheets = changed("Orders", **{"Widget ID": '=""'})
    write_changed(
        path, sheets, ORDERS_XML, lambda sheet: with_empty_results(sheet).replace(b"<v></v>", b"")
    )
    assert import_files([path], actor=admin, now=NOW).added["orders"] == 1


@pytest.mark.parametrize("formula", ["=1+1", "#REF!"])
def test_an_unknown_column_with_nothing_but_errors_is_not_passed_over(
    sqlite_database: str, admin: Actor, tmp_path: Path, formula: str
) -> None:
    path = tmp_path / "orders.xlsx"
    write_workbook(path, changed("Orders", Remarks=formula))
    assert "row 1, Remarks: is not a column of Orders" in _report(path, admin)


# Numbers.


@pytest.mark.parametrize(
    ("number", "code", "order_id"),
    [(123, "000000", "000123"), (7, "00", "07"), (123, "0", "123"), (5, "@", "5"),
     (1234567, "#,##0", "1234567"), (42, "000;-000", "042"), (123456789012345, "General",
     "123456789012345")],
)  # fmt: skip
def test_an_id_is_what_its_cell_shows(
    sqlite_database: str, admin: Actor, tmp_path: Path, number: int, code: str, order_id: str
) -> None:
    def edit(book: Any) -> None:
        for cell in (book["Orders"]["A2"], book["Order Items"]["B2"]):
            cell.value, cell.number_format = number, code

    import_files([_edited(tmp_path / "orders.xlsx", edit)], actor=admin, now=NOW)
    with storage.reading() as session:
        assert session.get_one(OrderItem, "A1-1").order_id == order_id


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (123, '"OD-"0', 'is shown differently from its value by the number format "OD-"0'),
        (1234567, "000-0000", "is shown differently"),
        (0.5, "0%", "is shown differently"),
        (12345678901234567, "0", "is a number of more than 15 digits"),
        (1234567890123456789, "General", "is a number of more than 15 digits"),
        (12345678901234567890, "0" * 20, "is a number of more than 15 digits"),
    ],
)
def test_an_id_whose_cell_shows_something_else_than_its_number_is_an_error(
    sqlite_database: str, admin: Actor, tmp_path: Path, number: float, code: str, said: str
) -> None:
    def edit(book: Any) -> None:
        book["Orders"]["A2"].value, book["Orders"]["A2"].number_format = number, code

    report = _report(_edited(tmp_path / "orders.xlsx", edit), admin)
    assert f"Orders, row 2, Order ID: “{float(number)}" in report or said in report
    assert said in report


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (0.385, "0.0%", "is shown as another number by the number format 0.0%"),
        (38500, "0,", "is shown as another number"),
        (38.5, '#,##0.00" USD"', "is shown in USD by its number format, but is in EUR"),
        (38.5, "[$£-809]#,##0.00", "is shown in £ by its number format, but is in EUR"),
        (38.5, '"$"0.00', "is shown in $"),
    ],
)
def test_an_amount_that_its_cell_shows_otherwise_is_an_error(
    sqlite_database: str, admin: Actor, tmp_path: Path, number: float, code: str, said: str
) -> None:
    def edit(book: Any) -> None:
        price = book["Order Items"]["H2"]
        price.value, price.number_format = number, code

    report = _report(_edited(tmp_path / "orders.xlsx", edit), admin)
    assert "Order Items, row 2, Price: " in report
    assert said in report


def test_an_amount_in_a_format_of_its_currency_is_understood(
    sqlite_database: str, admin: Actor, tmp_path: Path
) -> None:
    def edit(book: Any) -> None:
        price = book["Order Items"]["H2"]
        price.value, price.number_format = 38.5, "#,##0.00 [$€-407]"

    import_files([_edited(tmp_path / "orders.xlsx", edit)], actor=admin, now=NOW)
    with storage.reading() as session:
        assert session.get_one(OrderItem, "A1-1").price_minor == 3850


def test_dates_of_a_workbook_that_counts_from_1904_are_understood(
    sqlite_database: str, admin: Actor, tmp_path: Path
) -> None:
    def edit(book: Any) -> None:
        book.epoch = CALENDAR_MAC_1904
        book["Orders"]["B2"].value = datetime(2026, 3, 1, 10)  # noqa: DTZ001 - a cell

    import_files([_edited(tmp_path / "orders.xlsx", edit)], actor=admin, now=NOW)
    with storage.reading() as session:
        created = session.get_one(Order, "A1").created_at
    assert created == datetime(2026, 3, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize("code", ['"OD-"@', ";;;"])
def test_a_text_whose_format_shows_something_else_is_an_error(
    sqlite_database: str, admin: Actor, tmp_path: Path, code: str
) -> None:
    def edit(book: Any) -> None:
        book["Orders"]["A2"].number_format = code

    said = _report(_edited(tmp_path / "orders.xlsx", edit), admin)
    assert "Orders, row 2, Order ID: “A1” is shown differently from its value" in said


# Merged.


def test_merged_cells_are_an_error_since_the_first_alone_has_the_value(
    sqlite_database: str, admin: Actor, tmp_path: Path
) -> None:
    def edit(book: Any) -> None:
        items = book["Order Items"]
        items.merge_cells("J2:J4")
        items.merge_cells("J5:J6")

    sheets = plain()
    rows = [ITEM | {"Order Item ID": f"A1-{number}"} for number in range(1, 6)]
    sheets["Order Items"] = [row | {"Terminal": "2"} for row in rows]
    said = _report(_edited(tmp_path / "orders.xlsx", edit, sheets), admin)
    assert "row 2, Terminal: is in merged cells, as is 1 more; unmerge them, and fill" in said


def test_merged_cells_beside_and_below_the_data_do_not_matter(
    sqlite_database: str, admin: Actor, tmp_path: Path
) -> None:
    def edit(book: Any) -> None:
        book["Orders"].merge_cells("H1:K9")
        book["Orders"].merge_cells("A7:D9")

    import_files([_edited(tmp_path / "orders.xlsx", edit)], actor=admin, now=NOW)
    assert count(Order) == 1


def test_blank_rows_and_columns_before_the_table_do_not_matter(
    sqlite_database: str, admin: Actor, tmp_path: Path
) -> None:
    def edit(book: Any) -> None:
        book["Orders"].insert_rows(1, 2)
        book["Orders"].insert_cols(1, 3)
        book["Orders"]["E4"].value = "2026-03-01 14.30"

    said = _report(_edited(tmp_path / "orders.xlsx", edit), admin)
    assert "Orders, row 4, Created Date: “2026-03-01 14.30” is not a date" in said
    assert said.endswith("1 import error; nothing was imported.")


# Hidden.


def _hide_row(book: Any) -> None:
    book["Order Items"].row_dimensions[3].hidden = True


def _fold_rows(book: Any) -> None:
    book["Order Items"].row_dimensions.group(3, 4, hidden=True)


def _hide_column(book: Any) -> None:
    book["Order Items"].column_dimensions["H"].hidden = True


def _hide_sheet(book: Any) -> None:
    book["Order Items"].sheet_state = "hidden"


def _hide_sheet_well(book: Any) -> None:
    book["Order Items"].sheet_state = "veryHidden"


HIDDEN: dict[str, tuple[Callable[[Any], None], str]] = {
    "row": (_hide_row, "Order Items, row 3: is a hidden row; show hidden rows or delete them"),
    "rows": (_fold_rows, "row 3: is a hidden row, as is 1 more; show hidden rows or delete them"),
    "column": (_hide_column, "row 1, Price: is in a hidden column; show the column or delete it"),
    "sheet": (_hide_sheet, "Order Items, row 1: is on a hidden sheet; show the sheet or delete it"),
    "very hidden sheet": (_hide_sheet_well, "is on a hidden sheet"),
}


@pytest.mark.parametrize(("hide", "said"), HIDDEN.values(), ids=HIDDEN)
def test_what_nobody_sees_is_not_imported_without_a_word(
    sqlite_database: str, admin: Actor, tmp_path: Path, hide: Callable[[Any], None], said: str
) -> None:
    sheets = plain()
    sheets["Order Items"] += [ITEM | {"Order Item ID": f"A1-{number}"} for number in (2, 3)]
    report = _report(_edited(tmp_path / "orders.xlsx", hide, sheets), admin)
    assert said in report
    assert report.endswith("1 import error; nothing was imported.")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (b'<row r="2"', b'<row r="2" ht="0" customHeight="1"', "row 2: is a hidden row"),
        (b"<sheetData>", b'<cols><col min="1" max="4" width="0"/></cols><sheetData>', "Author"),
        (b"<sheetData>", b'<cols><col min="2" max="16384" hidden="true"/></cols><sheetData>', "ID"),
    ],
)
def test_what_has_no_height_or_width_is_hidden(
    sqlite_database: str, admin: Actor, tmp_path: Path, before: bytes, after: bytes, said: str
) -> None:
    path = tmp_path / "orders.xlsx"
    write_changed(path, plain(), ORDERS_XML, lambda sheet: sheet.replace(before, after))
    report = _report(path, admin)
    assert said in report
    assert "hidden" in report


def test_what_is_hidden_and_blank_does_not_matter(
    sqlite_database: str, admin: Actor, tmp_path: Path
) -> None:
    def edit(book: Any) -> None:
        orders = book["Orders"]
        orders["A5"].value = " "
        orders.row_dimensions[5].hidden = True
        orders.cell(1, 5).value = "Widget ID"
        orders.column_dimensions["E"].hidden = True
        book.create_sheet("Lists").sheet_state = "hidden"

    path = _edited(tmp_path / "orders.xlsx", edit)
    assert import_files([path], actor=admin, now=NOW).added["orders"] == 1


# Document types.

DOCTYPE = b"<!DOCTYPE x [<!ENTITY a 'b'>]>"
PARTS = [
    "xl/workbook.xml", "xl/styles.xml", "xl/sharedStrings.xml", "xl/theme/theme1.xml", ORDERS_XML,
    "docProps/core.xml", "docProps/app.xml", "[Content_Types].xml", "_rels/.rels",
    "xl/_rels/workbook.xml.rels",
]  # fmt: skip


def _before_root(content: bytes) -> bytes:
    head, declaration, body = content.rpartition(b"?>")
    return head + declaration + DOCTYPE + body


def _in_encoding(encoding: str, mark: bytes = b"") -> Change:
    def change(content: bytes) -> bytes:
        text = _before_root(content).decode()
        text = text.replace("UTF-8", encoding) if "?>" in text else text
        return mark + text.encode(encoding)

    return change


WAYS: dict[str, Change] = {
    "plain": _before_root,
    "small letters": lambda content: _before_root(content).replace(b"DOCTYPE", b"doctype"),
    "after the root": lambda content: content + DOCTYPE,
    "UTF-16": _in_encoding("utf-16"),
    "UTF-16, other order": _in_encoding("utf-16-be", codecs.BOM_UTF16_BE),
    "UTF-16 without mark": _in_encoding("utf-16-le"),
    "UTF-32": _in_encoding("utf-32"),
    "EBCDIC": _in_encoding("cp037"),
    "after a long comment": lambda content: _before_root(content).replace(
        DOCTYPE, b"<!--" + b"x" * 2_500_000 + b"-->" + DOCTYPE
    ),
}


@pytest.mark.parametrize("part", PARTS)
def test_a_document_type_in_any_part_is_refused(
    sqlite_database: str, admin: Actor, tmp_path: Path, part: str
) -> None:
    path = tmp_path / "orders.xlsx"
    write_workbook(path, plain())
    parts = parts_of(path)
    text = b'<?xml version="1.0"?><sst xmlns="urn:x"/>'
    write_parts(path, parts | {part: _before_root(parts.get(part, text))})
    with pytest.raises(InvalidInput, match=r"its XML has a document type \(DOCTYPE\)"):
        import_files([path], actor=admin, now=NOW)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("part", ["docProps/core.xml", "xl/styles.xml", ORDERS_XML])
def test_a_document_type_in_any_encoding_is_refused(
    sqlite_database: str, admin: Actor, tmp_path: Path, part: str, way: str
) -> None:
    path = tmp_path / "orders.xlsx"
    write_changed(path, plain(), part, WAYS[way])
    with pytest.raises(InvalidInput, match="is damaged"):
        import_files([path], actor=admin, now=NOW)
    assert count(Order) == 0


def test_a_workbook_in_utf_16_without_a_document_type_is_read(
    sqlite_database: str, admin: Actor, tmp_path: Path
) -> None:
    path = tmp_path / "orders.xlsx"
    write_changed(
        path, plain(), "docProps/core.xml", lambda content: content.decode().encode("utf-16")
    )
    assert import_files([path], actor=admin, now=NOW).added["orders"] == 1


def test_a_text_about_document_types_is_a_text(
    sqlite_database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    import_sheets(changed("Orders", Author="<!DOCTYPE html>"))
    with storage.reading() as session:
        assert session.get_one(Order, "A1").author == "<!DOCTYPE html>"
