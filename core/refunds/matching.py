"""Match refunds at the provider with order items before a card refund is requested.

A refund may already exist: an attempt made it and then crashed, or the database was restored from
an older backup. Such a refund is adopted, not paid again. A refund that Order Desk did not make is
never adopted automatically: a person must match it with an order item.
"""

import logging
from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core import storage
from core.ground import TransactionStatus, format_money
from core.refunds.gateway import (
    Failed,
    Gateway,
    Outcome,
    PaymentAtProvider,
    ProviderStatus,
    RefundAtProvider,
    RefundJob,
    Succeeded,
    Unknown,
)
from core.storage import ProviderRefund, Refund, Transaction

logger = logging.getLogger(__name__)


def refund_once(gateway: Gateway, job: RefundJob, *, may_ask: Callable[[], bool]) -> Outcome:
    """Look the payment up, and request the refund only if it does not exist and nothing forbids it.

    `may_ask` commits that the refund is requested; it returns whether the refund is still open.
    """
    paid = gateway.look_up(job)
    if isinstance(paid, Failed | Unknown):
        return paid
    if paid is None:  # only our own books: it succeeds when it is recorded
        return gateway.refund(job)
    decided = decide(job, paid, held=_held(job, paid))
    if decided is not None:
        return decided
    return gateway.refund(job) if may_ask() else Unknown("Another process has settled the refund.")


def decide(job: RefundJob, paid: PaymentAtProvider, *, held: Collection[str]) -> Outcome | None:
    """Return the outcome that the provider's books decide; None if the refund must be requested.

    `held` are the references in our own rows: they belong to other refunds.
    """
    free = [one for one in paid.refunds if one.reference not in held]
    alive = [one for one in free if one.is_active and not _names_another_item(job, one)]
    made = _find_own(job, free, alive)
    if made is not None:
        return made
    if paid.currency != job.currency:
        return Failed(
            f"Payment {paid.reference} is in {paid.currency} at the card provider, but this refund "
            f"is in {job.currency}. Nothing was paid back. Check the payment and refund it by hand."
        )
    if not paid.is_captured:
        return Failed(
            f"Payment {paid.reference} was not captured or has failed, so there is nothing to pay "
            "back. Check it at the card provider."
        )
    if alive:
        return _stop(
            job,
            alive,
            "The card provider has a refund of this payment that Order Desk did not make: "
            f"{_named(alive)}. Nothing was paid. Match it on the order's page, then refund again.",
        )
    # A refund that was requested before is requested again: the provider pays once per key.
    if not job.was_asked and paid.left_minor < job.amount_minor:
        left = format_money(max(0, paid.left_minor), paid.currency)
        return Failed(
            f"Only {left} of payment {paid.reference} can still be refunded. Nothing was paid "
            "back. Check the payment's refunds at the card provider."
        )
    return None


def _find_own(
    job: RefundJob, free: Sequence[RefundAtProvider], alive: Sequence[RefundAtProvider]
) -> Outcome | None:
    """Find a refund of this item to adopt, or the outcome of this attempt."""
    mine = [one for one in alive if _is_of(job, one)]
    mine.sort(key=lambda one: one.status is not ProviderStatus.SUCCEEDED)
    if len(mine) > 1:
        logger.error("The card provider has several refunds of one item: %s", _named(mine))
    for one in mine:
        if (one.amount_minor, one.currency) == (job.amount_minor, job.currency):
            if one.status is ProviderStatus.SUCCEEDED:
                return Succeeded(one.reference)
            return Unknown("The card provider is still processing the refund.")
    if mine:
        return _stop(
            job,
            mine,
            f"The card provider already has a refund of this order item: {_named(mine)}. That is "
            "not the price of the item. Nothing was paid now. Settle the difference by hand.",
        )
    for one in free:
        if one.key == job.key and not one.is_active:
            return Failed(f"The card provider refused the refund: {one.why_ended}.")
    return None


def _is_of(job: RefundJob, one: RefundAtProvider) -> bool:
    """Whether a refund belongs to the job's item; old versions stored only the refund's ID."""
    if one.order_item_id:
        return one.order_item_id == job.order_item_id
    return one.key is not None and one.key.rpartition(":")[0] == job.refund_id


def _names_another_item(job: RefundJob, one: RefundAtProvider) -> bool:
    """Whether our metadata names another item; metadata typed by a person may be incomplete."""
    return bool(one.key and one.order_item_id) and one.order_item_id != job.order_item_id


def _named(refunds: Sequence[RefundAtProvider]) -> str:
    first = refunds[0]
    amount = format_money(first.amount_minor, first.currency)
    others = f" and {len(refunds) - 1} more" if len(refunds) > 1 else ""
    return f"{first.reference}, {amount}{others}"


def _stop(job: RefundJob, to_match: Sequence[RefundAtProvider], why: str) -> Outcome:
    """Stop this attempt; if it may have been paid, it stays open until a person has matched."""
    kept = tuple(to_match)
    return Unknown(why, kept) if job.was_asked else Failed(why, kept)


def _held(job: RefundJob, paid: PaymentAtProvider) -> set[str]:
    """Return the references in our other rows, and the dismissed references.

    This refund's own ledger entries do not count: their reference can still be adopted.
    """
    references = [one.reference for one in paid.refunds]
    if not references:
        return set()
    with storage.reading() as session:
        refunds = select(Refund.external_reference).where(
            Refund.external_reference.in_(references), Refund.refund_id != job.refund_id
        )
        held = {one for one in session.scalars(refunds) if one}
        left = [one for one in references if one not in held]
        dismissed = select(ProviderRefund.reference).where(
            ProviderRefund.reference.in_(left), ProviderRefund.dismissed_at.is_not(None)
        )
        # The same words as in the partial index ix_transactions_refund_reference.
        entries = select(Transaction.reference).where(
            text(Transaction.IS_REFUND_WITH_REFERENCE),
            Transaction.reference.in_(left),
            Transaction.status != TransactionStatus.FAILED,
            Transaction.refund_id.is_distinct_from(job.refund_id),
        )
        entered = {one for one in session.scalars(entries) if one}
        return held | entered | set(session.scalars(dismissed))


def store_unmatched(
    session: Session, refund: Refund, to_match: Sequence[RefundAtProvider], now: datetime
) -> None:
    """Store refunds that a person must match with order items; each reference only once."""
    insert = storage.insert(session, ProviderRefund)
    for one in to_match:
        row = {
            "reference": one.reference,
            "payment_reference": refund.payment_reference,
            "order_id": refund.order_id,
            "contract_id": refund.contract_id,
            "amount_minor": one.amount_minor,
            "currency": one.currency,
            "found_at": now,
        }
        session.execute(insert.values(row).on_conflict_do_nothing())
