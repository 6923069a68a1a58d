"""Kill workers while they send: every mail arrives, and says if it may have arrived twice."""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import func, select

from core import mail, storage
from core.access import Actor
from core.ground import DeliveryStatus
from core.mail.compose.addresses import MAX_RECIPIENTS
from core.storage import Delivery
from tests.core import steps
from tests.core.forks import working
from tests.core.mail.mail_server import HOST, MailServer, mail_server
from tests.core.refunds.sold_items import sell
from tests.core.refunds.worker_deaths import END_SECONDS, LOOK_SECONDS, START_SECONDS, changed

MOST_SECONDS = 0.05  # from a mail to the kill: before its reply, or while it is recorded
DELAY = 0.003  # seconds before each reply, so that kills happen in the middle of the work


@dataclass(frozen=True)
class Met:
    """What happened to the mails."""

    sent: int
    arrived: int
    twice: list[str]  # mails that arrived more than once
    in_doubt: int  # deliveries that say that they may have arrived twice


@contextmanager
def queued_mails(count: int, actor: Actor) -> Iterator[MailServer]:
    """Run a mail server, put it into the settings, and queue mails."""
    with mail_server() as server:
        server.delay = DELAY
        settings = {"SMTP_HOST": HOST, "SMTP_PORT": str(server.port), "LEASE_SECONDS": "2"}
        with changed(settings | {"MAIL_FROM": "desk@helios.example"}):
            (item,) = sell(1)
            for first in range(0, count, MAX_RECIPIENTS):
                numbers = range(first, min(first + MAX_RECIPIENTS, count))
                to = [f"p{number}@mail.example" for number in numbers]
                now = datetime.now(UTC)
                mail.send([item], to, message=None, key=f"k{first}", actor=actor, now=now)
            assert _count_open() == count
            yield server


def kill_mail_workers(server: MailServer, *, kills: int, seed: int = 7) -> Met:
    """Kill one worker after the other while they send; the last one sends the rest."""
    chance, total = random.Random(seed), _count_open()
    for number in steps.through(kills):
        goal = max(total * (number + 1) // (kills + 1), len(server.received) + 1)
        with working() as worker:
            _wait(partial(_has_arrived, server, goal), START_SECONDS, server)
            time.sleep(chance.uniform(0, MOST_SECONDS))
            worker.kill()
        assert worker.exitcode == -signal.SIGKILL, f"It ended by itself: {worker.exitcode}"
    with working() as worker:
        _wait(lambda: _count_open() == 0, END_SECONDS, server)
        worker.terminate()
    return _met(server)


def _has_arrived(server: MailServer, count: int) -> bool:
    return len(server.received) >= count


def _wait(is_so: Callable[[], bool], seconds: float, server: MailServer) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"{len(server.received)} arrived, {_count_open()} open"
        time.sleep(LOOK_SECONDS)


def _count_open() -> int:
    is_open = Delivery.status.in_((DeliveryStatus.QUEUED, DeliveryStatus.SENDING))
    with storage.reading() as session:
        return session.scalar(select(func.count()).select_from(Delivery).where(is_open)) or 0


def _met(server: MailServer) -> Met:
    arrived = Counter(one.message["Message-ID"] for one in server.received)
    with storage.reading() as session:
        rows = session.execute(
            select(Delivery.message_id, Delivery.status, Delivery.may_be_twice)
        ).all()
    sent = [row.message_id for row in rows if row.status == DeliveryStatus.SENT]
    in_doubt = {row.message_id for row in rows if row.may_be_twice}
    lost = set(sent) - arrived.keys()
    assert not lost, f"Said to be sent, and never arrived: {lost}"
    twice = [one for one, times in arrived.items() if times > 1]
    unsaid = set(twice) - in_doubt
    assert not unsaid, f"Arrived twice, and nobody says so: {unsaid}"
    return Met(len(sent), len(arrived), twice, len(in_doubt))
