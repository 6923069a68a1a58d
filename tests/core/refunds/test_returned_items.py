"""Items whose refund the bank returned: an admin finds them and gives them back."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from core import storage
from core.access import Actor
from core.ground import InvalidInput, NotPermitted, Refused, Role
from core.refunds import find_returned, give_back
from core.refunds.gateway import Succeeded
from core.storage import AuditEvent
from tests.conftest import NOW
from tests.core.books import check_books
from tests.core.refunds.refund_rows import (
    AGENT,
    FakeGateway,
    by_card,
    get_item,
    get_refund,
    make_card_order,
    make_refundable,
    request,
    settings,
)
from tests.core.refunds.returned import TOMORROW, returned_item
from tests.rows import make_actor


@pytest.fixture
def item(database: str) -> Iterator[str]:
    with settings(stripe_api_key="sk_test_x"):
        yield returned_item()
        check_books()


@pytest.mark.both_databases
def test_a_returned_item_is_found_with_the_reason(item: str) -> None:
    (found,) = find_returned("OD-2", actor=AGENT)
    assert (found.order_item_id, found.amount_minor, found.currency) == (item, 3800, "EUR")
    assert found.noticed_at == TOMORROW
    assert "lost or stolen card" in found.why


def test_an_admin_gives_an_item_back_with_a_note(item: str, admin: Actor) -> None:
    assert give_back([item], note="Paid in cash", actor=admin, now=TOMORROW) == [item]
    refund = get_refund(item)
    assert get_item(item).status == "not_used"
    assert (refund.status, refund.decided_by, refund.decision_note) == (
        "failed",
        admin.email,
        "Paid in cash",
    )
    assert find_returned("OD-2", actor=AGENT) == []
    with storage.reading() as session:
        given = select(AuditEvent).where(AuditEvent.action == "order_item.given_back")
        assert session.scalars(given).one().order_id == "OD-2"


def test_an_item_that_was_given_back_can_be_refunded_again(item: str, admin: Actor) -> None:
    give_back([item], note="A mistake", actor=admin, now=TOMORROW)
    gateway = FakeGateway(Succeeded("re_2"))
    request(item, key="anew", now=TOMORROW, gateways=by_card(gateway))
    assert (get_item(item).status, get_refund(item).attempt) == ("refunded", 2)


@pytest.mark.both_databases
def test_an_item_is_given_back_once(item: str, admin: Actor) -> None:
    give_back([item], note="Once", actor=admin, now=TOMORROW)
    with pytest.raises(Refused, match="None of these items"):
        give_back([item], note="Twice", actor=admin, now=TOMORROW)


@pytest.mark.parametrize("note", [None, "", " \n"])
def test_giving_back_needs_a_note(item: str, admin: Actor, note: str | None) -> None:
    with pytest.raises(InvalidInput, match="Write in the note"):
        give_back([item], note=note, actor=admin, now=TOMORROW)
    assert get_item(item).status == "refund_requested"


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AGENT, Role.ACCOUNTANT])
def test_only_an_admin_gives_back(item: str, role: Role) -> None:
    actor = make_actor(role, sees_all_contracts=True)
    with pytest.raises(NotPermitted):
        give_back([item], note="No", actor=actor, now=TOMORROW)
    assert get_item(item).status == "refund_requested"


def test_an_item_of_another_contract_is_not_given_back(item: str) -> None:
    stranger = make_actor(Role.ADMIN, contracts=frozenset({"CT-9"}))
    assert find_returned("OD-2", actor=stranger) == []
    with pytest.raises(Refused):
        give_back([item], note="No", actor=stranger, now=TOMORROW)
    assert get_item(item).status == "refund_requested"


def test_an_item_whose_refund_is_in_progress_or_done_is_not_given_back(
    database: str, admin: Actor
) -> None:
    with settings(stripe_api_key="sk_test_x"):
        make_card_order("OD-2")
        done = make_refundable("OD-2")
        request(done, gateways=by_card(FakeGateway(Succeeded("re_1"))))
        with pytest.raises(Refused):
            give_back([done], note="No", actor=admin, now=NOW)
        assert get_item(done).status == "refunded"
