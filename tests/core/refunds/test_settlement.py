"""Paying back: outcomes are recorded once, and unknown outcomes are retried."""

from datetime import timedelta
from itertools import count, pairwise
from types import SimpleNamespace

import pytest
from sqlalchemy import select, update

from core import storage
from core.ground import Method
from core.refunds import get_results, settle_due, settlement
from core.refunds.gateway import Failed, RefundJob, Unknown
from core.refunds.gateways import BalanceGateway
from core.storage import AuditEvent, Refund
from tests.conftest import NOW
from tests.core.refunds.outcomes import A_MINUTE, DECLINED, DONE, NO_ANSWER
from tests.core.refunds.refund_rows import (
    A_SECOND,
    AGENT,
    FakeGateway,
    Killed,
    by_card,
    get_balance,
    get_item,
    get_refund,
    ledger,
    make_card_order,
    make_paid_order,
    make_refundable,
    request,
    settings,
)

A_DAY = timedelta(days=1)


def test_a_card_refund_asks_for_what_was_paid(card_item: str) -> None:
    gateway = FakeGateway(DONE)
    request(card_item, gateways=by_card(gateway))
    refund = get_refund(card_item)
    about = (refund.refund_id, 1, 3800, "EUR", "OD-2", card_item, "pi_1")
    assert gateway.asked == [RefundJob(*about, was_asked=False)]
    assert (refund.status, refund.external_reference, refund.settled_at) == (
        "succeeded",
        "re_1",
        NOW,
    )
    assert (get_item(card_item).status, ledger(card_item)) == ("refunded", [("succeeded", 3800)])
    assert get_balance() == 0  # the money went to the card


def test_a_failed_refund_frees_the_item_and_gives_the_reason(card_item: str) -> None:
    answer = request(card_item, gateways=by_card(FakeGateway(DECLINED)))
    assert [one.order_item_id for one in answer.requested] == [card_item]
    item = get_item(card_item)
    assert (item.status, item.refunded_at) == ("not_used", None)
    assert ledger(card_item) == [("failed", 3800)]
    lines = get_results(answer.batch_id, actor=AGENT).frame
    assert lines["result"].tolist() == ["Not refunded"]
    assert lines["why"].tolist() == ["Stripe refused the refund: this card is closed."]


def test_a_retry_is_the_same_refund_with_another_attempt(card_item: str) -> None:
    gateway = FakeGateway(DECLINED, DONE)
    first = request(card_item, key="1", gateways=by_card(gateway))
    second = request(
        card_item, key="2", now=NOW + A_MINUTE, reason="booked_twice", gateways=by_card(gateway)
    )
    refund = get_refund(card_item)  # one row
    assert (refund.attempt, refund.status, refund.failure) == (2, "succeeded", None)
    assert (refund.batch_id, refund.reason) == (second.batch_id, "booked_twice")
    assert [one.refund_id for one in first.outcomes] == [refund.refund_id]
    assert [one.refund_id for one in second.outcomes] == [refund.refund_id]
    keys = [f"{refund.refund_id}:1", f"{refund.refund_id}:2"]
    assert [job.key for job in gateway.asked] == keys
    assert [job.was_asked for job in gateway.asked] == [False, False]
    assert ledger(card_item) == [("failed", 3800), ("succeeded", 3800)]
    assert get_item(card_item).refunded_at == NOW + A_MINUTE


def test_a_retry_passes_the_rule_like_any_other(database: str) -> None:
    make_card_order("OD-2")
    item = make_refundable("OD-2", refund_expire_at=NOW)
    gateway = FakeGateway(DECLINED, DONE)
    with settings(stripe_api_key="sk_test_x"):
        request(item, key="1", gateways=by_card(gateway))
        late = request(item, key="2", now=NOW + A_SECOND, gateways=by_card(gateway))
    assert late.requested == []
    assert "Refund Expire Date has passed" in str(late.outcomes[0].why)
    assert (len(gateway.asked), get_refund(item).attempt) == (1, 1)


