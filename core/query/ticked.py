"""The IDs of selected rows: how many there can be, which are valid, and which an actor can see."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from core import storage
from core.access import Actor
from core.ground import InvalidInput, may_be_id
from core.query.conditions import where
from core.tables import Table
from core.views import View

MAX_SELECTED = 1_000


def ticked_ids(ids: Sequence[str], table: Table, purpose: str) -> list[str]:
    """Return the IDs that a page sends, without duplicates and in order; raises InvalidInput.

    `purpose` ends the sentence of the error: Select 1 to 1,000 rows *to copy them*.
    """
    different = list(dict.fromkeys(ids))
    if not 0 < len(different) <= MAX_SELECTED:
        raise InvalidInput(f"Select 1 to {MAX_SELECTED:,} {table.many} {purpose}.")
    if not all(may_be_id(one) for one in different):
        raise InvalidInput(
            f"{table.key_column.header}: one of the IDs is too long, or has a character that "
            "cannot be stored."
        )
    return different


def only_visible(view: View, *, actor: Actor, now: datetime) -> View:
    """Return the view without the keys of rows that the actor cannot see, so that none is named."""
    if view.keys is None:
        return view
    of_keys = where(view.without_filters().with_keys(view.keys), actor=actor, now=now)
    with storage.reading() as session:
        seen = set(
            session.scalars(select(view.table.attribute(view.table.key_column)).where(*of_keys))
        )
    return view.with_keys(tuple(key for key in view.keys if key in seen))
