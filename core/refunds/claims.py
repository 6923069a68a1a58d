"""Claiming what a request refunds: items and refunds change only where the rule still holds."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import or_, select, text, update
from sqlalchemy.orm import Session

from core import access, storage
from core.access import Actor
from core.ground import ItemStatus, RefundStatus
from core.query import is_among, scope
from core.refunds.rule import RefundItem
from core.storage import OrderItem, Refund, new_id
from core.tables import ORDER_ITEMS


@dataclass(frozen=True)
class Request:
    """What is asked, checked: of which items, why, by whom, when, under which key."""

    ids: list[str]
    agreed: frozenset[str]
    reason: str
    note: str | None
    key: str
    actor: Actor
    now: datetime
    batch_id: str = field(default_factory=new_id)

    @property
    def fingerprint(self) -> str:
        """Return what tells this request from another under the same key."""
        asked = json.dumps([self.ids, self.reason, self.note, self.actor.user_id])
        return hashlib.sha256(asked.encode()).hexdigest()


def mark_requested(session: Session, ids: Sequence[str], asked: Request) -> set[str]:
    """Change the items' status where the rule still holds; return those that were changed.

    PostgreSQL locks them by ID first, as everyone does who locks several: else two can deadlock.
    """
    is_able = [
        is_among(ORDER_ITEMS, ORDER_ITEMS.key_column, tuple(ids)),
        OrderItem.status == ItemStatus.NOT_USED,
        OrderItem.is_refundable,
        OrderItem.refund_expire_at >= asked.now,
        OrderItem.valid_until >= asked.now,
        scope(ORDER_ITEMS, asked.actor),
    ]
    locked = select(OrderItem.order_item_id).where(*is_able).order_by(OrderItem.order_item_id)
    if not storage.is_sqlite():
        session.execute(locked.with_for_update())
    statement = (
        update(OrderItem)
        .where(*is_able)
        .values(status=ItemStatus.REFUND_REQUESTED)
        .returning(OrderItem.order_item_id)
    )
    return set(session.scalars(statement, execution_options={"synchronize_session": False}))


def mark_returned(session: Session, ids: Sequence[str], asked: Request) -> set[str]:
    """Claim the refunds that the bank returned, where they still are; return their items."""
    if not ids:
        return set()
    theirs = select(OrderItem.order_item_id).where(
        is_among(ORDER_ITEMS, ORDER_ITEMS.key_column, tuple(ids)),
        OrderItem.status == ItemStatus.REFUND_REQUESTED,
        scope(ORDER_ITEMS, asked.actor),
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
    """Return the refund of each item: its failed one, which is tried again, or a new one."""
    if not items:
        return {}
    ids = [item.order_item_id for item in items]
    has_failed = or_(
        Refund.status == RefundStatus.FAILED, Refund.failed_after_success_at.is_not(None)
    )
    failed = select(Refund).where(Refund.order_item_id.in_(ids), has_failed)
    # The last one counts: it is the one that the bank returned, where there is one.
    in_order = Refund.failed_after_success_at.is_not(None), Refund.requested_at, Refund.refund_id
    rows = session.scalars(failed.order_by(*in_order))
    before = {refund.order_item_id: refund for refund in rows}
    return {one: before.get(one) or Refund(refund_id=new_id(), attempt=0) for one in ids}


def write(session: Session, refund: Refund, item: RefundItem, asked: Request) -> None:
    """Write the refund of an item that was claimed, and audit it."""
    assert item.payment is not None  # the rule refuses an item without
    refund.batch_id = asked.batch_id
    refund.order_item_id = item.order_item_id
    refund.order_id = item.order_id
    refund.contract_id = item.contract_id
    refund.amount_minor = item.price_minor
    refund.currency = item.currency
    refund.reason, refund.note = asked.reason, asked.note
    refund.gateway = item.payment.method
    refund.payment_reference = item.payment.reference
    refund.status = RefundStatus.REQUESTED
    refund.attempt += 1
    refund.failure = refund.external_reference = None
    refund.settled_at = refund.lease_until = refund.asked_at = refund.stopped_by = None
    refund.requested_by = asked.actor.email
    refund.requested_at = refund.next_attempt_at = asked.now
    session.add(refund)
    _record(session, refund, asked)


def _record(session: Session, refund: Refund, asked: Request) -> None:
    access.record_event(
        session,
        "order_item.refund_requested",
        actor=asked.actor,
        entity="order_item",
        entity_id=refund.order_item_id,
        order_id=refund.order_id,
        contract_id=refund.contract_id,
        now=asked.now,
        before={
            "status": ItemStatus.REFUND_REQUESTED
            if refund.failed_after_success_at
            else ItemStatus.NOT_USED
        },
        after={
            "status": ItemStatus.REFUND_REQUESTED,
            "refund_id": refund.refund_id,
            "attempt": refund.attempt,
            "amount_minor": refund.amount_minor,
            "currency": refund.currency,
            "reason": refund.reason,
            "note": refund.note,
        },
    )
