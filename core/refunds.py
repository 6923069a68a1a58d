"""Refunds: what can be refunded, the request, and what became of it.

A request is one transaction, under a key that its dialog made: a replay of it changes nothing and
returns the first answer. Paying back comes after it (see core.settlement), outside of it.
"""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import func, insert, or_, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import audit, db, rights, settlement
from core.conditions import is_among, scope
from core.errors import InvalidInput, Refused
from core.gateway import Gateways
from core.gateways import configured
from core.models import OrderItem, Refund, RefundBatch, new_id
from core.permissions import Permission, require
from core.refund_assessment import UNSTORABLE, Assessed, Assessment, assess, assess_in, checked_ids
from core.refund_rule import Reason, RefundItem, Refusal, refundable
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


@dataclass(frozen=True)
class _Request:
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
            "This request was sent before with other items, reason or note, and this time nothing "
            "was changed. Close the dialog and look what became of the items."
        )


def request(
    item_ids: Sequence[str],
    *,
    reason: str,
    note: str | None = None,
    key: str,
    actor: Actor,
    now: datetime,
    agreed: Collection[str] | None = None,
    gateways: Gateways | None = None,
) -> Answer:
    """Request the refund of order items under an idempotency key, and settle what can be at once.

    Items that cannot be refunded are in the answer with the reason, and never stop the others; so
    are those that can be, but are not among the `agreed` ones that the person was shown.
    The same key and request again: the first answer, and nothing changes. Raises NotPermitted,
    NoLongerIn, InvalidInput, TooMany over the hourly limit, and KeyTaken for the key of another
    request; then nothing was changed.
    """
    require(actor, Permission.REFUND)
    ids = checked_ids(item_ids)
    note = _checked_note(reason, note)
    if not 0 < len(key) <= MAX_KEY or not key.isprintable():
        raise InvalidInput("A refund needs a key; close the dialog and open it again.")
    agreed = frozenset(ids if agreed is None else agreed)
    asked = _Request(ids, agreed, reason, note, key, actor, now)
    answer = _write_once(asked)
    gateways = configured() if gateways is None else gateways
    settlement.settle_batch(answer.batch_id, now=now, gateways=gateways)
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


def _write_once(asked: _Request) -> Answer:
    try:
        is_limited = get_settings().refunds_per_hour is not None
        with rights.changing(asked.actor, Permission.REFUND, counts=is_limited) as (session, actor):
            return _write(session, replace(asked, actor=actor))
    # The key is there, so this is a replay, maybe of this very moment; it counts for no limit.
    except (IntegrityError, TooMany):
        before = _find_answer(asked)
        if before is None:
            raise
        return before


def _find_answer(asked: _Request) -> Answer | None:
    """Find the first answer to a key; raises KeyTaken when it was for another request."""
    with db.reading() as session:
        batch = session.scalars(
            select(RefundBatch).where(RefundBatch.idempotency_key == asked.key)
        ).one_or_none()
        if batch is None:
            return None
        if batch.request_hash != asked.fingerprint:
            raise KeyTaken
        outcomes = batch.answer.get("outcomes", [])
        return Answer(batch.batch_id, tuple(Outcome(**one) for one in outcomes))


def _write(session: Session, asked: _Request) -> Answer:
    """Take the items that can be refunded, and write batch, refunds and audit events."""
    lines, items = _take(session, asked)
    refunds = _refunds_of(session, items)
    outcomes = []
    for line in lines:
        item, refund = line.item, refunds.get(line.order_item_id)
        if item is not None and refund is not None:
            granted = refund.refund_id, None, item.price_minor, item.currency
            outcomes.append(Outcome(line.order_item_id, *granted))
        else:
            why = line.refusal.sentence if line.refusal else "It changed meanwhile: try again."
            outcomes.append(Outcome(line.order_item_id, None, why, None, None))
    batch = {
        "batch_id": asked.batch_id,
        "idempotency_key": asked.key,
        "request_hash": asked.fingerprint,
        "answer": {"outcomes": [asdict(one) for one in outcomes]},
        "requested_by": asked.actor.email,
        "created_at": asked.now,
    }
    session.execute(insert(RefundBatch), [batch])
    for item in items:
        refund = refunds[item.order_item_id]
        _fill(refund, item, asked)
        session.add(refund)
        _record(session, refund, asked)
    return Answer(asked.batch_id, tuple(outcomes))


