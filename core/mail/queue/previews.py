"""A mail as people see it: what would be sent, what was, and the message as a file.

A message is made anew from its delivery, so that no look at it gives a voucher that is void: the
PDF comes with it only while every item of the mail is right to send.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import IO

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import access, storage, vouchers
from core.access import Actor, require
from core.ground import DeliveryKind, DeliveryStatus, NotFound, Permission, is_storable
from core.mail.compose.body import Mail, render_html, render_text
from core.mail.compose.contents import (
    Contents,
    load_contents,
    load_mail,
    render_message,
    sender_address,
    to_mail_items,
)
from core.mail.compose.letters import default_subject, file_name, make_message_id
from core.mail.queue.assessment import Envelope
from core.query import is_among, scope
from core.storage import Delivery, DeliveryItem, OrderItem, new_id
from core.tables import EMAILS
from core.vouchers import DOWNLOADED, VoucherLine, load_logo, logo_to_png


@dataclass(frozen=True)
class Preview:
    """A mail to be looked at: its headers, its text, its HTML (without scripts), its PDF's name."""

    sender: str
    recipient: str
    subject: str
    text: str
    html: str
    attachment: str | None


@dataclass(frozen=True)
class DeliveryDetails:
    """A delivery as it is: its row, what it is about, why it goes without some of it, its look."""

    delivery_id: str
    status: str
    last_error: str | None
    lines: tuple[VoucherLine, ...]
    preview: Preview
    is_whole: bool  # every item of it is right to send, so that the file has its PDF


def preview_draft(
    envelope: Envelope, message: str | None, *, kind: DeliveryKind, actor: Actor, now: datetime
) -> Preview:
    """Return what a mail would look like that is not queued yet."""
    require(actor, Permission.VOUCHERS)
    with storage.reading() as session:
        found = vouchers.load_items(session, envelope.item_ids, actor)
        items = [found[one] for one in envelope.item_ids if one in found]
        said = to_mail_items(items, vouchers.to_vouchers(session, items))
    draft = Mail(
        kind=kind,
        message_id=make_message_id(new_id(), sender_address()),
        recipient=envelope.recipient,
        subject=default_subject(kind, said),
        message=(message or "").strip() or None,
        items=said,
        written_at=now,
    )
    return _preview(draft)


def _preview(written: Mail) -> Preview:
    branding = vouchers.current_branding()
    picture = logo_to_png(load_logo(branding.logo)) if branding.logo else None
    logo = f"data:image/png;base64,{base64.b64encode(picture).decode()}" if picture else None
    is_voucher = written.kind == DeliveryKind.VOUCHER and written.items
    return Preview(
        sender=sender_address(),
        recipient=written.recipient,
        subject=written.subject,
        text=render_text(written, branding),
        html=render_html(written, branding, logo=logo),
        attachment=file_name(written.items) if is_voucher else None,
    )


def get_delivery(delivery_id: str, *, actor: Actor, now: datetime) -> DeliveryDetails:
    """Return a delivery; raises NotPermitted, or NotFound: also where others may see it."""
    require(actor, Permission.EMAILS)
    with storage.reading() as session:
        delivery = _get(session, delivery_id, actor)
        contents = load_contents(session, delivery, now=now)
        is_ended = delivery.status not in (DeliveryStatus.QUEUED, DeliveryStatus.SENDING)
        shown = load_mail(session, delivery) if is_ended else contents.mail
        return DeliveryDetails(
            delivery_id=delivery.delivery_id,
            status=delivery.status,
            last_error=delivery.last_error,
            lines=_lines(session, delivery),
            preview=_preview(shown),
            is_whole=not contents.left_out,
        )


@dataclass(frozen=True)
class DeliveryState:
    """What became of a mail so far."""

    delivery_id: str
    recipient: str
    status: str
    channel: str
    last_error: str | None


