"""Refunds: what can be refunded, the request, and what became of it.

A request is one transaction, under a key that its dialog made: a replay of it changes nothing and
returns the first answer. Paying back comes after it (see core.settlement), outside of it.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import audit, db, settlement
from core.conditions import is_among, scope
from core.errors import InvalidInput, NotPermitted, Refused
from core.gateways import Gateways, configured
from core.models import OrderItem, Refund, RefundBatch, User, new_id
from core.refund_assessment import UNSTORABLE, Assessment, assess, assess_in, checked_ids
from core.refund_rule import Reason, RefundItem, Refusal, may_refund, refundable
from core.settings import get_settings
from core.states import ItemStatus, RefundStatus
from core.tables import ORDER_ITEMS
from core.users import Actor

__all__ = ["Assessment", "Reason", "Refusal", "assess", "refundable", "request"]

MAX_NOTE = 1_000
MAX_KEY = 100
REASONS = {
    "passenger_cancelled": "Passenger cancelled",
    "flight_cancelled": "Flight cancelled",
    "booked_twice": "Booked twice",
    "not_delivered": "Service not delivered",
    "goodwill": "Goodwill",
    "other": "Other (see note)",
}
AN_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Outcome:
    """The first answer about one item: its refund was requested, or refused with the reason."""

    order_item_id: str
    refund_id: str | None
    why: str | None
    amount_minor: int | None
    currency: str | None


@dataclass(frozen=True)
class Answer:
    """The answer to a request, the same for every replay of it."""

    batch_id: str
    outcomes: tuple[Outcome, ...]

    @property
    def requested(self) -> list[Outcome]:
        """Return those that are being refunded."""
        return [one for one in self.outcomes if one.refund_id is not None]


class TooMany(Refused):
    """The actor would refund more items in an hour than the settings allow."""

    def __init__(self, limit: int, before: int) -> None:
        left = f"{max(0, limit - before):,}"
        super().__init__(
            f"You may refund {limit:,} order items an hour, and {before:,} were refunded in the "
            f"last hour: {left} more now. Tick fewer, or try again later. Nothing was refunded."
        )


class KeyTaken(Refused):
    """A key was sent again with another request."""

    def __init__(self) -> None:
        super().__init__(
            "This request was sent before with other items, so nothing was refunded. "
            "Close the dialog and open it again."
        )


def request(
    item_ids: Sequence[str],
    *,
    reason: str,
    note: str | None = None,
    key: str,
    actor: Actor,
    now: datetime,
    gateways: Gateways | None = None,
) -> Answer:
    """Request the refund of order items under an idempotency key, and settle what can be at once.

    Items that cannot be refunded are in the answer with the reason, and never stop the others.
    The same key and request again: the first answer, and nothing changes. Raises NotPermitted,
    InvalidInput, TooMany over the hourly limit, and KeyTaken for the key of another request; then
    nothing was changed.
    """
    if not may_refund(actor):
        raise NotPermitted(f"Your role, {actor.role}, does not refund.")
    ids = checked_ids(item_ids)
    note = _checked_note(reason, note)
    if not 0 < len(key) <= MAX_KEY or not key.isprintable():
        raise InvalidInput("A refund needs a key; close the dialog and open it again.")
    asked = json.dumps([sorted(ids), reason, note, actor.user_id])
    batch = RefundBatch(
        batch_id=new_id(),
        idempotency_key=key,
        request_hash=hashlib.sha256(asked.encode()).hexdigest(),
        answer={},
        requested_by=actor.email,
        created_at=now,
    )
    answer = _write_once(batch, ids, reason, note, actor, now)
    settlement.settle_batch(answer.batch_id, now=now, gateways=gateways or configured())
    return answer


def _checked_note(reason: str, note: str | None) -> str | None:
    note = UNSTORABLE.sub("\ufffd", (note or "").strip()) or None
    if reason not in REASONS:
        raise InvalidInput("Choose a reason for the refund.")
    if note and len(note) > MAX_NOTE:
        raise InvalidInput(f"A note has at most {MAX_NOTE:,} characters.")
    if reason == "other" and not note:
        raise InvalidInput("Say in the note what the reason is.")
    return note


def _write_once(
    batch: RefundBatch, ids: list[str], reason: str, note: str | None, actor: Actor, now: datetime
) -> Answer:
    key, request_hash = batch.idempotency_key, batch.request_hash
    before = _find_answer(key, request_hash)
    if before is not None:
        return before
    try:
        with db.writing() as session:
            session.add(batch)
            session.flush()  # who sends the same key at this moment waits here for our commit
            _check_limit(session, len(ids), actor, now)
            outcomes = _take(session, batch, ids, reason, note, actor, now)
            batch.answer = {"outcomes": [asdict(one) for one in outcomes]}
            return Answer(batch.batch_id, tuple(outcomes))
    except IntegrityError:
        before = _find_answer(key, request_hash)
        if before is None:
            raise
        return before


def _find_answer(key: str, request_hash: str) -> Answer | None:
    """Find the first answer to a key; raises KeyTaken when it was for another request."""
    with db.reading() as session:
        batch = session.scalars(
            select(RefundBatch).where(RefundBatch.idempotency_key == key)
        ).one_or_none()
        if batch is None:
            return None
        if batch.request_hash != request_hash:
            raise KeyTaken
        return _answer_in(batch)


def _answer_in(batch: RefundBatch) -> Answer:
    outcomes = batch.answer.get("outcomes", [])
    return Answer(batch.batch_id, tuple(Outcome(**one) for one in outcomes))


def _check_limit(session: Session, count: int, actor: Actor, now: datetime) -> None:
    limit = get_settings().refunds_per_hour
    if limit is None:
        return
    # A change of the user's own row, so that their requests at the same moment take turns.
    mine = update(User).where(User.user_id == actor.user_id)
    session.execute(mine.values(is_active=User.is_active))
    before = session.scalar(
        select(func.count())
        .select_from(Refund)
        .where(Refund.requested_by == actor.email, Refund.requested_at > now - AN_HOUR)
    )
    if (before or 0) + count > limit:
        raise TooMany(limit, before or 0)


def _take(
    session: Session,
    batch: RefundBatch,
    ids: list[str],
    reason: str,
    note: str | None,
    actor: Actor,
    now: datetime,
) -> list[Outcome]:
    """Take the items that can be refunded, all in one conditional UPDATE, and refuse the others."""
    lines = assess_in(session, ids, actor=actor, now=now)
    able = [line.order_item_id for line in lines if not line.refusal]
    taken = _mark_requested(session, able, actor, now)
    if len(taken) < len(able):  # somebody was faster: say what became of those
        late = {one.order_item_id: one for one in assess_in(session, ids, actor=actor, now=now)}
        lines = [one if one.order_item_id in taken else late[one.order_item_id] for one in lines]
    failed = _failed_before(session, taken)
    outcomes = []
    for line in lines:
        item = line.item
        if item is None or line.order_item_id not in taken:
            why = line.refusal.sentence if line.refusal else "It changed meanwhile: try again."
            outcomes.append(Outcome(line.order_item_id, None, why, None, None))
            continue
        refund = failed.get(item.order_item_id) or Refund(refund_id=new_id(), attempt=0)
        _fill(refund, item, batch)
        refund.reason, refund.note, refund.requested_at = reason, note, now
        refund.next_attempt_at = now
        session.add(refund)
        _record(session, refund, actor, now)
        outcomes.append(
            Outcome(item.order_item_id, refund.refund_id, None, item.price_minor, item.currency)
        )
    return outcomes


def _mark_requested(session: Session, ids: Sequence[str], actor: Actor, now: datetime) -> set[str]:
    """Change the items' status where the rule still holds; return those that were changed."""
    key = ORDER_ITEMS.key_column
    statement = (
        update(OrderItem)
        .where(
            is_among(ORDER_ITEMS, key, tuple(ids)),
            OrderItem.status == ItemStatus.NOT_USED,
            OrderItem.is_refundable,
            OrderItem.refund_expire_at >= now,
            OrderItem.valid_until >= now,
            scope(ORDER_ITEMS, actor),
        )
        .values(status=ItemStatus.REFUND_REQUESTED)
        .returning(OrderItem.order_item_id)
    )
    return set(session.scalars(statement, execution_options={"synchronize_session": False}))


