"""Compare the rows of a file with the rows that are already stored."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.ground import ItemStatus
from core.imports.faults import Fault, as_written, fault_at
from core.imports.progress import SILENT, Progress
from core.imports.rows import iterate
from core.imports.spoiled import Spoiled
from core.storage import (
    NOTE_NUMBERS,
    REFUND_NUMBERS,
    TRANSACTION_NUMBERS,
    Base,
    Note,
    Order,
    OrderItem,
    Refund,
    Transaction,
)
from core.tables import Table

KEYS_A_QUERY = 2_000
# A blank in these columns means the default, never a difference. `no` is never compared.
FILLED_WHEN_BLANK = {
    "item_count", "amount_minor", "currency", "airport_tz", "pax_type", "valid_from", "valid_until",
    "voucher_code", "voucher_serial", "status", "is_refundable", "created_at", "contract_id",
    "method", "author", "used_at", "refunded_at", "refund_id", "done_at", "done_by", "withdrawn_at",
    "withdrawn_by", "reason", "gateway", "attempt", "requested_by", "requested_at", "failure",
    "external_reference", "settled_at",
}  # fmt: skip
NEVER_COMPARED = {"no"}
# The columns with the numbers of rows that exist, or for which a number is reserved.
NUMBERS: dict[type[Base], tuple[InstrumentedAttribute[Any], ...]] = {
    Order: (Order.no,),
    OrderItem: (OrderItem.no,),
    Transaction: TRANSACTION_NUMBERS.columns,
    Note: NOTE_NUMBERS.columns,
    Refund: REFUND_NUMBERS.columns,
}
STATES = frozenset({"status", "used_at", "refunded_at"})
# A refund that has another attempt or status here has moved on: then these may differ.
OF_ATTEMPT = ("attempt", "status")
CHANGING = frozenset({
    "reason", "note", "status", "failure", "attempt", "external_reference", "requested_by",
    "requested_at", "settled_at",
})  # fmt: skip
REFUND_STATES = {ItemStatus.REFUND_REQUESTED, ItemStatus.REFUNDED}


class Existing:
    """Looks up stored rows by key, in batches."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def find(
        self, key: InstrumentedAttribute[Any], values: Iterable[Any], names: Sequence[str]
    ) -> Iterator[dict[str, Any]]:
        """Yield the rows with one of the keys: the named columns, instants in epoch seconds."""
        columns = [getattr(key.class_, name) for name in names]
        remaining = iter(values)
        while part := list(islice(remaining, KEYS_A_QUERY)):
            for row in self.session.execute(select(*columns).where(key.in_(part))):
                yield dict(zip(names, map(_plain, row), strict=True))

    def highest_no(self, model: type[Base]) -> int:
        """Return the highest row number in use."""
        found = (self.session.scalar(select(func.max(column))) for column in NUMBERS[model])
        return max(number or 0 for number in found)

    def taken_numbers(self, model: type[Base], wanted: Sequence[int]) -> set[int]:
        """Return those of the row numbers that are in use."""
        found = ((one.key, self.find(one, wanted, [one.key])) for one in NUMBERS[model])
        return {row[name] for name, rows in found for row in rows}


@dataclass
class Compared:
    """The result of comparing the rows of one table with the stored rows."""

    fresh: pd.DataFrame
    unchanged: int = 0
    used: list[tuple[str, int | None]] = field(default_factory=list)  # and when, if it is given
    kept: list[str] = field(default_factory=list)
    refunded: set[str] = field(default_factory=set)  # items that are refunded in the file and here
    faults: list[Fault] = field(default_factory=list)


def compare(
    existing: Existing,
    table: Table,
    frame: pd.DataFrame,
    spoiled: Spoiled,
    progress: Progress = SILENT,
) -> Compared:
    """Sort rows into new ones and stored ones: unchanged, newly used, kept, or different.

    Values that have an import error already are not compared.
    """
    names = [column.name for column in table.stored]
    key = table.attribute(table.key_column)
    found = Compared(fresh=frame)
    is_fresh = np.ones(len(frame), dtype=bool)
    for first in range(0, len(frame), KEYS_A_QUERY):
        progress.say(
            f"Comparing {first:,} of {len(frame):,} {table.many} with stored data",
            first / len(frame),
        )
        part = frame.iloc[first : first + KEYS_A_QUERY]
        stored = {row[table.key]: row for row in existing.find(key, part[table.key], names)}
        if not stored:
            continue
        is_stored = part[table.key].isin(list(stored))
        is_fresh[first : first + KEYS_A_QUERY] = ~is_stored
        for row in iterate(part[is_stored]):
            _compare_row(table, row, stored[row[table.key]], found, spoiled.of(row))
    if not is_fresh.all():
        found.fresh = frame[is_fresh]
    return found


def _compare_row(
    table: Table,
    row: dict[Any, Any],
    stored: dict[str, Any],
    found: Compared,
    bad: frozenset[str],
) -> None:
    bad |= STATES if "status" in bad else frozenset()
    differing = [
        column
        for column in table.stored
        if column.name in row
        and column.name not in NEVER_COMPARED | bad
        and not (row[column.name] is None and column.name in FILLED_WHEN_BLANK)
        and row[column.name] != stored[column.name]
    ]
    if table.model is Refund and any(row.get(name) != stored[name] for name in OF_ATTEMPT):
        differing = [column for column in differing if column.name not in CHANGING]
    if stored.get("withdrawn_at") is not None:  # here, since the file was written
        differing = [column for column in differing if column.name != "text"]
    states = {column.name for column in differing} & STATES
    if stored.get("status") == ItemStatus.REFUNDED == row.get("status"):
        found.refunded.add(row[table.key])
    if table.model is OrderItem and states:
        if stored["status"] in REFUND_STATES and row.get("status") != ItemStatus.USED:
            found.kept.append(row[table.key])
            differing = [column for column in differing if column.name not in states]
        elif (stored["status"], row.get("status")) == (ItemStatus.NOT_USED, ItemStatus.USED):
            found.used.append((row[table.key], row.get("used_at")))
            differing = [column for column in differing if column.name not in states]
            states = set()
            if not differing:
                return
    for column in differing:
        here = as_written(column, stored[column.name], stored.get("currency"))
        given = as_written(column, row[column.name], row.get("currency"))
        problem = f"differs from the stored value: {f'“{here[:60]}”' if here else 'blank'}"
        found.faults.append(fault_at(row, column.header, given, problem))
    if not differing and not states:
        found.unchanged += 1


def _plain(value: Any) -> Any:
    return int(value.timestamp()) if isinstance(value, datetime) else value
