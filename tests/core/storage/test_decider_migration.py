"""The migration that lets refunds be searched and sorted by who decided about them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from core import query
from core.storage import Refund, engine, schema
from core.tables import REFUNDS
from core.views import default_view
from tests.conftest import NOW
from tests.core.storage.old_versions import database_of_version, read, writing
from tests.core.storage.test_refund_migration import OLD, fill
from tests.rows import make_actor

WHO = "Zoë@Helios.example"


@pytest.fixture(params=["sqlite", "postgresql"])
def updated(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """Store refunds, one of which was decided, with older schemas, and run the migrations."""
    with database_of_version("0013", request.param, request, tmp_path):
        with writing() as connection:
            fill(connection)
            decided = text("UPDATE refunds SET decided_by = :who WHERE order_item_id = 'old'")
            connection.execute(decided, {"who": WHO})
        schema.migrate()
        yield


@pytest.mark.usefixtures("updated")
def test_who_decided_has_the_twins_of_the_models() -> None:
    rows = read("refunds")
    assert {row["decided_by"] for row in rows} == {WHO, None}
    for row in rows:
        for name, twin in Refund.twins.items():
            assert row[name] == twin.made_from(row[twin.of]), name


@pytest.mark.usefixtures("updated")
def test_the_search_finds_who_decided_and_everything_else_as_before() -> None:
    def found(search: str) -> int:
        view = default_view(REFUNDS).with_search(search)
        return query.count_rows(view, actor=make_actor(), now=NOW)

    assert (found("zoë@helios"), found("ZOË"), found("lounge")) == (1, 1, len(OLD))
    with writing() as connection:  # the triggers of SQLite keep the index
        connection.execute(text("UPDATE refunds SET decided_by_folded = 'ben' WHERE no = 1"))
        connection.execute(text("UPDATE refunds SET note_folded = 'closed' WHERE no = 1"))
    assert (found("closed"), found("ben")) == (1, 1)


@pytest.mark.usefixtures("updated")
def test_every_searched_column_has_its_index() -> None:
    with engine.get_engine().connect() as connection:
        if connection.dialect.name == "sqlite":
            found = text("SELECT count(*) FROM sqlite_master WHERE name = :name")
            names = ("refunds_search_decided_by_folded", "refunds_search_note_folded")
            triggers = [f"refunds_search_{one}" for one in ("insert", "delete")]
            for name in (*names, *triggers, "refunds_search_update_decided_by_folded"):
                assert connection.execute(found, {"name": name}).scalar_one() == 1, name
        else:
            index = text("SELECT pg_get_indexdef(to_regclass('ix_refunds_search'))")
            assert "decided_by_folded" in connection.execute(index).scalar_one()


def test_before_the_update_there_is_no_such_index(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """The control: only the migration adds it."""
    with database_of_version("0023", "sqlite", request, tmp_path):
        found = "SELECT count(*) FROM sqlite_master WHERE name LIKE '%decided_by_folded%'"
        with engine.get_engine().connect() as connection:
            assert connection.execute(text(found)).scalar_one() == 0
