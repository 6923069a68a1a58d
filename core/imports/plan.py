"""Plan an import: compare the rows of the files with stored rows, and collect every error.

Planning writes nothing. An import carries the plan out in its transaction; a check only reads it.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy.orm import Session

from core.access import Actor
from core.imports.existing import Existing, compare
from core.imports.faults import FILE, ROW, SHEET, Fault, Faulty, fault_at, in_order
from core.imports.known import Known, Return
from core.imports.new import NewRows
from core.imports.outcome import Outcome
from core.imports.progress import Progress
from core.imports.rows import Tables, iterate
from core.storage import Base, new_id
from core.tables import TABLES, Table

ROWS_A_STEP = 1_000


class Plan:
    """The rows of files compared with the stored rows.

    `outcome` counts stored rows, and new rows as they are consumed. Consuming them may add to
    `faults`; if there is one, the caller must roll back.
    """

    def __init__(self, session: Session, read: Tables, actor: Actor, progress: Progress) -> None:
        self.outcome = Outcome()
        self.faults: list[Fault] = list(read.faults)
        self.used: list[tuple[str, int | None]] = []  # items that become used, and when, if given
        self.refunded: set[str] = set()  # items refunded in the files and here
        self.spoiled, self.sheets = read.spoiled, [(one.file, one.title) for one in read.sheets]
        existing = Existing(session)
        fresh = {}
        count = len(read.frames)
        for number, name in enumerate(list(read.frames)):
            part = progress.part(number / count, (number + 1) / count)
            fresh[name] = self._compare(existing, TABLES[name], read.frames.pop(name), part)
        self.total = {name: len(frame) for name, frame in fresh.items()}
        used = {item_id for item_id, _ in self.used}
        known = Known(existing, fresh, self.faults, self.spoiled, used, self.refunded)
        self.rows = NewRows(known, batch_id=new_id(), author=actor.email)

    def _compare(
        self, existing: Existing, table: Table, frame: pd.DataFrame, progress: Progress
    ) -> pd.DataFrame:
        distinct = self._distinct(table, frame)
        found = compare(existing, table, distinct, self.spoiled, progress)
        self.faults += found.faults
        self.outcome.unchanged[table.name] = found.unchanged
        self.outcome.kept += found.kept
        self.outcome.used += [item_id for item_id, _ in found.used]
        self.used += found.used
        self.refunded |= found.refunded
        return found.fresh

    def _distinct(self, table: Table, frame: pd.DataFrame) -> pd.DataFrame:
        """Drop repeated rows; the same key with different values is an import error."""
        if frame[table.key].is_unique:
            return frame
        values = [name for name in frame.columns if name not in (FILE, SHEET, ROW)]
        distinct = frame.drop_duplicates(values)
        title = table.key_column.header
        groups: dict[Any, list[dict[Any, Any]]] = {}
        for row in iterate(distinct[distinct.duplicated(table.key, keep=False)]):
            groups.setdefault(row[table.key], []).append(row)
        for key, rows in groups.items():
            bad = frozenset().union(*map(self.spoiled.of, rows))
            differ = any(len({row[name] for row in rows}) > 1 for name in values if name not in bad)
            cause = "" if differ else "in one of these rows"
            problem = "is in the files more than once, with different values"
            self.faults += [fault_at(row, title, key, problem, cause) for row in rows]
        return distinct.drop_duplicates(table.key)  # the first one alone is checked further

    def check(self, progress: Progress) -> None:
        """Consume all rows without writing them, to find the remaining import errors."""
        self.rows.contracts()  # sets the currencies of balances
        for _, rows in self.written("Checking", progress):
            for _ in rows:
                pass

    def written(
        self, doing: str, progress: Progress
    ) -> Iterator[tuple[type[Base], Iterator[tuple[Any, ...]]]]:
        """Yield each table's complete new rows; a table comes after the tables it refers to.

        Consume the rows of a table before the next one. Progress says `doing` and their number.
        """
        whole, done = max(1, sum(self.total.values())), 0
        for model, rows in self.rows.written():
            name = model.__tablename__
            table, count = TABLES.get(name), self.total.get(name, 0)
            many = table.many if table else name
            part = progress.part(done / whole, min(1, (done + count) / whole))
            yield model, self._counted(rows, name, f"{doing} {{}} of {count:,} {many}", count, part)
            done += count
        self.outcome.returned = [one.order_item_id for one in self.returns.values()]
        self.outcome.kept = [one for one in self.outcome.kept if one not in self.outcome.returned]

    @property
    def faulty(self) -> Faulty:
        """Return the import errors found so far, in the order of the files."""
        return Faulty(in_order(self.faults, self.sheets))

    @property
    def returns(self) -> dict[str, Return]:
        """Return the stored refunds that the bank returned, by ID; complete after all rows."""
        return self.rows.known.returns

    def _counted(
        self,
        rows: Iterator[tuple[Any, ...]],
        name: str,
        words: str,
        count: int,
        progress: Progress,
    ) -> Iterator[tuple[Any, ...]]:
        for number, row in enumerate(rows):
            if number % ROWS_A_STEP == 0 and count:
                progress.say(words.format(f"{number:,}"), number / count)
            self.outcome.added[name] = number + 1
            yield row


def moment_of(seconds: int) -> datetime:
    """Return the instant of epoch seconds."""
    moment: datetime = pd.Timestamp(seconds, unit="s", tz="UTC").to_pydatetime()
    return moment
