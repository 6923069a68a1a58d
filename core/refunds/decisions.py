"""What a person's decisions about refunds share: the note, and one change or none."""

from typing import Any

from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from core.ground import InvalidInput, Refused, storable

MAX_NOTE = 1_000


def checked_note(note: str | None) -> str | None:
    """Return a note without blanks around it; None for an empty one. Raises InvalidInput."""
    text = storable((note or "").strip())
    if len(text) > MAX_NOTE:
        raise InvalidInput(f"A note has at most {MAX_NOTE:,} characters.")
    return text or None


def change_one(session: Session, statement: ReturningUpdate[Any]) -> None:
    """Change exactly one row; raises Refused when somebody was faster."""
    changed = session.execute(statement, execution_options={"synchronize_session": False}).all()
    if len(changed) != 1:
        raise Refused(
            "The item is being refunded right now, or it changed meanwhile. Reload the page, and "
            "try again in a minute. Nothing was changed."
        )
