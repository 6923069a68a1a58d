"""The worker: settles refunds and sends mail, in the application or as its own process.

Any number of workers may run: each takes what is due by lease, and one that dies loses nothing.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from core import mail, refunds, storage
from core.ground import GRACE_SECONDS, AppError, OutsideFailed, ending, get_settings

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 2.0
# At the end; what is cut off is done again, under the same key, after its lease.
STOP_SECONDS = GRACE_SECONDS
BEAT_SECONDS = 5.0
SILENCE = timedelta(seconds=30)  # after which a worker counts as gone
_SEEN = "worker_seen"  # a fact of the database: when a worker of its own last gave a sign of life
_beats: dict[str, float] = {}  # of this process's worker, by time.monotonic


def work(stop: threading.Event, *, is_apart: bool = False) -> None:
    """Settle and send what is due until `stop` is set; failures are logged, and tried again.

    Mail has a thread of its own, so that a slow mail server holds up no refund; so has the sign
    of life, so that a long round does not read as death. One that `is_apart` gives it in the
    database, too.
    """
    mailing = threading.Thread(target=_repeat, args=[stop, _send], name="mail", daemon=True)
    mailing.start()
    threads = [threading.current_thread(), mailing]
    beat = threading.Thread(target=_beat, args=[stop, threads, is_apart], name="beat", daemon=True)
    beat.start()
    _repeat(stop, _settle)
    mailing.join(STOP_SECONDS)
    beat.join(STOP_SECONDS)


def _settle() -> int:
    ours = refunds.configured_gateways()
    settled = refunds.settle_due(now=datetime.now(UTC), gateways=ours)
    return settled + refunds.look_again_due(now=datetime.now(UTC), gateways=ours)


def _send() -> int:
    return mail.deliver_due(now=datetime.now(UTC), door=mail.configured_transport())


def _repeat(stop: threading.Event, act: Callable[[], int]) -> None:
    while not stop.is_set() and not ending.is_set():
        done = 0
        try:
            done = act()
        except OutsideFailed as error:
            logger.warning("The worker waits: %s", error)
        except Exception:
            logger.exception("The worker failed; it goes on")
        if not done:
            stop.wait(PAUSE_SECONDS)


def _beat(stop: threading.Event, threads: list[threading.Thread], is_apart: bool) -> None:
    """Give a sign of life every few seconds, as long as all threads live."""
    while not stop.is_set() and all(thread.is_alive() for thread in threads):
        _beats[_SEEN] = time.monotonic()
        if is_apart:
            try:
                _note_beat(datetime.now(UTC))
            except AppError as error:
                logger.info("The sign of life could not be noted: %s", error)
            except Exception:
                logger.exception("The sign of life could not be noted")
        stop.wait(BEAT_SECONDS)


def _note_beat(now: datetime) -> None:
    with storage.writing() as session:
        storage.put_fact(session, _SEEN, now.isoformat())


def find_fault(now: datetime) -> str | None:
    """Say in words why refunds and mail are not worked on; None where a worker is at it.

    Asks this process for the worker that it runs, and the database for those apart (RUN_WORKER).
    Raises OutsideFailed when the database does not answer.
    """
    if get_settings().run_worker:
        beat = _beats.get(_SEEN)
        is_alive = beat is not None and time.monotonic() - beat < SILENCE.total_seconds()
        return None if is_alive else "the worker does not run"
    with storage.reading() as session:
        fact = storage.get_fact(session, _SEEN)
    if fact is None:
        return "no worker has been started: python -m core worker"
    seen = datetime.fromisoformat(fact)
    if now - seen < SILENCE:
        return None
    return f"no worker has been heard of since {seen:%Y-%m-%d %H:%M:%S} UTC"


@contextmanager
def working() -> Iterator[None]:
    """Run a worker beside the block; at its end what is being done is finished."""
    stop = threading.Event()
    thread = threading.Thread(target=work, args=[stop], name="worker", daemon=True)
    _beats[_SEEN] = time.monotonic()
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(STOP_SECONDS)
        _beats.clear()