def get_states(delivery_ids: Sequence[str], *, actor: Actor) -> list[DeliveryState]:
    """Return what became of mails that the actor may see, by recipient."""
    require(actor, Permission.EMAILS)
    is_one = is_among(EMAILS, EMAILS.key_column, tuple(delivery_ids)), scope(EMAILS, actor)
    facts = (Delivery.delivery_id, Delivery.recipient, Delivery.status, Delivery.channel)
    statement = select(*facts, Delivery.last_error).where(*is_one)
    with storage.reading() as session:
        ordered = statement.order_by(Delivery.recipient, Delivery.delivery_id)
        return [DeliveryState(*row) for row in session.execute(ordered)]


def _get(session: Session, delivery_id: str, actor: Actor) -> Delivery:
    is_it = select(Delivery).where(Delivery.delivery_id == delivery_id, scope(EMAILS, actor))
    delivery = session.scalars(is_it).first() if is_storable(delivery_id) else None
    if delivery is None:
        raise NotFound(f"There is no e-mail “{delivery_id[:60]}” that you may see.")
    return delivery


def _lines(session: Session, delivery: Delivery) -> tuple[VoucherLine, ...]:
    items = (
        select(OrderItem.order_item_id, OrderItem.product, DeliveryItem.left_out)
        .join(DeliveryItem, DeliveryItem.order_item_id == OrderItem.order_item_id)
        .where(DeliveryItem.delivery_id == delivery.delivery_id)
        .order_by(OrderItem.no)
    )
    return tuple(VoucherLine(*row) for row in session.execute(items))


def count_open(*, actor: Actor) -> int:
    """Count the e-mails that are on their way, of those that the actor may see."""
    require(actor, Permission.EMAILS)
    is_open = Delivery.status.in_((DeliveryStatus.QUEUED, DeliveryStatus.SENDING))
    statement = select(func.count()).select_from(Delivery).where(is_open, scope(EMAILS, actor))
    with storage.reading() as session:
        return session.execute(statement).scalar_one()


def find_items(delivery_ids: Sequence[str], *, actor: Actor) -> list[str]:
    """Find the order items that e-mails are about, of e-mails that the actor may see."""
    require(actor, Permission.EMAILS)
    with storage.reading() as session:
        is_one = is_among(EMAILS, EMAILS.key_column, tuple(delivery_ids)), scope(EMAILS, actor)
        about = select(DeliveryItem.order_item_id).join(
            Delivery, Delivery.delivery_id == DeliveryItem.delivery_id
        )
        return sorted(set(session.scalars(about.where(*is_one))))


def write_message(delivery_id: str, file: IO[bytes], *, actor: Actor, now: datetime) -> str:
    """Write a mail as a file that mail programs open, audit the copy, and return its name.

    The vouchers come with it only while every one is valid; otherwise the file says why not.
    Raises NotPermitted, AccessLost, NotFound.
    """
    with access.changing(actor, Permission.EMAILS) as (session, actor):
        delivery = _get(session, delivery_id, actor)
        contents = load_contents(session, delivery, now=now, is_kept=True)
        if contents.left_out:
            contents = replace(contents, mail=load_mail(session, delivery), vouchers=())
        for one in contents.vouchers:
            access.record_event(
                session,
                DOWNLOADED,
                actor=actor,
                entity="order_item",
                entity_id=one.order_item_id,
                order_id=one.order_id,
                contract_id=delivery.contract_id,
                now=now,
                after={"delivery_id": delivery_id},
            )
    # Rendered after the commit: that somebody may have a copy is known before it leaves.
    message = render_message(contents)
    if contents.left_out and contents.mail.kind == DeliveryKind.VOUCHER:
        message.add_attachment(_explain(contents), filename="vouchers-left-out.txt")
    file.write(message.as_bytes())
    return f"{contents.mail.kind}-{delivery_id}.eml"


def _explain(contents: Contents) -> str:
    whys = "\n".join(f"{item}: {why}" for item, why in sorted(contents.left_out.items()))
    return f"The vouchers of this e-mail are left out, since not all of them are valid.\n{whys}\n"
