"""Import your own orders: read and check all files first, then write all or nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NoReturn

import pandas as pd
from sqlalchemy import case, func, select, update
from sqlalchemy.orm import Session

from core import access, overview, storage
from core.access import Actor, require
from core.ground import ItemStatus, Method, Permission, Refused, TransactionStatus, storable
from core.imports.faults import FILE, ROW, SHEET, Fault, as_written
from core.imports.known import Return
from core.imports.outcome import Outcome
from core.imports.plan import Plan, moment_of
from core.imports.progress import SILENT, Progress
from core.imports.rows import SheetRead, Tables, iterate, read_tables
from core.refunds import WAS_RETURNED, mark_as_returned, record_return
from core.storage import (
    DEMO,
    Contract,
    OrderItem,
    RefundBatch,
    Transaction,
    delete_fact,
    get_fact,
)
from core.tables import NOTES, ORDER_ITEMS, ORDERS, TABLES, TRANSACTIONS, Table

FIRST_ROWS = 5
# In this order: a refund holds its items when it comes to their orders, a note its order when it is
# written. The other way round, they and an import could wait for each other.
LOCKED = (ORDER_ITEMS, TRANSACTIONS, ORDERS, NOTES)
READ = 0.5  # progress after reading; after comparing it is COMPARED, the rest is writing
COMPARED = 0.6


@dataclass(frozen=True)
class Check:
    """The result of a check: recognised sheets, and what an import would do, or the errors."""

    sheets: tuple[SheetRead, ...]
    left_out: tuple[tuple[str, str], ...]  # file and sheet without a table
    first_rows: dict[str, list[dict[str, str]]]  # by table: values as text, by header
    faults: tuple[Fault, ...]
    follow_ups: tuple[Fault, ...]  # errors that may only follow from another one
    outcome: Outcome  # what an import would do; empty if there are errors
    is_demo: bool  # the database has sample orders, which stay next to the imported ones

    @property
    def rows(self) -> int:
        """Return the number of rows read."""
        return sum(sheet.rows for sheet in self.sheets)


def check_files(
    paths: Sequence[Path],
    *,
    actor: Actor,
    names: Sequence[str] = (),
    progress: Progress = SILENT,
) -> Check:
    """Check what `import_files` would do with the files now; write nothing.

    Raises NotPermitted, InvalidInput and Cancelled as it does. Import errors are in the result.
    """
    require(actor, Permission.IMPORT)
    read = read_tables(_named(paths, names), progress=progress.part(0, READ))
    first_rows = {name: _first_rows(TABLES[name], frame) for name, frame in read.frames.items()}
    with storage.reading() as session:
        is_demo = get_fact(session, DEMO) is not None
        plan = _compared(session, read, actor, progress)
        plan.check(progress.part(COMPARED, 1))
    found = plan.faulty
    outcome = Outcome() if found.faults else plan.outcome
    return Check(
        tuple(read.sheets),
        tuple(read.left_out),
        first_rows,
        tuple(found.faults),
        tuple(found.follow_ups),
        outcome,
        is_demo,
    )


def import_files(
    paths: Sequence[Path],
    *,
    actor: Actor,
    now: datetime,
    names: Sequence[str] = (),
    progress: Progress = SILENT,
    record: Callable[[Session, Outcome], object] = lambda _session, _outcome: None,
) -> Outcome:
    """Import workbooks and CSV files together, in one transaction: all or nothing.

    `names` are the shown names of the files, if they differ from the paths. `record` writes the
    outcome elsewhere too, in the same transaction. Raises NotPermitted if
    the actor cannot import, also if they lose the permission meanwhile; AccessLost; InvalidInput
    for a file that cannot be read; Cancelled; and Faulty, with every import error.
    """
    require(actor, Permission.IMPORT)
    files = _named(paths, names)
    read = read_tables(files, progress=progress.part(0, READ))
    if read.faults:
        _refuse(read, actor, progress)
    progress.say("Waiting for other changes to finish", READ)
    with access.committing(actor, Permission.IMPORT) as session:
        # New row numbers follow the highest one: writers must wait, readers need not.
        storage.lock_tables(session, [one.model.__tablename__ for one in LOCKED], "EXCLUSIVE")
        plan = _compared(session, read, actor, progress)
        named = ", ".join(name for _, name in files)[:500]
        _carry_out(session, plan, named, actor, now, progress.part(COMPARED, 1))
        outcome = plan.outcome
        access.record_event(
            session,
            "orders.imported",
            actor=actor,
            entity="file",
            entity_id=named,
            now=now,
            after={
                "added": outcome.added,
                "unchanged": outcome.unchanged,
                "used": len(outcome.used),
                "kept": outcome.kept,
            },
        )
        progress.say("Saving", 1)
        record(session, outcome)
    overview.refresh_figures_early()
    return outcome


def _named(paths: Sequence[Path], names: Sequence[str]) -> list[tuple[Path, str]]:
    shown = names or [path.name for path in paths]
    return list(zip(paths, map(storable, shown), strict=True))


def _compared(session: Session, read: Tables, actor: Actor, progress: Progress) -> Plan:
    return Plan(session, read, actor, progress.part(READ, COMPARED))


def _refuse(read: Tables, actor: Actor, progress: Progress) -> NoReturn:
    """Raise Faulty, with the errors in values and all others."""
    with storage.reading() as session:
        plan = _compared(session, read, actor, progress)
        plan.check(progress.part(COMPARED, 1))
    raise plan.faulty


def _first_rows(table: Table, frame: pd.DataFrame) -> list[dict[str, str]]:
    """Return the first rows as text: with our headers, and the values as they were parsed."""
    given = [column for column in table.stored if column.name in frame.columns]
    return [
        {c.header: as_written(c, row[c.name], row.get(str(c.currency))) for c in given}
        for row in iterate(frame.head(FIRST_ROWS).drop(columns=[FILE, SHEET, ROW]))
    ]


def _carry_out(
    session: Session, plan: Plan, files: str, actor: Actor, now: datetime, progress: Progress
) -> None:
    """Write new rows, mark items as used, and record refunds that the bank returned.

    Raises Faulty, and Refused if a returned refund has changed meanwhile: the caller rolls back.
    """
    if plan.faults:
        plan.check(progress)
        raise plan.faulty
    _use(session, plan.used, files, actor, now)
    for contract_id, currency in plan.rows.contracts():
        session.add(Contract(contract_id=contract_id, name=contract_id, currency=currency))
    if plan.rows.known.has_refunds:
        session.add(_batch(plan.rows.batch_id, actor, now))
    session.flush()
    for model, rows in plan.written("Writing", progress):
        storage.bulk_insert(session, model, rows)
    if plan.faults:
        raise plan.faulty
    _return(session, plan.returns, actor, now)
    _balance(session, plan.rows.touched_contracts)
    if get_fact(session, DEMO) is not None and any(plan.outcome.added.values()):
        # From now on, deleting the demo would delete real orders.
        delete_fact(session, DEMO)
        plan.outcome.was_demo = True


def _use(
    session: Session, used: list[tuple[str, int | None]], files: str, actor: Actor, now: datetime
) -> None:
    """Mark items as used: the only change to stored rows that a file can make."""
    for item_id, at in used:
        moment = None if at is None else moment_of(at)
        changed = (
            update(OrderItem)
            .where(OrderItem.order_item_id == item_id, OrderItem.status == ItemStatus.NOT_USED)
            .values(status=ItemStatus.USED, used_at=moment)
            .returning(OrderItem.order_id, OrderItem.contract_id, OrderItem.product)
        )
        home = session.execute(changed).one()
        access.record_event(
            session,
            "order_item.used",
            actor=actor,
            entity="order_item",
            entity_id=item_id,
            order_id=home.order_id,
            contract_id=home.contract_id,
            now=now,
            before={"status": ItemStatus.NOT_USED},
            after={
                "status": ItemStatus.USED,
                "used_at": moment and moment.isoformat(),
                "product": home.product,
                "file": files,
            },
        )


def _return(session: Session, returns: dict[str, Return], actor: Actor, now: datetime) -> None:
    """Record that the bank returned stored refunds, as adjustments in the files say."""
    for refund_id, one in returns.items():
        at = moment_of(one.at)
        refund = mark_as_returned(session, refund_id, one.attempt, why=WAS_RETURNED, at=at)
        if refund is None:
            raise Refused(
                f"Refund {refund_id} has just changed here, so nothing was imported. "
                "Check the files again."
            )
        record_return(session, refund, who=actor, now=now)


def _batch(batch_id: str, actor: Actor, now: datetime) -> RefundBatch:
    return RefundBatch(
        batch_id=batch_id,
        idempotency_key=f"import-{batch_id}",
        request_hash="",
        answer={},
        requested_by=actor.email,
        created_at=now,
    )


def _balance(session: Session, contract_ids: Sequence[str]) -> None:
    """Set each contract's balance to the sum of its succeeded transactions by balance."""
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
        session.execute(
            update(Contract)
            .where(Contract.contract_id == contract_id)
            .values(balance_minor=total.scalar_subquery())
        )
