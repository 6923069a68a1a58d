"""The check of the books itself: right books pass, and what breaks one invariant is found."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from core import storage
from core.refunds import look_again_due
from core.refunds.gateway import MadeRefund, Standing, Succeeded, Unknown
from tests.conftest import NOW
from tests.core.books import INVARIANTS, check_books, find_broken
from tests.core.refunds.refund_rows import (
    FakeGateway,
    by_card,
    make_card_order,
    make_paid_order,
    make_refundable,
    request,
    settings,
)
from tests.rows import make_transaction

RETURNED = MadeRefund("re_2", Standing.ENDED, 3800, "EUR", why_ended="closed account")
DONE_ITEM, RETURNED_ITEM, OPEN_ITEM, SOLD_ITEM = "OD-1-A", "OD-2-A", "OD-2-B", "OD-1-B"


@pytest.fixture
def right_books(database: str) -> Iterator[None]:
    """Store a refund by balance, one that the bank returned, an open one, and an item as sold."""
    make_paid_order("OD-1", paid=2 * 3800, item_count=2)
    make_card_order("OD-2", paid=2 * 3800, item_count=2)
    make_transaction(type="top_up", amount_minor=2 * 3800)
    for item in (DONE_ITEM, SOLD_ITEM, RETURNED_ITEM, OPEN_ITEM):
        make_refundable(item[:4], order_item_id=item)
    bank = FakeGateway(Succeeded("re_2"))
    bank.seen = RETURNED
    with settings(stripe_api_key="sk_test_x"):
        request(DONE_ITEM, key="1")
        request(RETURNED_ITEM, key="2", gateways=by_card(bank))
        request(OPEN_ITEM, key="3", gateways=by_card(FakeGateway(Unknown("Nobody answers."))))
        assert look_again_due(now=NOW + timedelta(hours=1), gateways=by_card(bank)) == 1
        yield


COPY = """
    INSERT INTO transactions (transaction_id, no, created_at, contract_id, order_id, order_item_id,
    refund_id, type, method, amount_minor, currency, status, author)
    SELECT 'TX-X', 9000, created_at, contract_id, {order_id}, {order_item_id}, {refund_id}, {type},
    {method}, {amount_minor}, currency, status, author FROM transactions
    WHERE order_item_id = '{item}' AND type = 'refund'"""
AS_IT_IS = {one: one for one in "order_id order_item_id refund_id type method amount_minor".split()}


def enter(item: str, **given: str) -> str:
    """Write the statement that enters the refund of an item again, with other values."""
    return COPY.format(**(AS_IT_IS | given), item=item)


def another_refund(item: str, status: str) -> str:
    return f"""
        INSERT INTO refunds (refund_id, batch_id, order_item_id, order_id, contract_id,
        amount_minor, currency, reason, gateway, status, attempt, requested_by, requested_at)
        SELECT 'RE-X', batch_id, '{item}', order_id, contract_id, amount_minor, currency, reason,
        gateway, '{status}', 1, requested_by, requested_at
        FROM refunds WHERE order_item_id = '{DONE_ITEM}'"""


WRONG = {
    "an item has at most one refund that counts": [
        "DROP INDEX ix_refunds_one_per_item",
        another_refund(RETURNED_ITEM, "requested"),
    ],
    "an item is refunded when it has exactly one succeeded refund, and only then": [
        f"UPDATE order_items SET status = 'refunded' WHERE order_item_id = '{SOLD_ITEM}'"
    ],
    "what was paid back for an item is its price while it is refunded, else nothing": [
        enter(DONE_ITEM, refund_id="NULL")
    ],
    "the entries of a refund are its amount while it is succeeded, else nothing": [
        enter(RETURNED_ITEM)
    ],
    "an entry of a refund is of its item, amount and currency": [
        enter(DONE_ITEM, type="'adjustment'", amount_minor="-1")
    ],
    "every refund entry belongs to a refund": [enter(DONE_ITEM, refund_id="NULL")],
    "a refund that the bank returned has the entry of its return": [
        "UPDATE refunds SET failed_after_success_at = requested_at "
        f"WHERE order_item_id = '{DONE_ITEM}'"
    ],
    "an item whose refund was requested has exactly one that is not done, and no other has any": [
        f"UPDATE order_items SET status = 'not_used' WHERE order_item_id = '{RETURNED_ITEM}'"
    ],
    "no two refunds have the same reference at the provider": [
        "DROP INDEX ix_refunds_reference",
        "UPDATE refunds SET external_reference = 're_2'",
    ],
    "a contract's balance is the sum of its succeeded transactions by balance": [
        "UPDATE contracts SET balance_minor = balance_minor + 1"
    ],
    "of an order that was paid, what is paid and not refunded is the price of its items": [
        enter(RETURNED_ITEM, type="'adjustment'", amount_minor="-3800")
    ],
    "an order's Total is the number of its items": ["UPDATE orders SET item_count = 3"],
}


@pytest.mark.usefixtures("right_books")
def test_right_books_pass() -> None:
    check_books()


def test_every_invariant_has_its_negative_control() -> None:
    assert set(WRONG) == set(INVARIANTS)


@pytest.mark.usefixtures("right_books")
@pytest.mark.parametrize("invariant", WRONG)
def test_what_breaks_an_invariant_is_found(invariant: str) -> None:
    with storage.writing() as session:
        for statement in WRONG[invariant]:
            session.execute(text(statement))
    assert invariant in find_broken()
    with pytest.raises(AssertionError, match="Not so: "):
        check_books()
