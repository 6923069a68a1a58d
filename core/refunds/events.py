"""Write the audit events of refunds: the state of a refund after a change."""

from datetime import datetime

from sqlalchemy.orm import Session

from core import access
from core.access import Actor
from core.ground import RefundStatus
from core.storage import Refund
from core.tables import REFUND_PREFIX


def reference_of(refund: Refund) -> str:
    """Return the short reference that people say."""
    return f"{REFUND_PREFIX}{refund.no}"


def record(
    session: Session,
    action: str,
    refund: Refund,
    *,
    who: Actor | str,
    now: datetime,
    before: str,
    **more: str | None,
) -> None:
    """Audit a change of a refund in the caller's transaction.

    `before` is the earlier status of the refund, or of its item if a person decides about the item.
    """
    is_declined = refund.status == RefundStatus.DECLINED
    access.record_event(
        session,
        action,
        actor=who,
        entity="refund",
        entity_id=refund.refund_id,
        order_id=refund.order_id,
        contract_id=refund.contract_id,
        now=now,
        before={"status": before},
        after={
            "status": refund.status,
            "refund": reference_of(refund),
            "order_item_id": refund.order_item_id,
            "product": refund.product,
            "amount_minor": refund.amount_minor,
            "currency": refund.currency,
            "attempt": refund.attempt,
            "reference": refund.external_reference,
            # Why it was declined is the note of who declined it.
            "failure": None if is_declined else refund.failure,
            "method": refund.gateway,
            "reason": refund.reason,
            "note": refund.note,
            **more,
        },
    )
