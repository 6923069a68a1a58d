"""WrittenTable workbooks: compared with a plain writer, and checked for each trap of the format."""

import io
import re
import struct
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from zipfile import ZipFile

import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from core.excel import StreamedWorkbook, columns
from core.excel import workbook as sheets
from core.excel.workbook import WrittenTable
from core.ground import InvalidInput
from core.query import to_frame
from core.tables import Column
from tests.core.every_kind import (
    CURRENCY,
    EDGE_MOMENTS,
    EVERY_KIND,
    MADE,
    MONEY,
    NUMBER,
    SERVICE,
    TEXT,
    ZONE,
)
from tests.core.excel.plain_sheets import write_plainly
from tests.core.random_rows import ZONES
from tests.core.rows_of_every_kind import ROWS_OF_EVERY_KIND
from tests.effort import share


def _write(
    columns: Sequence[Column], *frames: pd.DataFrame, zone: str = "UTC", is_dump: bool = False
) -> tuple[io.BytesIO, WrittenTable]:
    file = io.BytesIO()
    with StreamedWorkbook(file) as workbook:
        written = workbook.add_table("Orders", columns, zone, frames, is_dump=is_dump)
    return file, written


def _cells_of(file: io.BytesIO) -> Iterator[Any]:
    """Read every property of a cell; for an empty cell, only that it exists."""
    (sheet,) = openpyxl.load_workbook(file).worksheets
    yield sheet.title, sheet.freeze_panes, sheet.auto_filter.ref
    yield {letter: one.width for letter, one in sheet.column_dimensions.items()}
    for row in sheet.iter_rows():
        for cell in row:
            if cell.value is not None:
                colours = cell.font.b, cell.fill.fill_type, cell.fill.fgColor.rgb
                look = cell.number_format, cell.quotePrefix, cell.hyperlink, colours
                yield cell.coordinate, cell.value, cell.data_type, *look


def _values_of(file: io.BytesIO) -> list[list[Any]]:
    """Read the sheet as the import does, without blank rows at the end."""
    file.seek(0)
    rows = CalamineWorkbook.from_filelike(file).get_sheet_by_index(0).to_python()
    while rows and not any(value != "" for value in rows[-1]):
        rows.pop()
    return rows


@share(0.4)
@given(
    rows=ROWS_OF_EVERY_KIND,
    zone=st.sampled_from(ZONES),
    is_dump=st.booleans(),
    cut=st.integers(0, 12),
)
def test_every_cell_equals_the_one_of_a_plain_writer(
    rows: list[Any], zone: str, is_dump: bool, cut: int
) -> None:
    rows = [_short(row) for row in rows] if is_dump else rows
    frame = to_frame(EVERY_KIND, rows)
    plain = io.BytesIO()
    write_plainly(plain, "Orders", EVERY_KIND, zone, frame, is_dump=is_dump)
    ours, written = _write(
        EVERY_KIND, frame.iloc[:cut], frame.iloc[cut:], zone=zone, is_dump=is_dump
    )
    assert list(_cells_of(ours)) == list(_cells_of(plain))
    assert _values_of(ours) == _values_of(plain)
    assert written.rows == len(rows)


