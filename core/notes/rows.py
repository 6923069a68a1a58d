"""A stored note in the transaction of a change: find and lock it, and audit the change."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import access
from core.access import Actor
from core.ground import NotFound, may_be_id
from core.query import scope
from core.storage import Note
from core.tables import NOTES


def lock_note(session: Session, note_id: str, actor: Actor) -> Note:
    """Lock a note of an order that the actor may see; raises NotFound."""
    note = None
    if may_be_id(note_id):
        mine = select(Note).where(Note.note_id == note_id, scope(NOTES, actor))
        note = session.scalars(mine.with_for_update()).one_or_none()
    if note is None:
        raise NotFound("This note was not found, or you have no access to its order.")
    return note


def record(
    session: Session, action: str, note: Note, *, actor: Actor, now: datetime, **after: Any
) -> None:
    """Audit a change of a note in the caller's transaction, without its text.

    The text would outlive its withdrawal in the audit trail.
    """
    access.record_event(
        session,
        action,
        actor=actor,
        entity="note",
        entity_id=note.note_id,
        order_id=note.order_id,
        contract_id=note.contract_id,
        now=now,
        after={name: value for name, value in after.items() if value} or None,
    )
