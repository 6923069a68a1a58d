"""The audit trail: events are written in the transaction of the change."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import history
from core.access.actors import Actor
from core.history import Event
from core.storage import AuditEvent, User, new_id


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
    The caller commits, so the event is stored if and only if the change is. Its sentence is stored
    with it, because names and products may change later, and the trail may not.
    """
    email = actor if isinstance(actor, str) else actor.email
    event = Event(action, email, entity, entity_id, before, after)
    told = replace(event, names=_names_of(session, actor, event.people))
    session.add(
        AuditEvent(
            event_id=new_id(),
            at=now,
            actor=email,
            action=action,
            entity=entity,
            entity_id=entity_id,
            order_id=order_id,
            contract_id=contract_id,
            before=before,
            after=after,
            sentence=history.sentence_of(told),
        )
    )


def _names_of(session: Session, actor: Actor | str, emails: Collection[str]) -> dict[str, str]:
    """Return the names of the actor and others by e-mail address; ask once per transaction."""
    known: dict[str, str] = session.info.setdefault("names", {})
    if isinstance(actor, str):
        emails = {actor, *emails}
    elif actor.name:
        known[actor.email] = actor.name
    missing = sorted(one for one in emails if one not in known)
    if missing:
        named = select(User.email, User.name).where(User.email.in_(missing))
        known |= dict.fromkeys(missing, "") | {
            row.email: row.name for row in session.execute(named)
        }
    return known
