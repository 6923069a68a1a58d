"""Which refund at the provider is which order item's: asked before any card refund is made.

A refund that is there already, asked for by an attempt that died or by a database that a backup
has replaced, is adopted and not paid again. One that Order Desk did not make is never adopted by
itself: a person has to match it with an order item.
"""

import logging
from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core import storage
from core.ground import TransactionStatus, amount_in_words
from core.refunds.gateway import (
    Failed,
    Gateway,
    MadeRefund,
    Outcome,
    PaidAtProvider,
    RefundJob,
    Standing,
    Succeeded,
    Unknown,
)
from core.storage import ProviderRefund, Refund, Transaction

logger = logging.getLogger(__name__)


def refund_once(gateway: Gateway, job: RefundJob, *, may_ask: Callable[[], bool]) -> Outcome:
    """Look the payment up, and ask for the refund only if it is neither made nor forbidden.

    `may_ask` commits that it is asked for, and says whether the refund is still open.
    """
    paid = gateway.look_up(job)
    if isinstance(paid, Failed | Unknown):
        return paid
    if paid is None:  # our own books, in which it succeeds when it is recorded
        return gateway.refund(job)
    known = judge(job, paid, held=_held(job, paid))
    if known is not None:
        return known
    return gateway.refund(job) if may_ask() else Unknown("Somebody else has settled it.")


def judge(job: RefundJob, paid: PaidAtProvider, *, held: Collection[str]) -> Outcome | None:
    """Say what the provider's books already decide; None when the refund is to be asked for.

    `held` are the references that rows of ours hold: those are other refunds.
    """
    free = [one for one in paid.refunds if one.reference not in held]
    alive = [one for one in free if one.is_alive and not _names_another_item(job, one)]
    made = _made(job, free, alive)
    if made is not None:
        return made
    if paid.currency != job.currency:
        return Failed(
            f"Payment {paid.reference} is in {paid.currency} at the card provider, but this refund "
            f"is in {job.currency}: nothing was paid back. Check the payment, refund it by hand."
        )
    if not paid.is_captured:
        return Failed(
            f"Payment {paid.reference} was authorised and not captured, or did not go through: "
            "there is nothing to pay back. Look at it at the card provider."
        )
    if alive:
        return _stop(
            job,
            alive,
            "The card provider has a refund of this payment that Order Desk did not make: "
            f"{_named(alive)}. Nothing was paid. Match it on the order's page, then refund again.",
        )
    # What was asked for under this key is asked for again: the provider decides, and only once.
    if not job.was_asked and paid.left_minor < job.amount_minor:
        left = f"{amount_in_words(max(0, paid.left_minor), paid.currency)} {paid.currency}"
        return Failed(
            f"Only {left} of payment {paid.reference} can still be refunded: nothing was paid "
            "back. Look at the payment's refunds at the card provider."
        )
    return None


def _made(
    job: RefundJob, free: Sequence[MadeRefund], alive: Sequence[MadeRefund]
) -> Outcome | None:
    """Find a refund of this very item to adopt, or what became of this attempt."""
    mine = [one for one in alive if _is_of(job, one)]
    mine.sort(key=lambda one: one.standing is not Standing.SUCCEEDED)
    if len(mine) > 1:
        logger.error("The card provider has several refunds of one item: %s", _named(mine))
    for one in mine:
        if (one.amount_minor, one.currency) == (job.amount_minor, job.currency):
            if one.standing is Standing.SUCCEEDED:
                return Succeeded(one.reference)
            return Unknown("The card provider is still working on it.")
    if mine:
        return _stop(
            job,
            mine,
            f"The card provider already has a refund of this order item: {_named(mine)}, which "
            "is not its price. Nothing was paid now. Settle the rest by hand.",
        )
    for one in free:
        if one.key == job.key and not one.is_alive:
            return Failed(f"The card provider refused it: {one.why_ended}.")
    return None


def _is_of(job: RefundJob, one: MadeRefund) -> bool:
    """Say whether a refund names the job's item; older versions named the refund alone."""
    if one.order_item_id:
        return one.order_item_id == job.order_item_id
    return one.key is not None and one.key.rpartition(":")[0] == job.refund_id


def _names_another_item(job: RefundJob, one: MadeRefund) -> bool:
    """Say whether a refund has our metadata, of another item; a person may have written a part."""
    return bool(one.key and one.order_item_id) and one.order_item_id != job.order_item_id


def _named(refunds: Sequence[MadeRefund]) -> str:
    first = refunds[0]
    amount = f"{amount_in_words(first.amount_minor, first.currency)} {first.currency}"
    others = f" and {len(refunds) - 1} more" if len(refunds) > 1 else ""
    return f"{first.reference}, {amount}{others}"


def _stop(job: RefundJob, to_match: Sequence[MadeRefund], why: str) -> Outcome:
    """Stop; an attempt that may have been paid stays open until a person has matched."""
    kept = tuple(to_match)
    return Unknown(why, kept) if job.was_asked else Failed(why, kept)


def _held(job: RefundJob, paid: PaidAtProvider) -> set[str]:
    """Return the references that other rows of ours hold, and those that were dismissed.

    This refund's own entries hold none: what they name is adopted if it still stands.
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
        # Said as the partial index ix_transactions_refund_reference says it.
        entries = select(Transaction.reference).where(
            text(Transaction.IS_REFUND_WITH_REFERENCE),
            Transaction.reference.in_(left),
            Transaction.status != TransactionStatus.FAILED,
            Transaction.refund_id.is_distinct_from(job.refund_id),
        )
        entered = {one for one in session.scalars(entries) if one}
        return held | entered | set(session.scalars(dismissed))


def store_unmatched(
    session: Session, refund: Refund, to_match: Sequence[MadeRefund], now: datetime
) -> None:
    """Store what a person has to match with order items, each refund of the provider's once."""
    insert = (sqlite if storage.is_sqlite() else postgresql).insert(ProviderRefund)
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
