"""What a person's decisions about refunds share: the note, one change or none, the audit event."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from core import audit
from core.errors import InvalidInput, Refused
from core.models import Refund
from core.refund_assessment import UNSTORABLE
from core.users import Actor

MAX_NOTE = 1_000


def checked_note(note: str | None) -> str | None:
    """Return a note without blanks around it; None for an empty one. Raises InvalidInput."""
    text = UNSTORABLE.sub("\ufffd", (note or "").strip())
    if len(text) > MAX_NOTE:
        raise InvalidInput(f"A note has at most {MAX_NOTE:,} characters.")
    return text or None


def change_one(session: Session, statement: ReturningUpdate[Any]) -> None:
    """Change exactly one row; raises Refused when somebody was faster."""
    changed = session.execute(statement, execution_options={"synchronize_session": False}).all()
    if len(changed) != 1:
        raise Refused(
            "The item is being refunded right now, or it changed meanwhile. Reload the page, and "
            "try again in a minute. Nothing was changed."
        )


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
