"""Follow-ups: a note can say on which day somebody looks at the order again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, func, select, text

from core import access
from core.access import Actor
from core.ground import InvalidInput, Permission, Refused, fold
from core.notes.people import CannotSee, Colleague
from core.notes.rows import lock_note, record
from core.query import scope
from core.storage import Note
from core.tables import NOTES
from core.views import LATEST


@dataclass(frozen=True)
class FollowUp:
    """The day of a follow-up, and the e-mail address of who follows up."""

    on: date
    by: str


def check_day(follow_up: FollowUp | None, today: date) -> None:
    """Raise InvalidInput if the day of a follow-up is over, or further ahead than any filter."""
    if follow_up is None:
        return
    if follow_up.on < today:
        raise InvalidInput(
            f"The follow-up on {follow_up.on} is in the past. Choose today or a later day. "
            "Nothing was written."
        )
    if follow_up.on > LATEST:
        raise InvalidInput(f"A follow-up is possible until {LATEST}. Nothing was written.")


def check_person(follow_up: FollowUp | None, colleagues: Sequence[Colleague]) -> str | None:
    """Return the address of who follows up, as it is stored; None without a follow-up.

    Raises InvalidInput if there is no such user, and Refused if they cannot see the order or cannot
    close a follow-up.
    """
    if follow_up is None:
        return None
    wanted = fold(follow_up.by.strip())
    if not wanted:
        raise InvalidInput("Choose who follows up. Nothing was written.")
    one = next((one for one in colleagues if fold(one.email) == wanted), None)
    if one is None:
        raise InvalidInput(
            f"“{follow_up.by[:100]}” is not a user, so they cannot follow up. Nothing was written."
        )
    if not one.sees:
        raise CannotSee(one, "follow up")
    if not one.can_write:
        raise Refused(
            f"{one.words} is a viewer and could not close the follow-up. Nothing was written: "
            "choose another colleague."
        )
    return one.email


def close_follow_up(note_id: str, *, actor: Actor, now: datetime) -> None:
    """Close the follow-up of a note, and audit it.

    Raises NotPermitted, NotFound, and Refused if the note has no open follow-up.
    """
    with access.changing(actor, Permission.NOTES) as (session, actor):
        note = lock_note(session, note_id, actor)
        if note.follow_up_on is None or note.withdrawn_at is not None:
            raise Refused("This note has no open follow-up. Nothing was changed.")
        if note.done_at is not None:
            raise Refused(f"This follow-up was already closed by {note.done_by}.")
        note.done_at, note.done_by = now, actor.email
        follow_up = {"follow_up_on": note.follow_up_on, "follow_up_by": note.follow_up_by}
        record(session, "follow_up.done", note, actor=actor, now=now, **follow_up)


def count_of_due(actor: Actor, today: date) -> Select[int]:
    """Select how many orders have an open follow-up of the actor whose day has come."""
    return (
        select(func.count(Note.order_id.distinct()))
        .where(Note.follow_up_by == actor.email, Note.follow_up_on <= f"{today}")
        .where(text(Note.IS_OPEN), scope(NOTES, actor))
    )
