"""Two versions of Order Desk on one database, as while it is upgraded process by process."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from core import startup, storage
from core.__main__ import main
from core.storage.schema import NewerSchema
from tests.conftest import NOW
from tests.core.storage.old_versions import database_of_version, writing

pytestmark = pytest.mark.both_databases
NEVER = "9999"
FROM = "0019"  # the last schema before versions could run side by side
Columns = Mapping[tuple[str, str], bool]  # by table and name, whether a row can leave it out


@pytest.fixture
def newer(database: str) -> None:
    """Let the test's database have a schema that this version does not know."""
    with writing() as connection:
        connection.execute(text(f"UPDATE alembic_version SET version_num = '{NEVER}'"))


def test_a_version_that_does_not_know_the_schema_says_so_and_changes_nothing(
    newer: None, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(NewerSchema, match=f"upgraded the database to schema {NEVER}"):
        startup.prepare(NOW)
    for command in ("migrate", "worker"):
        assert main([command]) == 1
        said = capsys.readouterr().err
        assert said.startswith("A newer version of Order Desk")
        assert "Traceback" not in said
    with storage.reading() as session:
        assert session.execute(text("SELECT version_num FROM alembic_version")).scalar() == NEVER


@pytest.fixture
def old(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Use an empty database with the schema of a version that still runs."""
    with database_of_version(FROM, database_kind, request, tmp_path) as url:
        yield url


def test_a_command_upgrades_the_database_and_says_from_what(
    old: str, capsys: pytest.CaptureFixture[str]
) -> None:
    newest = max(storage.known_versions())
    assert main(["migrate"]) == 0
    assert capsys.readouterr().out == f"The database was upgraded from schema {FROM} to {newest}.\n"
    assert main(["migrate"]) == 0
    assert "already" in capsys.readouterr().out


def _columns() -> Columns:
    with storage.reading() as session:
        known = inspect(session.connection())
        return {
            (table, column["name"]): bool(column["nullable"] or column["default"] is not None)
            for table in known.get_table_names()
            for column in known.get_columns(table)
        }


def _faults(before: Columns, after: Columns) -> list[str]:
    """Return what stops the version before: it writes rows with the columns that it knows."""
    tables = {table for table, _ in before}
    lost = [f"{table}.{name} is gone" for table, name in before.keys() - after.keys()]
    needed = [
        f"{table}.{name} must be nullable, or filled by the database"
        for (table, name), can_be_left_out in after.items()
        if table in tables and not can_be_left_out and before.get((table, name)) is not False
    ]
    return sorted(lost + needed)


def test_rows_of_the_version_before_are_accepted_by_the_new_schema(old: str) -> None:
    before = _columns()
    storage.migrate()
    assert _faults(before, _columns()) == []


def test_a_schema_that_stops_the_version_before_is_noticed(old: str) -> None:
    before = _columns()
    with writing() as connection:
        connection.execute(text("ALTER TABLE orders RENAME COLUMN author TO writer"))
    assert _faults(before, _columns()) == [
        "orders.author is gone",
        "orders.writer must be nullable, or filled by the database",
    ]
