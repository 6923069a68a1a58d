"""Send Voucher, Resend and Send Void Notice: queued in one transaction, sent by the worker.

The dialog makes an idempotency key for each request: repeating the request changes nothing and
returns the first answer. Sending happens later, outside the transaction: core.mail.deliver.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import storage, vouchers
from core.access import Actor, checked_key, require
from core.ground import (
    DeliveryKind,
    DeliveryStatus,
    InvalidInput,
    NotFound,
    Permission,
    Refused,
    storable,
)
from core.mail.compose.body import MAX_MESSAGE
from core.mail.queue.assessment import (
    Assessment,
    To,
    assess_in,
    checked_recipients,
    void_notices_in,
)
from core.mail.queue.requests import (
    RESENT,
    Answer,
    Queued,
    Request,
    check_limit,
    new_delivery,
    queue_once,
    queueing,
    record,
)
from core.query import is_among, scope, ticked_ids
from core.storage import Delivery, DeliveryItem
from core.tables import EMAILS
from core.vouchers import summarise_reasons

ENDED = (DeliveryStatus.FAILED, DeliveryStatus.CANCELLED)


def send(
    item_ids: Sequence[str],
    recipients: Sequence[str] | To,
    *,
    message: str | None,
    key: str,
    actor: Actor,
    now: datetime,
) -> Answer:
    """Queue the vouchers of order items to recipients: a mail for each recipient and contract.

    An item whose voucher is not valid is in the answer with the reason; the others are queued. The
    same key and request again return the first answer and change nothing. Raises NotPermitted;
    InvalidInput that lists every problem; Refused when there is no mail to send, a mail is too
    large, the hourly limit is exceeded, or the key belongs to another request. Then nothing is
    queued.
    """
    require(actor, Permission.VOUCHERS)
    ids = sorted(vouchers.ticked_items(item_ids))
    to = checked_recipients(recipients)
    asked = Request(
        DeliveryKind.VOUCHER, ids, to, _checked_message(message), checked_key(key), actor, now
    )

    def look(session: Session, actor: Actor) -> Assessment:
        found = assess_in(session, ids, to, actor=actor, now=now, lock=True)
        if not found.envelopes:
            raise Refused(f"No voucher can be sent. {summarise_reasons(found.left_out)}")
        return found

    return queue_once(asked, Permission.VOUCHERS, look)


def notify_void(item_ids: Sequence[str], *, key: str, actor: Actor, now: datetime) -> Answer:
    """Queue void notices to everyone who was mailed a voucher that is void now, once each.

    Items that are not refunded are ignored. Raises as `send` does.
    """
    require(actor, Permission.EMAILS)
    ids = sorted(vouchers.ticked_items(item_ids))
    asked = Request(DeliveryKind.VOID_NOTICE, ids, [], None, checked_key(key), actor, now)

    def look(session: Session, actor: Actor) -> Assessment:
        found = void_notices_in(session, ids, actor=actor, lock=True)
        if not found:
            raise Refused(
                "No one needs a void notice. Either no refunded voucher was mailed, or every "
                "recipient already has the notice."
            )
        return Assessment(found, ())

    return queue_once(asked, Permission.EMAILS, look)


def resend(delivery_ids: Sequence[str], *, key: str, actor: Actor, now: datetime) -> Answer:
    """Queue e-mails again: failed and cancelled ones as they are, sent ones as new mails.

    E-mails that are queued or being sent are skipped. Raises NotFound if the actor has no access
    to one of them, otherwise as `send` does.
    """
    require(actor, Permission.EMAILS)
    ids = sorted(ticked_ids(delivery_ids, EMAILS, "to send them again"))
    key, now = checked_key(key), storage.database_time(now)
    with queueing(actor, Permission.EMAILS) as (session, actor):
        is_one = is_among(EMAILS, EMAILS.key_column, tuple(ids)), scope(EMAILS, actor)
        found = list(session.scalars(select(Delivery).where(*is_one).with_for_update()))
        if len(found) < len(ids):
            raise NotFound("One of these e-mails was not found, or you have no access to it.")
        check_limit(session, len(found), actor, now)
        again = [new for one in found if (new := _again(session, one, key, actor, now))]
        if not again:
            raise Refused("These e-mails are already queued or being sent.")
        return Answer(tuple(again), ())


def _again(session: Session, one: Delivery, key: str, actor: Actor, now: datetime) -> Queued | None:
    items = session.scalars(select(DeliveryItem).where(DeliveryItem.delivery_id == one.delivery_id))
    about = sorted(items, key=lambda item: item.order_item_id)
    before = {"status": one.status, "last_error": one.last_error}
    if one.status in ENDED:
        one.status, one.attempts = DeliveryStatus.QUEUED, 0
        one.next_attempt_at = now
        one.last_error = one.lease_until = None
        for item in about:
            item.left_out = None
    elif one.status == DeliveryStatus.SENT:
        key = f"{key} {one.delivery_id}"
        is_done = select(Delivery.delivery_id).where(Delivery.idempotency_key == key)
        if session.scalar(is_done) is not None:
            return None
        one = _copy(one, key, actor, now)
        session.add(one)
        session.flush()
        session.add_all(_copies(about, one.delivery_id))
    else:
        return None
    record(session, one, RESENT, actor=actor, now=now, before=before)
    ids = tuple(item.order_item_id for item in about)
    return Queued(one.delivery_id, one.recipient, one.contract_id, ids)


def _copy(one: Delivery, key: str, actor: Actor, now: datetime) -> Delivery:
    """Copy a mail that was sent: a new delivery with a new Message-ID and the same content."""
    same = "recipient contract_id order_id note_id item_count kind subject message".split()
    about = {name: getattr(one, name) for name in same}
    return new_delivery(actor.email, now, idempotency_key=key, **about)


def _copies(about: Sequence[DeliveryItem], delivery_id: str) -> list[DeliveryItem]:
    return [
        DeliveryItem(
            delivery_id=delivery_id,
            order_item_id=item.order_item_id,
            order_id=item.order_id,
            contract_id=item.contract_id,
        )
        for item in about
    ]


def _checked_message(message: str | None) -> str | None:
    text = storable((message or "").strip())
    if len(text) > MAX_MESSAGE:
        raise InvalidInput(
            f"A message has at most {MAX_MESSAGE:,} characters; this one has {len(text):,}."
        )
    return text or None
