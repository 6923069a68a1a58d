"""Items whose refund the bank returned: find them, and give them back without a new refund."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text, update

from core import access, storage
from core.access import Actor
from core.ground import InvalidInput, ItemStatus, Permission, Refused
from core.query import is_among, scope
from core.refunds import events
from core.refunds.assessment import sorted_ids
from core.refunds.decisions import change_one, checked_note
from core.storage import OrderItem, Refund
from core.tables import ORDER_ITEMS


@dataclass(frozen=True)
class Returned:
    """An item whose refund the bank returned: the amount, when it was noticed, and why."""

    order_item_id: str
    amount_minor: int
    currency: str
    noticed_at: datetime
    why: str


def find_returned(order_id: str, *, actor: Actor) -> list[Returned]:
    """Find the items of an order whose refund the bank returned; only items that the actor sees."""
    seen = select(OrderItem.order_item_id).where(
        OrderItem.order_id == order_id, scope(ORDER_ITEMS, actor)
    )
    returned = select(Refund).where(Refund.order_item_id.in_(seen), text(Refund.IS_RETURNED))
    with storage.reading() as session:
        return [
            Returned(
                one.order_item_id,
                one.amount_minor,
                one.currency,
                one.failed_after_success_at,
                one.failure or "",
            )
            for one in session.scalars(returned.order_by(Refund.order_item_id))
            if one.failed_after_success_at is not None
        ]


def give_back(
    item_ids: Sequence[str], *, note: str | None, actor: Actor, now: datetime
) -> list[str]:
    """Make items usable again after the bank returned their refund; audit it with the note.

    Returns the IDs of the changed items. Raises NotPermitted, InvalidInput, and Refused if none of
    the items qualifies; then nothing has changed.
    """
    note = checked_note(note)
    if note is None:
        raise InvalidInput("Write in the note why the item is given back.")
    ids = sorted_ids(item_ids)
    with access.changing(actor, Permission.GIVE_BACK) as (session, actor):
        theirs = select(OrderItem.order_item_id).where(
            is_among(ORDER_ITEMS, ORDER_ITEMS.key_column, tuple(ids)), scope(ORDER_ITEMS, actor)
        )
        is_theirs = Refund.order_item_id.in_(theirs), text(f"({Refund.IS_RETURNED})")
        in_order = select(Refund.refund_id).where(*is_theirs).order_by(Refund.order_item_id)
        session.execute(in_order.with_for_update())
        returned = update(Refund).where(*is_theirs)
        decision = {"decided_by": actor.email, "decided_at": now, "decision_note": note}
        decided = returned.values(Refund.with_twins(failed_after_success_at=None, **decision))
        refunds = session.scalars(decided.returning(Refund)).all()
        if not refunds:
            raise Refused("None of these items has a refund that the bank returned.")
        for refund in refunds:
            item = update(OrderItem).where(
                OrderItem.order_item_id == refund.order_item_id,
                OrderItem.status == ItemStatus.REFUND_REQUESTED,
            )
            free = item.values(status=ItemStatus.NOT_USED).returning(OrderItem.order_item_id)
            change_one(session, free)
            before = ItemStatus.REFUND_REQUESTED
            events.record(
                session,
                "order_item.given_back",
                refund,
                who=actor,
                now=now,
                before=before,
                note=note,
            )
        return sorted(refund.order_item_id for refund in refunds)