def _take(session: Session, asked: _Request) -> tuple[list[Assessed], list[RefundItem]]:
    """Take what can be refunded in one conditional UPDATE; return every line, and what was taken.

    Where somebody was faster, the lines say what became of those items.
    """
    actor, now = asked.actor, asked.now
    lines = assess_in(session, asked.ids, actor=actor, now=now)
    lines = [_unless_agreed(line, asked) for line in lines]
    able = [line.item for line in lines if line.item and not line.refusal]
    if not able:
        return lines, []
    _check_limit(session, len(able), asked)
    taken = _mark_requested(session, [one.order_item_id for one in able], asked)
    taken |= _mark_returned(session, [one.order_item_id for one in able if one.is_returned], asked)
    if len(taken) < len(able):
        late = assess_in(session, asked.ids, actor=actor, now=now)
        pairs = zip(lines, late, strict=True)
        lines = [then if then.order_item_id in taken else by_now for then, by_now in pairs]
    return lines, [item for item in able if item.order_item_id in taken]


def _unless_agreed(line: Assessed, asked: _Request) -> Assessed:
    if line.refusal or line.order_item_id in asked.agreed:
        return line
    sentence = "It can be refunded only since you confirmed: tick it again."
    return replace(line, refusal=Refusal(Reason.NOT_AGREED, sentence))


def _check_limit(session: Session, count: int, asked: _Request) -> None:
    limit = get_settings().refunds_per_hour
    if limit is None:
        return
    in_hour = Refund.requested_at > asked.now - AN_HOUR
    statement = select(func.count()).where(Refund.requested_by == asked.actor.email, in_hour)
    before = session.execute(statement).scalar_one()
    if before + count > limit:
        raise TooMany(limit, before)


def _mark_requested(session: Session, ids: Sequence[str], asked: _Request) -> set[str]:
    """Change the items' status where the rule still holds; return those that were changed."""
    key = ORDER_ITEMS.key_column
    statement = (
        update(OrderItem)
        .where(
            is_among(ORDER_ITEMS, key, tuple(ids)),
            OrderItem.status == ItemStatus.NOT_USED,
            OrderItem.is_refundable,
            OrderItem.refund_expire_at >= asked.now,
            OrderItem.valid_until >= asked.now,
            scope(ORDER_ITEMS, asked.actor),
        )
        .values(status=ItemStatus.REFUND_REQUESTED)
        .returning(OrderItem.order_item_id)
    )
    return set(session.scalars(statement, execution_options={"synchronize_session": False}))


def _mark_returned(session: Session, ids: Sequence[str], asked: _Request) -> set[str]:
    """Claim the refunds that the bank returned, where they still are; return their items."""
    if not ids:
        return set()
    theirs = select(OrderItem.order_item_id).where(
        is_among(ORDER_ITEMS, ORDER_ITEMS.key_column, tuple(ids)),
        OrderItem.status == ItemStatus.REFUND_REQUESTED,
        scope(ORDER_ITEMS, asked.actor),
    )
    statement = (
        update(Refund)
        .where(Refund.order_item_id.in_(theirs), text(Refund.IS_RETURNED))
        .values(status=RefundStatus.REQUESTED)
        .returning(Refund.order_item_id)
    )
    return set(session.scalars(statement, execution_options={"synchronize_session": False}))


def _refunds_of(session: Session, items: Sequence[RefundItem]) -> dict[str, Refund]:
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


def _fill(refund: Refund, item: RefundItem, asked: _Request) -> None:
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
    refund.settled_at = refund.lease_until = None
    refund.requested_by = asked.actor.email
    refund.requested_at = refund.next_attempt_at = asked.now


def _record(session: Session, refund: Refund, asked: _Request) -> None:
    audit.record(
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
