"""Find card refunds that the bank returns after they succeeded, by checking them for 35 days.

The bank can return the money days later, for example if the card was closed (Stripe, docs, refunds:
failed refunds). Then the refund has failed, and the ledger gets the opposite entry. The item's
voucher stays void until the money is paid again, or an admin gives the item back.
"""

import logging
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from core import storage
from core.access import Actor
from core.ground import ItemStatus, Method, RefundStatus, get_settings
from core.refunds import events, ledger
from core.refunds.gateway import Gateways, RefundAtProvider, Unknown
from core.storage import OrderItem, Refund

logger = logging.getLogger(__name__)

AN_HOUR = timedelta(hours=1)
# When a refund is checked, counted from its success. Most returns come within days; Stripe mentions
# banks that take up to a month.
LOOK_DELAYS = (AN_HOUR, *(timedelta(days=count) for count in (1, 3, 7, 14, 21, 35)))
WAS_RETURNED = "The bank returned the money. Refund the item again."
GIVE_UP_AFTER = timedelta(days=42)  # if the provider never answers; it is asked every hour


def first_look(refund: Refund) -> datetime | None:
    """Return the time of the first check of a settled refund; None if it needs none."""
    if refund.status != RefundStatus.SUCCEEDED or refund.external_reference is None:
        return None
    assert refund.settled_at is not None  # it succeeded
    return refund.settled_at + LOOK_DELAYS[0]


def look_again_due(*, now: datetime, gateways: Gateways) -> int:
    """Check one refund that is due, and record its state; return 1, or 0 if none was due."""
    gateway = gateways.get(Method.CARD)
    refund = _claim(now) if gateway is not None else None
    if gateway is None or refund is None:
        return 0
    try:
        found = gateway.look_again(str(refund.external_reference))
    except Exception:
        logger.exception("The gateway failed for %s", refund.external_reference)
        found = Unknown("The provider's answer is invalid.")
    with storage.writing() as session:
        if isinstance(found, RefundAtProvider) and not found.is_active:
            _record_return(session, refund, found, now)
        else:
            _wait(session, refund, now, is_known=not isinstance(found, Unknown))
    return 1


def _claim(now: datetime) -> Refund | None:
    """Lease one refund whose check is due."""
    is_due = [
        Refund.status == RefundStatus.SUCCEEDED,
        Refund.next_look_at <= now,
        or_(Refund.lease_until.is_(None), Refund.lease_until <= now),
    ]
    due = select(Refund.refund_id).where(*is_due).order_by(Refund.next_look_at).limit(1)
    with storage.reading() as session:  # usually none is due: then no write lock is taken
        if session.scalar(due) is None:
            return None
    lease = now + timedelta(seconds=get_settings().lease_seconds)
    with storage.writing() as session:
        found = session.scalars(due.with_for_update(skip_locked=True)).all()
        mine = update(Refund).where(Refund.refund_id.in_(found), *is_due)
        refund = session.scalars(mine.values(lease_until=lease).returning(Refund)).one_or_none()
        session.expunge_all()
        return refund


def _wait(session: Session, refund: Refund, now: datetime, *, is_known: bool) -> None:
    """Plan the next check of the refund; within an hour if the provider gave no answer."""
    assert refund.settled_at is not None  # it succeeded
    looks = [refund.settled_at + wait for wait in LOOK_DELAYS]
    if not is_known and now < refund.settled_at + GIVE_UP_AFTER:
        looks.append(now + AN_HOUR)
    following = min((look for look in looks if look > now), default=None)
    mine = update(Refund).where(
        Refund.refund_id == refund.refund_id,
        Refund.attempt == refund.attempt,
        Refund.status == RefundStatus.SUCCEEDED,
    )
    session.execute(mine.values(next_look_at=following, lease_until=None))


def _record_return(
    session: Session, refund: Refund, found: RefundAtProvider, now: datetime
) -> None:
    """Record that the bank returned the money: refund, item, ledger and audit trail."""
    why = f"The bank returned the money: {found.why_ended}."
    returned = mark_as_returned(session, refund.refund_id, refund.attempt, why=why, at=now)
    if returned is None:
        return  # another worker has recorded it
    ledger.enter_return(session, returned, now)
    record_return(session, returned, who=returned.requested_by, now=now)


def mark_as_returned(
    session: Session, refund_id: str, attempt: int, *, why: str, at: datetime
) -> Refund | None:
    """Mark a succeeded refund as returned, and its item; return None if it has changed since.

    The caller adds the ledger entry and the audit event.
    """
    mine = update(Refund).where(
        Refund.refund_id == refund_id,
        Refund.attempt == attempt,
        Refund.status == RefundStatus.SUCCEEDED,
    )
    values = Refund.with_twins(
        status=RefundStatus.FAILED,
        failure=why,
        failed_after_success_at=at,
        settled_at=at,
        next_look_at=None,
        lease_until=None,
    )
    returned = session.scalars(mine.values(values).returning(Refund)).one_or_none()
    if returned is None:
        return None
    item = update(OrderItem).where(
        OrderItem.order_item_id == returned.order_item_id, OrderItem.status == ItemStatus.REFUNDED
    )
    again = {"status": ItemStatus.REFUND_REQUESTED, "refunded_at": None}
    items = session.scalars(item.values(again).returning(OrderItem.order_item_id)).all()
    if len(items) != 1:
        raise RuntimeError(f"Item {returned.order_item_id} is not refunded by {refund_id}")
    return returned


def record_return(session: Session, returned: Refund, *, who: Actor | str, now: datetime) -> None:
    """Audit that the bank returned the money of a refund."""
    before = RefundStatus.SUCCEEDED
    events.record(session, "refund.returned", returned, who=who, now=now, before=before)
