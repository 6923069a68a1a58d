"""Claim the items of a refund request: a row changes only if the rule still holds."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import bindparam, or_, select, text, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from core import access, storage
from core.access import Actor
from core.ground import ItemStatus, RefundStatus, format_money
from core.query import is_among, scope
from core.refunds import events
from core.refunds.rule import RefundItem
from core.storage import (
    REFUND_NUMBERS,
    TRANSACTION_NUMBERS,
    OrderItem,
    Refund,
    is_refundable_now,
    new_id,
)
from core.tables import ORDER_ITEMS

# Built once: building a statement takes as long as running it. The last refund wins. If the bank
# returned a refund of the item, that one is last.
_FAILED = (
    select(Refund)
    .where(
        Refund.order_item_id.in_(bindparam("ids", expanding=True)),
        or_(Refund.status == RefundStatus.FAILED, Refund.failed_after_success_at.is_not(None)),
    )
    .order_by(Refund.failed_after_success_at.is_not(None), Refund.requested_at, Refund.refund_id)
)


@dataclass(frozen=True)
class Request:
    """A checked refund request: the items, the reason, the actor, the time and the key."""

    ids: list[str]
    confirmed: frozenset[str]
    reason: str
    note: str | None
    key: str
    actor: Actor
    now: datetime
    batch_id: str = field(default_factory=new_id)

    @property
    def fingerprint(self) -> str:
        """Return a hash of the request; it detects another request under the same key."""
        return access.fingerprint(self.ids, self.reason, self.note, self.actor.user_id)


def claim_items(session: Session, ids: Sequence[str], request: Request) -> set[str]:
    """Set the items to refund_requested if the rule still holds; return the changed IDs.

    On PostgreSQL the same statement locks the items in order of ID first. Every transaction that
    locks several items uses this order, to prevent deadlocks.
    """
    statement = _claiming(request.actor)
    asked = {"ids": storage.bound_texts(ids), **storage.bound_now(request.now)}
    return set(session.connection().scalars(statement, asked))


@storage.built_once
def _claiming(actor: Actor) -> ReturningUpdate[tuple[str]]:
    still_refundable = [
        storage.is_any_of_named(OrderItem.order_item_id, "ids"),
        *is_refundable_now(storage.named_now()),
        scope(ORDER_ITEMS, actor),
    ]
    return (
        update(OrderItem)
        .where(*storage.locked_in_order(OrderItem.order_item_id, still_refundable))
        .values(status=ItemStatus.REFUND_REQUESTED)
        .returning(OrderItem.order_item_id)
    )


def claim_returned(session: Session, ids: Sequence[str], request: Request) -> set[str]:
    """Claim the items' refunds that are still returned by the bank; return the item IDs."""
    if not ids:
        return set()
    theirs = select(OrderItem.order_item_id).where(
        is_among(ORDER_ITEMS, ORDER_ITEMS.key_column, tuple(ids)),
        OrderItem.status == ItemStatus.REFUND_REQUESTED,
        scope(ORDER_ITEMS, request.actor),
    )
    is_theirs = Refund.order_item_id.in_(theirs), text(Refund.IS_RETURNED)
    session.execute(
        select(Refund.refund_id).where(*is_theirs).order_by(Refund.order_item_id).with_for_update()
    )
    statement = (
        update(Refund)
        .where(*is_theirs)
        .values(status=RefundStatus.REQUESTED)
        .returning(Refund.order_item_id)
    )
    return set(session.scalars(statement, execution_options={"synchronize_session": False}))


def refunds_of(session: Session, items: Sequence[RefundItem]) -> dict[str, Refund]:
    """Return the refund of each item, with its numbers: its failed one for a retry, or a new one.

    The numbers are reserved now: the refund's own, and that of the ledger entry of the outcome.
    """
    if not items:
        return {}
    ids = [item.order_item_id for item in items]
    rows = session.scalars(_FAILED, {"ids": ids})
    before = {refund.order_item_id: refund for refund in rows}
    refunds = {one: before.get(one) or Refund(refund_id=new_id(), attempt=0) for one in ids}
    fresh = [refunds[one] for one in ids if one not in before]
    numbers, entries = storage.next_numbers(
        session, (REFUND_NUMBERS, len(fresh)), (TRANSACTION_NUMBERS, len(ids))
    )
    for refund, no in zip(fresh, numbers, strict=True):
        refund.no = no
    for one, no in zip(ids, entries, strict=True):
        refunds[one].ledger_no = no
    return refunds


def write(
    session: Session, refund: Refund, item: RefundItem, request: Request, *, is_waiting: bool
) -> None:
    """Write the refund of a claimed item, and audit it; one that waits is not paid yet."""
    assert item.payment is not None  # the rule refuses an item without
    refund.batch_id = request.batch_id
    refund.order_item_id = item.order_item_id
    refund.order_id = item.order_id
    refund.contract_id = item.contract_id
    refund.product_type, refund.product = item.product_type, item.product
    refund.passenger_name = item.passenger_name
    refund.amount_minor = item.price_minor
    refund.currency = item.currency
    refund.reason, refund.note = request.reason, request.note
    refund.gateway = item.payment.method
    refund.payment_reference = item.payment.reference
    refund.status = RefundStatus.WAITING if is_waiting else RefundStatus.REQUESTED
    refund.attempt += 1
    refund.decided_by = refund.decided_at = refund.decision_note = None
    refund.failure = refund.external_reference = None
    refund.settled_at = refund.lease_until = refund.asked_at = refund.stopped_by = None
    refund.requested_by = request.actor.email
    refund.requested_at = request.now
    refund.next_attempt_at = None if is_waiting else request.now
    session.add(refund)
    _record(session, refund, item, request)


def _record(session: Session, refund: Refund, item: RefundItem, request: Request) -> None:
    is_waiting = refund.status == RefundStatus.WAITING
    access.record_event(
        session,
        "order_item.approval_requested" if is_waiting else "order_item.refund_requested",
        actor=request.actor,
        entity="order_item",
        entity_id=refund.order_item_id,
        order_id=refund.order_id,
        contract_id=refund.contract_id,
        now=request.now,
        before={
            "status": ItemStatus.REFUND_REQUESTED
            if refund.failed_after_success_at
            else ItemStatus.NOT_USED
        },
        after={
            "status": ItemStatus.REFUND_REQUESTED,
            "refund": events.reference_of(refund),
            "refund_id": refund.refund_id,
            "product": refund.product,
            "attempt": refund.attempt,
            "amount_minor": refund.amount_minor,
            "currency": refund.currency,
            "reason": refund.reason,
            "note": refund.note,
            **({"refund_limit": _limit_of(item)} if is_waiting else {}),
        },
    )


def _limit_of(item: RefundItem) -> str | None:
    """Return the limit of the item's contract, above which a second person approves."""
    limit = item.refund_limit_minor
    return None if limit is None else format_money(limit, item.contract_currency)
