"""The last imports: what the audit trail has of them, in words, for those who may import."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from core import access, storage
from core.access import Actor
from core.ground import NotPermitted, Role
from core.imports import PastImport, find_recent, import_files
from core.imports.recent import MAX_RECENT
from core.storage import IS_IMPORT
from tests.conftest import NOW
from tests.core.imports.imported import ITEM, ORDER, write_workbook
from tests.rows import make_actor


def record(action: str, files: str, *, minutes: int, actor: Actor) -> None:
    with storage.writing() as session:
        access.record_event(
            session,
            action,
            actor=actor,
            entity="file",
            entity_id=files,
            now=NOW + timedelta(minutes=minutes),
            after={"added": {"orders": minutes}},
        )


def test_an_import_is_found_with_its_outcome(
    sqlite_database: str, admin: Actor, tmp_path: Path
) -> None:
    path = tmp_path / "march.xlsx"
    write_workbook(path, {"Orders": [ORDER], "Order Items": [ITEM]})
    import_files([path], actor=admin, now=NOW)
    write_workbook(path, {"Orders": [ORDER], "Order Items": [ITEM | {"Status": "Used"}]})
    import_files([path], actor=admin, now=NOW + timedelta(hours=1))
    first = "Orders: 1 added, 0 already stored. Order Items: 1 added, 0 already stored."
    again = "Orders: 0 added, 1 already stored."
    used = "1 order item is now marked as used."
    assert find_recent(actor=admin) == [
        PastImport(NOW + timedelta(hours=1), admin.email, "march.xlsx", f"{again} {used}"),
        PastImport(NOW, admin.email, "march.xlsx", first),
    ]


@pytest.mark.both_databases
def test_only_imports_are_listed_and_only_the_last(database: str, admin: Actor) -> None:
    for minutes in range(MAX_RECENT + 3):
        record("orders.imported", f"{minutes}.csv", minutes=minutes, actor=admin)
        record("orders.exported", f"{minutes}.xlsx", minutes=minutes, actor=admin)
    found = find_recent(actor=admin)
    assert [one.files for one in found] == [f"{number}.csv" for number in (7, 6, 5, 4, 3)]
    assert found[0].outcome == "Orders: 7 added, 0 already stored."


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AGENT, Role.ACCOUNTANT])
def test_who_may_not_import_sees_no_imports(sqlite_database: str, role: Role) -> None:
    with pytest.raises(NotPermitted):
        find_recent(actor=make_actor(role))


def test_who_sees_some_contracts_sees_no_imports(sqlite_database: str) -> None:
    actor = make_actor(Role.ADMIN, contracts=frozenset({"CT-1"}))
    with pytest.raises(NotPermitted):
        find_recent(actor=actor)


def test_imports_are_found_without_reading_the_audit_trail(sqlite_database: str) -> None:
    statement = f"SELECT at FROM audit_events WHERE {IS_IMPORT} ORDER BY at DESC LIMIT 5"
    with storage.reading() as session:
        plan = session.execute(text(f"EXPLAIN QUERY PLAN {statement}")).all()
    assert "ix_audit_events_imported" in str(plan)
    assert "TEMP B-TREE" not in str(plan)
