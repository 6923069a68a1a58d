"""The migration of what people write: every row gets its twins, and no row changes otherwise."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DatabaseError, IntegrityError

from core import access, query, storage
from core.ground import fold
from core.storage import Base, Contract, engine, schema
from core.tables import AUDIT_EVENTS, BOOKS, EMAILS, USERS, Table
from core.views import parse_view
from tests.conftest import NOW
from tests.core.query.plain_filter import expected_rows
from tests.core.query.random_views import ACTORS
from tests.core.random_rows import ALL_ROWS, CONTRACTS, NAMES
from tests.core.storage.old_versions import database_of_version, inserter, read, writing

UNFOLDED = ["author", "contact_email", "passenger_email", "terminal", "reference", "widget_id"]
TABLES = (*BOOKS, EMAILS, AUDIT_EVENTS, USERS)
TRIGGERS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
ENABLED = "SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def updated(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Any]]:
    """Store the random rows with the schema before this migration, and run it."""
    folder: Path = tmp_path_factory.mktemp("old")
    with database_of_version("0011", request.param, request, folder):
        with writing() as connection:
            put = inserter(connection)
            for contract_id in CONTRACTS:
                name = NAMES[contract_id]
                of_contract = {"contract_id": contract_id, "name": name, "currency": "EUR"}
                put("contracts", **of_contract, balance_minor=0)
            later = _put_known(connection, put)
            old = [name for name in _names() if inspect(connection).has_table(name)]
        before = {name: read(name) for name in old}
        guards = _guards()
        schema.migrate()
        with storage.writing() as session:
            for table, rows in later.items():
                stored = inspect(table.model).column_attrs.keys()
                for row in rows:
                    session.add(table.model(**{key: row[key] for key in row if key in stored}))
        yield {"before": before, "guards": guards}


def _put_known(connection: Connection, put: Callable[..., None]) -> dict[Table, list[Any]]:
    """Store the rows that the old schema has a place for; return the others, by table."""
    later: dict[Table, list[Any]] = {}
    for table in TABLES:
        name = _name_of(table)
        if not inspect(connection).has_table(name):
            later[table] = ALL_ROWS[table.name]
            continue
        stored = {one["name"] for one in inspect(connection).get_columns(name)}
        for row in ALL_ROWS[table.name]:
            twins = {f"{one}_folded": fold(row[one]) for one in row if f"{one}_folded" in stored}
            try:
                with connection.begin_nested():
                    put(name, **{key: row[key] for key in row if key in stored}, **twins)
            except IntegrityError:  # a state or kind of later
                later.setdefault(table, []).append(row)
    return later


def _names() -> list[str]:
    return [Contract.__tablename__, *(_name_of(one) for one in TABLES)]


def _name_of(table: Table) -> str:
    return str(table.model.__tablename__)


def _guards() -> list[Any]:
    with engine.get_engine().connect() as connection:
        asked = TRIGGERS if connection.dialect.name == "sqlite" else ENABLED
        every = connection.execute(text(asked)).all()
    return [tuple(one) for one in every if "_search_" not in one[0]]


def test_no_row_changes_but_for_its_twins(updated: dict[str, Any]) -> None:
    for name, before in updated["before"].items():
        known = before[0].keys()
        after = [{key: row[key] for key in known} for row in read(name)]
        assert [row for row in before if row not in after] == []


def test_every_row_has_the_twins_that_the_models_make(updated: dict[str, Any]) -> None:
    models = {one.class_.__tablename__: one.class_ for one in Base.registry.mappers}
    made = 0
    for name in updated["before"]:
        for row in read(name):
            for twin, of in models[name].twins.items():
                assert row[twin] == of.made_from(row[of.of]), (name, twin)
                made += 1
    assert made > 1_000


def test_rows_are_found_and_sorted_as_new_ones_are(updated: dict[str, Any]) -> None:
    actor = access.find_local_actor() or ACTORS[0]
    for table in TABLES:
        for name in (one.name for one in table.offered if one.is_written or one.name_of):
            for word in ("ЮЛИЯ", "zoe\u0308", "istanbul"):
                contains = {"filterType": "text", "type": "contains", "filter": word}
                raw = {"filters": {name: contains}, "sort": [{"colId": name, "sort": "asc"}]}
                view = parse_view(table, raw | {"zone": "UTC"})
                found = query.load_keys(view, actor=actor, now=NOW)
                expected = expected_rows(table, raw | {"zone": "UTC"}, actor=ACTORS[0], now=NOW)
                assert found == [row[table.key] for row in expected], (name, word)


def test_the_ledger_and_the_audit_trail_are_guarded_as_before(updated: dict[str, Any]) -> None:
    assert [one for one in _guards() if one in updated["guards"]] == updated["guards"]
    for change in ("UPDATE transactions SET author = 'x'", "DELETE FROM audit_events"):
        with pytest.raises(DatabaseError, match="append-only"), writing() as connection:
            connection.execute(text(change))


def test_the_indexes_are_those_of_the_models(updated: dict[str, Any]) -> None:
    with engine.get_engine().connect() as connection:
        for name in updated["before"]:
            asked = (
                "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = :t"
                if connection.dialect.name == "sqlite"
                else "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = :t"
            )
            stored = {
                one: str(definition)
                for one, definition in connection.execute(text(asked), {"t": name})
            }
            for index in Base.metadata.tables[name].indexes:
                columns = [column.name for column in index.columns]
                assert all(one in stored[str(index.name)] for one in columns), index.name
            searched = stored.get(f"ix_{name}_search", "")
            plain = [one for one in UNFOLDED if f"lower({one})" in searched]
            assert plain == []
            assert ("_folded" in searched) == bool(searched)
