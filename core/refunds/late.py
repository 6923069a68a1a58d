"""Decline refunds about which nobody has decided for too long."""

from datetime import datetime, timedelta

from core import storage
from core.access import BY_ITSELF
from core.ground import get_settings
from core.query import MAX_SELECTED
from core.refunds.told import tell_all
from core.refunds.verdicts import WAITING, Decider, decline_in
from core.storage import Refund, new_id

TOO_LATE = "Nobody decided within {days}, so it was declined."


def decline_late(*, now: datetime) -> int:
    """Decline every refund that has waited longer than the settings allow; return how many.

    It is told by e-mail to those who asked for it, and to those who could have decided.
    """
    days = get_settings().approval_days
    late = WAITING.where(Refund.requested_at <= now - timedelta(days=days))
    with storage.reading() as session:  # usually nothing is late: then no write lock is taken
        if session.scalars(late.limit(1)).first() is None:
            return 0
    why = TOO_LATE.format(days="a day" if days == 1 else f"{days:,} days")
    by = Decider(new_id(), BY_ITSELF, now)
    with storage.writing() as session:
        found = session.scalars(late.limit(MAX_SELECTED).with_for_update(skip_locked=True)).all()
        decline_in(session, found, dict.fromkeys((one.refund_id for one in found), why), by)
        tell_all(session, found, why, by)
        return len(found)
