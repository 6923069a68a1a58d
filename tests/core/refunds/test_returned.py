"""Card refunds that the bank returns: found by a check, recorded once, and paid again."""

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from core import mail, storage, vouchers
from core.access import Actor
from core.ground import AppError
from core.refunds import get_results, look_again_due
from core.refunds.gateway import Failed, ProviderStatus, Unknown
from core.refunds.returned import LOOK_DELAYS
from core.storage import AuditEvent
from tests.conftest import NOW
from tests.core.books import check_books
from tests.core.refunds.refund_races import at_once
from tests.core.refunds.refund_rows import (
    AGENT,
    Killed,
    by_card,
    get_balance,
    get_item,
    get_refund,
    make_card_order,
    make_paid_order,
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

WHY = "The bank returned the money: closed account."


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


def test_a_refund_is_checked_for_35_days(item: str, bank: Bank) -> None:
    moments = []
    while (moment := get_refund(item).next_look_at) is not None:
        moments.append(moment)
        assert look(bank, moment - timedelta(seconds=1)) == 0
        assert look(bank, moment) == 1
        assert look(bank, moment) == 0
    days = [1, 3, 7, 14, 21, 35]
    assert moments == [NOW + AN_HOUR, *(NOW + one * A_DAY for one in days)]
    assert bank.looked_at == ["re_0"] * 7
    assert look(bank, LONG_AFTER) == 0
    assert (get_item(item).status, entries(item)) == ("refunded", [PAID])
    check_books()


def test_missed_checks_are_made_up_for_by_one(item: str, bank: Bank) -> None:
    assert look(bank, NOW + 8 * A_DAY) == 1
    assert get_refund(item).next_look_at == NOW + 14 * A_DAY
    assert look(bank, NOW + 100 * A_DAY) == 1
    assert get_refund(item).next_look_at is None


@pytest.mark.both_databases
@pytest.mark.parametrize("number", range(len(LOOK_DELAYS)))
def test_a_return_is_found_at_each_check(item: str, bank: Bank, number: int) -> None:
    for wait in LOOK_DELAYS[:number]:
        assert look(bank, NOW + wait) == 1
    bank.give_back("re_0")
    found_at = NOW + LOOK_DELAYS[number]
    assert look(bank, found_at) == 1
    refund, after = get_refund(item), get_item(item)
    assert (refund.status, refund.failure, refund.next_look_at) == ("failed", WHY, None)
    assert (refund.failed_after_success_at, refund.settled_at) == (found_at, found_at)
    assert (after.status, after.refunded_at) == ("refund_requested", None)
    assert entries(item) == [PAID, BACK]
    assert get_balance() == 0
    assert look(bank, LONG_AFTER) == 0
    check_books()


def test_a_return_is_in_the_audit_trail(returned: str) -> None:
    with storage.reading() as session:
        event = session.scalars(
            select(AuditEvent).where(AuditEvent.action == "refund.returned")
        ).one()
    assert (event.at, event.actor, event.order_id, event.contract_id) == (
        *(NOW + AN_HOUR, AGENT.email),
        *("OD-2", "CT-1"),
    )
    assert event.before == {"status": "succeeded"}
    assert event.after == {
        "status": "failed",
        "refund": f"R-{get_refund(returned).no}",
        "order_item_id": returned,
        "amount_minor": 3800,
        "currency": "EUR",
        "attempt": 1,
        "reference": "re_0",
        "failure": WHY,
        "product": "Aspire Lounge",
        "method": "card",
        "reason": "goodwill",
        "note": None,
    }


def test_the_results_of_the_request_show_the_return(returned: str) -> None:
    results = get_results(get_refund(returned).batch_id, actor=AGENT)
    [line] = results.frame.to_dict("records")
    assert (line["result"], line["why"]) == ("Not refunded", WHY)
    assert line["settled_at"] == NOW + AN_HOUR
    assert results.totals("refunded") == {}


def test_the_voucher_stays_void(returned: str, admin: Actor) -> None:
    with pytest.raises(AppError, match="refund"):
        vouchers.issue([returned], io.BytesIO(), file_format="pdf", actor=admin, now=NOW)
    to = ["zoe@mail.example"]
    with pytest.raises(AppError, match="refund"):
        mail.send([returned], to, message=None, key="mail", actor=admin, now=NOW)


def test_a_refund_that_the_provider_does_not_know_is_checked_as_planned(
    item: str, bank: Bank
) -> None:
    """With another account's key that is true for every refund, so it must not be hourly."""
    bank.said = Failed("Stripe does not show this refund.")
    assert look(bank, NOW + AN_HOUR) == 1
    assert get_refund(item).next_look_at == NOW + A_DAY
    assert (get_refund(item).status, get_item(item).status) == ("succeeded", "refunded")


SILENCES = [Unknown("Nobody answers."), OSError("oops")]


@pytest.mark.parametrize("said", SILENCES, ids=["silent", "breaks"])
def test_without_an_answer_the_check_is_repeated_every_hour(
    item: str, bank: Bank, said: Any
) -> None:
    bank.said = said
    for hours in (1, 2, 3):
        assert look(bank, NOW + hours * AN_HOUR) == 1
        assert get_refund(item).next_look_at == NOW + (hours + 1) * AN_HOUR
    assert (get_refund(item).status, get_item(item).status) == ("succeeded", "refunded")
    bank.said = None
    assert look(bank, NOW + 4 * AN_HOUR) == 1
    assert get_refund(item).next_look_at == NOW + A_DAY
    check_books()


def test_checks_without_an_answer_end_after_42_days(item: str, bank: Bank) -> None:
    bank.said = Unknown("Nobody answers.")
    assert look(bank, NOW + 42 * A_DAY - timedelta(seconds=1)) == 1
    last = get_refund(item).next_look_at
    assert last == NOW + 42 * A_DAY + AN_HOUR - timedelta(seconds=1)
    assert look(bank, last) == 1
    assert get_refund(item).next_look_at is None
    assert get_item(item).status == "refunded"


def test_a_pending_refund_is_checked_again(item: str, bank: Bank) -> None:
    """It has succeeded before; pending does not mean that it was returned."""
    bank.change("re_0", ProviderStatus.PENDING)
    assert look(bank, NOW + AN_HOUR) == 1
    assert (get_refund(item).status, get_refund(item).next_look_at) == ("succeeded", NOW + A_DAY)


@pytest.mark.both_databases
def test_parallel_workers_check_once(item: str, bank: Bank) -> None:
    bank.give_back("re_0")
    assert sum(at_once(8, lambda _: look(bank, NOW + AN_HOUR))) == 1
    assert bank.looked_at == ["re_0"]
    assert entries(item) == [PAID, BACK]
    check_books()


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("later", "found"), [(timedelta(seconds=59), 0), (timedelta(seconds=60), 1)]
)
def test_a_slow_check_is_recorded_once(item: str, later: timedelta, found: int) -> None:
    """Another worker finds nothing within the lease; after it, it checks too."""
    slow, other = Bank(), Bank()
    for one in (slow, other):
        one.make("pi_1", 3800)
        one.give_back("re_0")
    seen: list[int] = []
    slow.meanwhile = lambda: seen.append(look(other, NOW + AN_HOUR + later))
    assert look(slow, NOW + AN_HOUR) == 1
    assert seen == [found]
    assert entries(item) == [PAID, BACK]
    with storage.reading() as session:
        returns = select(AuditEvent).where(AuditEvent.action == "refund.returned")
        assert len(session.scalars(returns).all()) == 1
    check_books()


