"""The kept names of search indexes: drops and rebuilds of other processes are noticed."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from core import access, demo, query, storage
from core.query.search import narrow
from core.storage import kept_indexes
from core.tables import BOOKS, ORDERS
from core.views import parse_view
from tests.bench.processes import PROJECT
from tests.conftest import NOW, use_database
from tests.statements import noted_statements

KINDS = ["sqlite", "postgresql"]
SEARCH = {"search": "0000012", "zone": "UTC"}
# What another program does: it drops the search indexes, and may create them again.
DROP = """
from sqlalchemy import text
from core import storage
with storage.writing() as session:
    if storage.is_sqlite():
        of_search = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%search%'"
        for name in session.scalars(text(of_search)).all():
            session.execute(text(f"DROP TRIGGER {name}"))
        of_search = "SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE %'"
        for name in session.scalars(text(of_search)).all():
            session.execute(text(f"DROP TABLE {name}"))
    else:
        session.execute(text("DROP INDEX ix_orders_search, ix_order_items_search"))
"""
REBUILD = """
from datetime import UTC, datetime
from core import access, demo
from core.access.actors import ensure_local_user
ensure_local_user()
demo.fill(30, actor=access.find_local_actor(), now=datetime(2026, 11, 23, 9, 30, tzinfo=UTC))
"""
RECREATE = """
from core import storage
with storage.rebuilding(storage.get_engine()) as session:
    storage.recreate_schema(session)
"""


@pytest.fixture
def filled(make_database: Callable[[str], str], request: pytest.FixtureRequest) -> str:
    """Fill a database with demo orders."""
    url = make_database(request.param)
    use_database(url)
    actor = access.find_local_actor()
    assert actor is not None
    demo.fill(30, actor=actor, now=NOW)
    return url


def _run(script: str) -> None:
    subprocess.run([sys.executable, "-c", script], cwd=PROJECT, env=os.environ, check=True)


def _found() -> list[str]:
    actor = access.find_local_actor()
    assert actor is not None
    view = parse_view(ORDERS, SEARCH)
    return list(query.load_rows(view, actor=actor, now=NOW, start=0, end=50)["order_id"])


def _is_narrowed() -> bool:
    with storage.reading() as session:
        return bool(narrow(session, parse_view(ORDERS, SEARCH)).conditions)


@pytest.mark.parametrize("filled", KINDS, indirect=True)
def test_a_drop_and_a_rebuild_by_another_process_are_noticed(filled: str) -> None:
    expected = _found()
    assert len(expected) == 1
    assert _is_narrowed()
    _run(DROP)
    assert _found() == expected  # with outdated names
    assert not _is_narrowed()
    assert _found() == expected
    _run(RECREATE)
    _run(REBUILD)
    assert len(_found()) == 1
    _found()
    assert _is_narrowed()


@pytest.mark.parametrize("filled", ["postgresql"], indirect=True)
def test_the_names_are_asked_once_and_then_come_with_the_rows(filled: str) -> None:
    kept_indexes._kept.clear()
    asked = []
    for _ in range(2):
        with noted_statements() as seen:
            _found()
        asked.append([one for one, _ in seen if one.startswith("SELECT concat_ws")])
    assert [len(one) for one in asked] == [1, 0]


@pytest.mark.parametrize("filled", ["postgresql"], indirect=True)
def test_without_the_names_in_the_rows_a_drop_is_not_noticed(
    filled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _is_narrowed()
    monkeypatch.setattr("core.storage.gathered.note_names", lambda *_: None)
    _run(DROP)
    expected = _found()
    assert len(expected) == 1  # only slow
    assert _is_narrowed()


@pytest.mark.parametrize("filled", ["sqlite"], indirect=True)
def test_without_the_version_of_the_schema_a_search_in_a_dropped_table_fails(
    filled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _is_narrowed()
    names = kept_indexes._kept[storage.get_engine()][1]
    monkeypatch.setattr(kept_indexes, "_of_sqlite", lambda _: names)
    _run(DROP)
    with pytest.raises(Exception, match="reached"):
        _found()


def test_every_indexed_table_is_among_the_names() -> None:
    asked = str(kept_indexes.names_of_indexes())
    assert all(f"ix_{table.name}_search" in asked for table in BOOKS if table.is_indexed)
