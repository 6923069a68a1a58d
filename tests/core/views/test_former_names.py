"""Columns and values of before: older links and saved views keep their meaning."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from core import mail, query, storage, views
from core.access import Actor
from core.ground import InvalidInput
from core.storage import Delivery, SavedView
from core.tables import EMAILS, ORDER_ITEMS, ORDERS, TABLES
from core.views import default_view, parse_view, to_address, to_json
from core.views.codec import from_address
from tests.conftest import NOW
from tests.core.refunds.refund_rows import make_refundable
from tests.rows import make_item, make_order, store_user

YES = {"filterType": "set", "values": ["yes"]}
FORMER = {
    "filters": {"refundable": YES},
    "sort": [{"colId": "refundable", "sort": "desc"}],
    "columns": ["order_id", {"colId": "refundable", "width": 120}],
}


def test_refundable_of_orders_still_means_refundable_now() -> None:
    view = parse_view(ORDERS, FORMER)
    assert view.in_words() == ["Refundable Now is Yes"]
    assert [column.header for column in view.columns] == ["Order ID", "Refundable Now"]
    assert to_json(view) == {
        "filters": {"refundable_now": YES},
        "sort": [{"colId": "refundable_now", "sort": "desc"}],
        "columns": ["order_id", {"colId": "refundable_now", "width": 120}],
        "zone": "UTC",
    }
    assert parse_view(ORDERS, from_address(to_address(view))) == view


def test_refundable_of_items_still_means_whether_they_can_be_refunded_at_all() -> None:
    raw = {"filters": {"is_refundable": YES}, "columns": ["order_item_id", "is_refundable"]}
    view = parse_view(ORDER_ITEMS, raw)
    assert view.in_words() == ["Refundable is Yes"]
    assert [column.header for column in view.columns] == ["Order Item ID", "Refundable"]
    assert view.layout == ()  # an older view has what it had, and pins nothing
    with pytest.raises(InvalidInput, match="Order Items has no column “refundable”"):
        parse_view(ORDER_ITEMS, {"columns": ["refundable"]})


@pytest.mark.both_databases
def test_a_saved_view_of_before_finds_the_same_orders(database: str, admin: Actor) -> None:
    store_user(admin)
    for order_id in ("OD-1", "OD-2"):
        make_order(order_id)
    make_refundable("OD-1")
    row = {"table_name": "orders", "owner": admin.user_id, "name": "Open", "view": FORMER}
    with storage.writing() as session:
        session.add(SavedView(view_id="v", **row))
    view = views.opened_at(ORDERS, {"saved": "v"}, actor=admin, zone="UTC").view
    assert query.load_keys(view, actor=admin, now=NOW) == ["OD-1"]
    choices = query.load_choices(default_view(ORDERS), "refundable", actor=admin, now=NOW)
    assert choices.to_numpy().tolist() == [[False, 1], [True, 1]]


@pytest.mark.parametrize(
    "part",
    [
        {"filters": {"refundable": YES, "refundable_now": YES}},
        {"columns": ["refundable", "refundable_now"]},
        {"sort": [{"colId": name, "sort": "asc"} for name in ("refundable", "refundable_now")]},
    ],
)
def test_a_column_by_both_its_names_is_refused(part: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="the same column twice"):
        parse_view(ORDERS, part)


def test_no_former_name_is_the_name_of_another_column() -> None:
    for table in TABLES.values():
        named = [name for column in table.columns for name in (column.name, *column.formerly)]
        assert len(named) == len(set(named))


def _with_status(*values: str) -> dict[str, Any]:
    return {"filters": {"status": {"filterType": "set", "values": list(values)}}}


def _store_emails(admin: Actor) -> None:
    """Store an e-mail in each channel that was sent, and one that waits for the outbox."""
    make_order("OD-1")
    make_item("OD-1", order_item_id="I-1", valid_until=NOW + timedelta(days=1))
    for number, (status, channel) in enumerate(
        (("sent", "smtp"), ("sent", "outbox"), ("queued", "outbox")), 1
    ):
        recipient = f"{number}@mail.example"
        mail.send(["I-1"], [recipient], message=None, key=recipient, actor=admin, now=NOW)
        with storage.writing() as session:
            is_it = Delivery.recipient == recipient
            session.execute(update(Delivery).where(is_it).values(status=status, channel=channel))


def _recipients(raw: dict[str, Any], admin: Actor) -> list[str]:
    view = parse_view(EMAILS, raw)
    frame = query.load_rows(view, actor=admin, now=NOW, start=0, end=9)
    return sorted(one[0] for one in frame["recipient"])


@pytest.mark.both_databases
def test_sent_in_older_links_still_includes_what_was_saved_to_the_outbox(
    database: str, admin: Actor
) -> None:
    _store_emails(admin)
    assert parse_view(EMAILS, _with_status("sent")).in_words() == [
        "Status is Saved to outbox or Sent"
    ]
    assert _recipients(_with_status("sent"), admin) == ["1", "2"]
    assert _recipients(_with_status("sent", "queued"), admin) == ["1", "2", "3"]
    choices = query.load_choices(default_view(EMAILS), "status", actor=admin, now=NOW)
    assert choices.to_numpy().tolist() == [
        ["queued", 1], ["saved_to_outbox", 1], ["sent_by_server", 1],
    ]  # fmt: skip
    for number, value in (("1", "sent_by_server"), ("2", "saved_to_outbox")):
        asked = parse_view(EMAILS, _with_status(value))
        again = parse_view(EMAILS, from_address(to_address(asked)))
        assert again == asked
        assert _recipients(to_json(again), admin) == [number]
    by_word = {"filterType": "text", "type": "equals", "filter": "sent"}
    assert _recipients({"filters": {"status": by_word}}, admin) == ["1"]