def test_an_unknown_outcome_is_asked_again_under_the_same_key(card_item: str) -> None:
    gateway = FakeGateway(NO_ANSWER, DONE)
    request(card_item, gateways=by_card(gateway))
    refund = get_refund(card_item)
    assert (refund.status, refund.settled_at, refund.failure) == (
        "processing",
        None,
        NO_ANSWER.why,
    )
    assert (get_item(card_item).status, ledger(card_item)) == ("refund_requested", [])
    assert refund.next_attempt_at is not None
    assert refund.next_attempt_at > NOW
    too_early = refund.next_attempt_at - A_SECOND
    assert settle_due(now=too_early, gateways=by_card(gateway)) == 0
    assert settle_due(now=refund.next_attempt_at, gateways=by_card(gateway)) == 1
    first, again = gateway.asked
    assert (first.was_asked, again.was_asked) == (False, True)
    assert again.key == first.key == f"{refund.refund_id}:1"
    assert (get_item(card_item).status, ledger(card_item)) == ("refunded", [("succeeded", 3800)])
    assert get_refund(card_item).failure is None


def test_an_unknown_outcome_can_become_a_failure(card_item: str) -> None:
    gateway = FakeGateway(NO_ANSWER, DECLINED)
    request(card_item, gateways=by_card(gateway))
    settle_due(now=NOW + A_MINUTE, gateways=by_card(gateway))
    assert (get_item(card_item).status, ledger(card_item)) == ("not_used", [("failed", 3800)])


def test_while_an_outcome_is_unknown_the_item_is_not_refunded_again(card_item: str) -> None:
    gateway = FakeGateway(NO_ANSWER, DONE)
    request(card_item, key="1", gateways=by_card(gateway))
    second = request(card_item, key="2", now=NOW + A_MINUTE, gateways=by_card(gateway))
    assert [one.why for one in second.outcomes] == ["A refund is in progress."]
    assert len(gateway.asked) == 1


def test_a_replay_does_not_retry_earlier_than_the_worker(card_item: str) -> None:
    gateway = FakeGateway(NO_ANSWER, DONE)
    answer = request(card_item, gateways=by_card(gateway))
    assert request(card_item, gateways=by_card(gateway)) == answer
    assert len(gateway.asked) == 1


