"""Assess sending vouchers: which mail goes to whom, what is left out, who is unknown."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import storage
from core.access import Actor, require
from core.ground import DeliveryKind, DeliveryStatus, InvalidInput, ItemStatus, Permission, fold
from core.mail.compose.addresses import parse_address, parse_recipients
from core.mail.compose.contents import CHECKED_FROM, render_pdf
from core.storage import Delivery, DeliveryItem, Order, OrderItem
from core.vouchers import VoucherLine, assess_items, load_items, ticked_items, to_vouchers

Known = Mapping[str, frozenset[str]]  # the known addresses of each order, folded


class To(StrEnum):
    """Send to addresses stored with the order instead of typed ones."""

    CONTACTS = "contacts"  # each order's contact gets the vouchers of that order
    PASSENGERS = "passengers"  # each passenger gets their own vouchers


@dataclass(frozen=True)
class Envelope:
    """One mail: its recipient, contract, items and orders."""

    recipient: str
    contract_id: str
    item_ids: tuple[str, ...]
    order_ids: tuple[str, ...]
    unknown_to: tuple[str, ...]  # the orders where the address is not contact or passenger


@dataclass(frozen=True)
class Assessment:
    """The mails that would be sent, and every item that would not, with the reason.

    `unprintable` are the vouchers in these mails with characters that no font has.
    """

    envelopes: tuple[Envelope, ...]
    left_out: tuple[VoucherLine, ...]
    unprintable: tuple[VoucherLine, ...] = ()


def assess(
    item_ids: Sequence[str], recipients: Sequence[str] | To, *, actor: Actor, now: datetime
) -> Assessment:
    """Work out the mails that would send the vouchers of items, and the items left out.

    `recipients` are addresses (each gets every voucher) or a `To`. No mail mixes contracts.
    Raises InvalidInput that lists every invalid address, and TooLarge if a mail is too large.
    """
    require(actor, Permission.VOUCHERS)
    ids, to = ticked_items(item_ids), checked_recipients(recipients)
    with storage.reading() as session:
        return assess_in(session, ids, to, actor=actor, now=now)


def checked_recipients(recipients: Sequence[str] | To) -> list[str] | To:
    """Check addresses one by one; raises InvalidInput that lists every invalid one."""
    return recipients if isinstance(recipients, To) else parse_recipients(recipients)


def assess_in(
    session: Session,
    ids: Sequence[str],
    recipients: Sequence[str] | To,
    *,
    actor: Actor,
    now: datetime,
    lock: bool = False,
) -> Assessment:
    """Assess inside the caller's transaction; `lock` as in `vouchers.load_items`."""
    items = load_items(session, ids, actor, lock=lock)
    lines = assess_items(ids, items, now)
    left_out = [line for line in lines if line.why]
    valid = [items[line.order_item_id] for line in lines if line.why is None]
    orders = _load_orders(session, valid)
    addressed: list[tuple[str, OrderItem]] = []
    for item in valid:
        try:
            to = _recipients_of(item, orders[item.order_id], recipients)
        except InvalidInput as error:
            about = item.order_id, item.passenger_name
            why = str(error)
            left_out.append(VoucherLine(item.order_item_id, item.product, why, "", *about))
        else:
            addressed += [(one, item) for one in to]
    envelopes = _envelopes(addressed, _load_known(session, orders))
    _check_sizes(session, envelopes, items)
    sent = {one for envelope in envelopes for one in envelope.item_ids}
    unprintable = tuple(one for one in lines if one.unprintable and one.order_item_id in sent)
    return Assessment(envelopes, tuple(left_out), unprintable)


def _check_sizes(
    session: Session, envelopes: Sequence[Envelope], items: Mapping[str, OrderItem]
) -> None:
    """Raise TooLarge if a mail is too large. Mails with few vouchers never are."""
    for ids in {one.item_ids for one in envelopes if len(one.item_ids) >= CHECKED_FROM}:
        render_pdf(to_vouchers(session, [items[one] for one in ids]))


def _recipients_of(item: OrderItem, order: Order, recipients: Sequence[str] | To) -> Sequence[str]:
    """Return the recipients of an item's voucher; raises InvalidInput if none is known."""
    if not isinstance(recipients, To):
        return recipients
    if recipients is To.PASSENGERS:
        whose, address = "passenger", item.passenger_email
    else:
        whose, address = "order's contact", order.contact_email
    if not address:
        raise InvalidInput(f"The e-mail address of its {whose} is not known.")
    return [parse_address(address)]


