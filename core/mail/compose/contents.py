"""Load the contents of a mail: its items as they are now, the left-out ones, text, vouchers."""

import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.message import EmailMessage
from urllib.parse import urlencode

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import vouchers
from core.ground import (
    DECISIONS,
    Channel,
    DeliveryKind,
    ItemStatus,
    Refused,
    fold,
    format_money,
    get_settings,
)
from core.mail.compose import letters
from core.mail.compose.body import Mail, MailItem, Mention
from core.query import sees_its_order, sees_order
from core.storage import Delivery, DeliveryItem, Note, Order, OrderItem, User, folded
from core.vouchers import Voucher

CHECKED_FROM = 100  # vouchers; fewer never exceed the limit: a page takes 2.4 kB, a font 40
MEGABYTE = 2**20
WITHDRAWN = "(This note was withdrawn.)"
BASE64 = 4 / 3  # growth of a file in a mail


@dataclass(frozen=True)
class Contents:
    """A mail with its vouchers, and the reason for each item of its delivery that is left out."""

    mail: Mail
    vouchers: tuple[Voucher, ...]
    left_out: dict[str, str]  # reason by order item; without one, of the whole mail

    @property
    def enclosed(self) -> list[str]:
        """Return what may be sent: the order items, or the order of a note; empty if nothing."""
        note = [self.mail.mention.order_id] if self.mail.mention and not self.left_out else []
        return [item.order_item_id for item in self.mail.items] + note


class TooLarge(Refused):
    """A mail would exceed MAIL_MAX_MB."""

    def __init__(self, count: int, size: int, limit: int) -> None:
        super().__init__(
            f"A mail with {count:,} vouchers has {size / MEGABYTE:.1f} MB; the maximum is "
            f"{limit / MEGABYTE:.1f} MB. Send fewer at once."
        )


def load_contents(
    session: Session, delivery: Delivery, *, now: datetime, lock: bool = False
) -> Contents:
    """Load what a delivery contains at the instant `now`: the items that may still be sent.

    A voucher mail contains valid vouchers, a void notice contains refunded items. Decisions are
    told to a colleague who sees their orders. With `lock` nobody can refund the items until the
    transaction ends.
    """
    if delivery.kind == DeliveryKind.MENTION:
        return _load_mention(session, delivery)
    is_decision = delivery.kind in DECISIONS
    items = _load_items(session, delivery.delivery_id, lock=lock and not is_decision)
    whys = (
        _why_not_told(session, delivery, items)
        if is_decision
        else {item.order_item_id: _why_not(delivery.kind, item, now) for item in items}
    )
    right = [item for item in items if whys[item.order_item_id] is None]
    printed = vouchers.to_vouchers(session, right)
    written = _written(delivery, to_mail_items(right, printed))
    left_out = {item: why for item, why in whys.items() if why is not None}
    is_voucher = delivery.kind == DeliveryKind.VOUCHER
    return Contents(written, tuple(printed) if is_voucher else (), left_out)


def _load_mention(session: Session, delivery: Delivery) -> Contents:
    """Load a note for a colleague, unless it was withdrawn or they cannot see the order now."""
    note = session.get_one(Note, delivery.note_id)
    order = session.get_one(Order, note.order_id)
    sees = sees_order(order.contract_id, order.author)
    is_meant = folded(User.email) == fold(delivery.recipient)
    left_out = {}
    if note.text is None:
        left_out[""] = "The note was withdrawn."
    elif session.scalar(select(User.user_id).where(is_meant, sees)) is None:
        left_out[""] = _blind(delivery)
    named = select(User.name).where(folded(User.email) == fold(note.author))
    author = session.scalar(named) or note.author
    about = Mention(author, note.order_id, note.text or WITHDRAWN, _link([note.order_id]))
    return Contents(replace(_written(delivery, ()), mention=about), (), left_out)


def _why_not_told(
    session: Session, delivery: Delivery, items: Sequence[OrderItem]
) -> dict[str, str | None]:
    """Return why each decision is not told to the recipient: they cannot see its order now."""
    seen = (
        select(Order.order_id)
        .join(User, sees_its_order())
        .where(Order.order_id.in_({item.order_id for item in items}))
        .where(folded(User.email) == fold(delivery.recipient))
    )
    orders = set(session.scalars(seen))
    blind = _blind(delivery)
    return {item.order_item_id: None if item.order_id in orders else blind for item in items}


