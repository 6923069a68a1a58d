"""The audit events of refunds: what a refund is after something happened to it."""

from datetime import datetime

from sqlalchemy.orm import Session

from core import access
from core.access import Actor
from core.storage import Refund


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
    """Audit what became of a refund, in the caller's transaction.

    `before` is the status of the refund, or of its item where a person decides about that.
    """
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
            "order_item_id": refund.order_item_id,
            "amount_minor": refund.amount_minor,
            "currency": refund.currency,
            "attempt": refund.attempt,
            "reference": refund.external_reference,
            "failure": refund.failure,
            **more,
        },
    )
