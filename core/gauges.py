"""The state of this process and of the work that waits, in numbers, for its metrics."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session

from core import imports, mail, readiness, storage, worker
from core.ground import AppError, counted
from core.storage import Base, Delivery, Refund


@dataclass(frozen=True)
class Waiting:
    """How many rows wait for a worker, and for how many seconds the oldest of them."""

    count: int
    oldest_seconds: float  # 0 if none waits


@dataclass(frozen=True)
class Work:
    """The work of all processes, as the database has it."""

    open_refunds: Waiting
    queued_mails: Waiting
    is_mail_paused: bool
    worker_silent_seconds: float | None  # None if no worker was ever started


@dataclass(frozen=True)
class Gauges:
    """The state of this process; `work` is None while the database does not answer."""

    is_ready: bool
    connections_in_use: int
    most_connections: int
    is_import_running: bool
    sign_ins_refused: int
    work: Work | None


def load_gauges(now: datetime) -> Gauges:
    """Return the numbers; it does not wait for a database that is known to be away."""
    in_use, most = storage.pool_use()
    return Gauges(
        is_ready=readiness.find_fault() is None,
        connections_in_use=in_use,
        most_connections=most,
        is_import_running=imports.is_running(),
        sign_ins_refused=counted("sign_in.refused"),
        work=None if readiness.is_database_at_fault() else _find_work(now),
    )


def _find_work(now: datetime) -> Work | None:
    try:
        at = storage.database_time(now)  # rows have its time
        with storage.reading() as session:
            refunds = _count(session, Refund, Refund.IS_OPEN, Refund.requested_at, at)
            mails = _count(session, Delivery, Delivery.IS_OPEN, Delivery.queued_at, at)
        is_paused, seen = mail.get_pause() is not None, worker.find_last_sign(now)
    except AppError:
        return None
    return Work(refunds, mails, is_paused, None if seen is None else _seconds(now, seen))


def _count(
    session: Session,
    model: type[Base],
    is_open: str,
    since: InstrumentedAttribute[datetime],
    now: datetime,
) -> Waiting:
    asked = select(func.count(), func.min(since)).select_from(model).where(text(is_open))
    count, oldest = session.execute(asked).one()
    return Waiting(count, 0.0 if oldest is None else _seconds(now, oldest))


def _seconds(now: datetime, since: datetime) -> float:
    return max(0.0, (now - since).total_seconds())
