"""An item whose refund the bank returned is refunded again exactly once."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from core import refunds, storage
from core.ground import RefundStatus
from core.refunds import settle_due
from core.refunds.gateway import ProviderStatus
from core.storage import Refund, RefundBatch
from tests.conftest import NOW
from tests.core.books import check_books
from tests.core.refunds.refund_races import at_once
from tests.core.refunds.refund_rows import (
    AGENT,
    by_card,
    get_item,
    get_refund,
    make_card_order,
    make_refundable,
    request,
    settings,
)
from tests.core.refunds.silent_bank import (
    A_DAY,
    AN_HOUR,
    BACK,
    LONG_AFTER,
    PAID,
    PAID_AGAIN,
    Bank,
    entries,
    look,
)

THREADS = 32


@pytest.fixture
def bank() -> Bank:
    return Bank()


@pytest.fixture
def item(database: str, bank: Bank) -> Iterator[str]:
    """Refund an item that was paid by card."""
    make_card_order("OD-2", reference="pi_1")
    with settings(stripe_api_key="sk_test_x"):
        item = make_refundable("OD-2", passenger_email="zoe@mail.example")
        request(item, key="first", gateways=by_card(bank))
        assert get_item(item).status == "refunded"
        yield item


@pytest.fixture
def returned(item: str, bank: Bank) -> str:
    """Let the bank return the money, and check the refund."""
    bank.give_back("re_0")
    assert look(bank, NOW + AN_HOUR) == 1
    assert get_item(item).status == "refund_requested"
    return item


def test_a_returned_item_is_paid_again_long_after_the_deadline(returned: str, bank: Bank) -> None:
    before = get_refund(returned)
    answer = request(returned, key="again", now=LONG_AFTER, gateways=by_card(bank))
    assert [one.order_item_id for one in answer.requested] == [returned]
    refund = get_refund(returned)  # the same row
    assert (refund.refund_id, refund.attempt, refund.status) == (before.refund_id, 2, "succeeded")
    assert (refund.failure, refund.external_reference) == (None, "re_1")
    assert (get_item(returned).status, get_item(returned).refunded_at) == ("refunded", LONG_AFTER)
    assert [job.key for job in bank.asked] == [f"{refund.refund_id}:{one}" for one in (1, 2)]
    assert entries(returned) == [PAID, BACK, PAID_AGAIN]
    assert bank.paid_in_all == 3800
    assert refund.next_look_at == LONG_AFTER + AN_HOUR  # it is checked like any refund
    check_books()


def test_an_item_past_its_deadline_is_refused_otherwise(item: str, bank: Bank) -> None:
    """A negative control: only a return suspends the deadline."""
    sold = make_refundable("OD-2", price_minor=100)
    for one in (item, sold):
        answer = request(one, key=one, now=LONG_AFTER, gateways=by_card(bank))
        assert answer.requested == []


def test_a_retry_of_a_returned_refund_needs_the_right_to_refund(returned: str) -> None:
    stranger = replace(AGENT, contracts=frozenset({"CT-2"}))
    answer = request(returned, key="stranger", actor=stranger, now=LONG_AFTER, gateways={})
    assert answer.requested == []
    refund, status = get_refund(returned), get_item(returned).status
    assert (refund.status, refund.attempt, status) == ("failed", 1, "refund_requested")


def test_a_failed_retry_can_be_repeated(returned: str, bank: Bank) -> None:
    bank.payment("pi_1").is_captured = False
    for attempt in (2, 3):
        request(returned, key=f"{attempt}", now=LONG_AFTER, gateways=by_card(bank))
        refund = get_refund(returned)
        assert (refund.status, refund.attempt) == ("failed", attempt)
        assert "there is nothing to pay back" in str(refund.failure)
        assert get_item(returned).status == "refund_requested"
        check_books()
    bank.payment("pi_1").is_captured = True
    request(returned, key="4", now=LONG_AFTER, gateways=by_card(bank))
    assert (get_item(returned).status, bank.paid_in_all) == ("refunded", 3800)
    failed = ("refund", "failed", 3800, None)
    assert entries(returned) == [PAID, BACK, failed, failed, PAID_AGAIN]
    check_books()


def test_an_item_with_an_open_retry_is_not_refunded_again(returned: str, bank: Bank) -> None:
    bank.status = ProviderStatus.PENDING
    request(returned, key="2", now=LONG_AFTER, gateways=by_card(bank))
    assert get_refund(returned).status == "processing"
    answer = request(returned, key="3", now=LONG_AFTER, gateways=by_card(bank))
    assert [one.why for one in answer.outcomes] == ["A refund is in progress."]
    check_books()
    bank.change("re_1", ProviderStatus.SUCCEEDED)
    assert settle_due(now=LONG_AFTER + A_DAY, gateways=by_card(bank)) == 1
    assert (get_item(returned).status, bank.paid_in_all) == ("refunded", 3800)
    check_books()


def test_money_that_is_returned_twice_is_entered_twice(returned: str, bank: Bank) -> None:
    request(returned, key="2", now=LONG_AFTER, gateways=by_card(bank))
    bank.give_back("re_1", "the card has expired")
    assert look(bank, LONG_AFTER + AN_HOUR) == 1
    refund = get_refund(returned)
    assert (refund.status, refund.failed_after_success_at) == ("failed", LONG_AFTER + AN_HOUR)
    assert str(refund.failure).startswith("The bank returned the money: the card has expired.")
    assert get_item(returned).status == "refund_requested"
    assert entries(returned)[2:] == [PAID_AGAIN, ("adjustment", "succeeded", -3800, "re_1")]
    check_books()
    request(returned, key="3", now=LONG_AFTER + A_DAY, gateways=by_card(bank))
    assert (get_refund(returned).attempt, bank.paid_in_all) == (3, 3800)
    check_books()


@pytest.mark.both_databases
def test_parallel_clicks_and_retries_pay_once(returned: str, bank: Bank) -> None:
    answers = at_once(
        THREADS,
        lambda number: request(
            returned, key=f"key {number % 16}", now=LONG_AFTER, gateways=by_card(bank)
        ),
    )
    granted = {answer.batch_id for answer in answers if answer.requested}
    assert len(granted) == 1
    while settle_due(now=LONG_AFTER + A_DAY, gateways=by_card(bank)):
        pass
    assert (get_refund(returned).attempt, bank.paid_in_all) == (2, 3800)
    assert (get_item(returned).status, entries(returned)) == (
        "refunded",
        [PAID, BACK, PAID_AGAIN],
    )
    check_books()


def insert_another(item: str) -> None:
    """Insert a second refund of an item, as code without a guard would."""
    first = get_refund(item)
    kept = {column.key: getattr(first, column.key) for column in Refund.__table__.columns}
    other = {
        "refund_id": "R-2",
        "no": 9_999,
        "status": RefundStatus.REQUESTED,
        "external_reference": None,
    }
    with storage.writing() as session:
        session.add(Refund(**kept | other | {"failed_after_success_at": None}))


@pytest.mark.both_databases
def test_the_index_refuses_a_second_refund_while_one_is_returned(returned: str) -> None:
    with pytest.raises(IntegrityError):
        insert_another(returned)


@pytest.mark.both_databases
def test_without_its_condition_the_index_allows_a_second_refund(returned: str) -> None:
    with storage.writing() as session:
        session.execute(text("DROP INDEX ix_refunds_one_per_item"))
        session.execute(
            text(
                "CREATE UNIQUE INDEX ix_refunds_one_per_item ON refunds (order_item_id) "
                "WHERE status NOT IN ('failed', 'declined')"
            )
        )
    insert_another(returned)


def test_the_request_does_what_the_assessment_showed(returned: str, bank: Bank) -> None:
    """The dialog shows the result of the request before it is sent."""
    with settings(stripe_api_key="sk_test_x"):
        assessment = refunds.assess([returned], actor=AGENT, now=LONG_AFTER)
    assert [one.order_item_id for one in assessment.refundable] == [returned]
    assert assessment.totals == {"EUR": 3800}
    request(returned, key="again", now=LONG_AFTER, gateways=by_card(bank))
    after = refunds.assess([returned], actor=AGENT, now=LONG_AFTER)
    assert [str(line.refusal.sentence)[:15] for line in after.lines if line.refusal] == [
        "It was refunded"
    ]
    with storage.reading() as session:
        assert len(session.scalars(select(RefundBatch)).all()) == 2
