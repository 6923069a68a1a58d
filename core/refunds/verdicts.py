"""The two verdicts on refunds that wait, in the caller's transaction: approved, and declined.

Each changes the refunds and audits who decided. The caller has locked the refunds in the order of
their items, as every transaction that locks several items does, to prevent deadlocks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, select, update
from sqlalchemy.orm import Session

from core import storage
from core.access import Actor
from core.ground import ItemStatus, RefundStatus
from core.refunds import events
from core.refunds.decisions import change_each
from core.refunds.waiting import IS_WAITING
from core.storage import OrderItem, Refund

WAITING = select(Refund).where(IS_WAITING).order_by(Refund.order_item_id)
DECLINED = "refund.declined"  # the action in the audit trail
Notes = Mapping[str, str | None]  # by refund


@dataclass(frozen=True)
class Decider:
    """Who decides and when: a person, or Order Desk, which then is a name."""

    decision_id: str
    who: Actor | str
    now: datetime

    @property
    def email(self) -> str:
        """Return the person's address, or the name."""
        return self.who if isinstance(self.who, str) else self.who.email

    @property
    def name(self) -> str:
        """Return what e-mails call who decided."""
        return self.who if isinstance(self.who, str) else self.who.name or self.who.email


def approve_in(session: Session, refunds: Sequence[Refund], notes: Notes, by: Decider) -> None:
    """Approve refunds: the worker pays them back."""
    values = {"status": RefundStatus.REQUESTED, "next_attempt_at": by.now}
    _change(session, refunds, values, "refund.approved", notes, by)


def decline_in(session: Session, refunds: Sequence[Refund], whys: Notes, by: Decider) -> None:
    """Decline refunds; their items can be used again, unless the bank had returned the money."""
    is_returned = Refund.failed_after_success_at.is_not(None)
    status = case((is_returned, RefundStatus.FAILED), else_=RefundStatus.DECLINED)
    _change(session, refunds, {"status": status, "settled_at": by.now}, DECLINED, whys, by)
    ids = [one.order_item_id for one in refunds if one.failed_after_success_at is None]
    if not ids:
        return
    theirs = [OrderItem.order_item_id.in_(ids), OrderItem.status == ItemStatus.REFUND_REQUESTED]
    free = (
        update(OrderItem)
        .where(*storage.locked_in_order(OrderItem.order_item_id, theirs))
        .values(status=ItemStatus.NOT_USED)
        .returning(OrderItem.order_item_id)
    )
    change_each(session, free, len(ids))


def _change(
    session: Session,
    refunds: Sequence[Refund],
    values: dict[str, Any],
    action: str,
    notes: Notes,
    by: Decider,
) -> None:
    """Change refunds that still wait, and audit who decided; one statement for each note."""
    for note in dict.fromkeys(notes[one.refund_id] for one in refunds):
        ids = [one.refund_id for one in refunds if notes[one.refund_id] == note]
        waiting = update(Refund).where(Refund.refund_id.in_(ids), IS_WAITING)
        decided = {"decided_by": by.email, "decided_at": by.now, "decision_note": note}
        if action == DECLINED:
            decided["failure"] = note
        changed = waiting.values(Refund.with_twins(**values, **decided))
        change_each(session, changed.returning(Refund), len(ids))
    for one in refunds:
        told = {"note": notes[one.refund_id], "requested_by": one.requested_by}
        before = RefundStatus.WAITING
        events.record(session, action, one, who=by.who, now=by.now, before=before, **told)
