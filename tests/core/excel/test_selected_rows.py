"""Files of the selected rows: exactly these, in the order of the view, and no others."""

import io
import json
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select

from core import excel, storage, views
from core.access import Actor
from core.excel import FileFormat
from core.ground import Role
from core.query import MAX_SELECTED
from core.storage import AuditEvent
from core.tables import ORDER_ITEMS, ORDERS, TABLES, Table
from core.views import View, parse_view
from tests.conftest import NOW
from tests.core.excel.test_exports import HOSTILE
from tests.core.read_back import rows_of_csv
from tests.rows import make_actor, make_item, make_order, make_transaction

pytestmark = pytest.mark.both_databases
ODD = [*HOSTILE, "a,b;c", "OD 7", "%", "_", "'", '"', "\\", "İ", "od-é", "x" * 200]


def _written(view: View, actor: Actor) -> tuple[list[tuple[Any, ...]], dict[str, str], int]:
    """Export the view as both kinds of file; return the rows of both, and what one says."""
    book, text = io.BytesIO(), io.BytesIO()
    count = excel.export(view, book, actor=actor, now=NOW)
    assert excel.export(view, text, actor=actor, now=NOW, file_format=FileFormat.CSV) == count
    sheet, about = openpyxl.load_workbook(book).worksheets
    header, *rows = sheet.values
    names, lines = rows_of_csv(text)
    assert names == list(header)
    assert [line[0].removeprefix("'") for line in lines] == [
        str(row[0]).removeprefix("'") for row in rows
    ]
    said = {str(name): str(words) for name, words in about.values}
    return rows, said, count


def _selected(table: Table, keys: list[str], **raw: Any) -> View:
    view = parse_view(table, {"columns": [table.key]} | raw)
    return view.without_filters().with_keys(tuple(keys))


def test_the_file_has_exactly_the_selected_rows_in_the_columns_and_sort_of_the_view(
    database: str, admin: Actor
) -> None:
    for number in range(6):
        make_order(f"OD-{number}", author="ana" if number % 2 else "bob", item_count=number + 1)
    sort = [{"colId": "author", "sort": "desc"}, {"colId": "item_count", "sort": "asc"}]
    view = _selected(ORDERS, ["OD-1", "OD-4", "OD-2"], sort=sort, columns=["order_id", "author"])
    rows, said, count = _written(view, admin)
    assert rows == [("OD-2", "bob"), ("OD-4", "bob"), ("OD-1", "ana")]
    assert count == 3
    assert said["Filters"] == "3 selected rows"
    assert said["Rows"] == "3 of 6 orders"
    assert said["Sort"] == "Author, descending, then Total, ascending"


def test_the_page_that_the_file_names_shows_the_same_rows(database: str, admin: Actor) -> None:
    for number in range(3):
        make_order(f"OD-{number}")
    view = _selected(ORDERS, ["OD-2", "OD-0"])
    _, said, _ = _written(view, admin)
    text = said["Page"].partition("?view=")[2]
    assert views.opened_at(ORDERS, {"view": text}, actor=admin, zone="UTC").view == view


def test_a_key_selects_its_own_row_alone(database: str, admin: Actor) -> None:
    """A pasted ID also finds the items of an order, and an item by its voucher code."""
    make_order("OD-1")
    for item_id, code in (("OD-1", "V1"), ("OD-1-2", "V2"), ("V2", "V3"), ("od-1", "V4")):
        make_item("OD-1", order_item_id=item_id, voucher_code=code)
    rows, said, _ = _written(_selected(ORDER_ITEMS, ["OD-1", "V2"]), admin)
    assert sorted(rows) == [("OD-1",), ("V2",)]
    assert said["Filters"] == "2 selected rows"


def test_ids_with_odd_characters_are_in_the_file(database: str, admin: Actor) -> None:
    for key in ODD:
        make_order(key)
    make_order("OD-NOT")
    view = _selected(ORDERS, ODD)
    found = views.opened_at(
        ORDERS, views.address_of(view, actor=admin), actor=admin, zone="UTC"
    ).view
    assert found == view
    rows, _, _ = _written(found, admin)
    assert {row[0] for row in rows} == set(ODD)


def test_as_many_rows_as_can_be_selected_fit_into_a_link_and_a_file(
    database: str, admin: Actor
) -> None:
    keys = [f"OD-{number:06d}" for number in range(MAX_SELECTED)]
    for key in keys:
        make_order(key)
    make_order("OD-NOT")
    sort = [{"colId": "order_id", "sort": "desc"}]
    address = views.address_of(_selected(ORDERS, keys, sort=sort), actor=admin)
    assert len(json.dumps(address)) < views.MAX_IDS
    view = views.opened_at(ORDERS, address, actor=admin, zone="UTC").view
    rows, said, _ = _written(view, admin)
    assert [row[0] for row in rows] == keys[::-1]
    assert said["Filters"] == "1,000 selected rows"
    assert len(said["Page"]) < 200


def test_rows_that_the_actor_cannot_see_are_neither_in_the_file_nor_named(
    database: str,
) -> None:
    make_order("OD-OURS")
    make_order("OD-THEIRS", contract_id="CT-2")
    actor = make_actor(Role.AGENT, contracts=frozenset(["CT-1"]))
    view = _selected(ORDERS, ["OD-THEIRS", "OD-OURS", "OD-NOWHERE"])
    rows, said, _ = _written(view, actor)
    assert rows == [("OD-OURS",)]
    assert said["Filters"] == "1 selected row"
    assert said["Rows"] == "1 of 1 orders"
    text = said["Page"].partition("?view=")[2]
    seen = views.opened_at(ORDERS, {"view": text}, actor=actor, zone="UTC").view
    assert seen.keys == ("OD-OURS",)
    with storage.reading() as session:
        for event in session.scalars(select(AuditEvent)):
            assert event.after is not None
            assert event.after["view"]["keys"] == ["OD-OURS"]
            assert event.after["rows"] == 1
    nothing, _, _ = _written(_selected(ORDERS, ["OD-THEIRS"]), actor)
    assert nothing == []  # and not all rows


def test_a_selection_of_an_order_has_no_rows_of_another(database: str, admin: Actor) -> None:
    for order_id in ("OD-1", "OD-2"):
        make_order(order_id)
        make_item(order_id, order_item_id=f"{order_id}-1")
    raw = {"columns": ["order_item_id"]}
    own = parse_view(ORDER_ITEMS, raw, order_id="OD-1").with_keys(("OD-1-1", "OD-2-1"))
    rows, said, _ = _written(own, admin)
    assert rows == [("OD-1-1",)]
    assert said["Filters"] == "1 selected row"


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_every_table_can_write_the_rows_of_a_selection(
    database: str, admin: Actor, table: Table
) -> None:
    make_order("OD-1")
    make_item("OD-1")
    make_transaction(order_id="OD-1")
    excel.export(parse_view(ORDERS, {}), io.BytesIO(), actor=admin, now=NOW)  # makes an event
    with storage.reading() as session:
        keys = list(session.scalars(select(table.attribute(table.key_column))))[:1]
    raw = {"columns": list(dict.fromkeys([table.key, table.offered[0].name]))}
    rows, said, count = _written(_selected(table, keys, **raw), admin)
    assert [row[0] for row in rows] == keys
    assert count == len(keys)
    assert said["Filters"] == f"{len(keys)} selected row{'s' * (len(keys) != 1)}"
