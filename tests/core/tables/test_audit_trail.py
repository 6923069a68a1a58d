"""The audit trail: a table like the others, in which nothing can be changed."""

import io
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from core import access, excel, imports, query, storage, views
from core.access import Actor
from core.ground import NotPermitted, Permission, Role
from core.tables import AUDIT_EVENTS
from core.views import parse_view
from tests.conftest import NOW
from tests.core.read_back import open_book, rows_of_sheet
from tests.rows import make_item, make_order

VIEWER = Actor("v", "viewer@helios.example", Role.VIEWER, sees_all_contracts=True)


@pytest.fixture
def told(database: str, admin: Actor) -> None:
    """Store an event of an order, with letters of several scripts, and a refused attempt."""
    make_order("OD-1")
    with storage.writing() as session:
        access.record_event(
            session,
            "order_item.refund_requested",
            actor=admin,
            entity="order_item",
            entity_id="I-1",
            order_id="OD-1",
            contract_id="CT-1",
            now=NOW - timedelta(days=1),
            before={"status": "not_used"},
            after={"status": "refund_requested", "note": "Zoë 王, =1+1"},
        )
    with pytest.raises(NotPermitted):
        access.require(VIEWER, Permission.USERS)


def found(admin: Actor, **raw: Any) -> list[str]:
    view = parse_view(AUDIT_EVENTS, {"sort": [{"colId": "action", "sort": "asc"}]} | raw)
    frame = query.load_rows(view, actor=admin, now=NOW, start=0, end=10)
    return [str(action) for action in frame["action"]]


@pytest.mark.both_databases
@pytest.mark.usefixtures("told")
def test_values_before_and_after_are_searched_as_text(admin: Actor) -> None:
    request = ["order_item.refund_requested"]
    for search in ("Zoë", "王", "not_used", '"status": "refund_requested"'.split()[1], "OD-1"):
        assert found(admin, search=search) == request
    for kind, text_, expected in (
        ("contains", "REFUND_requested", request),
        ("notContains", "zzz", [*request, "users.refused"]),
        ("notContains", "not_used", ["users.refused"]),
        ("blank", None, ["users.refused"]),
        ("notBlank", None, request),
    ):
        column = "after" if text_ == "REFUND_requested" else "before"
        asked = {column: {"filterType": "text", "type": kind, "filter": text_}}
        assert found(admin, filters=asked) == expected, kind


@pytest.mark.both_databases
@pytest.mark.usefixtures("told")
def test_events_can_be_sorted_by_the_values_after(admin: Actor) -> None:
    for way in ("asc", "desc"):
        assert len(found(admin, sort=[{"colId": "after", "sort": way}])) == 2


@pytest.mark.both_databases
@pytest.mark.usefixtures("told")
def test_its_excel_file_holds_the_json_as_text(admin: Actor) -> None:
    file = io.BytesIO()
    view = parse_view(AUDIT_EVENTS, {"sort": [{"colId": "action", "sort": "asc"}]})
    assert excel.export(view, file, actor=admin, now=NOW) == 2
    header, rows = rows_of_sheet(open_book(file)["Audit Trail"])
    line = dict(zip(header, rows[0], strict=True))
    assert line["Before"] == '{"status": "not_used"}'
    assert "Zoë 王, =1+1" in line["After"]
    assert found(admin)[-1] == "users.refused"
    assert "audit_trail.exported" in found(admin)


@pytest.mark.both_databases
@pytest.mark.usefixtures("told")
def test_built_in_views_show_the_events_that_their_names_promise(admin: Actor) -> None:
    ready = views.ready_made(AUDIT_EVENTS, "UTC", actor=admin)
    view = ready["Refused"]
    assert query.count_rows(view, actor=admin, now=NOW) == 1
    assert list(ready) == ["Today", "This month", "Refused"]


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("role", Role)
def test_every_role_sees_the_history_of_an_order_and_only_of_that_order(role: Role) -> None:
    actor = Actor("x", "x@helios.example", role, sees_all_contracts=True)
    for order_id, count in (("OD-1", 1), ("OD-2", 0)):
        view = parse_view(AUDIT_EVENTS, {}, order_id=order_id)
        assert query.count_rows(view, actor=actor, now=NOW) == count


REWRITES = [
    "UPDATE audit_events SET actor = 'me'",
    "UPDATE audit_events SET after = NULL WHERE order_id = 'OD-1'",
    "DELETE FROM audit_events",
    "DELETE FROM audit_events WHERE order_id = 'OD-1'",
]
OF_SQLITE = [
    "INSERT OR REPLACE INTO audit_events SELECT * FROM audit_events",
    "REPLACE INTO audit_events (event_id, at, actor, action, entity, entity_id) "
    "SELECT event_id, 0, 'me', 'x', 'x', 'x' FROM audit_events",
    "UPDATE OR REPLACE audit_events SET actor = 'me'",
]
OF_POSTGRESQL = [
    "TRUNCATE audit_events",
    "TRUNCATE audit_events CASCADE",
    "INSERT INTO audit_events SELECT * FROM audit_events ON CONFLICT (event_id) "
    "DO UPDATE SET actor = 'me'",
]


@pytest.mark.both_databases
@pytest.mark.usefixtures("told")
def test_audit_events_cannot_be_changed_or_deleted(admin: Actor) -> None:
    for statement in REWRITES + (OF_SQLITE if storage.is_sqlite() else OF_POSTGRESQL):
        with pytest.raises(DatabaseError, match="append-only"), storage.writing() as session:
            session.execute(text(statement))
    assert found(admin) == ["order_item.refund_requested", "users.refused"]


def test_an_item_used_by_an_import_is_in_the_history_of_its_order(
    database: str, admin: Actor, tmp_path: Any
) -> None:
    make_order("OD-1")
    make_item("OD-1", order_item_id="I-1", valid_from=NOW, service_at=NOW, valid_until=NOW)
    file = io.BytesIO()
    excel.dump(file, actor=admin, now=NOW)
    path = tmp_path / "orders.xlsx"
    book = open_book(file)
    sheet = book["Order Items"]
    place = {cell.value: cell.column for cell in sheet[1]}
    sheet.cell(2, place["Status"]).value = "used"
    del book["Transactions"]
    book.save(path)
    imports.import_files([path], actor=admin, now=NOW)
    view = parse_view(AUDIT_EVENTS, {}, order_id="OD-1")
    frame = query.load_rows(view, actor=VIEWER, now=NOW, start=0, end=5)
    assert frame[["action", "contract_id"]].values.tolist() == [["order_item.used", "CT-1"]]
