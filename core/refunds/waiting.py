"""Refunds that wait for a second person: which ones, and how many a person may decide about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, literal, select

from core import storage
from core.access import Actor, may, require
from core.ground import Permission, RefundStatus, may_be_id
from core.query import scope
from core.storage import Refund
from core.tables import REFUNDS

IS_WAITING = Refund.status == RefundStatus.WAITING


@dataclass(frozen=True)
class Waiting:
    """A refund that waits for approval: what is refunded, how much, and who asked why."""

    refund_id: str
    order_item_id: str
    contract_id: str
    product: str
    passenger_name: str
    amount_minor: int
    currency: str
    reason: str
    note: str | None
    requested_by: str
    requested_at: datetime
    is_own: bool  # the person who looks asked for it, and so cannot decide


def find_waiting(refund_ids: Sequence[str], *, actor: Actor) -> list[Waiting]:
    """Return those of the refunds that wait and that the actor may see, the oldest first.

    Raises NotPermitted.
    """
    require(actor, Permission.APPROVE)
    ids = [one for one in refund_ids if may_be_id(one)]
    found = (
        select(Refund)
        .where(IS_WAITING, Refund.refund_id.in_(ids), scope(REFUNDS, actor))
        .order_by(Refund.requested_at, Refund.refund_id)
    )
    with storage.reading() as session:
        return [
            Waiting(
                one.refund_id,
                one.order_item_id,
                one.contract_id,
                one.product,
                one.passenger_name,
                one.amount_minor,
                one.currency,
                one.reason,
                one.note,
                one.requested_by,
                one.requested_at,
                one.requested_by == actor.email,
            )
            for one in session.scalars(found)
        ]


def count_of_waiting(actor: Actor) -> Select[int]:
    """Select how many refunds wait for the actor: others asked for them. 0 without the right."""
    if not may(actor, Permission.APPROVE):
        return select(literal(0))
    theirs = IS_WAITING, Refund.requested_by != actor.email, scope(REFUNDS, actor)
    return select(func.count()).where(*theirs)
