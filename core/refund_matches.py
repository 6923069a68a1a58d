"""Refunds at the card provider that Order Desk did not make: found, matched, or dismissed.

A person matches one with the order item that it is of, or dismisses it: it is of none. Until then
no other refund of that payment is asked for (see core.refund_matching).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, insert, or_, select, text, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from core import audit, db, ledger, money, rights
from core.conditions import scope
from core.errors import InvalidInput, NotFound, Refused
from core.item_expressions import is_to_match
from core.models import OrderItem, ProviderRefund, Refund, RefundBatch, new_id
from core.permissions import Permission
from core.refund_assessment import UNSTORABLE
from core.returned_refunds import first_look
from core.states import ItemStatus, Method, RefundStatus
from core.tables import ORDER_ITEMS
from core.users import Actor

MAX_NOTE = 1_000
MATCHED = "matched"  # the reason of a refund that was made at the provider
GONE = (
    "This refund was matched or dismissed meanwhile, or you have no access to it. "
    "Reload the page. Nothing was changed."
)


@dataclass(frozen=True)
class Candidate:
    """An order item that a refund at the provider may be of."""

    order_item_id: str
    product: str
    passenger_name: str


@dataclass(frozen=True)
class Unmatched:
    """A refund at the provider that Order Desk did not make, and the items that it may be of."""

    reference: str
    payment_reference: str
    amount_minor: int
    currency: str
    candidates: tuple[Candidate, ...]


def find_unmatched(order_id: str, *, actor: Actor) -> list[Unmatched]:
    """Find the provider's refunds of an order that are to be matched, as the actor may see them."""
    with db.reading() as session:
        items = session.scalars(
            select(OrderItem).where(OrderItem.order_id == order_id, scope(ORDER_ITEMS, actor))
        ).all()
        if not items:
            return []
        mine = select(ProviderRefund).where(ProviderRefund.order_id == order_id, is_to_match())
        return [
            Unmatched(
                one.reference,
                one.payment_reference,
                one.amount_minor,
                one.currency,
                tuple(
                    Candidate(item.order_item_id, item.product, item.passenger_name)
                    for item in sorted(items, key=lambda item: item.no)
                    if _why_unfit(item, one) is None
                ),
            )
            for one in session.scalars(mine.order_by(ProviderRefund.reference))
        ]


def _why_unfit(item: OrderItem, one: ProviderRefund) -> str | None:
    """Return why a refund at the provider cannot be an item's, as a sentence."""
    if (item.price_minor, item.currency) != (one.amount_minor, one.currency):
        amount = f"{money.in_words(one.amount_minor, one.currency)} {one.currency}"
        return f"The refund is {amount}, which is not the item's price."
    if item.status not in (ItemStatus.NOT_USED, ItemStatus.REFUND_REQUESTED, ItemStatus.USED):
        return "The item has been refunded already."
    return None


def match(
    reference: str, order_item_id: str, *, note: str | None, actor: Actor, now: datetime
) -> None:
    """Record a refund that was made at the provider as the refund of an order item; audited.

    Raises NotPermitted, NotFound, InvalidInput for a long note, and Refused when the refund or the
    item is not free; then nothing is changed.
    """
    note = checked_note(note)
    with rights.changing(actor, Permission.REFUND) as (session, actor):
        one = _take(session, reference, actor)
        mine = select(OrderItem).where(
            OrderItem.order_item_id == order_item_id,
            OrderItem.order_id == one.order_id,
            scope(ORDER_ITEMS, actor),
        )
        item = session.scalars(mine).one_or_none()
        if item is None:
            raise NotFound(f"Order item “{order_item_id[:100]}” was not found in this order.")
        why = _why_unfit(item, one)
        if why is not None:
            raise Refused(why)
        before = item.status
        refund = _settle(session, item, one, actor, now)
        refund.note = note
        ledger.enter_outcomes(session, [refund], now)
        record(session, "refund.matched", refund, actor, now, before=before, note=note)


def _take(session: Session, reference: str, actor: Actor) -> ProviderRefund:
    """Lock a refund that is still to be matched, of an order that the actor may see."""
    seen = select(OrderItem.order_id).where(scope(ORDER_ITEMS, actor))
    mine = select(ProviderRefund).where(
        ProviderRefund.reference == reference, is_to_match(), ProviderRefund.order_id.in_(seen)
    )
    one = None
    if not UNSTORABLE.search(reference):
        one = session.scalars(mine.with_for_update()).one_or_none()
    if one is None:
        raise Refused(GONE)
    return one


