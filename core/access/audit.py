"""The audit trail: who did what, written in the transaction of the change itself."""

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

    `actor` is a person, or the e-mail address of the one in whose name the worker acts. `action`
    is dotted and in the past tense (`orders.exported`). `before` and `after` hold plain
    JSON values. The caller commits: the event stands exactly when the change does.
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
