"""What waits for a person: follow-ups that are due, and refunds to approve."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from core import notes, refunds, storage
from core.access import Actor


@dataclass(frozen=True)
class Due:
    """How many orders a person has to follow up, and how many refunds wait for their approval."""

    follow_ups: int
    to_approve: int


def count_due(*, actor: Actor, today: date) -> Due:
    """Count both in one statement, because the header of every page shows them."""
    counts = notes.count_of_due(actor, today), refunds.count_of_waiting(actor)
    with storage.reading() as session:
        return Due(*session.execute(select(*(one.scalar_subquery() for one in counts))).one())
