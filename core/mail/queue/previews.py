"""A mail as people see it: a preview, a sent mail, and the message as a file.

A message is not stored: it is rendered again from its delivery. The PDF is attached only while
every item of the mail may be sent, so that no one gets a void voucher.
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
from core.ground import (
    DeliveryKind,
    DeliveryState,
    DeliveryStatus,
    NotFound,
    Permission,
    delivery_state,
    get_settings,
    is_storable,
)
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
from core.mail.states import texts_kept_since
from core.query import is_among, scope
from core.storage import Delivery, DeliveryItem, OrderItem, new_id
from core.tables import EMAILS
from core.vouchers import DOWNLOADED, VoucherLine, load_logo, logo_to_png


@dataclass(frozen=True)
class Preview:
    """A mail to look at: headers, text, HTML (without scripts), and the name of its PDF."""

    sender: str
    recipient: str
    subject: str
    text: str
    html: str
    attachment: str | None


@dataclass(frozen=True)
class DeliveryDetails:
    """A delivery: its state, its items with the reason for those left out, and its preview."""

    delivery_id: str
    status: str
    state: DeliveryState  # what people see of it
    last_error: str | None
    lines: tuple[VoucherLine, ...]
    preview: Preview
    is_whole: bool  # every item may be sent, so the file includes the PDF
    text_kept_days: int | None  # if its sender's own text, had it one, is deleted by now


def preview_draft(
    envelope: Envelope, message: str | None, *, kind: DeliveryKind, actor: Actor, now: datetime
) -> Preview:
    """Return the preview of a mail before it is queued."""
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
    """Return a delivery; raises NotPermitted, or NotFound if the actor has no access to it."""
    require(actor, Permission.EMAILS)
    since = texts_kept_since(now)
    with storage.reading() as session:
        delivery = _get(session, delivery_id, actor)
        contents = load_contents(session, delivery, now=now)
        is_old = since is not None and delivery.queued_at < since
        is_ended = delivery.status not in (DeliveryStatus.QUEUED, DeliveryStatus.SENDING)
        shown = load_mail(session, delivery) if is_ended else contents.mail
        return DeliveryDetails(
            delivery_id=delivery.delivery_id,
            status=delivery.status,
            state=delivery_state(delivery.status, delivery.channel),
            last_error=delivery.last_error,
            lines=_lines(session, delivery),
            preview=_preview(shown),
            is_whole=not (contents.left_out and delivery.kind == DeliveryKind.VOUCHER),
            text_kept_days=get_settings().mail_text_days if is_old else None,
        )


@dataclass(frozen=True)
class StateOfMail:
    """The current state of a mail."""

    delivery_id: str
    recipient: str
    state: DeliveryState
    last_error: str | None


def get_states(delivery_ids: Sequence[str], *, actor: Actor) -> list[StateOfMail]:
    """Return the states of mails that the actor may see, sorted by recipient."""
    require(actor, Permission.EMAILS)
    is_one = is_among(EMAILS, EMAILS.key_column, tuple(delivery_ids)), scope(EMAILS, actor)
    facts = (Delivery.delivery_id, Delivery.recipient, Delivery.status, Delivery.channel)
    statement = select(*facts, Delivery.last_error).where(*is_one)
    with storage.reading() as session:
        ordered = statement.order_by(Delivery.recipient, Delivery.delivery_id)
        return [
            StateOfMail(delivery_id, recipient, delivery_state(status, channel), error)
            for delivery_id, recipient, status, channel, error in session.execute(ordered)
        ]


def _get(session: Session, delivery_id: str, actor: Actor) -> Delivery:
    is_it = select(Delivery).where(Delivery.delivery_id == delivery_id, scope(EMAILS, actor))
    delivery = session.scalars(is_it).first() if is_storable(delivery_id) else None
    if delivery is None:
        raise NotFound(f"E-mail “{delivery_id[:60]}” was not found, or you have no access to it.")
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
    """Count the queued and sending e-mails that the actor may see."""
    require(actor, Permission.EMAILS)
    is_open = Delivery.status.in_((DeliveryStatus.QUEUED, DeliveryStatus.SENDING))
    statement = select(func.count()).select_from(Delivery).where(is_open, scope(EMAILS, actor))
    with storage.reading() as session:
        return session.execute(statement).scalar_one()


def find_items(delivery_ids: Sequence[str], *, actor: Actor) -> list[str]:
    """Find the order items of e-mails that the actor may see."""
    require(actor, Permission.EMAILS)
    with storage.reading() as session:
        is_one = is_among(EMAILS, EMAILS.key_column, tuple(delivery_ids)), scope(EMAILS, actor)
        about = select(DeliveryItem.order_item_id).join(
            Delivery, Delivery.delivery_id == DeliveryItem.delivery_id
        )
        return sorted(set(session.scalars(about.where(*is_one))))


def write_message(delivery_id: str, file: IO[bytes], *, actor: Actor, now: datetime) -> str:
    """Write a mail as an .eml file, record the download in the audit trail, return its name.

    The vouchers are attached only while all of them are valid; otherwise the file says why not.
    Raises NotPermitted, AccessLost, NotFound.
    """
    with access.changing(actor, Permission.EMAILS) as (session, actor):
        delivery = _get(session, delivery_id, actor)
        contents = load_contents(session, delivery, now=now, lock=True)
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
                after={"delivery_id": delivery_id, "product": one.product},
            )
    # Rendered after the commit: the audit trail knows of a copy before anyone can have it.
    message = render_message(contents)
    if contents.left_out and contents.mail.kind == DeliveryKind.VOUCHER:
        message.add_attachment(_explain(contents), filename="vouchers-left-out.txt")
    file.write(message.as_bytes())
    return f"{contents.mail.kind}-{delivery_id}.eml"


def _explain(contents: Contents) -> str:
    whys = "\n".join(f"{item}: {why}" for item, why in sorted(contents.left_out.items()))
    return f"The vouchers are not attached because not all of them are valid.\n{whys}\n"