def _failed_before(session: Session, item_ids: set[str]) -> dict[str, Refund]:
    """Find the failed refunds of items: to try again is the same refund with another attempt."""
    failed = select(Refund).where(
        Refund.order_item_id.in_(item_ids), Refund.status == RefundStatus.FAILED
    )
    rows = session.scalars(failed.order_by(Refund.requested_at, Refund.refund_id))
    return {refund.order_item_id: refund for refund in rows}


def _fill(refund: Refund, item: RefundItem, batch: RefundBatch) -> None:
    assert item.payment is not None  # the rule refuses an item without
    refund.batch_id = batch.batch_id
    refund.requested_by = batch.requested_by
    refund.order_item_id = item.order_item_id
    refund.order_id = item.order_id
    refund.contract_id = item.contract_id
    refund.amount_minor = item.price_minor
    refund.currency = item.currency
    refund.gateway = item.payment.method
    refund.payment_reference = item.payment.reference
    refund.status = RefundStatus.REQUESTED
    refund.attempt += 1
    refund.failure = refund.external_reference = None
    refund.settled_at = refund.lease_until = None


def _record(session: Session, refund: Refund, actor: Actor, now: datetime) -> None:
    audit.record(
        session,
        "order_item.refund_requested",
        actor=actor,
        entity="order_item",
        entity_id=refund.order_item_id,
        order_id=refund.order_id,
        contract_id=refund.contract_id,
        now=now,
        before={"status": ItemStatus.NOT_USED},
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
