"""The events of one order, newest first, and one event with all that is stored of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select

from core import history, storage
from core.access import Actor, require
from core.ground import NotFound, is_storable
from core.history import Subject
from core.query.scoping import of_order, scope
from core.storage import AuditEvent
from core.tables import AUDIT_EVENTS


@dataclass(frozen=True)
class ToldEvent:
    """An event in a timeline."""

    event_id: str
    at: datetime
    sentence: str
    actor: str
    action: str


@dataclass(frozen=True)
class RecordedEvent:
    """An event as it is stored."""

    event_id: str
    at: datetime
    sentence: str
    actor: str
    action: str
    entity: str
    entity_id: str
    order_id: str | None
    contract_id: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


def load_history(
    order_id: str, *, actor: Actor, most: int, subject: Subject | None = None
) -> list[ToldEvent]:
    """Return the newest events of an order, of one subject or of all; raises NotPermitted."""
    names = tuple(ToldEvent.__dataclass_fields__)
    told = select(*(getattr(AuditEvent, name) for name in names)).where(*_seen(actor, order_id))
    if subject is not None:
        told = told.where(AuditEvent.action.in_(history.actions_of(subject)))
    newest = told.order_by(AuditEvent.at.desc(), AuditEvent.event_id.desc()).limit(most)
    with storage.reading() as session:
        return [ToldEvent(*row) for row in session.execute(newest)]


def get_event(event_id: str, *, actor: Actor, order_id: str | None = None) -> RecordedEvent:
    """Return an event: of one order, or of all. Raises NotPermitted and NotFound."""
    names = tuple(RecordedEvent.__dataclass_fields__)
    columns = select(*(getattr(AuditEvent, name) for name in names))
    mine = columns.where(AuditEvent.event_id == event_id, *_seen(actor, order_id))
    row = None
    if is_storable(event_id):
        with storage.reading() as session:
            row = session.execute(mine).one_or_none()
    if row is None:
        raise NotFound("This event was not found, or you have no access to it.")
    return RecordedEvent(*row)


def _seen(actor: Actor, order_id: str | None) -> Sequence[ColumnElement[bool]]:
    """Return the conditions that an actor sees an event, as in the table of the events."""
    require(actor, AUDIT_EVENTS.permission(order_id))
    of_one = [] if order_id is None else [of_order(AUDIT_EVENTS, order_id)]
    return [scope(AUDIT_EVENTS, actor), *of_one]
