"""Choose the row numbers of new rows. Short references, such as R-12, are made of them.

A number of the file is kept if it is free, so that a dump into an empty database keeps every
reference. One that is in use, or that a refund has reserved for its ledger entry, is never taken.
"""

from collections.abc import Sequence
from typing import Any

from core.imports.existing import Existing
from core.imports.known import Known
from core.storage import Base, Refund


def choose_numbers(existing: Existing, model: type[Base], given: Sequence[Any]) -> list[int]:
    """Return a number for each row: the given one if it is free, otherwise the next one."""
    wanted = [number for number in given if isinstance(number, int)]
    taken = existing.taken_numbers(model, wanted)
    following = max([existing.highest_no(model), *wanted]) + 1
    numbers: list[int] = []
    for number in given:
        if not isinstance(number, int) or number in taken or number < 1:
            number = following
            following += 1
        taken.add(number)
        numbers.append(number)
    return numbers


def numbers_of_refunds(known: Known) -> dict[str, int]:
    """Return the number of each new refund, by ID.

    Nobody requests a refund meanwhile: a request changes order items first, which are locked.
    """
    told = known.told_refunds
    ids = list(dict.fromkeys([one.refund_id for one in known.refunds.values()] + [*told]))
    given = [told.get(refund_id, {}).get("no") for refund_id in ids]
    return dict(zip(ids, choose_numbers(known.existing, Refund, given), strict=True))
