"""The migration that makes refunds a table: old ones are numbered and have what their item is."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from core.storage import Refund, engine, schema
from tests.core.storage.old_versions import database_of_version, read, writing
from tests.core.storage.test_refund_migration import OLD, fill


@pytest.fixture(params=["sqlite", "postgresql"])
def updated(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """Store refunds with the schema before this migration, and run it."""
    with database_of_version("0013", request.param, request, tmp_path):
        with writing() as connection:
            fill(connection)
            older = text("UPDATE refunds SET requested_at = :at WHERE order_item_id = 'old'")
            at = 1 if connection.dialect.name == "sqlite" else "2020-01-01T00:00:00Z"
            connection.execute(older, {"at": at})
            connection.execute(text("UPDATE refunds SET note = 'Straße', failure = 'ÉMILE'"))
        schema.migrate()
        yield


@pytest.mark.usefixtures("updated")
def test_the_oldest_refund_is_number_one_and_none_has_a_number_twice() -> None:
    rows = read("refunds")
    assert sorted(row["no"] for row in rows) == list(range(1, len(OLD) + 1))
    assert next(row["order_item_id"] for row in rows if row["no"] == 1) == "old"
    assert {row["ledger_no"] for row in rows} == {None}


@pytest.mark.usefixtures("updated")
def test_every_refund_has_what_its_item_is_and_the_twins_of_the_models() -> None:
    items = {row["order_item_id"]: row for row in read("order_items")}
    for row in read("refunds"):
        for name in ("product_type", "product", "passenger_name"):
            assert row[name] == items[row["order_item_id"]][name]
        for name, twin in Refund.twins.items():
            assert row[name] == twin.made_from(row[twin.of]), name
        assert (row["note_folded"], row["failure_folded"]) == ("strasse", "émile")


@pytest.mark.usefixtures("updated")
def test_the_search_indexes_are_there() -> None:
    on_sqlite = (
        "SELECT count(*) FROM sqlite_master WHERE name LIKE 'refunds\\_search\\_%' ESCAPE '\\'"
    )
    with engine.get_engine().connect() as connection:
        if connection.dialect.name == "sqlite":
            assert connection.execute(text(on_sqlite)).scalar_one() > 9
        else:
            index = text("SELECT to_regclass('ix_refunds_search')")
            assert connection.execute(index).scalar() is not None


def test_before_the_update_refunds_had_no_numbers(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """The control: only the migration adds them."""
    with database_of_version("0013", "sqlite", request, tmp_path):
        with writing() as connection:
            fill(connection)
        assert "no" not in read("refunds")[0]
