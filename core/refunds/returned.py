"""Card refunds that the bank returns after they succeeded: found by looking again, for 35 days.

A card that has been closed, say, sends the money back days later (Stripe, docs, refunds: failed
refunds). The refund has failed then, the ledger gets the opposite entry, and the item's voucher
stays void until the money is paid again, or an admin gives the item back.
"""

import logging
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from core import storage
from core.access import Actor
from core.ground import ItemStatus, Method, RefundStatus, get_settings
from core.refunds import events, ledger
from core.refunds.gateway import Gateways, MadeRefund, Unknown
from core.storage import OrderItem, Refund

logger = logging.getLogger(__name__)

AN_HOUR = timedelta(hours=1)
# How long after its success a refund is looked at: most that come back do so in some days, and
# Stripe tells of banks that take up to a month.
LOOKS = (AN_HOUR, *(timedelta(days=count) for count in (1, 3, 7, 14, 21, 35)))
WAS_RETURNED = "The bank returned the money. Refund the item again."
GIVEN_UP_AFTER = timedelta(days=42)  # where the provider gives no answer, asked every hour


def first_look(refund: Refund) -> datetime | None:
    """Return when a refund that has just been settled is looked at; None for never."""
    if refund.status != RefundStatus.SUCCEEDED or refund.external_reference is None:
        return None
    assert refund.settled_at is not None  # it succeeded
    return refund.settled_at + LOOKS[0]


def look_again_due(*, now: datetime, gateways: Gateways) -> int:
    """Look at one refund that is due, and record what became of it; return how many it was."""
    gateway = gateways.get(Method.CARD)
    refund = _claim(now) if gateway is not None else None
    if gateway is None or refund is None:
        return 0
    try:
        found = gateway.look_again(str(refund.external_reference))
    except Exception:
        logger.exception("The gateway failed for %s", refund.external_reference)
        found = Unknown("The provider's answer could not be understood.")
    with storage.writing() as session:
        if isinstance(found, MadeRefund) and not found.is_alive:
            _record_return(session, refund, found, now)
        else:
            _wait(session, refund, now, is_known=not isinstance(found, Unknown))
    return 1


def _claim(now: datetime) -> Refund | None:
    """Take one refund that is due for the length of a lease."""
    is_due = [
        Refund.status == RefundStatus.SUCCEEDED,
        Refund.next_look_at <= now,
        or_(Refund.lease_until.is_(None), Refund.lease_until <= now),
    ]
    due = select(Refund.refund_id).where(*is_due).order_by(Refund.next_look_at).limit(1)
    with (
        storage.reading() as session
    ):  # most of the time there is none: nobody has to wait for that
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
    """Leave the refund as it is until the next look: soon, if the provider gave no answer."""
    assert refund.settled_at is not None  # it succeeded
    looks = [refund.settled_at + wait for wait in LOOKS]
    if not is_known and now < refund.settled_at + GIVEN_UP_AFTER:
        looks.append(now + AN_HOUR)
    following = min((look for look in looks if look > now), default=None)
    mine = update(Refund).where(
        Refund.refund_id == refund.refund_id,
        Refund.attempt == refund.attempt,
        Refund.status == RefundStatus.SUCCEEDED,
    )
    session.execute(mine.values(next_look_at=following, lease_until=None))


def _record_return(session: Session, refund: Refund, found: MadeRefund, now: datetime) -> None:
    """Record that the money came back: refund, item, ledger and audit trail, all or nothing."""
    why = f"The bank returned the money: {found.why_ended}."
    returned = take_back(session, refund.refund_id, refund.attempt, why=why, at=now)
    if returned is None:
        return  # another worker has recorded it
    ledger.enter_return(session, returned, now)
    record_return(session, returned, who=returned.requested_by, now=now)


def take_back(
    session: Session, refund_id: str, attempt: int, *, why: str, at: datetime
) -> Refund | None:
    """Change a refund that came back after it succeeded, and its item; None if it is no more so.

    Its entry in the ledger and its audit event are the caller's.
    """
    mine = update(Refund).where(
        Refund.refund_id == refund_id,
        Refund.attempt == attempt,
        Refund.status == RefundStatus.SUCCEEDED,
    )
    changed = mine.values(
        status=RefundStatus.FAILED,
        failure=why,
        failed_after_success_at=at,
        settled_at=at,
        next_look_at=None,
        lease_until=None,
    ).returning(Refund)
    returned = session.scalars(changed).one_or_none()
    if returned is None:
        return None
    item = update(OrderItem).where(
        OrderItem.order_item_id == returned.order_item_id, OrderItem.status == ItemStatus.REFUNDED
    )
    values = {"status": ItemStatus.REFUND_REQUESTED, "refunded_at": None}
    items = session.scalars(item.values(values).returning(OrderItem.order_item_id)).all()
    if len(items) != 1:
        raise RuntimeError(f"Item {returned.order_item_id} is not refunded by {refund_id}")
    return returned


def record_return(session: Session, returned: Refund, *, who: Actor | str, now: datetime) -> None:
    """Audit that the money of a refund came back."""
    before = RefundStatus.SUCCEEDED
    events.record(session, "refund.returned", returned, who=who, now=now, before=before)
