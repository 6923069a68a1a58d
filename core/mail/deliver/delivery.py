"""Send queued mail: claim deliveries by lease, hand them to the mail server, record the outcome.

The steps: claim (a transaction), render, hand over (a transaction that checks once more that every
voucher is valid), send (outside any transaction), record (a transaction). If a worker dies in
between, its lease expires and the mail is sent again with the same Message-ID. If it was already
handed over, it may arrive twice, and the delivery says so.
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
from core.mail.deliver.pool import SmtpPool
from core.mail.deliver.records import Attempt, Cancelled, Job, find_pause, record_attempt
from core.mail.deliver.server import Later, Rejected, Result, configured
from core.storage import Delivery

logger = logging.getLogger(__name__)

OPEN = (DeliveryStatus.QUEUED, DeliveryStatus.SENDING)
ROUNDS = 4  # claims per connection, so that the next mail is ready when one is sent
CHANGES = 3  # times that items may change while their mail is rendered; then it is sent later


class MailTransport(Protocol):
    """A way to send mail: a mail server, or the outbox on disk."""

    def send(
        self,
        message: EmailMessage,
        *,
        sender: str,
        recipient: str,
        may_hand_over: Callable[[], bool],
    ) -> Result:
        """Send one message to one recipient, unless `may_hand_over` returns False at the end."""

    def close(self) -> None:
        """Close open connections."""


@cache
def configured_transport() -> MailTransport:
    """Return the transport of this process: the configured mail server, or the outbox on disk."""
    server = configured()
    if server is not None:
        return SmtpPool(server)
    return Outbox(get_settings().data_dir / OUTBOX_FOLDER)


def deliver_due(*, now: datetime, transport: MailTransport) -> int:
    """Claim due deliveries, send them, record the outcomes; return how many were claimed."""
    now = now.replace(microsecond=0)  # as stored: the worker recognises its own lease by it
    connections = get_settings().smtp_connections
    jobs = _claim(now, connections * ROUNDS)
    if jobs:
        with ThreadPoolExecutor(min(connections, len(jobs)), "mail") as threads:
            list(threads.map(lambda job: _deliver(job, now, transport), jobs))
    return len(jobs)


def _is_due(now: datetime) -> list[ColumnElement[bool]]:
    return [
        Delivery.status.in_(OPEN),
        Delivery.next_attempt_at <= now,
        or_(Delivery.lease_until.is_(None), Delivery.lease_until <= now),
    ]


def _claim(now: datetime, most: int) -> list[Job]:
    """Claim due deliveries for one lease, during which no other worker sends them.

    While the queue is paused, claim none; after the pause, one, to test the mail server.
    """
    due = select(Delivery.delivery_id).where(*_is_due(now))
    due = due.order_by(Delivery.next_attempt_at, Delivery.delivery_id)
    with storage.reading() as session:  # usually nothing is due, and reading blocks no one
        pause = find_pause(session)
        if pause is not None and pause.until > now:
            return []
        if session.execute(due.limit(1)).first() is None:
            return []
    lease = now + timedelta(seconds=get_settings().lease_seconds)
    ends = time.monotonic() + get_settings().lease_seconds
    with storage.writing() as session:
        # Skip rows that another worker has locked. The condition of the UPDATE makes it safe.
        found = due.limit(1 if pause else most).with_for_update(skip_locked=True)
        claimed = (
            update(Delivery)
            .where(Delivery.delivery_id.in_(session.scalars(found).all()), *_is_due(now))
            .values(
                status=DeliveryStatus.SENDING,
                lease_until=lease,
                # A worker that died while sending may have handed it over.
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


def _deliver(job: Job, now: datetime, transport: MailTransport) -> None:
    """Send one delivery and record the outcome; after an error, retry when its lease expires."""
    if ending.is_set():
        return
    try:
        attempt = _send(job, now, transport)
        if attempt is not None:
            record_attempt(job, attempt, now=now)
    except AppError as error:
        logger.warning("Delivery %s is retried after its lease: %s", job.delivery_id, error)
    except Exception:
        logger.exception("Delivery %s failed; it is retried after its lease", job.delivery_id)


def _send(job: Job, now: datetime, transport: MailTransport) -> Attempt | None:
    """Render and send a delivery; None if the lease is lost or the delivery is deleted."""
    for _ in range(CHANGES):
        with storage.reading() as session:
            delivery = session.get(Delivery, job.delivery_id)
            if delivery is None:  # deleted with the sample data
                return None
            contents = load_contents(session, delivery, now=now)
        if not contents.enclosed:
            return Attempt(Cancelled(), contents.left_out)
        try:
            message = render_message(contents)
        except TooLarge as error:
            return Attempt(Rejected(str(error)), contents.left_out)
        handing = _HandingOver(job, contents, now)
        result = transport.send(
            message,
            sender=parseaddr(sender_address())[1],
            recipient=ascii_form(contents.mail.recipient),
            may_hand_over=handing.may_send,
        )
        if handing.is_lost:
            return None
        if not handing.is_changed:
            return Attempt(result, contents.left_out)
    return Attempt(Later("Its order items kept changing."), {})


class _HandingOver:
    """The last check before a mail is sent; records that it may have been handed over."""

    def __init__(self, job: Job, contents: Contents, now: datetime) -> None:
        self._job, self._now = job, now
        self._rendered = contents.enclosed
        self.is_lost = False  # the lease is lost, or the delivery is deleted
        self.is_changed = False  # the rendered message is out of date

    def may_send(self) -> bool:
        """Return whether the mail may be sent now; record that the recipient may have it."""
        self.is_lost = self.is_changed = False
        try:
            with storage.writing() as session:
                self._check(session)
        except AppError as error:
            logger.warning("Delivery %s is not handed over: %s", self._job.delivery_id, error)
            self.is_lost = True
        return not (self.is_lost or self.is_changed)

    def _check(self, session: Session) -> None:
        delivery = session.get(Delivery, self._job.delivery_id, with_for_update=True)
        if delivery is None:
            self.is_lost = True
            return
        is_mine = delivery.lease_until == self._job.lease
        is_sending = delivery.status == DeliveryStatus.SENDING
        if not (is_mine and is_sending) or time.monotonic() >= self._job.ends:
            self.is_lost = True
        elif load_contents(session, delivery, now=self._now, lock=True).enclosed != self._rendered:
            self.is_changed = True
        else:
            delivery.handed_over_at = self._now
