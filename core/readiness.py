"""Whether this process can serve: it can write into the database, and a worker runs.

A thread tries it every few seconds. So a question is answered at once from memory, however long
the database takes; and questions, which strangers may ask too, cost nothing.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from core import storage, worker
from core.ground import AppError, ending

logger = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
LATE_SECONDS = 20.0  # after it, the database has left an attempt without an answer
STOP_SECONDS = 1.0
STARTING, STOPPING = "starting", "stopping"
UNANSWERED = "the database does not answer"
UNKNOWN = "an error that the log names"


@dataclass(frozen=True)
class _Attempt:
    """The last attempt that ended: when, by time.monotonic, and what was wrong with what."""

    ended_at: float
    database: str | None
    worker: str | None
    was_busy: bool  # others held the database's lock

    @property
    def fault(self) -> str | None:
        return self.database or self.worker

    @property
    def is_late(self) -> bool:
        return time.monotonic() - self.ended_at > LATE_SECONDS


_last: _Attempt | None = None


def find_fault() -> str | None:
    """Return why this process cannot serve, in words; None if it can."""
    last = _last  # a thread replaces it
    if ending.is_set():
        return STOPPING
    if last is None:
        return STARTING
    return UNANSWERED if last.is_late else last.fault


def is_database_at_fault() -> bool:
    """Return whether the last attempt failed at the database, or has had no answer."""
    last = _last
    return last is not None and (last.is_late or last.database is not None)


@contextmanager
def leaving_signs() -> Iterator[None]:
    """Try every few seconds, in a thread, until the block ends."""
    global _last
    stop = threading.Event()
    thread = threading.Thread(target=_repeat, args=[stop], name="signs", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(STOP_SECONDS)
        _last = None


def _repeat(stop: threading.Event) -> None:
    process_id, name = storage.new_id(), f"{socket.gethostname()}:{os.getpid()}"
    try:
        while not stop.is_set():
            _attempt(process_id, name, datetime.now(UTC))
            stop.wait(EVERY_SECONDS)
    finally:
        storage.forget_connection()


def _attempt(process_id: str, name: str, now: datetime) -> None:
    global _last
    before = None if _last is None else _last.fault
    # A worker can leave no sign while others hold the lock, nor in the first moment after it.
    was_busy = is_busy = _last is not None and _last.was_busy
    of_database = of_worker = None
    try:
        failure = storage.leave_sign(process_id, name, now=now)
        is_busy = failure == storage.BUSY
        of_database = None if failure is None or is_busy else _shortened(failure)
        of_worker = None if failure or was_busy else worker.find_fault(now)
    except AppError as error:  # from the worker's heartbeat: the database is busy
        logger.info("%s", error)
    except Exception:
        logger.exception("Could not leave a sign of life")
        of_database = UNKNOWN
    _last = _Attempt(time.monotonic(), of_database, of_worker, is_busy)
    if _last.fault != before:
        logger.warning("%s", f"Not ready: {_last.fault}" if _last.fault else "Ready again")


def _shortened(sentence: str) -> str:
    """Return what is wrong without what to do, in the words of a status."""
    first = sentence.partition(". ")[0].removesuffix(".")
    return first[:1].lower() + first[1:]
