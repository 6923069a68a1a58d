"""Issue vouchers: check which are available, write them to a file, and list their copies.

A voucher is available while its item is not used and its service day is not over: also before it is
valid. Once a refund is requested, the voucher can no longer be downloaded or e-mailed.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Literal

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from core import access, storage
from core.access import Actor, require
from core.ground import (
    DeliveryKind,
    DeliveryState,
    Permission,
    Refused,
    why_expired,
    why_not_found,
    why_void,
)
from core.query import is_among, scope, ticked_ids
from core.storage import AuditEvent, Delivery, DeliveryItem, OrderItem, delivery_state
from core.tables import ORDER_ITEMS
from core.vouchers.pdf import document
from core.vouchers.pdf.page import Voucher
from core.vouchers.pdf.text import unprintable
from core.vouchers.printing import to_vouchers

DOWNLOADED = "voucher.downloaded"
MAX_REASONS = 4
FileFormat = Literal["pdf", "zip"]
_UNSAFE = re.compile("[^A-Za-z0-9._-]")  # not allowed in file names on some systems


@dataclass(frozen=True)
class VoucherLine:
    """An order item whose voucher was requested; `why` says why the voucher is not available.

    `unprintable` are characters that no font has; an available voucher shows � for them.
    """

    order_item_id: str
    product: str
    why: str | None
    unprintable: str = ""
    order_id: str = ""
    passenger_name: str = ""


@dataclass(frozen=True)
class Copy:
    """A voucher that was handed out: when, and how (“e-mailed to zoe@mail.example”)."""

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
    """Return why a voucher is void at the instant `now`, as a sentence; None if it is not.

    A voucher is not void before its Valid From: see is_early.
    """
    why = why_void(status, refunded_at, airport_tz)
    if why is None and is_over(valid_until, now=now):
        return why_expired(valid_until, airport_tz)
    return why


def is_early(valid_from: datetime, *, now: datetime) -> bool:
    """Return whether a voucher is not valid yet; it is valid from the second of Valid From."""
    return now.replace(microsecond=0) < valid_from


def is_over(valid_until: datetime, *, now: datetime) -> bool:
    """Return whether a voucher has expired; it is valid for the whole second of Valid Until."""
    return now.replace(microsecond=0) > valid_until


def assess(item_ids: Sequence[str], *, actor: Actor, now: datetime) -> list[VoucherLine]:
    """Say for each item whether its voucher is available now; raises InvalidInput without IDs."""
    ids = ticked_items(item_ids)
    with storage.reading() as session:
        return assess_items(ids, load_items(session, ids, actor), now)


def ticked_items(item_ids: Sequence[str]) -> list[str]:
    """Check the IDs of selected order items; raises InvalidInput."""
    return ticked_ids(item_ids, ORDER_ITEMS, "for their vouchers")


def load_items(
    session: Session,
    ids: Sequence[str],
    actor: Actor,
    *,
    lock: bool = False,
    alone: bool = False,
) -> dict[str, OrderItem]:
    """Load items by ID; with `lock`, no one can refund them until the transaction ends.

    If `alone`, no one else can lock them either.
    """
    is_one = is_among(ORDER_ITEMS, ORDER_ITEMS.key_column, tuple(ids))
    statement = select(OrderItem).where(is_one, scope(ORDER_ITEMS, actor))
    statement = statement.order_by(OrderItem.order_item_id)
    rows = session.scalars(statement.with_for_update(read=not alone) if lock else statement)
    return {item.order_item_id: item for item in rows}


def summarise_reasons(lines: Sequence[VoucherLine]) -> str:
    """Say why vouchers are not available: the first few different reasons."""
    whys = list(dict.fromkeys(line.why for line in lines if line.why))
    return " ".join(whys[:MAX_REASONS]) + (" …" if len(whys) > MAX_REASONS else "")


def assess_items(
    ids: Sequence[str], items: Mapping[str, OrderItem], now: datetime
) -> list[VoucherLine]:
    """Say for each ID whether its voucher is available; `items` are the items that were found."""
    lines = []
    for one in ids:
        item = items.get(one)
        if item is None:
            lines.append(VoucherLine(one, "", why_not_found(one)))
            continue
        terms = item.status, item.valid_until, item.refunded_at, item.airport_tz
        why = why_not_valid(*terms, now=now)
        missing = "" if why else _find_unprintable(item)
        of_item = item.order_id, item.passenger_name
        lines.append(VoucherLine(one, item.product, why, missing, *of_item))
    return lines


def _find_unprintable(item: OrderItem) -> str:
    """Find the characters of an item's own texts that its voucher cannot show."""
    texts = (
        item.passenger_name,
        item.product,
        item.terminal,
        item.flight_number,
        item.order_id,
        item.order_item_id,
        item.voucher_code,  # an imported one is printed as it is
    )
    return "".join(dict.fromkeys(one for text in texts if text for one in unprintable(text)))


