"""The worker settles refunds, sends mail and deletes what is kept no longer.

Any number of workers can run: each takes work by lease, so nothing is lost if one dies. They go by
the clock of the database, so a machine with a wrong clock blocks nobody.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from core import imports, mail, refunds, storage
from core.ground import GRACE_SECONDS, AppError, OutsideFailed, ending, get_settings

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 2.0
# To wait at the end. Interrupted work is repeated with the same key after its lease.
STOP_SECONDS = GRACE_SECONDS
HEARTBEAT_SECONDS = 5.0
HEARTBEAT_TIMEOUT = timedelta(seconds=30)  # after it, a worker counts as stopped
_SEEN = "worker_seen"  # a fact in the database: the last heartbeat of a standalone worker
EXPIRY_SECONDS = 3600.0  # between two looks for what is kept no longer
_EXPIRY = "expiry"
_rests: dict[str, float] = {}  # until when the worker of this process rests, by time.monotonic
_heartbeats: dict[str, float] = {}  # of the worker in this process, by time.monotonic


def work(stop: threading.Event, *, is_standalone: bool = False) -> None:
    """Settle refunds and send mail until `stop` is set. Failures are logged and retried.

    Mail has its own thread, so that a slow mail server does not delay refunds. The heartbeat has
    its own thread, so that it continues during long work. A worker that `is_standalone` also
    stores it in the database.
    """
    mailing = threading.Thread(target=_repeat, args=[stop, _send], name="mail", daemon=True)
    mailing.start()
    threads = [threading.current_thread(), mailing]
    heartbeat = threading.Thread(
        target=_heartbeat, args=[stop, threads, is_standalone], name="heartbeat", daemon=True
    )
    heartbeat.start()
    _repeat(stop, _settle)
    mailing.join(STOP_SECONDS)
    heartbeat.join(STOP_SECONDS)


def _settle() -> int:
    configured = refunds.configured_gateways()
    settled = refunds.settle_due(now=storage.current_time(), gateways=configured)
    looked = refunds.look_again_due(now=storage.current_time(), gateways=configured)
    return settled + looked + refunds.decline_late(now=storage.current_time())


def _send() -> int:
    now = storage.current_time()
    sent = mail.deliver_due(now=now, transport=mail.configured_transport())
    return sent or _delete_expired(now)


def _delete_expired(now: datetime) -> int:
    """Delete what is kept no longer, one step at a time; when nothing is left, look hourly."""
    if time.monotonic() < _rests.get(_EXPIRY, 0.0):
        return 0
    deleted = mail.delete_expired(now=now) + imports.delete_old_runs()
    if not deleted:
        _rests[_EXPIRY] = time.monotonic() + EXPIRY_SECONDS
    return deleted


def _repeat(stop: threading.Event, act: Callable[[], int]) -> None:
    while not stop.is_set() and not ending.is_set():
        done = 0
        try:
            done = act()
        except OutsideFailed as error:
            logger.warning("The worker waits and retries: %s", error)
        except Exception:
            logger.exception("The worker failed; it continues")
        if not done:
            stop.wait(PAUSE_SECONDS)


def _heartbeat(stop: threading.Event, threads: list[threading.Thread], is_standalone: bool) -> None:
    """Record a heartbeat every few seconds while all threads are alive."""
    while not stop.is_set() and all(thread.is_alive() for thread in threads):
        _heartbeats[_SEEN] = time.monotonic()
        if is_standalone:
            try:
                _store_heartbeat(storage.current_time())
            except AppError as error:
                logger.info("Could not store the heartbeat: %s", error)
            except Exception:
                logger.exception("Could not store the heartbeat")
        stop.wait(HEARTBEAT_SECONDS)


def _store_heartbeat(now: datetime) -> None:
    with storage.writing(is_minor=True) as session:
        storage.put_fact(session, _SEEN, now.isoformat())


def find_fault(now: datetime) -> str | None:
    """Return why no worker handles refunds and mail, as text; None if a worker runs.

    Raises OutsideFailed if the database does not answer.
    """
    seen = find_last_sign(now)
    if seen is not None and now - seen < HEARTBEAT_TIMEOUT:
        return None
    if get_settings().run_worker:
        return "the worker is not running"
    if seen is None:
        return "no worker has been started: python -m core worker"
    return f"no heartbeat from a worker since {seen:%Y-%m-%d %H:%M:%S} UTC"


def find_last_sign(now: datetime) -> datetime | None:
    """Return the last heartbeat of a worker; None if none was ever started.

    With RUN_WORKER, it is that of this process, otherwise the one in the database. Raises
    OutsideFailed if the database does not answer.
    """
    if get_settings().run_worker:
        last = _heartbeats.get(_SEEN)
        return None if last is None else now - timedelta(seconds=time.monotonic() - last)
    with storage.reading() as session:
        fact = storage.get_fact(session, _SEEN)
    if fact is None:
        return None
    # It was stored by the clock of the database, which may differ from that of this process.
    return datetime.fromisoformat(fact) + (now - storage.database_time(now))


@contextmanager
def working() -> Iterator[None]:
    """Run a worker during the block; at the end, wait until it has finished its work."""
    stop = threading.Event()
    thread = threading.Thread(target=work, args=[stop], name="worker", daemon=True)
    _heartbeats[_SEEN] = time.monotonic()
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(STOP_SECONDS)
        _heartbeats.clear()
        _rests.clear()
