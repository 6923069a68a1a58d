"""Approve and decline without the guards of core: the negative control.

It reads what waits in one transaction, and relies on it in the next.
"""

from collections.abc import Sequence

from sqlalchemy import select, update

from core import storage
from core.ground import ItemStatus, RefundStatus
from core.refunds import events
from core.storage import OrderItem, Refund
from tests.conftest import NOW
from tests.core.refunds import naive_refunds
from tests.core.refunds.approval_races import APPROVED, DECLINED


def decide(refund_ids: Sequence[str], decider: str, is_approval: bool, key: str) -> None:
    """Decide about the refunds that wait, and pay what is approved."""
    with storage.reading() as session:
        waiting = Refund.refund_id.in_(refund_ids), Refund.status == RefundStatus.WAITING
        found = session.scalars(select(Refund).where(*waiting).order_by(Refund.refund_id)).all()
    status = RefundStatus.REQUESTED if is_approval else RefundStatus.DECLINED
    action = APPROVED if is_approval else DECLINED
    with storage.writing() as session:
        # One by one in the same order, else PostgreSQL ends some of the deciders for a deadlock.
        for one in found:
            mine = update(Refund).where(Refund.refund_id == one.refund_id)
            session.execute(mine.values(status=status, decided_by=decider, decided_at=NOW))
        for one in found:
            events.record(session, action, one, who=decider, now=NOW, before=RefundStatus.WAITING)
            if is_approval:
                naive_refunds.record(session, one, NOW)
            else:
                item = update(OrderItem).where(OrderItem.order_item_id == one.order_item_id)
                session.execute(item.values(status=ItemStatus.NOT_USED))
