"""Record the outcome of an attempt to send a mail, in one transaction; pause the queue."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session
from tenacity import RetryCallState, Retrying, wait_random_exponential

from core import access, storage
from core.ground import TO_COLLEAGUES, Channel, DeliveryKind, DeliveryStatus
from core.mail.deliver.server import Later, Rejected, Result, Sent, Unusable
from core.mail.queue.requests import record
from core.storage import Delivery, DeliveryItem, OrderItem

MAX_ATTEMPTS = 6
# At most 2, 7, 25, 86, 300 seconds; random from 2 up, so that mails do not retry all at once.
BACKOFF = wait_random_exponential(multiplier=2, exp_base=3.5, max=300, min=2)
PAUSE = timedelta(minutes=1)
_ACTIONS = {  # what the audit trail says was done
    (DeliveryKind.VOUCHER, Channel.SMTP): "voucher.sent",
    (DeliveryKind.VOUCHER, Channel.OUTBOX): "voucher.saved_to_outbox",
    (DeliveryKind.VOID_NOTICE, Channel.SMTP): "void_notice.sent",
    (DeliveryKind.VOID_NOTICE, Channel.OUTBOX): "void_notice.saved_to_outbox",
    (DeliveryKind.MENTION, Channel.SMTP): "mention.sent",
    (DeliveryKind.MENTION, Channel.OUTBOX): "mention.saved_to_outbox",
    (DeliveryKind.APPROVED, Channel.SMTP): "decision.sent",
    (DeliveryKind.APPROVED, Channel.OUTBOX): "decision.saved_to_outbox",
    (DeliveryKind.DECLINED, Channel.SMTP): "decision.sent",
    (DeliveryKind.DECLINED, Channel.OUTBOX): "decision.saved_to_outbox",
}
_PAUSED = "mail_paused"  # a fact in the database, so that every process pauses
TWICE = "It may have arrived twice: an earlier attempt failed after handing it over."


@dataclass(frozen=True)
class Job:
    """A delivery that only this worker may send until its lease expires."""

    delivery_id: str
    lease: datetime
    ends: float  # by time.monotonic


@dataclass(frozen=True)
class Cancelled:
    """None of the items may be sent any more."""


@dataclass(frozen=True)
class Attempt:
    """The outcome of an attempt, and the reason for each item that was left out."""

    outcome: Result | Cancelled
    left_out: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Pause:
    """The mail server cannot be used: why, since when, and when the next attempt is."""

    why: str
    since: datetime
    until: datetime


def record_attempt(job: Job, attempt: Attempt, *, now: datetime) -> None:
    """Record the outcome of an attempt: delivery, items, audit trail, and the pause.

    A sent mail is recorded even if the lease has expired, because it is sent anyway.
    """
    with storage.writing() as session:
        delivery = _find_mine(session, job, attempt.outcome)
        if delivery is None:
            return
        delivery.lease_until = None
        if not delivery.may_be_twice:  # otherwise it is unknown what the recipient has
            _note_left_out(session, delivery, attempt.left_out)
        match attempt.outcome:
            case Sent(channel=channel):
                delivery.channel = channel
                _record_sent(session, delivery, attempt.left_out, now)
            case Later(why, may_have_arrived):
                delivery.may_be_twice |= may_have_arrived
                _record_later(session, delivery, why, now)
            case Rejected(why):
                delivery.attempts += 1
                _end(session, delivery, DeliveryStatus.FAILED, why, now)
            case Cancelled():
                why = _in_words(attempt.left_out)
                _end(session, delivery, DeliveryStatus.CANCELLED, why, now)
            case Unusable(why):
                delivery.status = DeliveryStatus.QUEUED
                # Behind the others: this may be the only mail that the server does not take.
                delivery.next_attempt_at = now
                _pause(session, why, now)
        if delivery.status != DeliveryStatus.SENT and not delivery.may_be_twice:
            delivery.handed_over_at = None  # the server did not accept it
        if isinstance(attempt.outcome, Sent | Later | Rejected):
            end_pause(session)


def _find_mine(session: Session, job: Job, outcome: Result | Cancelled) -> Delivery | None:
    """Lock the delivery; None if another worker has it now, or it was deleted."""
    delivery = session.get(Delivery, job.delivery_id, with_for_update=True)
    if delivery is None or delivery.status != DeliveryStatus.SENDING:
        return None
    is_mine = delivery.lease_until == job.lease or isinstance(outcome, Sent)
    return delivery if is_mine else None


def _note_left_out(session: Session, delivery: Delivery, left_out: dict[str, str]) -> None:
    for item in _items(session, delivery):
        item.left_out = left_out.get(item.order_item_id)


def _items(session: Session, delivery: Delivery) -> list[DeliveryItem]:
    about = DeliveryItem.delivery_id == delivery.delivery_id
    return list(session.scalars(select(DeliveryItem).where(about)))


def _products(session: Session, delivery: Delivery) -> dict[str, str]:
    """Return the product of each item in a mail."""
    mine = DeliveryItem.order_item_id == OrderItem.order_item_id
    named = select(OrderItem.order_item_id, OrderItem.product).join(DeliveryItem, mine)
    rows = session.execute(named.where(DeliveryItem.delivery_id == delivery.delivery_id))
    return {row.order_item_id: row.product for row in rows}


def _in_words(left_out: dict[str, str]) -> str:
    whys = (f"Without {item}: {why}" if item else why for item, why in sorted(left_out.items()))
    return " ".join(whys)


def _record_sent(
    session: Session, delivery: Delivery, left_out: dict[str, str], now: datetime
) -> None:
    """Record a mail that the server accepted, and an audit event for each voucher in it."""
    delivery.status, delivery.sent_at = DeliveryStatus.SENT, now
    delivery.attempts += 1
    said = [TWICE] if delivery.may_be_twice else []
    delivery.last_error = " ".join([*said, _in_words(left_out)]).strip() or None
    action = _ACTIONS[DeliveryKind(delivery.kind), Channel(delivery.channel)]
    if delivery.kind in TO_COLLEAGUES:
        record(session, delivery, action, actor=delivery.requested_by, now=now)
        return
    products = _products(session, delivery)
    for item in _items(session, delivery):
        if item.order_item_id not in left_out:
            access.record_event(
                session,
                action,
                actor=delivery.requested_by,
                entity="order_item",
                entity_id=item.order_item_id,
                order_id=item.order_id,
                contract_id=item.contract_id,
                now=now,
                after={
                    "recipient": delivery.recipient,
                    "delivery_id": delivery.delivery_id,
                    "product": products[item.order_item_id],
                },
            )


def _record_later(session: Session, delivery: Delivery, why: str, now: datetime) -> None:
    delivery.attempts += 1
    delivery.last_error = why
    if delivery.attempts >= MAX_ATTEMPTS:
        _end(session, delivery, DeliveryStatus.FAILED, why, now)
        return
    delivery.status = DeliveryStatus.QUEUED
    delivery.next_attempt_at = now + _wait(delivery.attempts)


def _wait(attempts: int) -> timedelta:
    state = RetryCallState(Retrying(), None, (), {})
    state.attempt_number = attempts
    return timedelta(seconds=BACKOFF(state))


def _end(
    session: Session, delivery: Delivery, status: DeliveryStatus, why: str, now: datetime
) -> None:
    """End a delivery without sending it; record the reason, also in the audit trail."""
    before = {"status": DeliveryStatus.SENDING}
    delivery.status, delivery.last_error = status, why
    actor = delivery.requested_by
    record(session, delivery, f"delivery.{status}", actor=actor, now=now, before=before, why=why)


def find_pause(session: Session) -> Pause | None:
    """Find the pause of the queue; None if the queue is not paused."""
    fact = storage.get_fact(session, _PAUSED)
    if fact is None:
        return None
    said = json.loads(fact)
    return Pause(said["why"], *(datetime.fromisoformat(said[at]) for at in ("since", "until")))


def get_pause() -> Pause | None:
    """Return the pause of the queue to show to people; None if it is not paused."""
    with storage.reading() as session:
        return find_pause(session)


def _pause(session: Session, why: str, now: datetime) -> None:
    """Pause the queue. After the pause one delivery is attempted first."""
    fact = storage.get_fact(session, _PAUSED)
    since = now.isoformat() if fact is None else json.loads(fact)["since"]
    until = (now + PAUSE).isoformat()
    said = json.dumps({"why": why, "since": since, "until": until})
    storage.put_fact(session, _PAUSED, said)


def end_pause(session: Session) -> None:
    """End the pause in the caller's transaction."""
    storage.delete_fact(session, _PAUSED)
