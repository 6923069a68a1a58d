"""Refunds after a restore: what the provider paid since the backup is found and paid once."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from core import storage
from core.refunds import look_again_due, settle_due
from core.refunds.gateway import Outcome, ProviderStatus
from core.storage import ProviderRefund, is_unmatched
from tests.conftest import NOW
from tests.core.books import check_books
from tests.core.refunds.card_bank import BlindBank, CardBank
from tests.core.refunds.refund_races import UNSETTLED
from tests.core.refunds.refund_rows import (
    by_card,
    get_item,
    get_refund,
    ledger,
    make_card_order,
    make_refundable,
    request,
    settings,
)
from tests.core.upkeep.restoring import Backup, backup_of
from tests.rows import make_transaction

A_SECOND, TWO_DAYS = timedelta(seconds=1), timedelta(days=2)
MINE, OTHER = "OD-1-A", "OD-1-B"


@pytest.fixture
def backup(database: str, tmp_path: Path) -> Iterator[Backup]:
    """Store an order of two items, paid by card; yield the function that takes a backup."""
    make_card_order("OD-1", paid=2 * 3800, item_count=2)
    for item in (MINE, OTHER):
        make_refundable("OD-1", order_item_id=item)
    with settings(stripe_api_key="sk_test_x"), backup_of(database, tmp_path) as taken:
        yield taken


@pytest.fixture
def bank() -> CardBank:
    return CardBank()


def refund(bank: CardBank, item: str, key: str, now: datetime = NOW) -> None:
    request(item, key=key, now=now, gateways=by_card(bank))


def work(bank: CardBank, now: datetime) -> None:
    while settle_due(now=now, gateways=by_card(bank)):
        pass
    while look_again_due(now=now, gateways=by_card(bank)):
        pass


def restore(backup: Backup, bank: CardBank) -> None:
    """Restore the backup two days later, when the provider has forgotten the keys."""
    backup.put_back()
    bank.forget_keys()


def check_paid_once(bank: CardBank, item: str = MINE) -> None:
    assert bank.paid_for(item) == bank.paid_in_all == 3800
    assert get_item(item).status == "refunded"
    refund = get_refund(item)
    found = bank.find(str(refund.external_reference))
    assert (refund.status, found.is_active, found.order_item_id) == ("succeeded", True, item)
    check_books()


@pytest.mark.both_databases
@pytest.mark.parametrize("was_asked", [False, True], ids=["requested", "processing"])
def test_a_refund_requested_after_the_backup_is_adopted(
    backup: Backup, bank: CardBank, was_asked: bool
) -> None:
    request(MINE, gateways=UNSETTLED)
    if was_asked:  # no request arrived before the backup
        settle_due(now=NOW, gateways=by_card(Down()))
    backup.take()
    work(bank, NOW + timedelta(minutes=1))
    assert get_item(MINE).status == "refunded"
    restore(backup, bank)
    assert get_item(MINE).status == "refund_requested"
    work(bank, NOW + TWO_DAYS)
    assert len(bank.asked) == 1
    check_paid_once(bank)
    assert ledger(MINE) == [("succeeded", 3800)]


class Down(CardBank):
    """A provider that cannot be reached."""

    def look_up(self, job: object) -> None:
        raise OSError("Nobody answers.")


class Silent(CardBank):
    """A provider that lists its refunds, but never answers when it is asked to pay."""

    def refund(self, job: object) -> Outcome:
        raise OSError("Nobody answers.")


def test_without_the_look_up_a_restored_backup_pays_twice(backup: Backup) -> None:
    """Negative control: the test can fail."""
    bank = BlindBank()
    request(MINE, gateways=UNSETTLED)
    backup.take()
    work(bank, NOW)
    restore(backup, bank)
    work(bank, NOW + TWO_DAYS)
    assert bank.paid_for(MINE) == 2 * 3800


@pytest.mark.parametrize("later", [A_SECOND, TWO_DAYS], ids=["seconds later", "days later"])
def test_an_item_that_was_refunded_after_the_backup_is_adopted(
    backup: Backup, bank: CardBank, later: timedelta
) -> None:
    backup.take()
    refund(bank, MINE, "live")
    first = get_refund(MINE)
    backup.put_back()
    assert get_item(MINE).status == "not_used"
    refund(bank, MINE, "on the copy", NOW + later)
    assert len(bank.asked) == 1
    check_paid_once(bank)
    again = get_refund(MINE)
    assert again.refund_id != first.refund_id  # the backup does not know the first
    assert again.external_reference == first.external_reference


def test_a_refund_of_another_item_after_the_backup_stops_nothing(
    backup: Backup, bank: CardBank
) -> None:
    backup.take()
    refund(bank, OTHER, "live")
    restore(backup, bank)
    refund(bank, MINE, "mine", NOW + TWO_DAYS)
    assert (bank.paid_for(MINE), bank.paid_for(OTHER)) == (3800, 3800)
    assert (get_item(MINE).status, get_item(OTHER).status) == ("refunded", "not_used")
    check_books()
    refund(bank, OTHER, "the other", NOW + TWO_DAYS)
    assert bank.paid_in_all == 2 * 3800
    assert get_item(OTHER).status == "refunded"
    check_books()


def test_a_retry_that_was_paid_after_the_backup_is_adopted(backup: Backup, bank: CardBank) -> None:
    """During the backup the first attempt was in progress; it failed, and the second was paid."""
    bank.status = ProviderStatus.PENDING
    refund(bank, MINE, "first")
    backup.take()
    (first,) = bank.all_refunds
    bank.give_back(first.reference)
    work(bank, NOW + timedelta(hours=1))
    assert get_item(MINE).status == "not_used"
    bank.status = ProviderStatus.SUCCEEDED
    refund(bank, MINE, "again", NOW + timedelta(hours=2))
    restore(backup, bank)
    work(bank, NOW + TWO_DAYS)
    check_paid_once(bank)


def test_money_returned_after_the_backup_does_not_count_as_paid(
    backup: Backup, bank: CardBank
) -> None:
    refund(bank, MINE, "live")
    backup.take()
    bank.give_back(str(get_refund(MINE).external_reference))
    work(bank, NOW + timedelta(hours=1))
    refund(bank, MINE, "paid again", NOW + timedelta(hours=2))
    restore(backup, bank)
    work(bank, NOW + TWO_DAYS)
    assert get_item(MINE).status == "refund_requested"  # the return is found again
    refund(bank, MINE, "on the copy", NOW + TWO_DAYS)
    check_paid_once(bank)
    assert len(bank.asked) == 2


@pytest.mark.parametrize("end", [ProviderStatus.SUCCEEDED, ProviderStatus.ENDED])
def test_a_pending_refund_is_followed_to_its_end(
    backup: Backup, bank: CardBank, end: ProviderStatus
) -> None:
    backup.take()
    bank.status = ProviderStatus.PENDING
    refund(bank, MINE, "live")
    restore(backup, bank)
    refund(bank, MINE, "on the copy", NOW + TWO_DAYS)
    assert get_item(MINE).status == "refund_requested"
    bank.change(bank.all_refunds[0].reference, end, "closed account")
    bank.status = ProviderStatus.SUCCEEDED
    work(bank, NOW + TWO_DAYS + timedelta(hours=1))
    check_paid_once(bank)
    assert len(bank.asked) == (1 if end is ProviderStatus.SUCCEEDED else 2)


def read_to_match() -> list[tuple[str, str, int]]:
    with storage.reading() as session:
        rows = session.scalars(select(ProviderRefund).where(is_unmatched())).all()
        return [(one.reference, one.order_id, one.amount_minor) for one in rows]


def test_a_refund_made_by_hand_stops_the_request_with_a_reason(
    backup: Backup, bank: CardBank
) -> None:
    by_hand = bank.make("pi_1", 3800)
    for number in range(3):
        refund(bank, MINE, f"try {number}", NOW + number * A_SECOND)
        assert get_item(MINE).status == "not_used"
        assert str(get_refund(MINE).failure).startswith(
            "The card provider has a refund of this payment that Order Desk did not make: "
            f"{by_hand}, 38.00 EUR. Nothing was paid. "
        )
    assert bank.asked == []
    assert read_to_match() == [(by_hand, "OD-1", 3800)]
    check_books()


def test_the_request_continues_after_the_refund_is_matched_with_another_item(
    backup: Backup, bank: CardBank
) -> None:
    by_hand = bank.make("pi_1", 3800)
    refund(bank, MINE, "stopped")
    hold(by_hand)
    assert read_to_match() == []
    refund(bank, MINE, "goes on", NOW + A_SECOND)
    assert (bank.paid_for(MINE), bank.paid_in_all) == (3800, 2 * 3800)
    assert get_item(MINE).status == "refunded"


def hold(reference: str) -> None:
    """Enter the refund for the other item, as an import does."""
    given = {"order_item_id": OTHER, "order_id": "OD-1", "type": "refund", "method": "card"}
    make_transaction(amount_minor=3800, reference=reference, **given)


def test_an_attempt_that_may_have_been_paid_waits_until_it_is_matched(
    backup: Backup, bank: CardBank
) -> None:
    request(MINE, gateways=by_card(Silent()))
    by_hand = bank.make("pi_1", 3800)
    work(bank, NOW + timedelta(minutes=1))
    assert (get_refund(MINE).status, bank.asked) == ("processing", [])
    assert read_to_match() == [(by_hand, "OD-1", 3800)]
    hold(by_hand)
    work(bank, NOW + timedelta(hours=1))
    assert get_refund(MINE).status == "succeeded"
    assert (bank.paid_for(MINE), len(bank.asked)) == (3800, 1)


def test_a_refund_of_an_older_version_is_adopted_by_its_row(backup: Backup, bank: CardBank) -> None:
    """The metadata has only the key of the attempt."""
    request(MINE, gateways=by_card(Down()))
    made = bank.make("pi_1", 3800, key=f"{get_refund(MINE).refund_id}:1")
    work(bank, NOW + TWO_DAYS)
    assert (get_refund(MINE).external_reference, get_item(MINE).status) == (made, "refunded")
    assert (bank.asked, bank.paid_in_all) == ([], 3800)
    check_books()


def test_a_refund_of_an_older_version_without_its_row_must_be_matched(
    backup: Backup, bank: CardBank
) -> None:
    made = bank.make("pi_1", 3800, key="0192-gone:1")
    refund(bank, MINE, "stopped")
    assert (get_item(MINE).status, bank.asked) == ("not_used", [])
    assert read_to_match() == [(made, "OD-1", 3800)]


def test_after_an_older_attempt_is_adopted_another_item_is_refunded(
    backup: Backup, bank: CardBank
) -> None:
    """After an update: the refund of the other item is in progress and not stored yet."""
    request(OTHER, key="other", gateways=by_card(Down()))
    made = bank.make("pi_1", 3800, key=f"{get_refund(OTHER).refund_id}:1")
    work(bank, NOW + timedelta(hours=1))
    refund(bank, MINE, "mine", NOW + timedelta(hours=1))
    assert get_refund(OTHER).external_reference == made
    assert (get_item(MINE).status, bank.paid_in_all) == ("refunded", 2 * 3800)
    check_books()
