"""Paying back: claims refunds by lease, asks their gateway, and records what it said.

Three steps, each whole: claim (a transaction), ask (outside of any), record (a transaction). Who
dies in between leaves a lease, after which the gateway is asked again under the same key.
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
# How many are claimed, asked and recorded at once. Of cards one, so that its time-outs fit the
# lease and its answer is not lost with the next; one that drips is asked twice, under the same key.
AT_ONCE = {Method.BALANCE: 1_000, Method.CARD: 1}
PATIENCE_SECONDS = 15  # of the person who asked; what is left then is the worker's
SOONEST, LATEST = timedelta(seconds=5), timedelta(minutes=10)
_STATUS = {
    Succeeded: RefundStatus.SUCCEEDED,
    Failed: RefundStatus.FAILED,
    Unknown: RefundStatus.PROCESSING,
}
_OF_A_JOB = ("refund_id", "attempt", "amount_minor", "currency", "order_id", "order_item_id")
_ITEM_STATUS = {Succeeded: ItemStatus.REFUNDED, Failed: ItemStatus.NOT_USED, Unknown: None}


def settle_batch(batch_id: str, *, now: datetime, gateways: Gateways) -> None:
    """Settle the refunds of one request as far as they can be while somebody waits.

    A database that fails now is no failure of the request, which stands: the worker goes on.
    """
    started = time.monotonic()
    try:
        while time.monotonic() - started < PATIENCE_SECONDS:
            if ending.is_set() or not settle_due(now=now, gateways=gateways, batch_id=batch_id):
                return
    except AppError as error:
        logger.warning("Refunds of batch %s are left to the worker: %s", batch_id, error)


def settle_due(*, now: datetime, gateways: Gateways, batch_id: str | None = None) -> int:
    """Claim refunds that are due, ask their gateways, record the outcomes; return how many."""
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
        return Unknown("The provider's answer could not be understood; it is asked again.")


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
    """Take refunds that are due for the length of a lease: nobody else asks for them meanwhile."""
    is_due = _is_due(method, now, batch_id)
    due = select(Refund.refund_id).where(*is_due)
    due = due.order_by(Refund.next_attempt_at, Refund.refund_id).limit(AT_ONCE[method])
    with (
        storage.reading() as session
    ):  # most of the time there is nothing: nobody has to wait for that
        if session.execute(due.limit(1)).first() is None:
            return []
    lease = timedelta(seconds=get_settings().lease_seconds)
    with storage.writing() as session:
        # Locked rows are another worker's. What makes it safe is the condition of the UPDATE.
        found = session.scalars(due.with_for_update(skip_locked=True)).all()
        claimed = (
            update(Refund)
            .where(Refund.refund_id.in_(sorted(found)), *is_due)
            .values(status=RefundStatus.PROCESSING, lease_until=now + lease, stopped_by=None)
            .returning(
                *(getattr(Refund, name) for name in _OF_A_JOB),
                *(Refund.payment_reference, Refund.asked_at),
            )
        )
        rows = session.execute(claimed, execution_options={"synchronize_session": False}).all()
        return [
            RefundJob(
                **{name: getattr(row, name) for name in _OF_A_JOB},
                reference=row.payment_reference,
                was_asked=row.asked_at is not None,
                lease_until=now + lease,
            )
            for row in sorted(rows)
        ]


def _commit_to_ask(job: RefundJob, now: datetime) -> bool:
    """Store that the refund is asked for, before it is; False when it is no longer open.

    From then on the attempt may have been paid, whatever the answer: nobody calls it failed by
    guess, nor matches its item with another refund.
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

    One that cannot be recorded does not hold up the others: it is logged, and asked again.
    """
    try:
        with storage.writing() as session:
            _write(session, outcomes, now)
    except OutsideFailed:
        raise
    except Exception:
        if len(outcomes) == 1:
            logger.exception("What became of %s could not be recorded", outcomes[0][0].key)
            return
        for one in outcomes:
            _record([one], now)


def _write(session: Session, outcomes: Sequence[tuple[RefundJob, Outcome]], now: datetime) -> None:
    settled = []
    # By item: everyone who locks several items does so in this order, or two can deadlock.
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
    """Change the refund, unless somebody else has recorded this attempt; then its item.

    That no money was paid counts only while nobody else has asked meanwhile: with the same lease.
    """
    failure, reference = getattr(outcome, "why", None), getattr(outcome, "reference", None)
    item_status = _ITEM_STATUS[type(outcome)]
    changed = (
        update(Refund)
        .where(
            Refund.refund_id == job.refund_id,
            Refund.attempt == job.attempt,
            Refund.status == RefundStatus.PROCESSING,
            *([] if isinstance(outcome, Succeeded) else [Refund.lease_until == job.lease_until]),
        )
        .values(
            status=_STATUS[type(outcome)],
            failure=failure,
            external_reference=reference,
            lease_until=None,
            stopped_by=next((one.reference for one in getattr(outcome, "to_match", ())), None),
            settled_at=now if item_status else None,
        )
        .returning(Refund)
    )
    refund = session.scalars(changed, execution_options={"populate_existing": True}).one_or_none()
    if refund is None:
        return None
    if item_status is None:
        waited = (now - refund.requested_at) / 2
        refund.next_attempt_at = now + min(max(waited, SOONEST), LATEST)
        return refund
    refund.next_look_at = first_look(refund)
    # The voucher of one that the bank returned before stays void until the money is paid.
    if refund.status == RefundStatus.SUCCEEDED or refund.failed_after_success_at is None:
        _change_item(session, refund, item_status, now)
    events.record(
        session,
        f"refund.{refund.status}",
        refund,
        who=refund.requested_by,
        now=now,
        before=RefundStatus.PROCESSING,
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
