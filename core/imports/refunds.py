"""The refunds in imported files: the transactions of each, and their result.

The bank may return a refund that succeeded: then there is an adjustment of the opposite sign with
the same Refund ID. After that the same refund may be paid again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pandas as pd

from core.ground import Method, TransactionStatus, TransactionType
from core.imports.faults import FILE, ROW, SHEET
from core.imports.rows import iterate
from core.imports.spoiled import Spoiled
from core.storage import new_id

# The columns of a transaction that say which refund it is of, and what it did.
NEEDED = frozenset({
    "type", "status", "created_at", "amount_minor", "currency", "method", "order_item_id",
    "refund_id",
})  # fmt: skip
Key = tuple[str, str | None]  # refund ID and order item ID: one refund ID for two items is wrong


class Entry(NamedTuple):
    """A transaction of a refund: it was paid, it failed, or (an adjustment) it was returned."""

    transaction_id: str
    type: str
    status: str
    created_at: int  # epoch seconds
    amount_minor: int
    currency: str
    method: str
    author: str | None
    place: tuple[str, str, int]

    @property
    def row(self) -> dict[Any, Any]:
        """Return the parts of the row that an import error needs."""
        return dict(zip((FILE, SHEET, ROW), self.place, strict=True)) | {"currency": self.currency}


@dataclass(slots=True)
class GivenRefund:
    """One refund of one order item, as the files describe it."""

    refund_id: str
    order_item_id: str | None
    entries: list[Entry] = field(default_factory=list)

    @property
    def attempts(self) -> list[Entry]:
        """Return all refund transactions, including failed ones, sorted by time."""
        return self._by_time(TransactionType.REFUND)

    @property
    def paid(self) -> list[Entry]:
        """Return the refund transactions that succeeded, sorted by time."""
        return [one for one in self.attempts if one.status == TransactionStatus.SUCCEEDED]

    @property
    def returned(self) -> list[Entry]:
        """Return the adjustments by which the bank returned the money, sorted by time."""
        return self._by_time(TransactionType.ADJUSTMENT)

    @property
    def is_paid(self) -> bool:
        """Return whether the refund is paid and not returned since."""
        return len(self.paid) > len(self.returned)

    @property
    def is_returned(self) -> bool:
        """Return whether the refund succeeded and was returned since."""
        return bool(self.paid) and not self.is_paid

    @property
    def last(self) -> Entry:
        """Return the last paid attempt if the refund is paid; if not, the last attempt."""
        return (self.paid if self.is_paid else self.attempts)[-1]

    @property
    def settled_at(self) -> int:
        """Return when the refund reached its current state, in epoch seconds."""
        return (self.last if self.is_paid else max(self.entries, key=_time)).created_at

    def out_of_turn(self) -> Iterator[tuple[Entry, str]]:
        """Yield entries in an impossible order: payments and returns must alternate."""
        paid, returned = self.paid, self.returned
        for number, one in enumerate(returned):
            if number >= len(paid) or one.created_at < paid[number].created_at:
                yield one, "has no succeeded refund transaction that this adjustment could return"
        for number, one in enumerate(paid[1:]):
            if number >= len(returned) or one.created_at < returned[number].created_at:
                yield one, "has already succeeded, and no adjustment returned it in between"

    def _by_time(self, kind: TransactionType) -> list[Entry]:
        return sorted((one for one in self.entries if one.type == kind), key=_time)


def _time(entry: Entry) -> int:
    return entry.created_at


def gather(
    transactions: pd.DataFrame, spoiled: Spoiled
) -> tuple[dict[Key, GivenRefund], set[str | None]]:
    """Group the transactions by refund; one without a Refund ID is a separate refund.

    Also return the order items with a transaction that is left out, because it has an import error.
    """
    found: dict[Key, GivenRefund] = {}
    if not len(transactions):
        return found, set()
    sound = spoiled.sound(transactions, NEEDED)
    left_out = transactions.drop(sound.index)
    is_wanted = sound["type"] == TransactionType.REFUND
    if "refund_id" in sound:
        is_adjustment = sound["type"] == TransactionType.ADJUSTMENT
        is_wanted |= is_adjustment & sound["refund_id"].notna()
    for row in iterate(sound[is_wanted]):
        key = row.get("refund_id") or new_id(), row.get("order_item_id")
        found.setdefault(key, GivenRefund(*key)).entries.append(entry_of(row))
    return found, {row.get("order_item_id") for row in iterate(left_out)}


def entry_of(row: dict[Any, Any]) -> Entry:
    """Return the row of a transaction as an entry of its refund."""
    return Entry(
        transaction_id=row["transaction_id"],
        type=row["type"],
        status=row.get("status") or TransactionStatus.SUCCEEDED.value,
        created_at=row["created_at"],
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        method=row.get("method") or Method.BALANCE.value,
        author=row.get("author"),
        place=(row[FILE], row[SHEET], row[ROW]),
    )
