"""Adding a column is one line: grid, filters, Excel, import and its template follow from it."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from core import query
from core.access import Actor
from core.excel import exports
from core.ground import InvalidInput
from core.imports import headers, import_files, outcome
from core.imports import rows as import_rows
from core.imports.faults import Faulty
from core.tables import ORDER_ITEMS, SHEETS, TABLES, Column, Kind, Table
from core.views import default_view, parse_view
from pages.grid.options import grid_options
from pages.routes.rows import to_cells
from tests.conftest import NOW
from tests.core.imports.imported import ITEM, ORDER, write_workbook
from tests.rows import make_item, make_order

# BEFORE has no column for the hall. AFTER has one more line, with that column.
BEFORE = replace(ORDER_ITEMS, columns=tuple(c for c in ORDER_ITEMS.columns if c.name != "terminal"))
NEW = Column(
    "terminal", "Hall", Kind.CODE, "Where to go.", has_choices=True, is_shown=True, width=90
)
AFTER = replace(BEFORE, columns=(*BEFORE.columns, NEW))
IN_HALL_5 = {"filters": {"terminal": {"filterType": "text", "type": "equals", "filter": "t5"}}}

Describe = Callable[[Table], None]


@pytest.fixture
def describe(monkeypatch: pytest.MonkeyPatch) -> Describe:
    """Return a function that replaces the description of the order items."""

    def put(table: Table) -> None:
        monkeypatch.setitem(TABLES, table.name, table)
        sheets = tuple(table if one.name == table.name else one for one in SHEETS)
        for module in (exports, headers, outcome, import_rows):
            monkeypatch.setattr(module, "SHEETS", sheets)

    return put


def _two_items() -> None:
    make_order("OD-1")
    # Their codes are given: a search for T5 finds about one in a hundred of those drawn by chance.
    make_item("OD-1", order_item_id="I-1", terminal="T5", voucher_code="AAAA-AAAA-AAA1")
    make_item("OD-1", order_item_id="I-2", terminal=None, voucher_code="AAAA-AAAA-AAA2")


def test_the_grid_has_the_new_column() -> None:
    definitions = {one["colId"]: one for one in grid_options(AFTER, "")["columnDefs"]}
    assert definitions["terminal"]["headerName"] == "Hall"
    assert definitions["terminal"]["headerTooltip"] == "Where to go."
    assert definitions["terminal"]["filter"]
    assert "terminal" not in {one["colId"] for one in grid_options(BEFORE, "")["columnDefs"]}


def test_its_values_are_in_the_grid_and_can_be_filtered_sorted_searched_and_listed(
    database: str, admin: Actor
) -> None:
    _two_items()
    view = parse_view(AFTER, IN_HALL_5 | {"sort": [{"colId": "terminal", "sort": "asc"}]})
    assert view.in_words() == ["Hall is “t5”"]
    frame = query.load_rows(view, actor=admin, now=NOW, start=0, end=9)
    (cells,) = to_cells(AFTER, frame, "UTC")
    assert (cells["order_item_id"], cells["terminal"]) == ("I-1", "T5")
    searched = default_view(AFTER).with_search("t5")
    assert query.load_keys(searched, actor=admin, now=NOW) == ["I-1"]
    assert query.load_keys(default_view(BEFORE).with_search("t5"), actor=admin, now=NOW) == []
    choices = query.load_choices(default_view(AFTER), "terminal", actor=admin, now=NOW)
    assert choices.to_numpy().tolist() == [[None, 1], ["T5", 1]]
    with pytest.raises(InvalidInput, match="no column “terminal”"):
        parse_view(BEFORE, IN_HALL_5)


def test_the_excel_file_has_the_new_column(database: str, admin: Actor) -> None:
    _two_items()
    assert "Hall" not in _exported(BEFORE, admin)[0]
    header, *rows = _exported(AFTER, admin)
    assert header[-1] == "Hall"
    assert {row[-1] for row in rows} == {"T5", None}


def _exported(table: Table, actor: Actor) -> list[tuple[Any, ...]]:
    file = io.BytesIO()
    exports.export(default_view(table), file, actor=actor, now=NOW)
    return list(openpyxl.load_workbook(file)[table.title].values)


def test_the_import_takes_the_new_column_and_the_dump_gives_it_back(
    database: str, admin: Actor, tmp_path: Path, describe: Describe
) -> None:
    path = tmp_path / "orders.xlsx"
    write_workbook(path, {"Orders": [ORDER], "Order Items": [ITEM | {"Hall": "T5"}]})
    describe(BEFORE)
    with pytest.raises(Faulty) as refusal:
        import_files([path], actor=admin, now=NOW)
    assert "Hall: is not a column of Order Items" in refusal.value.report()

    describe(AFTER)
    assert import_files([path], actor=admin, now=NOW).added["order_items"] == 1
    found = query.load_keys(parse_view(AFTER, IN_HALL_5), actor=admin, now=NOW)
    assert found == ["A1-1"]
    assert import_files([path], actor=admin, now=NOW).unchanged["order_items"] == 1
    file = io.BytesIO()
    exports.dump(file, actor=admin, now=NOW)
    header, row = openpyxl.load_workbook(file)["Order Items"].values
    assert dict(zip(header, row, strict=True))["Hall"] == "T5"


def test_the_import_template_explains_the_new_column(describe: Describe) -> None:
    for table, explained in ((BEFORE, False), (AFTER, True)):
        describe(table)
        file = io.BytesIO()
        exports.write_template(file)
        book = openpyxl.load_workbook(file)
        assert ("Hall" in [cell.value for cell in book["Order Items"][1]]) is explained
        line = ("Order Items", "Hall", "No", "Where to go.")
        assert (line in list(book["Columns"].values)) is explained