def _short(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(value[:4000] if isinstance(value, str) else value for value in row)


def _shown(column: Column, *values: Any, **options: Any) -> list[Any]:
    """Write a column and return its cells below the header."""
    file, _ = _write([column], to_frame([column], [(value,) for value in values]), **options)
    return [cell for (cell,) in openpyxl.load_workbook(file)["Orders"].iter_rows(min_row=2)]


def _sheet_xml(file: io.BytesIO, number: int = 1) -> str:
    with ZipFile(file) as archive:
        return archive.read(f"xl/worksheets/sheet{number}.xml").decode()


def test_texts_like_a_formula_an_error_or_a_link_stay_text() -> None:
    texts = ["=1+1", "=cmd|' /C calc'!A0", "{=1+1}", "+1", "-2+3", "@SUM", "#N/A", "http://x"]
    cells = _shown(TEXT, *texts)
    assert [(cell.value, cell.data_type) for cell in cells] == [(text, "s") for text in texts]
    assert [cell.quotePrefix for cell in cells] == [True] * 6 + [False] * 2
    assert not any(cell.hyperlink for cell in cells)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-2", "@SUM", "\t=1", "\r=1", "{=1}", "1", "a=1"])
def test_small_sheets_mark_the_same_texts_as_tables_do(text: str) -> None:
    file = io.BytesIO()
    with StreamedWorkbook(file) as workbook:
        workbook.add_lines("Order", [("Author", text), (text, "Author")])
        workbook.add_notes("Notes", [("Author", text)], widths=(9, 9))
    book = openpyxl.load_workbook(file)
    (in_table,) = _shown(TEXT, text)
    cells = [book["Order"]["B1"], book["Order"]["A2"], book["Notes"]["B1"]]
    assert {(cell.value, cell.data_type) for cell in cells} == {(in_table.value, "s")}
    assert {bool(cell.quotePrefix) for cell in cells} == {bool(in_table.quotePrefix)}
    assert not book["Order"]["A1"].quotePrefix
    assert bool(in_table.quotePrefix) is (text not in ("1", "a=1"))


def test_a_text_like_an_escape_and_a_carriage_return_are_escaped() -> None:
    file, _ = _write([TEXT], to_frame([TEXT], [("_x0041_",), ("a\rb",)]))
    xml = _sheet_xml(file)
    assert "<t>_x005F_x0041_</t>" in xml
    assert "<t>a_x000D_b</t>" in xml


def test_characters_that_xml_forbids_are_replaced_and_kept_in_a_dump() -> None:
    (cell,) = _shown(TEXT, "\x00\x0b\x1f\ufffe\uffff")
    assert cell.value == "\ufffd" * 5
    (cell,) = _shown(TEXT, "\x00\x0b", is_dump=True)
    assert cell.value == "_x0000__x000B_"


def test_a_lone_surrogate_is_replaced() -> None:
    file = io.BytesIO()
    with StreamedWorkbook(file) as workbook:
        workbook.add_lines("Order", [("Author", "a\ud800b")])
    assert openpyxl.load_workbook(file)["Order"]["B1"].value == "a\ufffdb"
    with pytest.raises(UnicodeEncodeError):  # no database can hold one
        to_frame([TEXT], [("a\ud800b",)])


def test_a_text_is_cut_at_the_limit_of_a_cell_in_utf_16() -> None:
    fits = ["x" * 32_767, "王" * 32_767, "😀" * 16_383]
    file, written = _write([TEXT], to_frame([TEXT], [(text,) for text in fits]))
    assert written == WrittenTable(rows=3, sheets=1, cut=0)
    assert [row[0] for row in _values_of(file)][1:] == fits
    cells = _shown(TEXT, "x" * 32_768, "😀" * 20_000)
    assert [len(cell.value) for cell in cells] == [32_767, 16_383]


def test_a_dump_refuses_to_cut_a_text_and_names_its_row() -> None:
    frame = to_frame([TEXT], [("short",), ("x" * 40_000,)])
    with pytest.raises(InvalidInput, match="Orders, row 3: Passenger has 40,000 characters"):
        _write([TEXT], frame, is_dump=True)


def test_an_instant_is_a_real_date_in_the_zone_that_the_header_names() -> None:
    frame = to_frame([MADE], [(datetime(2026, 7, 1, 22, 30, 15, tzinfo=UTC),)])
    file, _ = _write([MADE], frame, zone="Europe/Athens")
    header, cell = openpyxl.load_workbook(file)["Orders"]["A"]
    assert header.value == "Created Date (Europe/Athens)"
    assert cell.value == datetime(2026, 7, 2, 1, 30, 15)  # noqa: DTZ001 - a cell has no zone
    assert cell.number_format == "yyyy-mm-dd hh:mm:ss"


def test_a_day_before_march_1900_is_text() -> None:
    early, first = _shown(MADE, *EDGE_MOMENTS[:2])
    assert early.value == "1900-02-28 23:59:59"
    assert first.value == datetime(1900, 3, 1)  # noqa: DTZ001 - a cell has no zone


def test_an_integer_that_a_float_cannot_hold_is_text() -> None:
    values = [cell.value for cell in _shown(NUMBER, 2**53, 2**53 + 1, -(2**53) - 1)]
    assert values == [9007199254740992, "9007199254740993", "-9007199254740993"]


def test_a_missing_value_makes_no_cell() -> None:
    columns = [TEXT, NUMBER, MADE, SERVICE, MONEY, CURRENCY, ZONE]
    file, _ = _write(columns, to_frame(columns, [(None,) * 7]))
    assert '<row r="2"></row>' in _sheet_xml(file)


def test_blanks_at_the_ends_are_preserved() -> None:
    file, _ = _write([TEXT], to_frame([TEXT], [(" a ",), ("b\n",), ("c",)]))
    assert _sheet_xml(file).count('xml:space="preserve"') == 2
    assert [cell.value for cell in _shown(TEXT, " a ", "b\n", "\tc")] == [" a ", "b\n", "\tc"]


@pytest.mark.parametrize(("rows", "counts"), [(0, [0]), (3, [3]), (4, [3, 1]), (7, [3, 3, 1])])
def test_a_full_sheet_is_followed_by_another(
    monkeypatch: pytest.MonkeyPatch, rows: int, counts: list[int]
) -> None:
    monkeypatch.setattr(sheets, "MAX_ROWS", 3)
    frame = to_frame([NUMBER], [(number,) for number in range(rows)])
    file, written = _write([NUMBER], frame.iloc[:2], frame.iloc[2:2], frame.iloc[2:])
    book = openpyxl.load_workbook(file)
    titles = ["Orders", "Orders (2)", "Orders (3)"][: len(counts)]
    assert (book.sheetnames, written.rows, written.sheets) == (titles, rows, len(counts))
    assert [sheet.max_row - 1 for sheet in book] == counts
    assert [sheet.auto_filter.ref for sheet in book] == [f"A1:A{count + 1}" for count in counts]
    numbers = [row[0] for sheet in book for row in list(sheet.values)[1:]]
    assert numbers == list(range(rows))


def test_a_sheet_ends_before_its_xml_needs_zip64(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MAX_SHEET_BYTES", 5_000)
    monkeypatch.setattr(columns, "PIECE_BYTES", 2_000)  # a piece has about ten rows
    texts = [f"{number}" * 50 for number in range(100, 200)]
    file, written = _write([TEXT], to_frame([TEXT], [(text,) for text in texts]))
    book = openpyxl.load_workbook(file)
    assert written.sheets == len(book.sheetnames) > 3
    assert [row[0] for sheet in book for row in list(sheet.values)[1:]] == texts
    sizes = [len(_sheet_xml(file, number)) for number in range(1, written.sheets + 1)]
    assert max(sizes) < 5_000 + 5_000


def test_no_entry_has_zip64_headers() -> None:
    file, _ = _write(EVERY_KIND, to_frame(EVERY_KIND, []))
    content = file.getvalue()
    with ZipFile(file) as archive:
        for entry in archive.infolist():
            (needed,) = struct.unpack_from("<H", content, entry.header_offset + 4)
            (extra,) = struct.unpack_from("<H", content, entry.header_offset + 28)
            assert (needed, extra, entry.extract_version, entry.extra) == (20, 0, 20, b"")


def test_every_cell_has_its_address_and_the_sheet_has_no_dimension() -> None:
    file, _ = _write([TEXT, NUMBER], to_frame([TEXT, NUMBER], [("a", 1), (None, 2), ("b", None)]))
    xml = _sheet_xml(file)
    assert re.findall(r'<c r="(\w+)"', xml) == ["A1", "B1", "A2", "B2", "B3", "A4"]
    assert re.findall(r'<row r="(\d+)"', xml) == ["1", "2", "3", "4"]
    assert "<dimension" not in xml
    book = openpyxl.load_workbook(file, read_only=True)
    assert len(list(book["Orders"].rows)) == 4


def test_the_archive_begins_with_the_parts_that_programs_expect() -> None:
    file, _ = _write([TEXT], to_frame([TEXT], []))
    with ZipFile(file) as archive:
        names = archive.namelist()
    assert names[:3] == ["docProps/app.xml", "docProps/core.xml", "xl/theme/theme1.xml"]
    assert len(names) == len(set(names))


def test_tables_and_small_sheets_keep_the_order_they_were_added_in() -> None:
    file = io.BytesIO()
    with StreamedWorkbook(file) as workbook:
        workbook.add_lines("Order", [("Order ID", "=1")])
        for title in ("Products", "Transactions"):
            workbook.add_table(title, [TEXT], "UTC", [to_frame([TEXT], [(title,), ("-1",)])])
        workbook.add_notes("Notes", [("A", "B"), ("=1", "b")], widths=(9, 9))
    book = openpyxl.load_workbook(file)
    assert book.sheetnames == ["Order", "Products", "Transactions", "Notes"]
    assert list(book["Products"].values) == [("Passenger",), ("Products",), ("-1",)]
    assert book["Transactions"]["A3"].quotePrefix
    assert list(book["Notes"].values) == [("A", "B"), ("=1", "b")]
    assert book["Order"]["B1"].data_type == "s"


def test_local_times_do_not_depend_on_the_index_of_the_frame() -> None:
    moment = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    frame = to_frame([SERVICE, ZONE], [(moment, "Asia/Tokyo"), (moment, None), (moment, "UTC")])
    file, _ = _write([SERVICE, ZONE], pd.concat([frame, frame]))
    times = [row[0] for row in list(openpyxl.load_workbook(file)["Orders"].values)[1:]]
    local = [datetime(2026, 7, 2, 7, 30), None, datetime(2026, 7, 1, 22, 30)]  # noqa: DTZ001
    assert times == local * 2
