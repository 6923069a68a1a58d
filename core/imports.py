"""Importing the business's own orders: everything is understood and checked, or nothing written."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import case, func, select, text, update
from sqlalchemy.orm import Session

from core import audit, bulk, db, figures
from core.columns import Table
from core.import_existing import Existing, compare
from core.import_faults import FILE, ROW, SHEET, Fault, Faulty, fault_at
from core.import_known import Known
from core.import_new import NewRows
from core.import_rows import iterate, read_tables
from core.models import (
    Contract,
    DatabaseFact,
    OrderItem,
    RefundBatch,
    Transaction,
    new_id,
)
from core.permissions import Permission, require
from core.states import ItemStatus, Method, TransactionStatus
from core.tables import BOOKS, TABLES
from core.users import Actor

__all__ = ["Faulty", "Outcome", "import_files"]


@dataclass
class Outcome:
    """What an import did, by table."""

    added: dict[str, int] = field(default_factory=dict)
    unchanged: dict[str, int] = field(default_factory=dict)
    used: list[str] = field(default_factory=list)  # items that are now used
    kept: list[str] = field(default_factory=list)  # items whose refund made here stays
    was_demo: bool = False

    def in_words(self) -> str:
        """Say it to a person."""
        lines = []
        for table in BOOKS:
            added, unchanged = self.added.get(table.name, 0), self.unchanged.get(table.name, 0)
            if added or unchanged:
                lines.append(f"{table.title}: {added:,} added, {unchanged:,} were there unchanged.")
        if self.used:
            lines.append(f"{len(self.used):,} order items are now used.")
        if self.kept:
            listed = ", ".join(self.kept)
            lines.append(f"Kept, since the refund made here is newer than the file: {listed}.")
        if self.was_demo:
            lines.append("This database also holds demo orders; it is no longer marked as demo.")
        return "\n".join(lines) or "There were no rows to import."


def import_files(paths: Sequence[Path], *, actor: Actor, now: datetime) -> Outcome:
    """Import workbooks and CSV files as one: in one transaction, all or nothing.

    Raises NotPermitted unless the actor imports, InvalidInput for a file that cannot be read,
    and Faulty, listing every fault, when a value, a reference or a difference is wrong.
    """
    require(actor, Permission.IMPORT)
    frames, faults = read_tables(paths)
    if faults:
        raise Faulty(faults)
    with db.writing() as session:
        if not db.is_sqlite():
            # Running numbers go on from the highest: others wait to write, none waits to read.
            session.execute(text("LOCK TABLE orders, order_items, transactions IN EXCLUSIVE MODE"))
        outcome = _Import(session, actor, now).run(frames)
        audit.record(
            session,
            "orders.imported",
            actor=actor,
            entity="file",
            entity_id=", ".join(path.name for path in paths)[:500],
            now=now,
            after={
                "added": outcome.added,
                "unchanged": outcome.unchanged,
                "used": len(outcome.used),
                "kept": outcome.kept,
            },
        )
    figures.refresh_soon()
    return outcome


class _Import:
    """One import, inside its transaction."""

    def __init__(self, session: Session, actor: Actor, now: datetime) -> None:
        self.session, self.actor, self.now = session, actor, now
        self.outcome = Outcome()

    def run(self, frames: dict[str, pd.DataFrame]) -> Outcome:
        existing = Existing(self.session)
        faults: list[Fault] = []
        fresh = {}
        for name in list(frames):
            frame = self._distinct(TABLES[name], frames.pop(name), faults)
            found = compare(existing, TABLES[name], frame)
            faults += found.faults
            fresh[name] = found.fresh
            self.outcome.unchanged[name] = found.unchanged
            self.outcome.kept += found.kept
            self.outcome.used += [item_id for item_id, _ in found.used]
            self._use(found.used)
        known = Known(existing, fresh, faults)
        rows = NewRows(known, batch_id=new_id(), author=self.actor.email)
        if faults:
            raise Faulty(faults)
        self._write(rows)
        if faults:
            raise Faulty(faults)
        return self.outcome

    def _distinct(self, table: Table, frame: pd.DataFrame, faults: list[Fault]) -> pd.DataFrame:
        """Leave out mere repetitions; the same key with other values is a fault."""
        if frame[table.key].is_unique:
            return frame
        values = [name for name in frame.columns if name not in (FILE, SHEET, ROW)]
        distinct = frame.drop_duplicates(values)
        title = table.key_column.header
        for row in iterate(distinct[distinct.duplicated(table.key, keep=False)]):
            problem = "stands more than once, with different values"
            faults.append(fault_at(row, title, row[table.key], problem))
        return distinct

    def _use(self, used: list[tuple[str, int]]) -> None:
        """Record that items were used: the one change that a file may bring."""
        for item_id, at in used:
            moment = pd.Timestamp(at, unit="s", tz="UTC").to_pydatetime()
            changed = (
                update(OrderItem)
                .where(OrderItem.order_item_id == item_id, OrderItem.status == ItemStatus.NOT_USED)
                .values(status=ItemStatus.USED, used_at=moment)
                .returning(OrderItem.order_id, OrderItem.contract_id)
            )
            home = self.session.execute(changed).first()
            if home is None:  # the file has it twice, which is a fault
                continue
            audit.record(
                self.session,
                "order_item.used",
                actor=self.actor,
                entity="order_item",
                entity_id=item_id,
                order_id=home.order_id,
                contract_id=home.contract_id,
                now=self.now,
                before={"status": ItemStatus.NOT_USED},
                after={"status": ItemStatus.USED, "used_at": moment.isoformat()},
            )

    def _write(self, rows: NewRows) -> None:
        """Write the new rows in the order in which they refer to each other."""
        for contract_id, currency in rows.contracts():
            self.session.add(Contract(contract_id=contract_id, name=contract_id, currency=currency))
        if rows.known.has_refunds:
            self.session.add(self._batch(rows.batch_id))
        self.session.flush()
        for model, written in rows.written():
            name = model.__tablename__
            bulk.insert(self.session, model, _counted(written, self.outcome, name))
        self._balance(rows.touched_contracts)
        mark = self.session.get(DatabaseFact, "demo")
        if mark is not None and any(self.outcome.added.values()):
            # From now on rebuilding the demo would lose somebody's orders.
            self.session.delete(mark)
            self.outcome.was_demo = True

    def _batch(self, batch_id: str) -> RefundBatch:
        return RefundBatch(
            batch_id=batch_id,
            idempotency_key=f"import-{batch_id}",
            request_hash="",
            answer={},
            requested_by=self.actor.email,
            created_at=self.now,
        )

    def _balance(self, contract_ids: Sequence[str]) -> None:
        """Keep a contract's balance the sum of its succeeded transactions by balance."""
        counted = case(
            (
                (Transaction.status == TransactionStatus.SUCCEEDED)
                & (Transaction.method == Method.BALANCE),
                Transaction.amount_minor,
            ),
            else_=0,
        )
        for contract_id in contract_ids:
            total = select(func.coalesce(func.sum(counted), 0)).where(
                Transaction.contract_id == contract_id
            )
            self.session.execute(
                update(Contract)
                .where(Contract.contract_id == contract_id)
                .values(balance_minor=total.scalar_subquery())
            )


def _counted(rows: Any, outcome: Outcome, name: str) -> Any:
    for row in rows:
        outcome.added[name] = outcome.added.get(name, 0) + 1
        yield row
