"""Read the notes of an order, as a person sees them."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import storage
from core.access import Actor, may, require
from core.ground import Permission, fold, may_be_id
from core.notes.writing import may_withdraw
from core.query import scope
from core.storage import Note, User, is_any_of
from core.tables import NOTES


@dataclass(frozen=True)
class SeenNote:
    """A note with the names of its people; an address stands for a person without a name.

    The text is None if the note was withdrawn.
    """

    note_id: str
    created_at: datetime
    author: str
    text: str | None
    follow_up_on: date | None
    follow_up_by: str | None
    done_at: datetime | None
    done_by: str | None
    withdrawn_at: datetime | None
    withdrawn_by: str | None
    can_withdraw: bool  # the reader can withdraw it now
    can_close: bool  # the reader can close its follow-up now


def find_notes(order_id: str, *, actor: Actor) -> list[SeenNote]:
    """Find the notes of an order, newest first; none if the actor cannot see the order."""
    require(actor, NOTES.permission(order_id))
    if not may_be_id(order_id):
        return []
    mine = select(Note).where(Note.order_id == order_id, scope(NOTES, actor))
    with storage.reading() as session:
        notes = list(session.scalars(mine.order_by(Note.created_at.desc(), Note.no.desc())))
        names = _names_of(session, notes)
        return [_seen(note, names, actor) for note in notes]


def _names_of(session: Session, notes: list[Note]) -> dict[str, str]:
    """Return the names of the people in the notes, by address as searches compare it."""
    people = {
        fold(one)
        for note in notes
        for one in (note.author, note.follow_up_by, note.done_by, note.withdrawn_by)
        if one is not None
    }
    if not people:
        return {}
    known = select(User.email, User.name).where(is_any_of(User.email, sorted(people)))
    return {row.email: row.name for row in session.execute(known)}


def _seen(note: Note, names: dict[str, str], actor: Actor) -> SeenNote:
    def called(email: str | None) -> str | None:
        return None if email is None else names.get(fold(email), email)

    writes, is_kept = may(actor, Permission.NOTES), note.withdrawn_at is None
    is_open = is_kept and note.follow_up_on is not None and note.done_at is None
    return SeenNote(
        note_id=note.note_id,
        created_at=note.created_at,
        author=names.get(fold(note.author), note.author),
        text=note.text,
        follow_up_on=date.fromisoformat(note.follow_up_on) if note.follow_up_on else None,
        follow_up_by=called(note.follow_up_by),
        done_at=note.done_at,
        done_by=called(note.done_by),
        withdrawn_at=note.withdrawn_at,
        withdrawn_by=called(note.withdrawn_by),
        can_withdraw=writes and is_kept and may_withdraw(note, actor),
        can_close=writes and is_open,
    )