def issue(
    item_ids: Sequence[str],
    file: IO[bytes],
    *,
    file_format: FileFormat,
    actor: Actor,
    now: datetime,
) -> str:
    """Write the valid vouchers of the items to `file`, audit each, and return a file name.

    A PDF has one page and one bookmark per voucher; a ZIP has one PDF per voucher. Raises
    NotPermitted, AccessLost, InvalidInput, and Refused, with the reasons, if no voucher is valid.
    """
    require(actor, Permission.VOUCHERS)
    ids = ticked_items(item_ids)
    with access.changing(actor, Permission.VOUCHERS) as (session, actor):
        items = load_items(session, ids, actor, lock=True)
        lines = assess_items(ids, items, now)
        valid = [items[line.order_item_id] for line in lines if line.why is None]
        valid.sort(key=lambda item: item.no)  # items of one order stay together
        if not valid:
            raise Refused(f"None of these vouchers is valid. {summarise_reasons(lines)}")
        vouchers = to_vouchers(session, valid)
        _record(session, valid, actor, now)
    # The file is written after the commit: the audit trail must never miss a copy.
    branding = document.current_branding()
    if file_format == "zip":
        document.render_zip(vouchers, branding, file)
    else:
        document.render_vouchers(vouchers, branding, file)
    return _file_name(vouchers, file_format)


def _file_name(vouchers: Sequence[Voucher], file_format: FileFormat) -> str:
    """Name a file after its content: one item, the items of one order, or of several orders."""
    orders = {voucher.order_id for voucher in vouchers}
    if len(vouchers) == 1 and file_format == "pdf":
        return document.file_name(vouchers[0])
    name = f"vouchers-{orders.pop()}" if len(orders) == 1 else "vouchers"
    return f"{_UNSAFE.sub('_', name)}.{file_format}"


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
            after={"voucher_code": item.voucher_code, "product": item.product},
        )


def find_copies(item_ids: Sequence[str], *, actor: Actor) -> list[Copy]:
    """Find the downloaded and e-mailed vouchers of items; only items that the actor may see."""
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
    """Find who may have received the vouchers by e-mail, even if it is not certain."""
    is_saved = case((delivery_state() == DeliveryState.SAVED, 1), else_=0)
    mails = (
        select(
            *(DeliveryItem.order_item_id, func.max(Delivery.handed_over_at), Delivery.recipient),
            func.min(is_saved),
        )
        .join(Delivery, Delivery.delivery_id == DeliveryItem.delivery_id)
        .where(
            DeliveryItem.order_item_id.in_(item_ids),
            DeliveryItem.left_out.is_(None),
            Delivery.kind == DeliveryKind.VOUCHER,
            Delivery.handed_over_at.is_not(None),
        )
        .group_by(DeliveryItem.order_item_id, Delivery.recipient)
    )
    return [
        Copy(item, at, f"saved to outbox for {who}" if are_saved else f"e-mailed to {who}")
        for item, at, who, are_saved in session.execute(mails)
        if at
    ]
