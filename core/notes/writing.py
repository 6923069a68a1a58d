"""Write a note, and withdraw it. A note is never edited, so nobody answers to another text."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import access, mail, storage
from core.access import Actor, checked_key, require
from core.ground import (
    InvalidInput,
    NotPermitted,
    Permission,
    Refused,
    Role,
    clean_note,
    fold,
    in_zone,
    why_no_note,
)
from core.notes.follow_ups import FollowUp, check_day, check_person
from core.notes.people import colleagues_in, get_order_row, mentioned_in
from core.notes.rows import lock_note, record
from core.storage import Note, new_id


@dataclass(frozen=True)
class Request:
    """A checked request to write a note, with its idempotency key."""

    order_id: str
    text: str
    follow_up: FollowUp | None
    key: str
    now: datetime

    def fingerprint(self, actor: Actor) -> str:
        """Return a hash that differs for another request with the same key."""
        follow_up = self.follow_up and (f"{self.follow_up.on}", self.follow_up.by)
        return access.fingerprint(self.order_id, self.text, follow_up, actor.user_id)


class OtherNote(Refused):
    """The key belongs to another note."""

    def __init__(self) -> None:
        super().__init__(
            "This form has already written another note. Nothing was written now. "
            "Copy your text, reload the page and add it again."
        )


def add_note(
    order_id: str,
    text: str,
    *,
    key: str,
    actor: Actor,
    now: datetime,
    zone: str,
    follow_up: FollowUp | None = None,
) -> str:
    """Write a note on an order, audit it, and return its ID; the same key writes it once.

    `zone` is the time zone of the actor, whose today is the first day for a follow-up. Raises
    NotPermitted, AccessLost, NotFound, InvalidInput, and Refused if somebody in it cannot see the
    order, the hourly limit of e-mails is exceeded, or the key belongs to another note. Then nothing
    was written.
    """
    require(actor, Permission.NOTES)
    text = clean_note(text)
    why = why_no_note(text)
    if why is not None:
        raise InvalidInput(f"The note {why}. Nothing was written.")
    now = storage.database_time(now)
    request = Request(order_id, text, follow_up, checked_key(key), now)
    try:
        return _write(request, actor, zone)
    except IntegrityError:  # the same request was stored at the same moment
        return _write(request, actor, zone)


def _write(request: Request, actor: Actor, zone: str) -> str:
    with mail.queueing(actor, Permission.NOTES) as (session, actor):
        before = _find_written(session, request, actor)
        if before is not None:
            return before
        check_day(request.follow_up, request.now.astimezone(ZoneInfo(zone)).date())
        # Before the number and the note, or a writer and an import would wait for each other.
        order = get_order_row(session, request.order_id, actor, is_kept=True)
        is_about_people = "@" in request.text or request.follow_up is not None
        colleagues = colleagues_in(session, order) if is_about_people else []
        mentioned = [one.email for one in mentioned_in(request.text, colleagues)]
        mentioned = [email for email in mentioned if email != actor.email]
        author = next((one.name for one in colleagues if one.email == actor.email), actor.email)
        ((no,),) = storage.next_numbers(session, (storage.NOTE_NUMBERS, 1))
        note = Note(
            note_id=new_id(),
            no=no,
            order_id=order.order_id,
            contract_id=order.contract_id,
            created_at=request.now,
            author=actor.email,
            text=request.text,
            follow_up_on=f"{request.follow_up.on}" if request.follow_up else None,
            follow_up_by=check_person(request.follow_up, colleagues),
            idempotency_key=request.key,
            request_hash=request.fingerprint(actor),
        )
        session.add(note)
        session.flush()
        record(
            session,
            "note.added",
            note,
            actor=actor,
            now=request.now,
            characters=len(request.text),
            mentioned=mentioned,
            follow_up_on=note.follow_up_on,
            follow_up_by=note.follow_up_by,
        )
        if mentioned:
            mail.queue_mentions(session, note, mentioned, author, actor=actor, now=request.now)
        return note.note_id


def _find_written(session: Session, request: Request, actor: Actor) -> str | None:
    """Find the note that a key has written; raises OtherNote if it was another one."""
    same = select(Note.note_id, Note.request_hash).where(Note.idempotency_key == request.key)
    found = session.execute(same).one_or_none()
    if found is None:
        return None
    if found.request_hash != request.fingerprint(actor):
        raise OtherNote
    note_id: str = found.note_id
    return note_id


def withdraw_note(note_id: str, *, actor: Actor, now: datetime) -> None:
    """Withdraw a note: erase its text, close its follow-up, and audit it.

    Who wrote it stays, and who withdrew it when. Raises NotFound, NotPermitted unless the actor is
    the author or an admin, and Refused if it was withdrawn before.
    """
    with access.changing(actor, Permission.NOTES) as (session, actor):
        note = lock_note(session, note_id, actor)
        if not may_withdraw(note, actor):
            raise NotPermitted("Only the author of a note or an admin can withdraw it.")
        if note.withdrawn_at is not None:
            raise Refused(f"This note was already withdrawn by {note.withdrawn_by}.")
        note.text, note.withdrawn_at, note.withdrawn_by = None, now, actor.email
        about = {"author": note.author, "written_at": in_zone(note.created_at, "UTC")}
        record(session, "note.withdrawn", note, actor=actor, now=now, **about)


def may_withdraw(note: Note, actor: Actor) -> bool:
    """Return whether the actor is the author of the note, or an admin."""
    return actor.role is Role.ADMIN or fold(note.author) == fold(actor.email)