def _load_orders(session: Session, items: Sequence[OrderItem]) -> dict[str, Order]:
    ids = {item.order_id for item in items}
    return {
        one.order_id: one for one in session.scalars(select(Order).where(Order.order_id.in_(ids)))
    }


def _load_known(session: Session, orders: Mapping[str, Order]) -> Known:
    """Return the known addresses of each order: its contact and the passengers of its items."""
    known = {one.order_id: {one.contact_email or ""} for one in orders.values()}
    passengers = select(OrderItem.order_id, OrderItem.passenger_email).where(
        OrderItem.order_id.in_(orders), OrderItem.passenger_email.is_not(None)
    )
    for order_id, address in session.execute(passengers):
        known[order_id].add(address or "")
    return {one: frozenset(fold(a.strip()) for a in known[one] if a) for one in known}


def _envelopes(addressed: Sequence[tuple[str, OrderItem]], known: Known) -> tuple[Envelope, ...]:
    """Group items into mails: one for each recipient and contract."""
    mails: dict[tuple[str, str], list[OrderItem]] = defaultdict(list)
    spelling: dict[str, str] = {}
    for recipient, item in addressed:
        spelled = spelling.setdefault(fold(recipient), recipient)
        mails[spelled, item.contract_id].append(item)
    envelopes = []
    for (recipient, contract_id), items in mails.items():
        order_ids = tuple(sorted({item.order_id for item in items}))
        unknown = tuple(one for one in order_ids if fold(recipient) not in known.get(one, ()))
        ids = tuple(item.order_item_id for item in sorted(items, key=lambda item: item.no))
        envelopes.append(Envelope(recipient, contract_id, ids, order_ids, unknown))
    return tuple(envelopes)


def find_contacts(item_ids: Sequence[str], *, actor: Actor) -> list[str]:
    """Find the distinct contacts of the items' orders: the default in the dialog."""
    require(actor, Permission.VOUCHERS)
    with storage.reading() as session:
        items = load_items(session, ticked_items(item_ids), actor)
        orders = _load_orders(session, list(items.values()))
    contacts = {
        fold(one.contact_email): one.contact_email for one in orders.values() if one.contact_email
    }
    return sorted(contacts.values())


def find_void_notices(item_ids: Sequence[str], *, actor: Actor) -> tuple[Envelope, ...]:
    """Find who was mailed a voucher of a refunded item and has no void notice yet."""
    require(actor, Permission.EMAILS)
    with storage.reading() as session:
        return void_notices_in(session, ticked_items(item_ids), actor=actor)


def void_notices_in(
    session: Session, ids: Sequence[str], *, actor: Actor, lock: bool = False
) -> tuple[Envelope, ...]:
    """Find void notices inside the caller's transaction.

    With `lock`, a parallel request for the same items waits, and then finds these notices.
    """
    items = load_items(session, ids, actor, lock=lock, alone=True)
    refunded = [one for one, item in items.items() if item.status == ItemStatus.REFUNDED]
    mails = (
        select(Delivery.kind, Delivery.recipient, DeliveryItem.order_item_id, Delivery.status)
        .join(Delivery, Delivery.delivery_id == DeliveryItem.delivery_id)
        .where(DeliveryItem.order_item_id.in_(refunded), DeliveryItem.left_out.is_(None))
        .where(Delivery.handed_over_at.is_not(None) | (Delivery.kind == DeliveryKind.VOID_NOTICE))
        .order_by(Delivery.queued_at, Delivery.delivery_id)
    )
    mailed: dict[tuple[str, str], str] = {}
    told: set[tuple[str, str]] = set()
    ended = (DeliveryStatus.FAILED, DeliveryStatus.CANCELLED)
    for kind, recipient, item_id, status in session.execute(mails):
        if kind == DeliveryKind.VOUCHER:
            mailed.setdefault((fold(recipient), item_id), recipient)
            told.discard((fold(recipient), item_id))  # the item was given back, and mailed again
        elif kind == DeliveryKind.VOID_NOTICE and status not in ended:
            told.add((fold(recipient), item_id))
    addressed = [(mailed[one], items[one[1]]) for one in mailed if one not in told]
    return _envelopes(addressed, {})
