"""The sentences of notes, their follow-ups, and the e-mails to those whom they mention.

They do not quote a note: its text would outlive its withdrawal.
"""

from core.history.event import KEPT_ON_DISK, Event
from core.history.telling import Subject, tells


@tells("note.added", Subject.NOTES)
def _added(event: Event) -> str:
    mentioned = ", ".join(event.name_of(one) for one in event.parts("mentioned"))
    about = f" that mentions {mentioned}" if mentioned else ""
    on, by = event.words("follow_up_on"), event.name_of(event.words("follow_up_by"))
    follow_up = f" Follow-up on {on}{f' by {by}' if by else ''}." if on else ""
    return f"{event.who} wrote a note{about}.{follow_up}"


@tells("note.withdrawn", Subject.NOTES)
def _withdrawn(event: Event) -> str:
    author = event.words("author")
    of = f" of {event.name_of(author)}" if author and author != event.actor else ""
    at = event.words("written_at")
    return f"{event.who} withdrew {'the' if at else 'a'} note{of}{f' from {at}' if at else ''}."


@tells("follow_up.done", Subject.NOTES)
def _done(event: Event) -> str:
    on = event.words("follow_up_on")
    return f"{event.who} closed {f'the follow-up of {on}' if on else 'a follow-up'}."


@tells("mention.sent", Subject.EMAILS)
def _sent(event: Event) -> str:
    return f"{event.who} sent {_whom(event)} a note that mentions them."


@tells("mention.saved_to_outbox", Subject.EMAILS)
def _saved(event: Event) -> str:
    return f"{event.who}'s e-mail to {_whom(event)} about a note {KEPT_ON_DISK}"


def _whom(event: Event) -> str:
    return event.name_of(event.words("recipient")) or "a colleague"
