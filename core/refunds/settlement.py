"""Pay refunds back: claim them with a lease, call their gateway, record the outcome.

There are three steps: claim (a transaction), call (outside any transaction), record (a
transaction). If the process dies in between, the lease expires and another process calls the
gateway again under the same key.
"""

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, literal, or_, select, update
from sqlalchemy.orm import Session

from core import storage
from core.ground import (
    AppError,
    ItemStatus,
    Method,
    OutsideFailed,
    RefundStatus,
    ending,
    get_settings,
)
from core.refunds import events, ledger, matching
from core.refunds.gateway import Failed, Gateway, Gateways, Outcome, RefundJob, Succeeded, Unknown
from core.refunds.returned import first_look
from core.storage import OrderItem, Refund

logger = logging.getLogger(__name__)

OPEN = (RefundStatus.REQUESTED, RefundStatus.PROCESSING)
# How many refunds are claimed and recorded together. For cards one, so that its time-outs fit the
# lease, and a failure cannot lose another answer. A very slow answer is requested twice, under the
# same key.
BATCH_SIZES = {Method.BALANCE: 1_000, Method.CARD: 1}
MAX_WAIT_SECONDS = 15  # of the person who requested; the worker does the rest
MIN_RETRY_DELAY, MAX_RETRY_DELAY = timedelta(seconds=5), timedelta(minutes=10)
_STATUS = {
    Succeeded: RefundStatus.SUCCEEDED,
    Failed: RefundStatus.FAILED,
    Unknown: RefundStatus.PROCESSING,
}
_JOB_COLUMNS = ("refund_id", "attempt", "amount_minor", "currency", "order_id", "order_item_id")
_ITEM_STATUS = {Succeeded: ItemStatus.REFUNDED, Failed: ItemStatus.NOT_USED, Unknown: None}


def settle_batches(batch_ids: Sequence[str], *, now: datetime, gateways: Gateways) -> None:
    """Settle the refunds of requests while the person waits, for MAX_WAIT_SECONDS in all.

    The requests are already stored, so a database error here is only logged: the worker continues.
    """
    until = time.monotonic() + MAX_WAIT_SECONDS
    try:
        for batch_id in batch_ids:
            is_left = True
            while is_left:
                if ending.is_set() or time.monotonic() >= until:
                    return
                is_left = bool(settle_due(now=now, gateways=gateways, batch_id=batch_id))
    except AppError as error:
        names = ", ".join(batch_ids)
        logger.warning("Refunds of the batches %s are left to the worker: %s", names, error)


def settle_due(*, now: datetime, gateways: Gateways, batch_id: str | None = None) -> int:
    """Claim due refunds, call their gateways and record the outcomes; return how many."""
    count = 0
    for method, gateway in gateways.items():
        jobs = _claim(method, now, batch_id)
        if jobs:
            _record([(job, _ask(gateway, job, now)) for job in jobs], now)
        count += len(jobs)
    return count


def _ask(gateway: Gateway, job: RefundJob, now: datetime) -> Outcome:
    try:
        return matching.refund_once(gateway, job, may_ask=lambda: _commit_to_ask(job, now))
    except Exception:
        logger.exception("The gateway failed for %s", job.key)
        return Unknown("The provider's answer is invalid. Order Desk will ask again.")


def _is_due(method: Method, now: datetime, batch_id: str | None) -> list[ColumnElement[bool]]:
    mine = [Refund.batch_id == batch_id] if batch_id is not None else []
    return [
        Refund.gateway == method,
        Refund.status.in_(OPEN),
        Refund.next_attempt_at <= now,
        or_(Refund.lease_until.is_(None), Refund.lease_until <= now),
        *mine,
    ]


def _claim(method: Method, now: datetime, batch_id: str | None) -> list[RefundJob]:
    """Lease due refunds: no other process requests them until the lease ends."""
    is_due = _is_due(method, now, batch_id)
    due = select(Refund.refund_id).where(*is_due)
    due = due.order_by(Refund.next_attempt_at, Refund.refund_id).limit(BATCH_SIZES[method])
    with storage.reading() as session:  # usually nothing is due: then no write lock is taken
        if session.execute(due.limit(1)).first() is None:
            return []
    lease = timedelta(seconds=get_settings().lease_seconds)
    with storage.writing() as session:
        # Skip rows that another worker has locked. The condition of the UPDATE makes it safe.
        found = session.scalars(due.with_for_update(skip_locked=True)).all()
        claimed = (
            update(Refund)
            .where(Refund.refund_id.in_(sorted(found)), *is_due)
            .values(status=RefundStatus.PROCESSING, lease_until=now + lease, stopped_by=None)
            .returning(
                *(getattr(Refund, name) for name in _JOB_COLUMNS),
                *(Refund.payment_reference, Refund.asked_at),
            )
        )
        rows = session.execute(claimed, execution_options={"synchronize_session": False}).all()
        return [
            RefundJob(
                **{name: getattr(row, name) for name in _JOB_COLUMNS},
                reference=row.payment_reference,
                was_asked=row.asked_at is not None,
                lease_until=now + lease,
            )
            for row in sorted(rows)
        ]


