"""The mail queue: each request has an idempotency key and is queued in one transaction.

Repeating a request changes nothing and returns the first answer.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import access, storage, vouchers
from core.access import Actor, KeyTaken
from core.ground import (
    DECISIONS,
    DeliveryKind,
    DeliveryStatus,
    Permission,
    Refused,
    get_settings,
)
from core.mail.compose.contents import configured_channel, sender_address, to_mail_items
from core.mail.compose.letters import default_subject, make_message_id
from core.mail.queue.assessment import Assessment, Envelope, To
from core.storage import AuditEvent, Delivery, DeliveryItem, DeliveryRequest, OrderItem, new_id
from core.vouchers import VoucherLine


@dataclass(frozen=True)
class Queued:
    """A queued mail: its delivery, recipient, contract and items."""

    delivery_id: str
    recipient: str
    contract_id: str
    item_ids: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """The answer to a request; repeating the request gives the same answer."""

    deliveries: tuple[Queued, ...]
    left_out: tuple[VoucherLine, ...]


@dataclass(frozen=True)
class Request:
    """A checked request: kind of mail, items, recipients, message, idempotency key, actor."""

    kind: DeliveryKind
    ids: list[str]
    recipients: list[str] | To
    message: str | None
    key: str
    actor: Actor
    now: datetime

    @property
    def fingerprint(self) -> str:
        """Return a hash that differs for another request with the same key."""
        asked = self.kind, self.ids, self.recipients, self.message, self.actor.user_id
        return access.fingerprint(*asked)


class TooManyMails(Refused):
    """The actor would exceed EMAILS_PER_HOUR."""

    def __init__(self, limit: int, before: int, asked: int) -> None:
        super().__init__(
            f"You can send {limit:,} e-mails per hour. You sent {before:,} in the last hour, and "
            f"this would add {asked:,}. Send fewer, or try again later. Nothing was sent."
        )


RESENT = "delivery.resent"
Look = Callable[[Session, Actor], Assessment]


@contextmanager
def queueing(actor: Actor, permission: Permission) -> Iterator[tuple[Session, Actor]]:
    """Open the transaction of a person who queues mails, as core.access.rights.changing does.

    If EMAILS_PER_HOUR is set, the requests of one person run one after another.
    """
    is_limited = get_settings().emails_per_hour is not None
    with access.changing(actor, permission, counts=is_limited) as opened:
        yield opened


def queue_once(asked: Request, permission: Permission, look: Look) -> Answer:
    """Queue the mails that `look` finds in the transaction, or return the first answer to the key.

    Raises NotPermitted, AccessLost, KeyTaken, TooManyMails, and what `look` raises; then nothing
    is queued.
    """
    asked = replace(asked, now=storage.database_time(asked.now))
    try:
        return _queue(asked, permission, look)
    except IntegrityError:  # the same request was stored at the same moment
        return _queue(asked, permission, look)


def _queue(asked: Request, permission: Permission, look: Look) -> Answer:
    with queueing(asked.actor, permission) as (session, actor):
        before = _find_answer(session, asked)
        if before is not None:
            return before
        found = look(session, actor)
        check_limit(session, len(found.envelopes), actor, asked.now)
        return _write(session, replace(asked, actor=actor), found)


def _find_answer(session: Session, asked: Request) -> Answer | None:
    """Find the first answer to the key; raises KeyTaken if it belongs to another request."""
    request = session.get(DeliveryRequest, asked.key)
    if request is None:
        return None
    if request.request_hash != asked.fingerprint:
        raise KeyTaken
    queued = [
        Queued(**(one | {"item_ids": tuple(one["item_ids"])}))
        for one in request.answer["deliveries"]
    ]
    left_out = [VoucherLine(**one) for one in request.answer["left_out"]]
    return Answer(tuple(queued), tuple(left_out))


def check_limit(session: Session, count: int, actor: Actor, now: datetime) -> None:
    """Raise TooManyMails if `count` more mails exceed the actor's hourly limit.

    What tells colleagues of the actor's decisions does not count: nobody asked for these mails.
    Each Resend counts, whoever queued the mail at first. The transaction is one of `queueing`.
    """

    def queued_since(instant: datetime) -> int:
        resent = select(AuditEvent.entity_id).where(
            AuditEvent.at > instant,
            AuditEvent.actor == actor.email,
            AuditEvent.action == RESENT,
        )
        mine = (
            Delivery.requested_by == actor.email,
            Delivery.queued_at > instant,
            Delivery.kind.not_in(DECISIONS),
            Delivery.delivery_id.not_in(resent),
        )
        queued = select(func.count()).select_from(Delivery).where(*mine)
        again = select(func.count()).select_from(resent.subquery())
        return (session.scalar(queued) or 0) + (session.scalar(again) or 0)

    limit = get_settings().emails_per_hour
    access.check_hourly_limit(limit, queued_since, lambda: count, TooManyMails, now=now)


def _write(session: Session, asked: Request, found: Assessment) -> Answer:
    """Write the request, its deliveries and their audit events."""
    subjects = _subjects(session, asked.kind, found.envelopes)
    queued = []
    for envelope in found.envelopes:
        subject = subjects[envelope.item_ids]
        delivery = _to_delivery(envelope, subject, asked)
        session.add(delivery)
        session.flush()
        session.add_all(_about(session, envelope, delivery.delivery_id))
        record(session, delivery, "delivery.queued", actor=asked.actor, now=asked.now)
        named = delivery.recipient, delivery.contract_id, envelope.item_ids
        queued.append(Queued(delivery.delivery_id, *named))
    answer = Answer(tuple(queued), found.left_out)
    session.add(
        DeliveryRequest(
            idempotency_key=asked.key,
            request_hash=asked.fingerprint,
            answer=asdict(answer),
            requested_by=asked.actor.email,
            created_at=asked.now,
        )
    )
    return answer


def _subjects(
    session: Session, kind: DeliveryKind, envelopes: Sequence[Envelope]
) -> dict[tuple[str, ...], str]:
    """Return the subject of each set of items; recipients of the same items share it."""
    subjects = {}
    for ids in {envelope.item_ids for envelope in envelopes}:
        rows = session.scalars(select(OrderItem).where(OrderItem.order_item_id.in_(ids)))
        items = sorted(rows, key=lambda item: item.no)
        said = to_mail_items(items, vouchers.to_vouchers(session, items))
        subjects[ids] = default_subject(kind, said)
    return subjects


def _to_delivery(envelope: Envelope, subject: str, asked: Request) -> Delivery:
    return new_delivery(
        asked.actor.email,
        asked.now,
        idempotency_key=asked.key,
        recipient=envelope.recipient,
        contract_id=envelope.contract_id,
        order_id=envelope.order_ids[0] if len(envelope.order_ids) == 1 else None,
        item_count=len(envelope.item_ids),
        kind=asked.kind,
        subject=subject,
        message=asked.message,
    )


def new_delivery(requested_by: str, now: datetime, **about: Any) -> Delivery:
    """Return a new delivery, queued now by the database's clock, with its own Message-ID."""
    delivery_id = new_id()
    return Delivery(
        delivery_id=delivery_id,
        message_id=make_message_id(delivery_id, sender_address()),
        channel=configured_channel(),
        status=DeliveryStatus.QUEUED,
        requested_by=requested_by,
        queued_at=now,
        next_attempt_at=now,
        **about,
    )


def _about(session: Session, envelope: Envelope, delivery_id: str) -> list[DeliveryItem]:
    ids = OrderItem.order_item_id.in_(envelope.item_ids)
    rows = session.execute(select(OrderItem.order_item_id, OrderItem.order_id).where(ids))
    return [
        DeliveryItem(
            delivery_id=delivery_id,
            order_item_id=item_id,
            order_id=order_id,
            contract_id=envelope.contract_id,
        )
        for item_id, order_id in rows
    ]


def record(
    session: Session,
    delivery: Delivery,
    action: str,
    *,
    actor: Actor | str,
    now: datetime,
    before: dict[str, Any] | None = None,
    **after: Any,
) -> None:
    """Record an event of a delivery in the audit trail, in the caller's transaction."""
    access.record_event(
        session,
        action,
        actor=actor,
        entity="delivery",
        entity_id=delivery.delivery_id,
        order_id=delivery.order_id,
        contract_id=delivery.contract_id,
        now=now,
        before=before,
        after={
            "kind": delivery.kind,
            "recipient": delivery.recipient,
            "items": delivery.item_count,
            **after,
        },
    )
