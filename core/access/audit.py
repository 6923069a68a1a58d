"""The audit trail: events are written in the transaction of the change."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.access.actors import Actor
from core.storage import AuditEvent, new_id


def record_event(
    session: Session,
    action: str,
    *,
    actor: Actor | str,
    entity: str,
    entity_id: str,
    now: datetime,
    order_id: str | None = None,
    contract_id: str | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Add an audit event to the caller's transaction.

    `actor` is an actor, or the e-mail address of the user for whom the worker acts. `action` is
    dotted and in the past tense (`orders.exported`). `before` and `after` hold plain JSON values.
    The caller commits, so the event is stored if and only if the change is.
    """
    session.add(
        AuditEvent(
            event_id=new_id(),
            at=now,
            actor=actor if isinstance(actor, str) else actor.email,
            action=action,
            entity=entity,
            entity_id=entity_id,
            order_id=order_id,
            contract_id=contract_id,
            before=before,
            after=after,
        )
    )
