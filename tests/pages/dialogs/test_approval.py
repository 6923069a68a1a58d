"""Approve and Decline on Refunds, and the link in the header to what waits."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from streamlit.testing.v1 import AppTest

from core import refunds, storage
from core.access import Actor
from core.access.actors import LOCAL_USER_ID
from core.ground import Role
from core.storage import AuditEvent, Contract, Delivery, Refund, RefundDecision, User
from pages.shell import plain
from tests.core.access.use_cases import take_away
from tests.core.refunds.refund_rows import AGENT, request
from tests.pages.opened import chips, grid_says, open_page, texts, values
from tests.rows import make_actor, make_item, make_order, make_transaction

SOON = datetime.now(UTC) + timedelta(days=3)
HOSTILE = "<b>Zoë</b> [x](http://evil.example)"


@pytest.fixture(autouse=True)
def shop(sqlite_database: str, admin: Actor) -> None:
    """Store an order of which every refund needs a second person; the agent asks for two."""
    make_order("OD-1", item_count=3)
    make_transaction(order_id="OD-1", amount_minor=-3 * 3800)
    for item in ("ONE", "TWO", "OWN"):
        given = {"refund_expire_at": SOON, "valid_until": SOON, "passenger_name": HOSTILE}
        make_item("OD-1", order_item_id=item, **given)
    with storage.writing() as session:
        session.get_one(Contract, "CT-1").refund_limit_minor = 0
    request("ONE", "TWO", now=datetime.now(UTC), note="*Gate* closed")


def refund_of(item: str) -> Refund:
    with storage.reading() as session:
        return session.query(Refund).filter_by(order_item_id=item).one()


def statuses() -> dict[str, str]:
    with storage.reading() as session:
        return {one.order_item_id: one.status for one in session.scalars(select(Refund))}


def decide(verb: str, *items: str) -> AppTest:
    """Select refunds and open the dialog."""
    page = open_page("refunds")
    page = grid_says(
        page, place="refunds", view={}, selected=[refund_of(one).refund_id for one in items]
    )
    page.button(key=f"{verb}_refunds").click().run()
    assert not page.exception
    return page


def confirm(page: AppTest, note: str = "") -> AppTest:
    page.text_input(key="approval_note").input(note)
    page.button(key="approval_confirm").click().run()
    assert not page.exception
    return page


def links(page: AppTest) -> list[str]:
    return [str(link.proto.label) for link in page.get("page_link")]


def test_the_dialog_lists_what_waits_and_approves_it_and_the_header_counts_again_at_once() -> None:
    page = decide("approve", "ONE")
    assert "2 to approve" in links(page)
    assert "**1** of 1 will be approved. The money is paid back." in texts(page)
    assert "Total **38.00 EUR**" in texts(page)
    (listed,) = values(page, "table")
    assert listed.iloc[0].to_dict() | {"Requested Date": ""} == {
        "Order Item ID": "ONE",
        "Contract ID": "CT-1",
        "Product": "Aspire Lounge",
        "Passenger": plain(HOSTILE),
        "Amount": "38.00 EUR",
        "Reason": "Goodwill",
        "Note": plain("*Gate* closed"),
        "Requested By": AGENT.email,
        "Requested Date": "",
    }
    page = confirm(page, "Fine")
    assert ":material/check_circle: **1** approved" in texts(page)
    assert "1 to approve" in links(page)
    assert statuses() == {"ONE": "succeeded", "TWO": "waiting"}
    assert refund_of("ONE").decision_note == "Fine"
    page.button(key="approval_done").click().run()
    assert ":material/check_circle:" not in texts(page)
    page = confirm(decide("approve", "TWO"))
    assert not [label for label in links(page) if "approve" in label]


def test_the_link_in_the_header_opens_what_waits() -> None:
    page = open_page("orders")
    (link,) = [one for one in page.get("page_link") if one.proto.label == "2 to approve"]
    asked = dict(part.split("=") for part in link.proto.query_string.split("&"))
    page = open_page("refunds", view=asked["view"])
    assert chips(page) == ["Status is Waiting"]
    assert "**2** refunds" in texts(page)


def test_a_refund_is_declined_only_with_a_note_that_the_requester_reads() -> None:
    page = confirm(decide("decline", "ONE", "TWO"))
    assert [one.value for one in page.error] == ["Write in the note why the refund is declined."]
    assert set(statuses().values()) == {"waiting"}
    page = confirm(page, "Not agreed")
    assert ":material/block: **2** declined" in texts(page)
    assert "Their vouchers are valid again, unless they have expired." in texts(page)
    assert set(statuses().values()) == {"declined"}
    with storage.reading() as session:
        (mail,) = session.scalars(select(Delivery))
    assert (mail.recipient, mail.message, mail.item_count) == (AGENT.email, "Not agreed", 2)


def test_a_second_click_decides_once() -> None:
    page = decide("approve", "ONE")
    deciding = page.session_state["approval_dialog_refunds"]
    confirm(page)
    page.session_state["approval_dialog_refunds"] = type(deciding)(
        is_approval=True, refund_ids=deciding.refund_ids, selected=1, key=deciding.key
    )
    page.run()  # as if the answer was lost
    assert "**0** of 1 will be approved." in texts(page)
    assert "The money is paid back." not in texts(page)
    assert page.button(key="approval_confirm").disabled
    with storage.reading() as session:
        assert len(session.scalars(select(RefundDecision)).all()) == 1


def test_nobody_decides_about_their_own_request(admin: Actor) -> None:
    refunds.request(["OWN"], reason="goodwill", key="own", actor=admin, now=datetime.now(UTC))
    page = decide("approve", "OWN", "ONE")
    assert "2 to approve" in links(page)  # without their own
    assert "You asked for 1 of these refunds. Another person has to decide on them." in texts(page)
    assert page.button(key="approval_confirm").label == "Approve 1 refund"
    page = confirm(page)
    assert "You asked for this refund yourself. Another person has to decide." in str(
        values(page, "table")[0]["Why"].tolist()
    )
    assert statuses() == {"ONE": "succeeded", "TWO": "waiting", "OWN": "waiting"}


def test_what_another_person_decided_meanwhile_stays_as_it_is() -> None:
    page = decide("approve", "ONE")
    asked: dict[str, Any] = {
        "key": "other",
        "actor": make_actor(Role.ADMIN),
        "now": datetime.now(UTC),
    }
    refunds.decline([refund_of("ONE").refund_id], note="No", **asked)
    page = confirm(page)
    assert values(page, "table")[0]["Why"].tolist() == [
        "It no longer waits for approval, or you have no access to it."
    ]
    assert statuses()["ONE"] == "declined"


def test_the_request_of_someone_inactive_is_declined_in_words() -> None:
    page = decide("approve", "ONE")
    take_away(AGENT, is_active=False)
    with storage.writing() as session:
        session.execute(update(User).where(User.email == AGENT.email).values(name="Ana Ruiz"))
    page = confirm(page)
    assert ":material/block: **1** declined" in texts(page)
    (why,) = values(page, "table")[0]["Why"].tolist()
    assert why == "Ana Ruiz asked for it and is no longer active, so it was declined."
    assert statuses()["ONE"] == "declined"


def test_what_does_not_wait_is_counted_and_nothing_can_be_sent() -> None:
    confirm(decide("approve", "ONE"))
    page = decide("decline", "ONE")
    assert "**0** of 1 will be declined" in texts(page)
    assert "1 of the selected refunds does not wait for approval." in texts(page)
    assert page.button(key="approval_confirm").disabled


def test_the_buttons_need_a_selection() -> None:
    page = open_page("refunds")
    for verb in ("approve", "decline"):
        assert page.button(key=f"{verb}_refunds").disabled
    assert page.button(key="approve_refunds").help == "Select refunds that wait for approval"


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("asked", [{}, {"order": "OD-1", "tab": "Refunds"}], ids=["page", "order"])
def test_accountants_and_admins_are_asked_and_no_one_else(
    role: Role, asked: dict[str, str]
) -> None:
    with storage.writing() as session:
        session.get_one(User, LOCAL_USER_ID).role = role
    page = open_page("order" if asked else "refunds", **asked)
    assert not page.exception
    decides = role in (Role.ACCOUNTANT, Role.ADMIN)
    assert ({"Approve", "Decline"} <= {one.label for one in page.button}) == decides
    assert ("2 to approve" in links(page)) == decides


def test_whoever_loses_the_right_while_the_dialog_is_open_changes_nothing() -> None:
    page = decide("approve", "ONE")
    with storage.writing() as session:
        session.get_one(User, LOCAL_USER_ID).role = Role.AGENT
    page = confirm(page)
    assert not [one for one in page.button if one.key == "approval_confirm"]
    assert statuses()["ONE"] == "waiting"
    with storage.reading() as session:
        refused = select(AuditEvent.action).where(AuditEvent.action == "approve.refused")
        assert session.scalar(refused)


@pytest.mark.parametrize(("page_file", "selected"), [("orders", "OD-1"), ("order_items", "OWN")])
def test_a_refund_above_the_limit_asks_for_approval_wherever_it_is_requested(
    page_file: str, selected: str
) -> None:
    page = grid_says(open_page(page_file), place=page_file, view={}, selected=[selected])
    page.button(key=f"refund_{page_file}").click().run()
    assert "**1** needs the approval of a second person" in texts(page)
    assert page.button(key="refund_confirm").label == "Ask for approval"
    page.selectbox(key="refund_reason").select("goodwill")
    page.button(key="refund_confirm").click().run()
    assert not page.exception
    assert "**1 item** waiting for approval: 38.00 EUR" in texts(page).replace("\\", "")
    assert statuses()["OWN"] == "waiting"
    assert "2 to approve" in links(page)  # nobody approves their own
