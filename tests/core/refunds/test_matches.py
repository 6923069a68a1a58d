"""Refunds made by hand at the provider: found, matched with an item, or dismissed."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from core import storage
from core.access import Actor
from core.ground import InvalidInput, NotFound, NotPermitted, Refused, Role
from core.refunds import dismiss_refund, find_unmatched, mark_as_returned, match_refund, settle_due
from core.refunds.gateway import Succeeded, Unknown
from core.storage import AuditEvent, ProviderRefund
from tests.conftest import NOW
from tests.core.books import check_books
from tests.core.refunds.refund_races import at_once
from tests.core.refunds.refund_rows import (
    AGENT,
    FakeGateway,
    by_card,
    get_balance,
    get_item,
    get_refund,
    ledger,
    make_card_order,
    make_refundable,
    request,
    settings,
)
from tests.core.refunds.returned import TOMORROW, made, paid, returned_item, unmatched_items
from tests.rows import make_actor, make_order

MINUTE = timedelta(minutes=1)


@pytest.fixture
def items(database: str) -> Iterator[list[str]]:
    with settings(stripe_api_key="sk_test_x"):
        yield unmatched_items()
        check_books()


def references() -> list[str]:
    return [one.reference for one in find_unmatched("OD-2", actor=AGENT)]


def actions() -> list[str]:
    with storage.reading() as session:
        return list(session.scalars(select(AuditEvent.action).order_by(AuditEvent.event_id)))


def test_an_unmatched_refund_stops_a_request_with_a_reason_and_nothing_is_paid(
    items: list[str],
) -> None:
    refund = get_refund(items[0])
    assert refund.status == "failed"
    assert "re_hand, 38.00 EUR" in str(refund.failure)
    assert get_item(items[0]).status == "not_used"
    (found,) = find_unmatched("OD-2", actor=AGENT)
    assert find_unmatched(actor=AGENT) == [found]
    assert found.order_id == "OD-2"
    assert (found.reference, found.payment_reference) == ("re_hand", "pi_1")
    assert [one.order_item_id for one in found.candidates] == items[:2]


@pytest.mark.both_databases
def test_a_matched_refund_becomes_the_refund_of_its_item(items: list[str]) -> None:
    match_refund("re_hand", items[1], note=" by Ana ", actor=AGENT, now=NOW)
    refund = get_refund(items[1])
    assert (refund.status, refund.external_reference, refund.note) == (
        "succeeded",
        "re_hand",
        "by Ana",
    )
    assert get_item(items[1]).status == "refunded"
    assert ledger(items[1]) == [("succeeded", 3800)]
    assert (get_balance(), references()) == (0, [])
    assert "refund.matched" in actions()


def test_after_the_match_the_other_items_are_refunded(items: list[str]) -> None:
    gateway = FakeGateway(Succeeded("re_2"))
    gateway.paid = paid(made())
    request(items[0], key="too early", now=TOMORROW, gateways=by_card(gateway))
    assert gateway.asked == []  # the negative control
    match_refund("re_hand", items[1], note=None, actor=AGENT, now=TOMORROW)
    request(items[0], key="after", now=TOMORROW, gateways=by_card(gateway))
    assert get_item(items[0]).status == "refunded"
    assert len(gateway.asked) == 1


def test_a_match_reuses_the_failed_refund_of_the_item(items: list[str]) -> None:
    before = get_refund(items[0]).refund_id
    match_refund("re_hand", items[0], note=None, actor=AGENT, now=NOW)
    assert get_refund(items[0]).refund_id == before
    assert ledger(items[0]) == [("failed", 3800), ("succeeded", 3800)]


def test_a_dismissed_refund_no_longer_stops_other_refunds(items: list[str]) -> None:
    dismiss_refund("re_hand", note="of another shop", actor=AGENT, now=NOW)
    assert references() == []
    gateway = FakeGateway(Succeeded("re_2"))
    gateway.paid = paid(made())
    request(items[0], key="after", now=TOMORROW, gateways=by_card(gateway))
    assert get_item(items[0]).status == "refunded"
    assert "provider_refund.dismissed" in actions()


@pytest.mark.both_databases
def test_each_unmatched_refund_is_decided_once(items: list[str]) -> None:
    match_refund("re_hand", items[1], note=None, actor=AGENT, now=NOW)
    with pytest.raises(Refused, match="already matched or dismissed"):
        match_refund("re_hand", items[0], note=None, actor=AGENT, now=NOW)
    with pytest.raises(Refused, match="already matched or dismissed"):
        dismiss_refund("re_hand", note="no", actor=AGENT, now=NOW)
    assert get_item(items[0]).status == "not_used"


@pytest.mark.parametrize("note", [None, "", "  "])
def test_dismissing_needs_a_note(items: list[str], note: str | None) -> None:
    with pytest.raises(InvalidInput, match="Write in the note"):
        dismiss_refund("re_hand", note=note, actor=AGENT, now=NOW)
    assert references() == ["re_hand"]


def test_a_long_note_is_refused(items: list[str]) -> None:
    with pytest.raises(InvalidInput, match="at most 1,000"):
        match_refund("re_hand", items[1], note="x" * 1_001, actor=AGENT, now=NOW)
    assert references() == ["re_hand"]


def test_an_item_of_another_price_or_order_is_not_matched(items: list[str]) -> None:
    with pytest.raises(Refused, match=r"38\.00 EUR, which is not the item's price"):
        match_refund("re_hand", items[2], note=None, actor=AGENT, now=NOW)
    make_order("OD-3")
    other = make_refundable("OD-3")
    with pytest.raises(NotFound):
        match_refund("re_hand", other, note=None, actor=AGENT, now=NOW)
    assert references() == ["re_hand"]


def test_a_refunded_item_is_not_matched(items: list[str]) -> None:
    gateway = FakeGateway(Succeeded("re_2"))
    request(items[1], key="other", gateways=by_card(gateway))
    with pytest.raises(Refused, match="refunded already"):
        match_refund("re_hand", items[1], note=None, actor=AGENT, now=NOW)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ACCOUNTANT])
def test_matching_and_dismissing_need_the_right_to_refund(items: list[str], role: Role) -> None:
    actor = make_actor(role, sees_all_contracts=True)
    for decide in (
        lambda: match_refund("re_hand", items[1], note=None, actor=actor, now=NOW),
        lambda: dismiss_refund("re_hand", note="no", actor=actor, now=NOW),
    ):
        with pytest.raises(NotPermitted):
            decide()
    assert references() == ["re_hand"]
    assert actions().count("refund.refused") == 2


def test_an_unmatched_refund_of_another_contract_is_not_found(items: list[str]) -> None:
    stranger: Actor = make_actor(Role.AGENT, contracts=frozenset({"CT-9"}))
    assert find_unmatched("OD-2", actor=stranger) == []
    assert find_unmatched(actor=stranger) == []
    with pytest.raises(Refused, match="no access"):
        match_refund("re_hand", items[1], note=None, actor=stranger, now=NOW)
    with pytest.raises(Refused, match="no access"):
        dismiss_refund("re_hand", note="no", actor=stranger, now=NOW)


@pytest.mark.parametrize("reference", ["", "re_none", "re\x00hand", "re_\ud800"])
def test_an_unknown_reference_is_refused(items: list[str], reference: str) -> None:
    with pytest.raises(Refused):
        match_refund(reference, items[1], note=None, actor=AGENT, now=NOW)


def test_an_attempt_that_may_have_been_paid_waits_for_the_match(database: str) -> None:
    """Its outcome is unknown, and a person refunds by hand: nothing more is paid."""
    with settings(stripe_api_key="sk_test_x"):
        make_card_order("OD-2")
        item = make_refundable("OD-2")
        gateway = FakeGateway(Unknown("Nobody answers."))
        request(item, gateways=by_card(gateway))
        gateway.paid = paid(made())
        assert settle_due(now=NOW + MINUTE, gateways=by_card(gateway)) == 1
        assert len(gateway.asked) == 1
        assert get_refund(item).status == "processing"
        match_refund("re_hand", item, note=None, actor=AGENT, now=NOW + MINUTE)
        assert (get_item(item).status, get_refund(item).status) == ("refunded", "succeeded")
        assert settle_due(now=TOMORROW, gateways=by_card(gateway)) == 0
        check_books()


@pytest.mark.both_databases
def test_an_item_is_not_matched_while_its_refund_is_being_requested(database: str) -> None:
    """Otherwise a worker that has finished its look-up would pay a second time."""

    class Matching(FakeGateway):
        refused = ""

        def refund(self, job):  # type: ignore[no-untyped-def]
            with pytest.raises(Refused) as refusal:
                match_refund("re_hand", job.order_item_id, note=None, actor=AGENT, now=NOW)
            self.refused = str(refusal.value)
            return super().refund(job)

    with settings(stripe_api_key="sk_test_x"):
        make_card_order("OD-2")
        item = make_refundable("OD-2")
        with storage.writing() as session:
            about = {"order_id": "OD-2", "contract_id": "CT-1", "currency": "EUR"}
            found = {"reference": "re_hand", "payment_reference": "pi_1", "amount_minor": 3800}
            session.add(ProviderRefund(**about, **found, found_at=NOW))
        gateway = Matching(Succeeded("re_1"))
        request(item, gateways=by_card(gateway))
        assert "being refunded right now" in gateway.refused
        assert (get_item(item).status, get_refund(item).external_reference) == ("refunded", "re_1")
        assert references() == ["re_hand"]
        check_books()


@pytest.fixture
def asked_item(items: list[str]) -> str:
    """Request the refund of another item; its outcome is not known yet."""
    gateway = FakeGateway(Unknown("Nobody answers."))
    request(items[1], key="asked", gateways=by_card(gateway))
    assert len(gateway.asked) == 1
    return items[1]


def test_an_item_whose_own_refund_may_have_been_paid_is_not_matched_with_another(
    asked_item: str,
) -> None:
    """Otherwise its own refund is never looked up, and the money is paid twice."""
    with pytest.raises(Refused, match="try again in a minute"):
        match_refund("re_hand", asked_item, note=None, actor=AGENT, now=NOW)
    gateway = FakeGateway(Unknown("Nobody answers."))
    own = made("re_own", key="x:1", order_item_id=asked_item)
    gateway.paid = paid(made(), own)
    settle_due(now=NOW + MINUTE, gateways=by_card(gateway))
    assert get_refund(asked_item).external_reference == "re_own"
    assert references() == ["re_hand"]


def test_an_item_is_matched_after_a_look_up_found_the_other_refund(asked_item: str) -> None:
    gateway = FakeGateway(Unknown("Nobody answers."))
    gateway.paid = paid(made())
    settle_due(now=NOW + MINUTE, gateways=by_card(gateway))
    match_refund("re_hand", asked_item, note=None, actor=AGENT, now=NOW + MINUTE)
    assert (get_refund(asked_item).status, get_item(asked_item).status) == ("succeeded", "refunded")


def test_a_late_answer_to_an_attempt_before_the_match_changes_nothing(database: str) -> None:
    """The item is matched while a worker still checks the returned refund."""
    with settings(stripe_api_key="sk_test_x"):
        item = returned_item()
        before = get_refund(item)
        with storage.writing() as session:
            about = {"order_id": "OD-2", "contract_id": "CT-1", "currency": "EUR"}
            found = {"reference": "re_hand", "payment_reference": "pi_1", "amount_minor": 3800}
            session.add(ProviderRefund(**about, **found, found_at=NOW))
        match_refund("re_hand", item, note=None, actor=AGENT, now=TOMORROW)
        with storage.writing() as session:
            why, at = "The bank returned the money: late.", TOMORROW
            assert (
                mark_as_returned(session, before.refund_id, before.attempt, why=why, at=at) is None
            )
        assert get_item(item).status == "refunded"
        check_books()


@pytest.mark.both_databases
def test_only_one_of_two_parallel_matches_of_a_refund_succeeds(items: list[str]) -> None:
    def decide(number: int) -> str:
        try:
            match_refund("re_hand", items[number], note=None, actor=AGENT, now=NOW)
        except Refused as refusal:
            return str(refusal)
        return "matched"

    said = at_once(2, decide)
    assert said.count("matched") == 1
    assert [get_item(one).status for one in items[:2]].count("refunded") == 1


def test_a_wrongly_imported_return_is_not_paid_twice(database: str) -> None:
    """An import says that the bank returned the refund, but the provider does not."""
    with settings(stripe_api_key="sk_test_x"):
        item = returned_item()
        gateway = FakeGateway(Succeeded("re_2"))
        gateway.paid = paid(made("re_1", key="x:1", order_item_id=item))
        request(item, key="again", now=TOMORROW, gateways=by_card(gateway))
        assert gateway.asked == []
        assert get_refund(item).external_reference == "re_1"
        assert get_item(item).status == "refunded"
        check_books()
