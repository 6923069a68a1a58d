"""Order Items offer the reason of a refund, and who requested it."""

import pytest

from core import query, storage
from core.access import Actor
from core.ground import Method
from core.refunds.gateway import Failed, Gateways
from core.storage import Refund
from core.tables import ORDER_ITEMS
from core.views import default_view, parse_view
from tests.conftest import NOW
from tests.core.refunds.refund_rows import FakeGateway, make_paid_order, make_refundable, request

REFUSED: Gateways = {Method.BALANCE: FakeGateway(Failed("No."))}


@pytest.fixture
def items(database: str, admin: Actor) -> Actor:
    """Store an item that was refunded, one whose refund failed, and one without a refund."""
    make_paid_order("OD-1")
    for item in ("PAID", "REFUSED", "NONE"):
        make_refundable("OD-1", order_item_id=item)
    request("PAID", key="paid", reason="flight_cancelled", actor=admin)
    request("REFUSED", key="refused", reason="goodwill", actor=admin, gateways=REFUSED)
    return admin


@pytest.mark.both_databases
def test_an_item_says_why_and_by_whom_it_was_refunded(items: Actor) -> None:
    columns = ["order_item_id", "refund_reason", "refunded_by"]
    view = parse_view(ORDER_ITEMS, {"columns": columns, "sort": [{"colId": "no", "sort": "asc"}]})
    frame = query.load_rows(view, actor=items, now=NOW, start=0, end=9)
    rows = frame[columns].astype(object).where(frame[columns].notna(), None).to_numpy().tolist()
    assert rows == [
        ["PAID", "flight_cancelled", items.email],
        ["REFUSED", None, None],
        ["NONE", None, None],
    ]
    with storage.reading() as session:
        assert session.query(Refund).count() == 2


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("column", "operator", "text", "found"),
    [
        ("refund_reason", "contains", "cancel", ["PAID"]),
        ("refund_reason", "notContains", "cancel", ["NONE", "REFUSED"]),
        ("refund_reason", "blank", None, ["NONE", "REFUSED"]),
        ("refund_reason", "notBlank", None, ["PAID"]),
        ("refund_reason", "equals", "goodwill", []),
        ("refunded_by", "startsWith", "ANALYST@", ["PAID"]),
        ("refunded_by", "notEqual", "analyst@local", ["NONE", "REFUSED"]),
    ],
)
def test_items_are_filtered_by_reason_and_person(
    items: Actor, column: str, operator: str, text: str | None, found: list[str]
) -> None:
    asked = {"filterType": "text", "type": operator} | ({"filter": text} if text else {})
    view = parse_view(ORDER_ITEMS, {"filters": {column: asked}})
    assert sorted(query.load_keys(view, actor=items, now=NOW)) == found


def test_they_are_offered_and_not_shown_at_first() -> None:
    shown = {column.header for column in default_view(ORDER_ITEMS).columns}
    offered = {column.header for column in ORDER_ITEMS.offered}
    assert {"Refund Reason", "Refunded By"} <= offered - shown
