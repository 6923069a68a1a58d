"""The numbers of refunds and of ledger entries are reserved when a refund is requested."""

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from core import storage
from core.access import Actor
from core.ground import Method
from core.refunds import settle_due
from core.refunds.gateway import Failed, Gateways, Succeeded
from core.storage import REFUND_NUMBERS, TRANSACTION_NUMBERS, Refund, Transaction
from tests.conftest import NOW
from tests.core.refunds.refund_races import UNSETTLED, guarded
from tests.core.refunds.refund_rows import FakeGateway, get_refund
from tests.core.refunds.returned_money import A_DAY
from tests.core.refunds.sold_items import sell
from tests.rows import make_transaction

PAID: Gateways = {Method.BALANCE: FakeGateway(Succeeded())}
REFUSED: Gateways = {Method.BALANCE: FakeGateway(Failed("No."))}


def entry_numbers(item: str) -> list[int]:
    """Return the numbers of the ledger entries of an item."""
    entries = select(Transaction.no).where(Transaction.order_item_id == item)
    with storage.reading() as session:
        return list(session.scalars(entries.order_by(Transaction.no)))


@pytest.mark.both_databases
def test_the_numbers_are_reserved_before_the_outcome(database: str, admin: Actor) -> None:
    items = sell(3)
    guarded(admin, UNSETTLED)(items, "key")
    refunds = [get_refund(one) for one in items]
    assert sorted(one.no for one in refunds) == [1, 2, 3]
    reserved = {one.order_item_id: one.ledger_no for one in refunds}
    assert None not in reserved.values()
    assert settle_due(now=NOW, gateways=PAID) == 3
    assert {one: entry_numbers(one) for one in items} == {
        one: [number] for one, number in reserved.items()
    }
    assert {get_refund(one).ledger_no for one in items} == {None}


@pytest.mark.both_databases
def test_a_second_attempt_keeps_the_reference_and_has_an_entry_of_its_own(
    database: str, admin: Actor
) -> None:
    (item,) = sell(1)
    guarded(admin, REFUSED)([item], "first")
    first = get_refund(item)
    guarded(admin, PAID)([item], "second")
    again = get_refund(item)
    assert (first.status, again.status, again.attempt) == ("failed", "succeeded", 2)
    assert first.no == again.no
    assert len(set(entry_numbers(item))) == 2


@pytest.mark.both_databases
def test_a_reserved_number_is_not_given_away(database: str, admin: Actor) -> None:
    """Entries that are written later, and numbers that rows bring, leave it free."""
    one, other = sell(2)
    guarded(admin, UNSETTLED)([one], "one")
    reserved = get_refund(one).ledger_no
    assert reserved is not None
    guarded(admin, PAID)([other], "other")
    assert reserved not in entry_numbers(other)
    make_transaction(no=reserved + 500, contract_id="SOLD-0")  # as an import does
    with storage.writing() as session:
        ((no,), (entry,)) = storage.next_numbers(
            session, (REFUND_NUMBERS, 1), (TRANSACTION_NUMBERS, 1)
        )
    assert (no, entry) == (3, reserved + 501)
    while settle_due(now=NOW + A_DAY, gateways=PAID):
        pass
    assert entry_numbers(one) == [reserved]


@pytest.mark.both_databases
def test_no_numbers_are_asked_for_none(database: str) -> None:
    with storage.writing() as session:
        assert storage.next_numbers(session, (REFUND_NUMBERS, 0), (TRANSACTION_NUMBERS, 2)) == [
            [],
            [1, 2],
        ]


@pytest.mark.both_databases
def test_two_refunds_cannot_reserve_the_same_number(database: str, admin: Actor) -> None:
    """The control: the database refuses what the reservation prevents, in the request."""
    items = sell(2)
    guarded(admin, UNSETTLED)(items, "key")
    for name in ("ledger_no", "no"):
        with pytest.raises(IntegrityError), storage.writing() as session:
            session.execute(update(Refund).values({name: 77}))
