"""Refunds at the card provider that Order Desk did not make: find, match or dismiss them.

A person matches such a refund with its order item, or dismisses it if it belongs to no item. Until
then no other refund of that payment is requested (see core.refunds.matching).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, insert, or_, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import access, storage
from core.access import Actor
from core.ground import (
    InvalidInput,
    ItemStatus,
    Method,
    NotFound,
    Permission,
    RefundStatus,
    Refused,
    format_money,
    is_storable,
)
from core.query import scope
from core.refunds import events, ledger
from core.refunds.decisions import change_one, checked_note
from core.refunds.returned import first_look
from core.storage import (
    REFUND_NUMBERS,
    Order,
    OrderItem,
    ProviderRefund,
    Refund,
    RefundBatch,
    is_unmatched,
    new_id,
)
from core.tables import ORDER_ITEMS, ORDERS

MAX_LISTED = 50
MATCHED = "matched"  # the reason of a refund that was not made by Order Desk
NO_LONGER_OPEN = (
    "This refund was already matched or dismissed, or you have no access to it. "
    "Reload the page. Nothing was changed."
)


@dataclass(frozen=True)
class Candidate:
    """An order item that a refund at the provider may belong to."""

    order_item_id: str
    product: str
    passenger_name: str


@dataclass(frozen=True)
class Unmatched:
    """A refund at the provider that Order Desk did not make, and the items that may match it."""

    order_id: str
    reference: str
    payment_reference: str
    amount_minor: int
    currency: str
    candidates: tuple[Candidate, ...]


def find_unmatched(order_id: str | None = None, *, actor: Actor) -> list[Unmatched]:
    """Find the oldest unmatched refunds: of an order, or of all orders that the actor may see.

    Only items that the actor may see are candidates.
    """
    seen = exists().where(Order.order_id == ProviderRefund.order_id, scope(ORDERS, actor))
    mine = select(ProviderRefund).where(is_unmatched(), seen)
    if order_id is not None:
        mine = mine.where(ProviderRefund.order_id == order_id)
    oldest = mine.order_by(ProviderRefund.found_at, ProviderRefund.reference).limit(MAX_LISTED)
    with storage.reading() as session:
        found = session.scalars(oldest).all()
        orders = {one.order_id for one in found}
        theirs = select(OrderItem).where(OrderItem.order_id.in_(orders), scope(ORDER_ITEMS, actor))
        items = session.scalars(theirs.order_by(OrderItem.no)).all() if orders else []
        return [_unmatched(one, items) for one in found]


def _unmatched(one: ProviderRefund, items: Sequence[OrderItem]) -> Unmatched:
    candidates = tuple(
        Candidate(item.order_item_id, item.product, item.passenger_name)
        for item in items
        if item.order_id == one.order_id and _why_no_match(item, one) is None
    )
    about = one.order_id, one.reference, one.payment_reference, one.amount_minor, one.currency
    return Unmatched(*about, candidates)


def _why_no_match(item: OrderItem, one: ProviderRefund) -> str | None:
    """Return why a refund at the provider cannot belong to an item, as a sentence."""
    if (item.price_minor, item.currency) != (one.amount_minor, one.currency):
        amount = format_money(one.amount_minor, one.currency)
        return f"The refund is {amount}, which is not the item's price."
    if item.status not in (ItemStatus.NOT_USED, ItemStatus.REFUND_REQUESTED, ItemStatus.USED):
        return "The item has been refunded already."
    return None


def match_refund(
    reference: str, order_item_id: str, *, note: str | None, actor: Actor, now: datetime
) -> None:
    """Record a refund at the provider as the refund of an order item, and audit it.

    Raises NotPermitted, NotFound, InvalidInput if the note is too long, and Refused if the refund
    or the item is no longer open; then nothing has changed.
    """
    note, now = checked_note(note), storage.database_time(now)
    with (
        _refuse_second_match(),
        access.changing(actor, Permission.REFUND) as (session, actor),
    ):
        one = _take(session, reference, actor)
        mine = select(OrderItem).where(
            OrderItem.order_item_id == order_item_id,
            OrderItem.order_id == one.order_id,
            scope(ORDER_ITEMS, actor),
        )
        item = session.scalars(mine).one_or_none()
        if item is None:
            raise NotFound(f"Order item “{order_item_id[:100]}” was not found in this order.")
        why = _why_no_match(item, one)
        if why is not None:
            raise Refused(why)
        before = item.status
        refund = _settle(session, item, one, actor, now)
        refund.note = note or refund.note
        ledger.enter_outcomes(session, [refund], now)
        events.record(
            session, "refund.matched", refund, who=actor, now=now, before=before, note=note
        )


@contextmanager
def _refuse_second_match() -> Iterator[None]:
    """Refuse the second of two parallel matches: the reference is unique in our refunds."""
    try:
        yield
    except IntegrityError:
        raise Refused(NO_LONGER_OPEN) from None


def _take(session: Session, reference: str, actor: Actor) -> ProviderRefund:
    """Lock an unmatched refund of an order that the actor may see."""
    seen = select(OrderItem.order_id).where(scope(ORDER_ITEMS, actor))
    mine = select(ProviderRefund).where(
        ProviderRefund.reference == reference, is_unmatched(), ProviderRefund.order_id.in_(seen)
    )
    one = None
    if is_storable(reference):
        one = session.scalars(mine.with_for_update()).one_or_none()
    if one is None:
        raise Refused(NO_LONGER_OPEN)
    return one


def _settle(
    session: Session, item: OrderItem, one: ProviderRefund, actor: Actor, now: datetime
) -> Refund:
    """Set the item to refunded and its latest refund to succeeded; if there is none, add one."""
    paid = {
        "status": RefundStatus.SUCCEEDED,
        "gateway": Method.CARD,
        "external_reference": one.reference,
        "payment_reference": one.payment_reference,
        "settled_at": now,
        "failure": None,
        "lease_until": None,
    }
    open_before = item.status == ItemStatus.REFUND_REQUESTED
    if open_before:  # the refund first, as in core.refunds.settlement, to prevent deadlocks
        change_one(
            session,
            update(Refund)
            .where(*_can_be_matched(item, one, now))
            .values(Refund.with_twins(**paid))
            .returning(Refund.refund_id),
        )
    changed = update(OrderItem).where(
        OrderItem.order_item_id == item.order_item_id, OrderItem.status == item.status
    )
    done = changed.values(status=ItemStatus.REFUNDED, refunded_at=now)
    change_one(session, done.returning(OrderItem.order_item_id))
    refund = _refund_of(session, item, actor, now)
    for name, value in paid.items():
        setattr(refund, name, value)
    refund.attempt += 1  # so a late answer to an earlier attempt is ignored
    refund.next_look_at = first_look(refund)
    session.flush()
    return refund


def _can_be_matched(
    item: OrderItem, one: ProviderRefund, now: datetime
) -> list[ColumnElement[bool]]:
    """Restrict to the item's own refund, if none of its money can be on the way.

    Either the bank returned it. Or no process is requesting it now, and it was never requested or
    the last look-up found `one` instead of it.
    """
    is_open = and_(
        text(f"({Refund.IS_OPEN})"),
        or_(Refund.lease_until.is_(None), Refund.lease_until <= now),
        or_(Refund.asked_at.is_(None), Refund.stopped_by == one.reference),
    )
    is_mine = Refund.order_item_id == item.order_item_id
    return [is_mine, or_(is_open, text(f"({Refund.IS_RETURNED})"))]


def _refund_of(session: Session, item: OrderItem, actor: Actor, now: datetime) -> Refund:
    """Return the item's latest refund in any state, or a new one."""
    mine = select(Refund).where(
        Refund.order_item_id == item.order_item_id, Refund.status != RefundStatus.DECLINED
    )
    in_order = mine.order_by(Refund.requested_at.desc(), Refund.refund_id.desc())
    as_now = {"populate_existing": True}
    refund = session.scalars(in_order, execution_options=as_now).first()
    if refund is not None:
        return refund
    batch_id = new_id()
    ((no,),) = storage.next_numbers(session, (REFUND_NUMBERS, 1))
    batch = {
        "batch_id": batch_id,
        "idempotency_key": f"{MATCHED} {batch_id}",
        "request_hash": MATCHED,
        "answer": {"outcomes": []},
        "requested_by": actor.email,
        "created_at": now,
    }
    session.execute(insert(RefundBatch), [batch])
    refund = Refund(
        refund_id=new_id(),
        no=no,
        batch_id=batch_id,
        order_item_id=item.order_item_id,
        order_id=item.order_id,
        contract_id=item.contract_id,
        product_type=item.product_type,
        product=item.product,
        passenger_name=item.passenger_name,
        amount_minor=item.price_minor,
        currency=item.currency,
        reason=MATCHED,
        gateway=Method.CARD,
        attempt=0,
        requested_by=actor.email,
        requested_at=now,
    )
    session.add(refund)
    return refund


def dismiss_refund(reference: str, *, note: str | None, actor: Actor, now: datetime) -> None:
    """Record that a refund at the provider belongs to no order item, and audit it with the note.

    After that, other refunds of the payment can be requested. Raises what `match` raises.
    """
    note = checked_note(note)
    if note is None:
        raise InvalidInput("Write in the note why this refund belongs to no order item.")
    with access.changing(actor, Permission.REFUND) as (session, actor):
        one = _take(session, reference, actor)
        one.dismissed_by, one.dismissed_at, one.note = actor.email, now, note
        access.record_event(
            session,
            "provider_refund.dismissed",
            actor=actor,
            entity="provider_refund",
            entity_id=one.reference,
            order_id=one.order_id,
            contract_id=one.contract_id,
            now=now,
            after={"amount_minor": one.amount_minor, "currency": one.currency, "note": note},
        )
