"""The IDs of selected rows: how many there can be, and which are valid."""

from collections.abc import Sequence

from core.ground import InvalidInput, may_be_id
from core.tables import Table

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
