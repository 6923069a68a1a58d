"""The rows that a person ticked: how many at most, and what an ID may be."""

from collections.abc import Sequence

from core.ground import InvalidInput, may_be_id
from core.tables import Table

MAX_SELECTED = 1_000


def ticked_ids(ids: Sequence[str], table: Table, purpose: str) -> list[str]:
    """Return the different IDs that a page sends, in their order; raises InvalidInput.

    `purpose` ends the sentence of the error: order items *to refund them*.
    """
    different = list(dict.fromkeys(ids))
    if not 0 < len(different) <= MAX_SELECTED:
        raise InvalidInput(f"Tick 1 to {MAX_SELECTED:,} {table.many} {purpose}.")
    if not all(may_be_id(one) for one in different):
        raise InvalidInput(f"{table.key_column.header} has characters that no ID has.")
    return different
