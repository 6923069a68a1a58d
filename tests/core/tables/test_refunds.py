"""The table of refunds: its ready-made views, its references, its reasons and its search."""

from typing import Any

import pytest
from sqlalchemy import update

from core import query, storage, views
from core.access import Actor
from core.ground import Method
from core.refunds.gateway import Failed, Gateways
from core.storage import Refund
from core.tables import REFUNDS
from core.views import View, default_view, parse_view
from tests.conftest import NOW
from tests.core.refunds.refund_rows import FakeGateway, make_paid_order, make_refundable, request

HEADERS = [
    *("No", "Reference", "Requested Date", "Order ID", "Order Item ID", "Product"),
    *("Amount", "Currency", "Status", "Reason", "Note", "Passenger"),
    *("Requested By", "Decided By", "Decided Date", "Failure", "Settled Date", "Method"),
    *("Attempts", "Provider Reference", "Contract ID", "Product Type"),
]


def _refund(item: str, actor: Actor, **given: Any) -> None:
    order_id = make_paid_order(f"OD-{item}")
    make_refundable(order_id, order_item_id=item, product=f"Lounge {item}")
    request(item, key=item, actor=actor, **given)


@pytest.fixture
def three(database: str, admin: Actor) -> Actor:
    """Store a refund that succeeded, one that failed, and one that is open."""
    refused: Gateways = {Method.BALANCE: FakeGateway(Failed("The bank said no."))}
    _refund("PAID", admin, reason="flight_cancelled", note="Fog at “LHR”")
    _refund("REFUSED", admin, reason="goodwill", gateways=refused)
    _refund("OPEN", admin, reason="booked_twice", gateways={})
    with storage.writing() as session:
        opened = update(Refund).where(Refund.order_item_id == "OPEN")
        session.execute(opened.values(refund_id="R-9"))
    return admin


def keys(actor: Actor, view: View) -> list[str]:
    frame = query.load_rows(view, actor=actor, now=NOW, start=0, end=100)
    with storage.reading() as session:
        return [session.get_one(Refund, one).order_item_id for one in frame["refund_id"]]


def test_its_columns_are_who_what_why_and_how_it_ended() -> None:
    assert [column.header for column in default_view(REFUNDS).columns] == HEADERS


@pytest.mark.both_databases
def test_its_ready_made_views_show_what_is_stuck(three: Actor) -> None:
    found = {
        name: keys(three, view)
        for name, view in views.ready_made(REFUNDS, "UTC", actor=three).items()
    }
    assert {name: sorted(items) for name, items in found.items()} == {
        "By me": ["OPEN", "PAID", "REFUSED"],
        "Waiting for approval": [],
        "In progress": ["OPEN"],
        "Failed": ["REFUSED"],
        "This month": ["OPEN", "PAID", "REFUSED"],
    }


def test_refunds_in_progress_are_the_oldest_first(sqlite_database: str, admin: Actor) -> None:
    view = views.ready_made(REFUNDS, "UTC", actor=admin)["In progress"]
    assert [(one.column.header, one.descending) for one in view.sort] == [("Requested Date", False)]


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("search", "items"),
    [
        ("R-2", ["REFUSED"]),
        ("r-0002", ["REFUSED"]),
        ("R-9", ["OPEN"]),  # an ID that looks like a reference
        ("R-2 lounge", ["REFUSED"]),
        ("R-2 R-1", []),
        ("lounge", ["OPEN", "PAID", "REFUSED"]),
        ("fog", ["PAID"]),
        ("“lhr”", ["PAID"]),
        ("bank said", ["REFUSED"]),
        ("od-paid", ["PAID"]),
    ],
)
def test_it_is_searched_by_reference_and_by_every_text(
    three: Actor, search: str, items: list[str]
) -> None:
    view = default_view(REFUNDS).with_search(search)
    assert sorted(keys(three, view)) == items
    assert query.count_rows(view, actor=three, now=NOW) == len(items)


@pytest.mark.both_databases
def test_pasted_references_are_found_in_any_case(three: Actor) -> None:
    pasted = query.read_pasted("R-1\nr-3\nR-77", REFUNDS, actor=three)
    assert (pasted.ids, pasted.missing) == (("R-1", "r-3", "R-77"), ("R-77",))
    view = default_view(REFUNDS).with_ids(pasted.ids)
    assert sorted(keys(three, view)) == ["OPEN", "PAID"]
    assert query.find_missing(view, actor=three) == ["R-77"]


@pytest.mark.both_databases
def test_a_reason_is_filtered_by_its_words(three: Actor) -> None:
    for operator, text, items in (
        ("contains", "cancel", ["PAID"]),
        ("equals", "booked twice", ["OPEN"]),
        ("notEqual", "Goodwill", ["OPEN", "PAID"]),
    ):
        asked = {"filterType": "text", "type": operator, "filter": text}
        view = parse_view(REFUNDS, {"filters": {"reason": asked}})
        assert sorted(keys(three, view)) == items
    listed = query.load_choices(default_view(REFUNDS), "reason", actor=three, now=NOW)
    assert listed["value"].tolist() == ["booked_twice", "flight_cancelled", "goodwill"]


@pytest.mark.both_databases
def test_what_people_write_about_a_refund_has_its_twins(three: Actor) -> None:
    with storage.reading() as session:
        for refund in session.query(Refund):
            for name, twin in Refund.twins.items():
                assert getattr(refund, name) == twin.made_from(getattr(refund, twin.of)), name