def _blind(delivery: Delivery) -> str:
    return f"{delivery.recipient} cannot see the order any more."


def _link(order_ids: Collection[str]) -> str:
    """Return the address of an order, or of all refunds if there are several orders."""
    asked = [f"order?{urlencode({'order': one})}" for one in order_ids]
    return f"{get_settings().public_url}/{asked[0] if len(asked) == 1 else 'refunds'}"


def load_mail(session: Session, delivery: Delivery) -> Mail:
    """Load the mail of a finished delivery: every item that was not left out."""
    if delivery.kind == DeliveryKind.MENTION:
        return _load_mention(session, delivery).mail
    items = _load_items(session, delivery.delivery_id, is_as_sent=True)
    return _written(delivery, to_mail_items(items, vouchers.to_vouchers(session, items)))


def _written(delivery: Delivery, items: tuple[MailItem, ...]) -> Mail:
    return Mail(
        kind=DeliveryKind(delivery.kind),
        message_id=delivery.message_id,
        recipient=delivery.recipient,
        subject=delivery.subject,
        message=delivery.message,
        items=items,
        written_at=delivery.queued_at,
        link=_link({item.order_id for item in items}) if delivery.kind in DECISIONS else "",
    )


def _load_items(
    session: Session, delivery_id: str, *, lock: bool = False, is_as_sent: bool = False
) -> Sequence[OrderItem]:
    statement = (
        select(OrderItem)
        .join(DeliveryItem, DeliveryItem.order_item_id == OrderItem.order_item_id)
        .where(DeliveryItem.delivery_id == delivery_id)
        .order_by(OrderItem.order_item_id)
        .execution_options(populate_existing=True)
    )
    if is_as_sent:
        statement = statement.where(DeliveryItem.left_out.is_(None))
    if lock:
        statement = statement.with_for_update(read=True, of=OrderItem)
    return sorted(session.scalars(statement), key=lambda item: item.no)


def _why_not(kind: str, item: OrderItem, now: datetime) -> str | None:
    if kind == DeliveryKind.VOID_NOTICE:
        is_void = item.status == ItemStatus.REFUNDED
        return None if is_void else "It is not refunded, so its voucher is not void."
    terms = item.status, item.valid_until, item.refunded_at, item.airport_tz
    return vouchers.why_not_valid(*terms, now=now)


def to_mail_items(items: Sequence[OrderItem], printed: Sequence[Voucher]) -> tuple[MailItem, ...]:
    """Return items as a mail names them; `printed` are their vouchers in the same order."""
    return tuple(
        MailItem(
            order_item_id=one.order_item_id,
            order_id=one.order_id,
            number=one.number,
            product=one.product,
            passenger_name=one.passenger_name,
            airport_iata=one.airport_iata,
            airport_name=one.airport_name,
            terminal=one.terminal,
            service_at=one.service_at,
            airport_tz=one.airport_tz,
            flight_number=one.flight_number,
            voucher_code=one.voucher_code,
            valid_until=one.valid_until,
            refunded_at=item.refunded_at,
            price=format_money(item.price_minor, item.currency),
            is_not_used=item.status == ItemStatus.NOT_USED,
        )
        for item, one in zip(items, printed, strict=True)
    )


def sender_address() -> str:
    """Return the sender: MAIL_FROM, or a placeholder address for the outbox on disk."""
    settings = get_settings()
    return settings.mail_from or f"{settings.app_name} <order-desk@desk.local>"


def configured_channel() -> Channel:
    """Return the channel of mail: SMTP if a mail server is set, otherwise the outbox on disk."""
    return Channel.SMTP if get_settings().smtp_host else Channel.OUTBOX


def render_message(contents: Contents) -> EmailMessage:
    """Return the mail as a message with one PDF of its vouchers; raises TooLarge."""
    pdf = render_pdf(contents.vouchers) if contents.vouchers else None
    branding = vouchers.current_branding()
    return letters.compose(contents.mail, branding, sender=sender_address(), pdf=pdf)


def render_pdf(printed: Sequence[Voucher]) -> bytes:
    """Return vouchers as one PDF; raises TooLarge when it does not fit into a mail."""
    file = io.BytesIO()
    vouchers.render_vouchers(printed, vouchers.current_branding(), file)
    size, limit = int(len(file.getvalue()) * BASE64), get_settings().mail_max_mb * MEGABYTE
    if size > limit:
        raise TooLarge(len(printed), size, limit)
    return file.getvalue()
