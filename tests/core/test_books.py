"""The check of the books: correct books pass, and each broken invariant is found."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from core import storage
from core.refunds import look_again_due
from core.refunds.gateway import ProviderStatus, RefundAtProvider, Succeeded, Unknown
from tests.conftest import NOW, Fill
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

RETURNED = RefundAtProvider("re_2", ProviderStatus.ENDED, 3800, "EUR", why_ended="closed account")
DONE_ITEM, RETURNED_ITEM, OPEN_ITEM, SOLD_ITEM = "OD-1-A", "OD-2-A", "OD-2-B", "OD-1-B"


@pytest.fixture
def right_books(database: str, filled_once: Fill) -> Iterator[None]:
    filled_once(_make_right_books)
    with settings(stripe_api_key="sk_test_x"):
        yield


def _make_right_books() -> None:
    """Store a balance refund, a returned refund, an open refund, and an item as sold."""
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


COPY = """
    INSERT INTO transactions (transaction_id, no, created_at, contract_id, order_id, order_item_id,
    refund_id, type, method, amount_minor, currency, status, author)
    SELECT 'TX-X', 9000, created_at, contract_id, {order_id}, {order_item_id}, {refund_id}, {type},
    {method}, {amount_minor}, currency, status, author FROM transactions
    WHERE order_item_id = '{item}' AND type = 'refund'"""
AS_IT_IS = {one: one for one in "order_id order_item_id refund_id type method amount_minor".split()}


def enter(item: str, **given: str) -> str:
    """Return the statement that adds a refund entry again, with other values."""
    return COPY.format(**(AS_IT_IS | given), item=item)


def another_refund(item: str, status: str) -> str:
    return f"""
        INSERT INTO refunds (refund_id, batch_id, order_item_id, order_id, contract_id,
        amount_minor, currency, reason, gateway, status, attempt, requested_by, requested_at, no,
        product_type, product, passenger_name)
        SELECT 'RE-X', batch_id, '{item}', order_id, contract_id, amount_minor, currency, reason,
        gateway, '{status}', 1, requested_by, requested_at, 9999, '', '', ''
        FROM refunds WHERE order_item_id = '{DONE_ITEM}'"""


WRONG = {
    "an item has at most one counted refund (Refund.IS_COUNTED)": [
        "DROP INDEX ix_refunds_one_per_item",
        another_refund(RETURNED_ITEM, "requested"),
    ],
    "an item is refunded exactly if it has one succeeded refund": [
        f"UPDATE order_items SET status = 'refunded' WHERE order_item_id = '{SOLD_ITEM}'"
    ],
    "the amount paid back for an item is its price if it is refunded, otherwise zero": [
        enter(DONE_ITEM, refund_id="NULL")
    ],
    "the entries of a refund sum to its amount if it succeeded, otherwise to zero": [
        enter(RETURNED_ITEM)
    ],
    "an entry of a refund has its item, amount and currency": [
        enter(DONE_ITEM, type="'adjustment'", amount_minor="-1")
    ],
    "every refund entry belongs to a refund": [enter(DONE_ITEM, refund_id="NULL")],
    "a refund that the bank returned has an entry of the return": [
        "UPDATE refunds SET failed_after_success_at = requested_at "
        f"WHERE order_item_id = '{DONE_ITEM}'"
    ],
    "only an item whose refund was requested has an open refund, and exactly one": [
        f"UPDATE order_items SET status = 'not_used' WHERE order_item_id = '{RETURNED_ITEM}'"
    ],
    "no two refunds have the same reference at the provider": [
        "DROP INDEX ix_refunds_reference",
        "UPDATE refunds SET external_reference = 're_2'",
    ],
    "a contract's balance is the sum of its succeeded balance transactions": [
        "UPDATE contracts SET balance_minor = balance_minor + 1"
    ],
    "the paid and not refunded amount of a paid order is the price of its items": [
        enter(RETURNED_ITEM, type="'adjustment'", amount_minor="-3800")
    ],
    "an order's Total is the number of its items": ["UPDATE orders SET item_count = 3"],
}


@pytest.mark.usefixtures("right_books")
def test_correct_books_pass() -> None:
    check_books()


def test_every_invariant_has_its_negative_control() -> None:
    assert set(WRONG) == set(INVARIANTS)


@pytest.mark.usefixtures("right_books")
@pytest.mark.parametrize("invariant", WRONG)
def test_each_broken_invariant_is_found(invariant: str) -> None:
    with storage.writing() as session:
        for statement in WRONG[invariant]:
            session.execute(text(statement))
    assert invariant in find_broken()
    with pytest.raises(AssertionError, match="Not so: "):
        check_books()
