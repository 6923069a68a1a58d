"""Sending: claims deliveries by lease, hands them to the mail server, records what it said.

Each step is whole: claim (a transaction), render, hand over (a transaction, which asks once more
whether every voucher is valid), send (outside of any), record (a transaction). Who dies in between
leaves a lease, after which the mail is sent again under the same Message-ID; when it was handed
over already, it may arrive twice, and the delivery says so.
"""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import parseaddr
from functools import cache
from typing import Protocol

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from core import storage
from core.ground import AppError, DeliveryStatus, ending, get_settings
from core.mail.compose.addresses import ascii_form
from core.mail.compose.contents import (
    Contents,
    TooLarge,
    load_contents,
    render_message,
    sender_address,
)
from core.mail.deliver.outbox import OUTBOX_FOLDER, Outbox
from core.mail.deliver.records import Cancelled, Job, Tried, find_pause, record_tried
from core.mail.deliver.server import Later, Rejected, Result, configured
from core.mail.deliver.smtp import Post
from core.storage import Delivery

logger = logging.getLogger(__name__)

OPEN = (DeliveryStatus.QUEUED, DeliveryStatus.SENDING)
ROUNDS = 4  # of claims for each connection: the next mail is there when one is sent
CHANGES = 3  # while a mail is rendered, after which it waits for its lease


class Door(Protocol):
    """Where mail leaves the house."""

    def send(
        self,
        message: EmailMessage,
        *,
        sender: str,
        recipient: str,
        may_hand_over: Callable[[], bool],
    ) -> Result:
        """Send one message to one recipient, unless `may_hand_over` says no at the last moment."""

    def close(self) -> None:
        """End what is open."""


@cache
def configured_transport() -> Door:
    """Return the process's door: the mail server of the settings, or the outbox on disk."""
    server = configured()
    return Outbox(get_settings().data_dir / OUTBOX_FOLDER) if server is None else Post(server)


def deliver_due(*, now: datetime, door: Door) -> int:
    """Claim deliveries that are due, send them, record the outcomes; return how many."""
    now = now.replace(microsecond=0)  # as the lease is stored, by which a worker knows its own
    connections = get_settings().smtp_connections
    jobs = _claim(now, connections * ROUNDS)
    if jobs:
        with ThreadPoolExecutor(min(connections, len(jobs)), "mail") as threads:
            list(threads.map(lambda job: _deliver(job, now, door), jobs))
    return len(jobs)


def _is_due(now: datetime) -> list[ColumnElement[bool]]:
    return [
        Delivery.status.in_(OPEN),
        Delivery.next_attempt_at <= now,
        or_(Delivery.lease_until.is_(None), Delivery.lease_until <= now),
    ]


def _claim(now: datetime, most: int) -> list[Job]:
    """Take deliveries that are due for the length of a lease: nobody else sends them meanwhile.

    While the queue is paused none; after the pause one, which shows whether the server is usable.
    """
    due = select(Delivery.delivery_id).where(*_is_due(now))
    due = due.order_by(Delivery.next_attempt_at, Delivery.delivery_id)
    with (
        storage.reading() as session
    ):  # most of the time there is nothing: nobody has to wait for that
        pause = find_pause(session)
        if pause is not None and pause.until > now:
            return []
        if session.execute(due.limit(1)).first() is None:
            return []
    lease = now + timedelta(seconds=get_settings().lease_seconds)
    ends = time.monotonic() + get_settings().lease_seconds
    with storage.writing() as session:
        # Locked rows are another worker's. What makes it safe is the condition of the UPDATE.
        found = due.limit(1 if pause else most).with_for_update(skip_locked=True)
        claimed = (
            update(Delivery)
            .where(Delivery.delivery_id.in_(session.scalars(found).all()), *_is_due(now))
            .values(
                status=DeliveryStatus.SENDING,
                lease_until=lease,
                # Whoever died while sending it had handed it over, as far as anybody knows.
                may_be_twice=or_(
                    Delivery.may_be_twice,
                    and_(
                        Delivery.status == DeliveryStatus.SENDING,
                        Delivery.handed_over_at.is_not(None),
                    ),
                ),
            )
            .returning(Delivery.delivery_id)
        )
        rows = session.scalars(claimed, execution_options={"synchronize_session": False}).all()
        return [Job(delivery_id, lease, ends) for delivery_id in sorted(rows)]


def _deliver(job: Job, now: datetime, door: Door) -> None:
    """Send one delivery and record what became of it; a failure of ours leaves it to its lease."""
    if ending.is_set():
        return
    try:
        tried = _send(job, now, door)
        if tried is not None:
            record_tried(job, tried, now=now)
    except AppError as error:
        logger.warning("Delivery %s waits for its lease: %s", job.delivery_id, error)
    except Exception:
        logger.exception("Delivery %s failed; it is tried again after its lease", job.delivery_id)


def _send(job: Job, now: datetime, door: Door) -> Tried | None:
    """Render and send; None where the lease was over, or the delivery is gone: not ours by now."""
    for _ in range(CHANGES):
        with storage.reading() as session:
            delivery = session.get(Delivery, job.delivery_id)
            if delivery is None:  # with the demo that it was of
                return None
            contents = load_contents(session, delivery, now=now)
        if not contents.mail.items:
            return Tried(Cancelled(), contents.left_out)
        try:
            message = render_message(contents)
        except TooLarge as error:
            return Tried(Rejected(str(error)), contents.left_out)
        handing = _HandingOver(job, contents, now)
        result = door.send(
            message,
            sender=parseaddr(sender_address())[1],
            recipient=ascii_form(contents.mail.recipient),
            may_hand_over=handing.is_fine,
        )
        if handing.is_over:
            return None
        if not handing.is_changed:
            return Tried(result, contents.left_out)
    return Tried(Later("Its order items kept changing."), {})


class _HandingOver:
    """The last moment before a mail leaves: asks once more, and notes that it may be there."""

    def __init__(self, job: Job, contents: Contents, now: datetime) -> None:
        self._job, self._now = job, now
        self._rendered = _ids(contents)
        self.is_over = False  # the lease, or the delivery: it is no more ours
        self.is_changed = False  # what has been rendered is no more right

    def is_fine(self) -> bool:
        """Say whether the mail may leave now; from then on the recipient may have it."""
        self.is_over = self.is_changed = False
        try:
            with storage.writing() as session:
                self._check(session)
        except AppError as error:
            logger.warning("Delivery %s is not handed over: %s", self._job.delivery_id, error)
            self.is_over = True
        return not (self.is_over or self.is_changed)

    def _check(self, session: Session) -> None:
        delivery = session.get(Delivery, self._job.delivery_id, with_for_update=True)
        if delivery is None:
            self.is_over = True
            return
        is_mine = delivery.lease_until == self._job.lease
        is_sending = delivery.status == DeliveryStatus.SENDING
        if not (is_mine and is_sending) or time.monotonic() >= self._job.ends:
            self.is_over = True
        elif _ids(load_contents(session, delivery, now=self._now, is_kept=True)) != self._rendered:
            self.is_changed = True
        else:
            delivery.handed_over_at = self._now


def _ids(contents: Contents) -> list[str]:
    return [item.order_item_id for item in contents.mail.items]
