"""Leases: refunds of killed and slow workers are requested once more, and settled once."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from core import storage, worker
from core.ground import Method
from core.refunds import settle_due
from core.refunds.gateway import Failed, Outcome, PaymentAtProvider, RefundJob, Unknown
from core.storage import Refund
from tests.conftest import NOW
from tests.core.refunds.outcomes import A_MINUTE, BEFORE_LEASE_ENDS, DECLINED, DONE, NO_ANSWER
from tests.core.refunds.refund_rows import (
    FakeGateway,
    Killed,
    by_card,
    get_balance,
    get_item,
    get_refund,
    ledger,
    make_paid_order,
    make_refundable,
    request,
)


@pytest.mark.both_databases
def test_refunds_claimed_by_a_killed_process_are_requested_after_the_lease(card_item: str) -> None:
    gateway = FakeGateway(Killed(), DONE)
    with pytest.raises(Killed):
        request(card_item, gateways=by_card(gateway))
    assert get_item(card_item).status == "refund_requested"
    assert settle_due(now=NOW + BEFORE_LEASE_ENDS, gateways=by_card(gateway)) == 0
    assert settle_due(now=NOW + A_MINUTE, gateways=by_card(gateway)) == 1
    assert [job.was_asked for job in gateway.asked] == [False, True]
    assert get_item(card_item).status == "refunded"
    answer = request(card_item, gateways=by_card(gateway))  # the person repeats the request
    assert [one.order_item_id for one in answer.requested] == [card_item]
    assert ledger(card_item) == [("succeeded", 3800)]


class SlowGateway(FakeGateway):
    """A gateway during whose work another worker looks for due refunds."""

    def __init__(self, other: FakeGateway, moment: datetime) -> None:
        super().__init__(DONE)
        self.other, self.moment, self.found = other, moment, list[int]()

    def refund(self, job: RefundJob) -> Outcome:
        self.found.append(settle_due(now=self.moment, gateways=by_card(self.other)))
        return super().refund(job)


@pytest.mark.both_databases
def test_a_leased_refund_is_not_requested_by_another_worker(card_item: str) -> None:
    other = FakeGateway(DONE)
    slow = SlowGateway(other, NOW + BEFORE_LEASE_ENDS)
    request(card_item, gateways=by_card(slow))
    assert (slow.found, other.asked) == ([0], [])


@pytest.mark.both_databases
@pytest.mark.parametrize("said", [DONE, DECLINED, NO_ANSWER], ids=["done", "declined", "unknown"])
def test_an_answer_after_the_lease_is_recorded_once(card_item: str, said: Outcome) -> None:
    """The first recorded answer stays; a later answer to the same attempt changes nothing."""
    slow = SlowGateway(FakeGateway(said), NOW + A_MINUTE)
    request(card_item, gateways=by_card(slow))
    assert slow.found == [1]
    status = {DONE: "refunded", DECLINED: "not_used", NO_ANSWER: "refunded"}[said]
    entered = "failed" if said is DECLINED else "succeeded"
    assert (get_item(card_item).status, ledger(card_item)) == (status, [(entered, 3800)])


@pytest.mark.both_databases
def test_the_worker_finishes_what_a_killed_process_left(database: str) -> None:
    now = datetime.now(UTC)
    make_paid_order("OD-1")
    later = now + timedelta(days=1)
    item = make_refundable("OD-1", refund_expire_at=later, valid_until=later)
    killed = {Method.BALANCE: FakeGateway(Killed())}
    with pytest.raises(Killed):
        request(item, now=now - timedelta(minutes=2), gateways=killed)
    with worker.working():
        give_up = time.monotonic() + 10
        while get_item(item).status != "refunded" and time.monotonic() < give_up:
            threading.Event().wait(0.02)
    assert (get_item(item).status, get_balance()) == ("refunded", 3800)
    assert "worker" not in [thread.name for thread in threading.enumerate()]


def test_a_refund_that_was_closed_during_its_look_up_is_not_requested(card_item: str) -> None:
    class Late(FakeGateway):
        def look_up(self, job: RefundJob) -> PaymentAtProvider | Failed | Unknown | None:
            with storage.writing() as session:
                session.execute(update(Refund).values(status="succeeded"))
            return super().look_up(job)

    gateway = Late(DONE)
    request(card_item, gateways=by_card(gateway))
    assert gateway.asked == []


@pytest.mark.parametrize("late", [DECLINED, NO_ANSWER], ids=["declined", "unknown"])
def test_a_late_failure_is_ignored_while_another_worker_requests(
    card_item: str, late: Outcome
) -> None:
    """The other worker may be paying now."""

    class Overtaken(FakeGateway):
        def look_up(self, job: RefundJob) -> PaymentAtProvider | Failed | Unknown | None:
            with storage.writing() as session:  # another worker, after the lease
                taken = update(Refund).values(lease_until=NOW + A_MINUTE * 9, asked_at=NOW)
                session.execute(taken)
            return late if isinstance(late, Failed | Unknown) else None

    request(card_item, gateways=by_card(Overtaken(DONE)))
    refund = get_refund(card_item)
    assert (refund.status, refund.lease_until) == ("processing", NOW + A_MINUTE * 9)
    assert get_item(card_item).status == "refund_requested"
