"""The page Refunds and the tab of an order, run without a browser."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core import storage, views
from core.access import Actor
from core.access.actors import LOCAL_USER_ID
from core.ground import Method
from core.refunds import requests
from core.refunds.gateway import Failed, Gateways
from core.storage import Refund, User
from core.tables import REFUNDS
from core.views import to_address
from tests.core.refunds.refund_rows import FakeGateway
from tests.pages.opened import chips, grid_says, open_page, texts, values
from tests.rows import make_item, make_order, make_transaction

SOON = datetime.now(UTC) + timedelta(days=3)
DECLINED: Gateways = {Method.BALANCE: FakeGateway(Failed("The books were closed."))}


@pytest.fixture
def shop(sqlite_database: str, admin: Actor) -> None:
    """Store an order with two items: the refund of one succeeded, that of the other failed."""
    make_order("OD-1", item_count=2)
    make_transaction(order_id="OD-1", amount_minor=-7600)
    for item in ("PAID", "REFUSED"):
        make_item("OD-1", order_item_id=item, refund_expire_at=SOON, valid_until=SOON)
    asked: dict[str, Any] = {"reason": "goodwill", "actor": admin, "now": datetime.now(UTC)}
    requests.request(["PAID"], key="paid", **asked)
    requests.request(["REFUSED"], key="refused", gateways=DECLINED, **asked)


def refund_of(item: str) -> Refund:
    with storage.reading() as session:
        return session.query(Refund).filter_by(order_item_id=item).one()


def _select(page: AppTest, place: str, *items: str) -> AppTest:
    selected = [refund_of(item).refund_id for item in items]
    return grid_says(page, place=place, view={}, selected=selected)


@pytest.mark.usefixtures("shop")
def test_the_page_has_title_count_and_totals() -> None:
    page = open_page("refunds")
    assert not page.exception
    assert page.title[0].value == "Refunds"
    assert "**2** refunds" in texts(page)
    assert "Amount: 76.00 EUR" in texts(page)


@pytest.mark.usefixtures("shop")
def test_a_ready_made_view_opens_by_its_link(admin: Actor) -> None:
    view = views.ready_made(REFUNDS, "UTC", actor=admin)["Failed"]
    page = open_page("refunds", view=to_address(view))
    assert chips(page) == ["Status is Failed"]
    assert "**1** of 2 refunds" in texts(page)


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("page_file", "place", "asked"),
    [
        ("refunds", "refunds", {}),
        ("order", "refunds_OD-1", {"order": "OD-1", "tab": "Refunds"}),
    ],
)
def test_a_failed_refund_is_requested_again_by_the_same_dialog(
    page_file: str, place: str, asked: dict[str, str]
) -> None:
    page = _select(open_page(page_file, **asked), place, "PAID", "REFUSED")
    page.button(key=f"refund_{place}").click().run()
    assert "**1** of 2 items will be refunded." in texts(page)
    able, refused, *_ = values(page, "table")
    assert able["Order Item ID"].tolist() == ["REFUSED"]
    assert refused["Order Item ID"].tolist() == ["PAID"]
    page.selectbox(key="refund_reason").select("flight_cancelled")
    page.button(key="refund_confirm").click().run()
    assert not page.exception
    again = refund_of("REFUSED")
    assert (again.status, again.attempt, again.reason) == ("succeeded", 2, "flight_cancelled")
    assert "**1 selected**" in texts(page)  # the one that was refused


@pytest.mark.usefixtures("shop")
def test_a_refund_again_needs_a_selection() -> None:
    page = open_page("refunds")
    assert page.button(key="refund_refunds").label == "Refund again"
    assert page.button(key="refund_refunds").disabled


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("role", ["viewer", "accountant"])
def test_a_role_that_cannot_refund_sees_refunds_and_no_button(role: str) -> None:
    with storage.writing() as session:
        session.get_one(User, LOCAL_USER_ID).role = role
    page = open_page("refunds")
    assert not page.exception
    assert "**2** refunds" in texts(page)
    assert "Refund again" not in [button.label for button in page.button]


@pytest.mark.usefixtures("shop")
def test_a_refund_without_a_reason_is_a_sentence_and_no_lost_click() -> None:
    page = _select(open_page("refunds"), "refunds", "REFUSED")
    page.button(key="refund_refunds").click().run()
    reason = page.selectbox(key="refund_reason")
    assert reason.value is None
    page.text_input(key="refund_note").input("Fog").run()
    page.button(key="refund_confirm").click().run()
    assert "Choose a reason for the refund." in texts(page)
    assert refund_of("REFUSED").attempt == 1
    page.selectbox(key="refund_reason").select("goodwill").run()
    assert "Choose a reason for the refund." not in texts(page)
    page.button(key="refund_confirm").click().run()
    again = refund_of("REFUSED")
    assert (again.status, again.note) == ("succeeded", "Fog")
