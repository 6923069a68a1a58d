"""Windows, choices and frames of rows; every query starts from what the actor may see."""

from typing import Any

import pytest

from core import query, users
from core.errors import InvalidInput
from core.tables import ORDERS
from core.users import Actor
from core.view_json import default_view, parse_view
from tests.conftest import NOW
from tests.rows import make_order


def _actor(**given: Any) -> Actor:
    return Actor("u", "ana@helios.example", users.Role.VIEWER, **given)


def test_an_actor_without_contracts_sees_no_row_count_or_choice(database: str) -> None:
    make_order(contract_id="CT-1")
    view, nobody = default_view(ORDERS), _actor()
    assert query.load_rows(view, actor=nobody, now=NOW, start=0, end=10).empty
    assert query.count_rows(view, actor=nobody, now=NOW) == 0
    assert query.load_choices(view, "author", actor=nobody, now=NOW).empty


def test_an_actor_sees_the_orders_of_their_contracts_alone(database: str) -> None:
    mine = make_order(contract_id="CT-1")
    make_order(contract_id="CT-2")
    actor = _actor(contracts=frozenset({"CT-1"}))
    view = default_view(ORDERS)
    assert query.load_rows(view, actor=actor, now=NOW, start=0, end=9)["order_id"].tolist() == [
        mine
    ]
    assert query.load_choices(view, "contract_id", actor=actor, now=NOW)["value"].tolist() == [
        "CT-1"
    ]


def test_an_actor_of_own_orders_sees_those_they_made(database: str) -> None:
    mine = make_order(author="ANA@helios.example")
    make_order(author="bob@helios.example")
    actor = _actor(sees_all_contracts=True, only_own_orders=True)
    frame = query.load_rows(default_view(ORDERS), actor=actor, now=NOW, start=0, end=9)
    assert frame["order_id"].tolist() == [mine]


def test_choices_count_the_rows_that_the_other_filters_leave(database: str, admin: Actor) -> None:
    make_order(widget_id="W-1", item_count=2)
    make_order(widget_id="W-1", item_count=5)
    make_order(widget_id=None, item_count=5)
    make_order(widget_id="W-2", item_count=1)
    over_one = {"filterType": "number", "type": "greaterThan", "filter": 1}
    chosen = {"filterType": "set", "values": ["W-2"]}
    view = parse_view(ORDERS, {"filters": {"item_count": over_one, "widget_id": chosen}})
    choices = query.load_choices(view, "widget_id", actor=admin, now=NOW)
    assert choices.values.tolist() == [[None, 1], ["W-1", 2]]
    found = query.load_choices(view, "widget_id", actor=admin, now=NOW, search="w-")
    assert found.values.tolist() == [["W-1", 2]]


def test_a_window_that_is_none_is_refused(sqlite_database: str, admin: Actor) -> None:
    for start, end in ((5, 5), (-1, 5), (0, 100_000), (2**40, 2**40 + 1)):
        with pytest.raises(InvalidInput, match="window"):
            query.load_rows(default_view(ORDERS), actor=admin, now=NOW, start=start, end=end)


def test_frames_have_exact_types_even_without_rows(database: str, admin: Actor) -> None:
    empty = query.load_rows(default_view(ORDERS), actor=admin, now=NOW, start=0, end=5)
    make_order()
    filled = query.load_rows(default_view(ORDERS), actor=admin, now=NOW, start=0, end=5)
    for frame in (empty, filled):
        assert str(frame["no"].dtype) == "Int64"
        assert str(frame["created_at"].dtype) == "datetime64[s, UTC]"
        assert str(frame["author"].dtype) == "str"
