"""Lists of values: a loose index scan finds the same ones as a count of all rows."""

from collections.abc import Callable
from typing import Any

import pytest

from core import access
from core.access import Actor
from core.query import choices
from core.tables import BOOKS, ORDERS, Table
from core.views import default_view, parse_view
from tests.conftest import NOW, use_database
from tests.core.random_rows import fill
from tests.rows import make_order
from tests.statements import noted_statements, plans_of

pytestmark = pytest.mark.both_databases


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, make_database: Callable[[str], str]) -> str:
    """Fill one database of each kind with rows in all scripts, once for the module."""
    return fill(make_database(request.param))


def _admin() -> Actor:
    actor = access.find_local_actor()
    assert actor is not None
    return actor


@pytest.mark.parametrize("table", BOOKS, ids=lambda table: table.name)
def test_values_without_counts_are_the_same_as_with_counts(filled: str, table: Table) -> None:
    use_database(filled)
    view, leapt = default_view(table), set()
    for column in table.offered:
        if column.has_choices:
            counted = choices.load_choices(view, column.name, actor=_admin(), now=NOW)
            listed = choices.load_choices(
                view, column.name, actor=_admin(), now=NOW, is_counted=False
            )
            assert listed["value"].tolist() == counted["value"].tolist(), column.name
            if listed["count"].isna().all():
                leapt.add(column.name)
    derived = {column.name for column in table.offered if column.derived}
    assert leapt == {column.name for column in table.offered if column.has_choices} - derived


def test_values_without_counts_need_no_table_scan(database: str) -> None:
    for number in range(30):
        make_order(f"OD-{number}", widget_id=None if number % 3 else f"W-{number % 5}")
    with noted_statements() as seen:
        listed = choices.load_choices(
            default_view(ORDERS), "widget_id", actor=_admin(), now=NOW, is_counted=False
        )
    assert listed["value"].tolist() == [None, "W-0", "W-1", "W-2", "W-3", "W-4"]
    plan = plans_of([one for one in seen if one[0].startswith("WITH RECURSIVE")])
    assert "ix_orders_widget" in plan
    assert "SCAN orders'" not in plan


def test_a_list_without_counts_also_shows_that_there_are_more_values(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choices, "MAX_CHOICES_LISTED", 3)
    for number in range(6):
        make_order(f"OD-{number}", widget_id=f"W-{number}" if number else None)
    asked: dict[str, Any] = {"actor": _admin(), "now": NOW}
    for is_counted in (True, False):
        listed = choices.load_choices(
            default_view(ORDERS), "widget_id", is_counted=is_counted, **asked
        )
        assert listed["value"].tolist() == [None, "W-1", "W-2", "W-3"]


def test_scope_and_filters_limit_the_listed_values_and_counts(
    database: str,
) -> None:
    make_order("OD-1", contract_id="CT-1", author="ana@helios.example")
    make_order("OD-2", contract_id="CT-2", author="zoe@helios.example")
    one = Actor("u", "u@desk.example", _admin().role, contracts=frozenset({"CT-1"}))
    view = default_view(ORDERS)
    listed = choices.load_choices(view, "author", actor=one, now=NOW, is_counted=False)
    assert listed.to_numpy().tolist() == [["ana@helios.example", 1]]
    filters = {"contract_id": {"filterType": "set", "values": ["CT-2"]}}
    view = parse_view(ORDERS, {"filters": filters, "zone": "UTC"})
    listed = choices.load_choices(view, "author", actor=_admin(), now=NOW, is_counted=False)
    assert listed.to_numpy().tolist() == [["zoe@helios.example", 1]]