def test_retries_become_rarer_but_never_stop(card_item: str) -> None:
    gateway = FakeGateway(NO_ANSWER)
    request(card_item, gateways=by_card(gateway))
    moments = [NOW]
    while moments[-1] < NOW + timedelta(hours=3):
        due_at = get_refund(card_item).next_attempt_at
        assert due_at is not None
        moments.append(due_at)
        assert settle_due(now=moments[-1], gateways=by_card(gateway)) == 1
    waits = [after - before for before, after in pairwise(moments)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (timedelta(seconds=5), timedelta(minutes=10))
    assert len({job.key for job in gateway.asked}) == 1


def test_the_first_retry_of_an_approved_refund_is_as_soon_as_of_another(card_item: str) -> None:
    request(card_item, gateways={})
    with storage.writing() as session:  # it waited for a day, until somebody approved it
        session.execute(update(Refund).values(decided_at=NOW + A_DAY, next_attempt_at=NOW + A_DAY))
    settle_due(now=NOW + A_DAY, gateways=by_card(FakeGateway(NO_ANSWER)))
    assert get_refund(card_item).next_attempt_at == NOW + A_DAY + timedelta(seconds=5)


def test_a_person_waits_once_for_all_their_requests(
    card_item: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = count(step=6)  # seconds: the provider takes that long for each refund
    monkeypatch.setattr(settlement, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    items = [card_item, *(make_refundable("OD-2") for _ in range(5))]
    batches = [request(one, key=one, gateways={}).batch_id for one in items]
    gateway = FakeGateway(*[DONE] * len(items))
    settlement.settle_batches(batches, now=NOW, gateways=by_card(gateway))
    assert 1 <= len(gateway.asked) <= 2
    while settle_due(now=NOW, gateways=by_card(gateway)):  # the worker
        pass
    assert len({job.key for job in gateway.asked}) == len(items)


def test_a_gateway_that_breaks_leaves_the_outcome_unknown(card_item: str) -> None:
    gateway = FakeGateway(ZeroDivisionError("oops"), DONE)
    request(card_item, gateways=by_card(gateway))
    assert (get_refund(card_item).status, get_item(card_item).status) == (
        "processing",
        "refund_requested",
    )
    assert "oops" not in str(get_refund(card_item).failure)
    settle_due(now=NOW + A_MINUTE, gateways=by_card(gateway))
    assert [job.was_asked for job in gateway.asked] == [False, True]
    assert get_item(card_item).status == "refunded"


def test_card_and_balance_refunds_use_their_own_gateways(card_item: str) -> None:
    make_paid_order("OD-1")
    by_balance = make_refundable("OD-1")
    request(card_item, by_balance, gateways=by_card(FakeGateway(DECLINED)))
    assert (get_item(card_item).status, get_item(by_balance).status) == ("not_used", "refunded")
    assert get_balance() == 3800


@pytest.mark.both_databases
def test_one_request_settles_every_card_refund_of_it(card_item: str) -> None:
    items = [card_item, *(make_refundable("OD-2", price_minor=one) for one in range(1, 9))]
    gateway = FakeGateway(DONE)
    request(*items, gateways=by_card(gateway))
    assert sorted(job.amount_minor for job in gateway.asked) == [*range(1, 9), 3800]
    assert {get_item(one).status for one in items} == {"refunded"}


def test_a_refund_without_a_gateway_stays_open(card_item: str) -> None:
    """A card refund stays unchanged if its gateway is no longer set up."""
    with pytest.raises(Killed):
        request(card_item, gateways=by_card(FakeGateway(Killed())))
    only_balance = {Method.BALANCE: BalanceGateway()}
    assert settle_due(now=NOW + timedelta(days=1), gateways=only_balance) == 0
    assert get_item(card_item).status == "refund_requested"


def test_the_audit_trail_has_every_step_of_a_refund(card_item: str) -> None:
    gateway = FakeGateway(NO_ANSWER, DECLINED, NO_ANSWER, DONE)
    moments = [NOW + timedelta(minutes=one) for one in range(4)]
    request(card_item, key="1", now=moments[0], gateways=by_card(gateway))
    settle_due(now=moments[1], gateways=by_card(gateway))
    request(card_item, key="2", note="Again.", now=moments[2], gateways=by_card(gateway))
    settle_due(now=moments[3], gateways=by_card(gateway))
    refund_id, named = get_refund(card_item).refund_id, f"R-{get_refund(card_item).no}"
    with storage.reading() as session:
        events = session.scalars(select(AuditEvent).order_by(AuditEvent.at)).all()
    assert [(event.at, event.action, event.entity_id) for event in events] == [
        (moments[0], "order_item.refund_requested", card_item),
        (moments[1], "refund.failed", refund_id),
        (moments[2], "order_item.refund_requested", card_item),
        (moments[3], "refund.succeeded", refund_id),
    ]
    assert {(event.actor, event.order_id, event.contract_id) for event in events} == {
        (AGENT.email, "OD-2", "CT-1")
    }
    requested, failed, again, done = [(event.before, event.after) for event in events]
    asked = {"refund_id": refund_id, "amount_minor": 3800, "currency": "EUR", "reason": "goodwill"}
    asked |= {"product": "Aspire Lounge", "refund": named}
    taken = {"status": "refund_requested"} | asked
    assert requested == ({"status": "not_used"}, taken | {"attempt": 1, "note": None})
    assert again == ({"status": "not_used"}, taken | {"attempt": 2, "note": "Again."})
    of_item = {"order_item_id": card_item, "amount_minor": 3800, "currency": "EUR"}
    of_item |= {"product": "Aspire Lounge", "method": "card", "reason": "goodwill"}
    of_item |= {"refund": named}
    why = {"status": "failed", "attempt": 1, "reference": None, "failure": DECLINED.why}
    assert failed == ({"status": "processing"}, of_item | why | {"note": None})
    paid = {"status": "succeeded", "attempt": 2, "reference": "re_1", "failure": None}
    assert done == ({"status": "processing"}, of_item | paid | {"note": "Again."})


def test_a_look_up_without_an_answer_is_not_a_request(card_item: str) -> None:
    """If the payment does not exist, the refund fails: nothing can have been paid."""
    gateway = FakeGateway(DONE)
    gateway.paid = Unknown("The card provider did not answer.")
    request(card_item, gateways=by_card(gateway))
    assert (get_refund(card_item).status, get_refund(card_item).asked_at) == ("processing", None)
    seen: list[bool] = []

    class Strict(FakeGateway):
        def look_up(self, job: RefundJob) -> Unknown | Failed:
            seen.append(job.was_asked)
            return Unknown("It may have been made.") if job.was_asked else Failed("No such payment")

    settle_due(now=NOW + A_MINUTE, gateways=by_card(Strict(DONE)))
    assert (seen, gateway.asked) == ([False], [])
    assert (get_refund(card_item).status, get_item(card_item).status) == ("failed", "not_used")
