"""Vouchers: which can be had, the copies that leave the house, and what a code stands for.

A voucher can be downloaded and mailed exactly while its item is not used and its service day is not
over, so also before it is valid. From the moment a refund is requested no copy leaves the house.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import access, storage
from core.access import Actor, require
from core.ground import DeliveryKind, ItemStatus, Permission, Refused, airport_names, in_place
from core.query import is_among, scope, ticked_ids
from core.storage import AuditEvent, Delivery, DeliveryItem, OrderItem
from core.tables import ORDER_ITEMS
from core.vouchers import signed_code
from core.vouchers.pdf import document
from core.vouchers.pdf.page import Voucher

DOWNLOADED = "voucher.downloaded"
SAID = 4  # reasons
Form = Literal["pdf", "zip"]
_UNSAFE = re.compile("[^A-Za-z0-9._-]")  # in a file's name, on some system


@dataclass(frozen=True)
class VoucherLine:
    """One item whose voucher somebody wants: it can be had unless there is a `why`."""

    order_item_id: str
    product: str
    why: str | None


@dataclass(frozen=True)
class Copy:
    """A copy of a voucher that left the house: when, and how: “e-mailed to zoe@mail.example”."""

    order_item_id: str
    at: datetime
    how: str


def why_not_valid(
    status: str,
    valid_until: datetime,
    refunded_at: datetime | None,
    airport_tz: str,
    *,
    now: datetime,
) -> str | None:
    """Return why a voucher is void at the instant `now`, as a sentence; None when it is not.

    A voucher before its Valid From is not void: see is_early.
    """
    match status:
        case ItemStatus.REFUNDED:
            when = f" on {in_place(refunded_at, airport_tz)}" if refunded_at else ""
            return f"It was refunded{when}."
        case ItemStatus.REFUND_REQUESTED:
            return "A refund of it is in progress."
        case ItemStatus.USED:
            return "It has been used."
    if is_over(valid_until, now=now):
        return f"It expired on {in_place(valid_until, airport_tz)}."
    return None


def is_early(valid_from: datetime, *, now: datetime) -> bool:
    """Return whether a voucher is not valid yet; it is from the second of Valid From on."""
    return now.replace(microsecond=0) < valid_from


def is_over(valid_until: datetime, *, now: datetime) -> bool:
    """Return whether a voucher has expired; it is valid for the whole second of Valid Until."""
    return now.replace(microsecond=0) > valid_until


def assess(item_ids: Sequence[str], *, actor: Actor, now: datetime) -> list[VoucherLine]:
    """Say of each item whether its voucher can be had now; raises InvalidInput for no ID at all."""
    ids = ticked_items(item_ids)
    with storage.reading() as session:
        return assess_items(ids, load_items(session, ids, actor), now)


def ticked_items(item_ids: Sequence[str]) -> list[str]:
    """Check the IDs of ticked order items; raises InvalidInput."""
    return ticked_ids(item_ids, ORDER_ITEMS, "for their vouchers")


def load_items(
    session: Session, ids: Sequence[str], actor: Actor, *, is_kept: bool = False
) -> dict[str, OrderItem]:
    """Load items; `is_kept` holds off whoever would refund them until the transaction ends."""
    is_one = is_among(ORDER_ITEMS, ORDER_ITEMS.key_column, tuple(ids))
    statement = select(OrderItem).where(is_one, scope(ORDER_ITEMS, actor))
    statement = statement.order_by(OrderItem.order_item_id)
    rows = session.scalars(statement.with_for_update(read=True) if is_kept else statement)
    return {item.order_item_id: item for item in rows}


def in_short(lines: Sequence[VoucherLine]) -> str:
    """Say why vouchers cannot be had: the first different reasons."""
    whys = list(dict.fromkeys(line.why for line in lines if line.why))
    return " ".join(whys[:SAID]) + (" …" if len(whys) > SAID else "")


def assess_items(
    ids: Sequence[str], items: Mapping[str, OrderItem], now: datetime
) -> list[VoucherLine]:
    """Say of each ID, of the items that were found, whether its voucher can be had."""
    lines = []
    for one in ids:
        item = items.get(one)
        if item is None:
            sentence = f"There is no order item “{one[:100]}” that you may see."
            lines.append(VoucherLine(one, "", sentence))
            continue
        terms = item.status, item.valid_until, item.refunded_at, item.airport_tz
        lines.append(VoucherLine(one, item.product, why_not_valid(*terms, now=now)))
    return lines


def issue(
    item_ids: Sequence[str], file: IO[bytes], *, form: Form, actor: Actor, now: datetime
) -> str:
    """Write the vouchers of those items that are valid, audit each copy, and return a file name.

    One item is one PDF, several one with a page and a bookmark each, or a ZIP of single ones.
    Raises NotPermitted, NoLongerIn, InvalidInput, and Refused, with every reason, when none of
    them is valid.
    """
    require(actor, Permission.VOUCHERS)
    ids = ticked_items(item_ids)
    with access.changing(actor, Permission.VOUCHERS) as (session, actor):
        items = load_items(session, ids, actor, is_kept=True)
        lines = assess_items(ids, items, now)
        valid = [items[line.order_item_id] for line in lines if line.why is None]
        valid.sort(key=lambda item: item.no)  # an order's together, however they were ticked
        if not valid:
            raise Refused(f"None of these vouchers is valid. {in_short(lines)}")
        vouchers = to_vouchers(session, valid)
        _record(session, valid, actor, now)
    # Written after the commit: that somebody may have a copy is known before it leaves.
    branding = document.current_branding()
    if form == "zip":
        document.render_zip(vouchers, branding, file)
    else:
        document.render_vouchers(vouchers, branding, file)
    return _file_name(vouchers, form)


def _file_name(vouchers: Sequence[Voucher], form: Form) -> str:
    """Name a file by what is in it: one item, the items of one order, or of several."""
    orders = {voucher.order_id for voucher in vouchers}
    if len(vouchers) == 1 and form == "pdf":
        return document.file_name(vouchers[0])
    name = f"vouchers-{orders.pop()}" if len(orders) == 1 else "vouchers"
    return f"{_UNSAFE.sub('_', name)}.{form}"


def to_vouchers(session: Session, items: Sequence[OrderItem]) -> list[Voucher]:
    """Return what is printed of items, in their order, whether they are valid or not."""
    numbers = _numbers(session, {item.order_id for item in items})
    return [_voucher(item, numbers) for item in items]


def _voucher(item: OrderItem, numbers: dict[str, str]) -> Voucher:
    return Voucher(
        order_item_id=item.order_item_id,
        order_id=item.order_id,
        number=numbers[item.order_item_id],
        product=item.product,
        product_type=item.product_type,
        airport_iata=item.airport_iata,
        airport_name=airport_names().get(item.airport_iata),
        terminal=item.terminal,
        airport_tz=item.airport_tz,
        service_at=item.service_at,
        flight_number=item.flight_number,
        valid_until=item.valid_until,
        pax_type=item.pax_type,
        passenger_name=item.passenger_name,
        voucher_code=item.voucher_code,
        signed_code=signed_code.sign(
            serial=item.voucher_serial,
            valid_from=item.valid_from,
            valid_until=item.valid_until,
            pax_type=item.pax_type,
        ),
        refund_expire_at=item.refund_expire_at if item.is_refundable else None,
        issued_at=item.created_at,
    )


def _numbers(session: Session, order_ids: set[str]) -> dict[str, str]:
    """Return which item of its order each is: 2 of 3."""
    orders: dict[str, list[str]] = defaultdict(list)
    rows = select(OrderItem.order_id, OrderItem.order_item_id).where(
        OrderItem.order_id.in_(order_ids)
    )
    for order_id, item_id in session.execute(rows.order_by(OrderItem.no)):
        orders[order_id].append(item_id)
    return {
        item_id: f"{number} of {len(items)}"
        for items in orders.values()
        for number, item_id in enumerate(items, 1)
    }


def _record(session: Session, items: Sequence[OrderItem], actor: Actor, now: datetime) -> None:
    for item in items:
        access.record_event(
            session,
            DOWNLOADED,
            actor=actor,
            entity="order_item",
            entity_id=item.order_item_id,
            order_id=item.order_id,
            contract_id=item.contract_id,
            now=now,
            after={"voucher_code": item.voucher_code},
        )


def find_copies(item_ids: Sequence[str], *, actor: Actor) -> list[Copy]:
    """Find the copies that left the house of the vouchers of items that the actor may see."""
    ids = ticked_items(item_ids)
    with storage.reading() as session:
        seen = sorted(load_items(session, ids, actor))
        return sorted(
            (*_downloaded(session, seen), *_mailed(session, seen)),
            key=lambda copy: (copy.order_item_id, copy.at, copy.how),
        )


def _downloaded(session: Session, item_ids: Sequence[str]) -> list[Copy]:
    events = (
        select(AuditEvent.entity_id, func.max(AuditEvent.at), AuditEvent.actor)
        .where(AuditEvent.entity_id.in_(item_ids), AuditEvent.action == DOWNLOADED)
        .group_by(AuditEvent.entity_id, AuditEvent.actor)
    )
    return [Copy(item, at, f"downloaded by {who}") for item, at, who in session.execute(events)]


def _mailed(session: Session, item_ids: Sequence[str]) -> list[Copy]:
    """Find whom vouchers were mailed to: everybody who may have the mail, sent for sure or not."""
    mails = (
        select(DeliveryItem.order_item_id, func.max(Delivery.handed_over_at), Delivery.recipient)
        .join(Delivery, Delivery.delivery_id == DeliveryItem.delivery_id)
        .where(
            DeliveryItem.order_item_id.in_(item_ids),
            DeliveryItem.left_out.is_(None),
            Delivery.kind == DeliveryKind.VOUCHER,
            Delivery.handed_over_at.is_not(None),
        )
        .group_by(DeliveryItem.order_item_id, Delivery.recipient)
    )
    return [Copy(item, at, f"e-mailed to {who}") for item, at, who in session.execute(mails) if at]