def _settle(
    session: Session, item: OrderItem, one: ProviderRefund, actor: Actor, now: datetime
) -> Refund:
    """Change the item to refunded, and its refund to succeeded: the open one, or a new attempt."""
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
    if open_before:  # the refund first, as whoever settles it does: two at once never deadlock
        change_one(
            session,
            update(Refund).where(*_is_free(item, now)).values(paid).returning(Refund.refund_id),
        )
    changed = update(OrderItem).where(
        OrderItem.order_item_id == item.order_item_id, OrderItem.status == item.status
    )
    done = changed.values(status=ItemStatus.REFUNDED, refunded_at=now)
    change_one(session, done.returning(OrderItem.order_item_id))
    refund = _refund_of(session, item, actor, now)
    for name, value in paid.items():
        setattr(refund, name, value)
    refund.next_look_at = first_look(refund)
    session.flush()
    return refund


def _is_free(item: OrderItem, now: datetime) -> list[ColumnElement[bool]]:
    """Leave the item's refund that is open or was returned, and that nobody asks for right now."""
    is_open = and_(
        text(f"({Refund.IS_OPEN})"), or_(Refund.lease_until.is_(None), Refund.lease_until <= now)
    )
    is_mine = Refund.order_item_id == item.order_item_id
    return [is_mine, or_(is_open, text(f"({Refund.IS_RETURNED})"))]


def change_one(session: Session, statement: ReturningUpdate[Any]) -> None:
    """Change exactly one row; raises Refused when somebody was faster."""
    changed = session.execute(statement, execution_options={"synchronize_session": False}).all()
    if len(changed) != 1:
        raise Refused(
            "The item is being refunded right now, or it changed meanwhile. Reload the page, and "
            "try again in a minute. Nothing was changed."
        )


def _refund_of(session: Session, item: OrderItem, actor: Actor, now: datetime) -> Refund:
    """Return the item's refund, whatever became of it, or a new one."""
    mine = select(Refund).where(
        Refund.order_item_id == item.order_item_id, Refund.status != RefundStatus.DECLINED
    )
    in_order = mine.order_by(Refund.requested_at.desc(), Refund.refund_id.desc())
    as_now = {"populate_existing": True}
    refund = session.scalars(in_order, execution_options=as_now).first()
    if refund is not None:
        return refund
    batch_id = new_id()
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
        batch_id=batch_id,
        order_item_id=item.order_item_id,
        order_id=item.order_id,
        contract_id=item.contract_id,
        amount_minor=item.price_minor,
        currency=item.currency,
        reason=MATCHED,
        gateway=Method.CARD,
        attempt=1,
        requested_by=actor.email,
        requested_at=now,
    )
    session.add(refund)
    return refund


def dismiss(reference: str, *, note: str | None, actor: Actor, now: datetime) -> None:
    """Say that a refund at the provider is of no order item, with a note why; audited.

    Refunds of the same payment are asked for again from then on. Raises as `match` does.
    """
    note = checked_note(note)
    if note is None:
        raise InvalidInput("Say in the note why this refund belongs to no order item.")
    with rights.changing(actor, Permission.REFUND) as (session, actor):
        one = _take(session, reference, actor)
        one.dismissed_by, one.dismissed_at, one.note = actor.email, now, note
        audit.record(
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


def checked_note(note: str | None) -> str | None:
    """Return a note without blanks around it; None for an empty one. Raises InvalidInput."""
    text = UNSTORABLE.sub("\ufffd", (note or "").strip())
    if len(text) > MAX_NOTE:
        raise InvalidInput(f"A note has at most {MAX_NOTE:,} characters.")
    return text or None


def record(
    session: Session,
    action: str,
    refund: Refund,
    actor: Actor,
    now: datetime,
    *,
    before: str,
    note: str | None,
) -> None:
    """Audit a decision about a refund, in the caller's transaction."""
    audit.record(
        session,
        action,
        actor=actor,
        entity="refund",
        entity_id=refund.refund_id,
        order_id=refund.order_id,
        contract_id=refund.contract_id,
        now=now,
        before={"status": before},
        after={
            "order_item_id": refund.order_item_id,
            "amount_minor": refund.amount_minor,
            "currency": refund.currency,
            "reference": refund.external_reference,
            "note": note,
        },
    )
