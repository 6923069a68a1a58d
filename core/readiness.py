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
from core.ground import OutsideFailed, ending
from core.storage import Failure

logger = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
LATE_SECONDS = 20.0  # after it, the database has left an attempt without an answer
STOP_SECONDS = 1.0
STARTING, STOPPING = "starting", "stopping"
UNANSWERED = "the database does not answer"
UNKNOWN = "an error that the log names"


@dataclass(frozen=True)
class _Attempt:
    """The last attempt that ended: when, by time.monotonic, and what was wrong."""

    ended_at: float
    fault: str | None


_last: _Attempt | None = None


def find_fault() -> str | None:
    """Return why this process cannot serve, in words; None if it can."""
    if ending.is_set():
        return STOPPING
    if _last is None:
        return STARTING
    if time.monotonic() - _last.ended_at > LATE_SECONDS:
        return UNANSWERED
    return _last.fault


def is_database_away() -> bool:
    """Return whether the database does not answer, so that a question would have to wait."""
    return find_fault() in (Failure.UNREACHABLE, Failure.NO_CONNECTION, UNANSWERED)


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
            _note(_try_both(process_id, name, datetime.now(UTC)))
            stop.wait(EVERY_SECONDS)
    finally:
        storage.forget_connection()


def _try_both(process_id: str, name: str, now: datetime) -> str | None:
    try:
        failure = storage.leave_sign(process_id, name, now=now)
        # Busy is ready: whoever holds the lock for minutes, such as an import, ends some time.
        if failure is not None and failure is not Failure.BUSY:
            return failure
        return worker.find_fault(now)
    except OutsideFailed:  # from the worker's heartbeat; the database itself is only busy
        return None
    except Exception:
        logger.exception("Could not leave a sign of life")
        return UNKNOWN


def _note(fault: str | None) -> None:
    global _last
    before = None if _last is None else _last.fault
    _last = _Attempt(time.monotonic(), fault)
    if fault != before:
        logger.warning("%s", f"Not ready: {fault}" if fault else "Ready again")