def test_a_late_answer_does_not_change_a_retry(item: str) -> None:
    """The item is refunded again while the first worker still waits for its answer."""
    slow, other = Bank(), Bank()
    for one in (slow, other):
        one.make("pi_1", 3800)
        one.give_back("re_0")

    def meanwhile() -> None:
        assert look(other, NOW + 2 * AN_HOUR) == 1
        request(item, key="again", now=NOW + 2 * AN_HOUR, gateways=by_card(other))

    slow.meanwhile = meanwhile
    assert look(slow, NOW + AN_HOUR) == 1
    refund = get_refund(item)
    assert (refund.status, refund.attempt, get_item(item).status) == ("succeeded", 2, "refunded")
    assert refund.next_look_at == NOW + 3 * AN_HOUR
    assert entries(item) == [PAID, BACK, PAID_AGAIN]
    check_books()


def test_a_worker_that_dies_before_recording_a_check_loses_nothing(item: str, bank: Bank) -> None:
    bank.give_back("re_0")
    bank.said = Killed()
    with pytest.raises(Killed):
        look(bank, NOW + AN_HOUR)
    assert (get_item(item).status, entries(item)) == ("refunded", [PAID])
    bank.said = None
    assert look(bank, NOW + AN_HOUR + timedelta(seconds=59)) == 0  # the lease still holds
    assert look(bank, NOW + AN_HOUR + timedelta(seconds=60)) == 1
    assert (get_item(item).status, entries(item)) == ("refund_requested", [PAID, BACK])
    check_books()


def test_one_return_does_not_hide_another(item: str, bank: Bank) -> None:
    other = make_refundable("OD-2", price_minor=100)
    request(other, key="other", gateways=by_card(bank))
    for reference in ("re_0", "re_1"):
        bank.give_back(reference)
    assert [look(bank, NOW + AN_HOUR) for _ in range(3)] == [1, 1, 0]
    assert {get_item(one).status for one in (item, other)} == {"refund_requested"}


def test_balance_refunds_are_never_checked(database: str, bank: Bank) -> None:
    make_paid_order("OD-1")
    item = make_refundable("OD-1")
    request(item, gateways=by_card(bank))
    assert get_item(item).status == "refunded"
    assert look(bank, LONG_AFTER) == 0
    assert get_refund(item).next_look_at is None


def test_without_a_card_gateway_nothing_is_checked(item: str) -> None:
    assert look_again_due(now=NOW + AN_HOUR, gateways={}) == 0
    assert get_refund(item).next_look_at == NOW + AN_HOUR
