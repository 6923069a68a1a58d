"""Shared by the decisions about refunds: check the note, and change exactly one row."""

from typing import Any

from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from core.ground import InvalidInput, Refused, storable

MAX_NOTE = 1_000


def checked_note(note: str | None) -> str | None:
    """Return a note without blanks around it; None if it is empty. Raises InvalidInput."""
    text = storable((note or "").strip())
    if len(text) > MAX_NOTE:
        raise InvalidInput(f"A note has at most {MAX_NOTE:,} characters.")
    return text or None


def change_one(session: Session, statement: ReturningUpdate[Any]) -> None:
    """Change exactly one row; raises Refused if another transaction was faster."""
    change_each(session, statement, 1)


def change_each(session: Session, statement: ReturningUpdate[Any], count: int) -> None:
    """Change exactly so many rows; raises Refused if another transaction was faster for one."""
    options = {"synchronize_session": False, "populate_existing": True}
    changed = session.execute(statement, execution_options=options).all()
    if len(changed) != count:
        raise Refused(
            "The item is being refunded right now, or it has just changed. Reload the page and try "
            "again in a minute. Nothing was changed."
        )
