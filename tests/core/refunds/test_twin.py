"""The rule of refunds and its twin in SQL: the same items, in every place that asks."""

from datetime import datetime, timedelta
from itertools import product

import pytest
from sqlalchemy import and_, not_, select

from core import query, refunds, storage
from core.access import Actor
from core.ground import ItemStatus
from core.storage import OrderItem, is_refundable_now
from core.tables import ORDER_ITEMS, ORDERS, Table
from core.views import View, parse_view, ready_made
from tests.conftest import NOW
from tests.rows import make_item, make_order, make_transaction

A_SECOND = timedelta(seconds=1)
INSTANTS = (NOW - A_SECOND, NOW, NOW + A_SECOND)
DEADLINES: tuple[datetime | None, ...] = (None, *INSTANTS)


@pytest.fixture
def every_item(database: str) -> set[str]:
    """Store an item of each state and terms, each in an order of its own; return their IDs."""
    items = set()
    for number, (state, is_refundable, deadline, until) in enumerate(
        product(ItemStatus, (True, False), DEADLINES, INSTANTS)
    ):
        order = make_order(f"OD-{number}", item_count=1)
        make_transaction(order_id=order, amount_minor=-3800)
        terms = {"refund_expire_at": deadline, "valid_until": until, "is_refundable": is_refundable}
        items.add(make_item(order, status=state, **terms))
    return items


def by_rule(items: set[str], actor: Actor) -> set[str]:
    """Return the items that the dialog offers to refund."""
    return {
        one.order_item_id for one in refunds.assess(list(items), actor=actor, now=NOW).refundable
    }


def by_twin(*conditions: object) -> set[str]:
    with storage.reading() as session:
        return set(session.scalars(select(OrderItem.order_item_id).where(*conditions)))  # type: ignore[arg-type]


def by_view(table: Table, actor: Actor) -> set[str]:
    """Return the rows of the ready-made view *Refundable now* of a table."""
    view: View = ready_made(table, "UTC", actor=actor)["Refundable now"]
    return set(query.load_keys(view, actor=actor, now=NOW))


def test_every_place_that_asks_finds_the_same_refundable_items(
    every_item: set[str], admin: Actor
) -> None:
    refundable = by_rule(every_item, admin)
    assert by_twin(*is_refundable_now(NOW)) == refundable
    assert by_view(ORDER_ITEMS, admin) == refundable
    with storage.reading() as session:
        theirs = select(OrderItem.order_id).where(OrderItem.order_item_id.in_(refundable))
        orders = set(session.scalars(theirs))
    assert by_view(ORDERS, admin) == orders
    assert len(refundable) == 4  # now or later, by both instants


@pytest.mark.both_databases
def test_what_cannot_be_refunded_now_is_every_other_item(
    every_item: set[str], admin: Actor
) -> None:
    found = {}
    for answer in ("yes", "no"):
        asked = {"refundable_now": {"filterType": "set", "values": [answer]}}
        view = parse_view(ORDER_ITEMS, {"filters": asked})
        found[answer] = set(query.load_keys(view, actor=admin, now=NOW))
    assert found["yes"] == by_rule(every_item, admin)
    assert found["no"] == every_item - found["yes"]
    # Without the check for a blank deadline, the others would lack those.
    unchecked = by_twin(not_(and_(*is_refundable_now(NOW))))
    assert unchecked < found["no"]


@pytest.mark.parametrize("missing", range(len(is_refundable_now(NOW))))
def test_each_condition_of_the_twin_counts(
    every_item: set[str], admin: Actor, missing: int
) -> None:
    conditions = [one for number, one in enumerate(is_refundable_now(NOW)) if number != missing]
    assert by_twin(*conditions) > by_rule(every_item, admin)
