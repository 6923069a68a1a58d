"""Which refunds at the provider our books hold, and which a person must match."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select, text

from core import storage
from core.refunds.gateway import (
    PaymentAtProvider,
    ProviderStatus,
    RefundAtProvider,
    RefundJob,
    Succeeded,
    Unknown,
)
from core.refunds.matching import _held, store_unmatched
from core.storage import ProviderRefund, Refund, Transaction, is_unmatched
from tests.conftest import NOW
from tests.core.refunds.refund_races import at_once
from tests.core.refunds.refund_rows import (
    FakeGateway,
    by_card,
    get_refund,
    make_card_order,
    make_refundable,
    request,
    settings,
)
from tests.rows import make_transaction

pytestmark = pytest.mark.both_databases

JOB = RefundJob("R-1", 2, 3800, "EUR", "OD-1", "I-1", reference="pi_1")
RIGHT = PaymentAtProvider("pi_1", "EUR", is_captured=True, amount_minor=100_000)
BY_HAND = RefundAtProvider("re_1", ProviderStatus.SUCCEEDED, 3800, "EUR")


def paid_with(*refunds: RefundAtProvider) -> PaymentAtProvider:
    return replace(RIGHT, refunds=refunds)


def refunded_by_card(item_id: str, reference: str) -> Refund:
    with settings(stripe_api_key="sk_test_x"):
        done = by_card(FakeGateway(Succeeded(reference)))
        request(item_id, key=item_id, gateways=done)
    return get_refund(item_id)


@pytest.fixture
def items(database: str) -> list[str]:
    """Store an order of three items that was paid by card."""
    make_card_order("OD-1", paid=3 * 3800, item_count=3)
    return [make_refundable("OD-1", order_item_id=f"I-{number}") for number in (1, 2, 3)]


def look(*references: str, refund_id: str = "R-1") -> set[str]:
    refunds = [replace(BY_HAND, reference=one) for one in references]
    return _held(replace(JOB, refund_id=refund_id), paid_with(*refunds))


def test_a_reference_is_held_by_a_refund_or_by_an_entry(items: list[str]) -> None:
    refunded_by_card(items[0], "re_1")
    make_transaction(type="refund", method="card", amount_minor=1, reference="re_2")
    make_transaction(type="payment", method="card", reference="re_3")
    assert look("re_1", "re_2", "re_3", "re_4") == {"re_1", "re_2"}
    assert look() == set()


def test_the_entry_of_the_refund_itself_does_not_hold_a_reference(items: list[str]) -> None:
    """Its reference is adopted if the refund still exists, and nothing is paid again."""
    refund = refunded_by_card(items[0], "re_1")
    assert look("re_1", refund_id=refund.refund_id) == set()
    assert look("re_1", refund_id="another") == {"re_1"}


def test_a_failed_entry_does_not_hold_a_reference(items: list[str]) -> None:
    """An entry without a payment does not explain a refund at the provider."""
    make_transaction(
        type="refund", method="card", amount_minor=1, reference="re_1", status="failed"
    )
    assert look("re_1") == set()
    keep_all(get_refund_of(items[0]), "re_1")
    assert to_match() == ["re_1"]


def test_many_references_are_looked_up_together(items: list[str]) -> None:
    refunded_by_card(items[0], "re_777")
    assert look(*(f"re_{number}" for number in range(1_000))) == {"re_777"}


def get_refund_of(item_id: str) -> Refund:
    with settings(stripe_api_key="sk_test_x"):
        stopped = FakeGateway(Unknown("Nobody answers."))
        request(item_id, key=f"open {item_id}", gateways=by_card(stopped))
    return get_refund(item_id)


def keep_all(refund: Refund, *references: str) -> None:
    with storage.writing() as session:
        store_unmatched(
            session, refund, [replace(BY_HAND, reference=one) for one in references], NOW
        )


def to_match() -> list[str]:
    with storage.reading() as session:
        found = select(ProviderRefund.reference).where(is_unmatched())
        return list(session.scalars(found.order_by(ProviderRefund.reference)))


def test_each_unmatched_refund_is_stored_once(items: list[str]) -> None:
    refunds = [get_refund_of(item) for item in items]
    at_once(9, lambda number: keep_all(refunds[number % 3], "re_1", "re_2"))
    with storage.reading() as session:
        kept = session.scalars(select(ProviderRefund).order_by("reference")).all()
    assert [(one.reference, one.payment_reference, one.order_id) for one in kept] == [
        ("re_1", "pi_1", "OD-1"),
        ("re_2", "pi_1", "OD-1"),
    ]
    assert {(one.amount_minor, one.currency, one.found_at) for one in kept} == {(3800, "EUR", NOW)}


def test_a_refund_that_our_rows_hold_no_longer_needs_a_match(items: list[str]) -> None:
    keep_all(get_refund_of(items[0]), "re_1", "re_2", "re_3")
    assert to_match() == ["re_1", "re_2", "re_3"]
    refunded_by_card(items[1], "re_1")
    make_transaction(type="refund", method="card", amount_minor=1, reference="re_2")
    assert to_match() == ["re_3"]


def test_the_entries_are_found_by_their_index(items: list[str]) -> None:
    statement = select(func.count()).where(
        text(Transaction.IS_REFUND_WITH_REFERENCE), Transaction.reference.in_(["re_1"])
    )
    with storage.reading() as session:
        compiled = statement.compile(session.connection(), compile_kwargs={"literal_binds": True})
        if storage.is_sqlite():
            plan = session.execute(text(f"EXPLAIN QUERY PLAN {compiled}")).all()
        else:
            session.execute(text("SET LOCAL enable_seqscan = off"))
            plan = session.execute(text(f"EXPLAIN {compiled}")).all()
    assert "ix_transactions_refund_reference" in str(plan)