def _commit_to_ask(job: RefundJob, now: datetime) -> bool:
    """Store that the refund is requested, before the call; return False if it is no longer open.

    From now on the attempt may have been paid, whatever the answer is. So it must not be called
    failed by guess, and its item must not be matched with another refund.
    """
    mine = update(Refund).where(
        Refund.refund_id == job.refund_id,
        Refund.attempt == job.attempt,
        Refund.status == RefundStatus.PROCESSING,
    )
    with storage.writing() as session:
        first = func.coalesce(Refund.asked_at, literal(now, Refund.asked_at.type))
        asked = mine.values(asked_at=first).returning(Refund.refund_id)
        return session.scalar(asked) is not None


def _record(outcomes: Sequence[tuple[RefundJob, Outcome]], now: datetime) -> None:
    """Record outcomes in one transaction: refund, item, ledger, balance and audit trail.

    If one cannot be recorded, it is logged and retried later; the others are recorded.
    """
    try:
        with storage.writing() as session:
            _write(session, outcomes, now)
    except OutsideFailed:
        raise
    except Exception:
        if len(outcomes) == 1:
            logger.exception("The outcome of %s could not be recorded", outcomes[0][0].key)
            return
        for one in outcomes:
            _record([one], now)


def _write(session: Session, outcomes: Sequence[tuple[RefundJob, Outcome]], now: datetime) -> None:
    settled = []
    # In order of item: every transaction that locks several items uses it, to prevent deadlocks.
    for job, outcome in sorted(outcomes, key=lambda one: one[0].order_item_id):
        refund = _close(session, job, outcome, now)
        if refund is None:
            continue
        if not isinstance(outcome, Succeeded):
            matching.store_unmatched(session, refund, outcome.to_match, now)
        if not isinstance(outcome, Unknown):
            settled.append(refund)
    if settled:
        ledger.enter_outcomes(session, settled, now)
        ledger.credit(session, settled)


def _close(session: Session, job: RefundJob, outcome: Outcome, now: datetime) -> Refund | None:
    """Change the refund and its item, unless another process has recorded this attempt.

    A failure or an unknown outcome counts only under the same lease: if the lease has changed,
    another process may have requested the refund since.
    """
    failure, reference = getattr(outcome, "why", None), getattr(outcome, "reference", None)
    item_status, to_match = _ITEM_STATUS[type(outcome)], getattr(outcome, "to_match", ())
    changed = (
        update(Refund)
        .where(
            Refund.refund_id == job.refund_id,
            Refund.attempt == job.attempt,
            Refund.status == RefundStatus.PROCESSING,
            *([] if isinstance(outcome, Succeeded) else [Refund.lease_until == job.lease_until]),
        )
        .values(
            Refund.with_twins(
                status=_STATUS[type(outcome)],
                failure=failure,
                external_reference=reference,
                lease_until=None,
                stopped_by=next((one.reference for one in to_match), None),
                settled_at=now if item_status else None,
            )
        )
        .returning(Refund)
    )
    refund = session.scalars(changed, execution_options={"populate_existing": True}).one_or_none()
    if refund is None:
        return None
    if item_status is None:
        waited = (now - (refund.decided_at or refund.requested_at)) / 2
        refund.next_attempt_at = now + min(max(waited, MIN_RETRY_DELAY), MAX_RETRY_DELAY)
        return refund
    refund.next_look_at = first_look(refund)
    # If the bank returned an earlier refund, the voucher stays void until the money is paid.
    if refund.status == RefundStatus.SUCCEEDED or refund.failed_after_success_at is None:
        _change_item(session, refund, item_status, now)
    events.record(
        session,
        f"refund.{refund.status}",
        refund,
        who=refund.requested_by,
        now=now,
        before=RefundStatus.PROCESSING,
        **({"approved_by": refund.decided_by} if refund.decided_by else {}),
    )
    return refund


def _change_item(session: Session, refund: Refund, status: ItemStatus, now: datetime) -> None:
    values: dict[str, Any] = {"status": status}
    if status is ItemStatus.REFUNDED:
        values["refunded_at"] = now
    item = update(OrderItem).where(
        OrderItem.order_item_id == refund.order_item_id,
        OrderItem.status == ItemStatus.REFUND_REQUESTED,
    )
    changed = session.scalars(item.values(**values).returning(OrderItem.order_item_id)).all()
    if len(changed) != 1:
        raise RuntimeError(f"Item {refund.order_item_id} is not in the refund {refund.refund_id}")
