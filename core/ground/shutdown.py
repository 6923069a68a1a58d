"""Ending a process: what has begun is finished within seconds, and nothing new is begun.

What takes longer is cut off, and whole all the same: a transaction is rolled back, and a refund or
a mail is taken up again after its lease.
"""

import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

logger = logging.getLogger(__name__)

GRACE_SECONDS = 4.0
CUT_OFF = 128 + signal.SIGTERM  # the exit status of a process that had to be cut off
ending = threading.Event()  # set when the process has been told to end
_actions = threading.Condition()
_count = 0


def heed_signals(*, before_others: bool) -> None:
    """Begin to end at SIGTERM and Ctrl+C; then, if asked, do what was to be done at them.

    Does nothing outside the main thread, where Python allows no handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        _heed(number, signal.getsignal(number) if before_others else None)


def _heed(number: int, then: Any) -> None:
    def end(number: int, frame: Any) -> None:
        _begin()
        if callable(then):
            then(number, frame)

    signal.signal(number, end)


def _begin() -> None:
    if ending.is_set():
        return
    last = threading.Timer(GRACE_SECONDS, _cut_off)
    last.daemon = True
    last.start()  # first: whatever hangs from here on, the process ends
    ending.set()


def _cut_off() -> None:
    logger.warning("Ended after %.0f s; what still ran is taken up after its lease.", GRACE_SECONDS)
    logging.shutdown()
    os._exit(CUT_OFF)


@contextmanager
def finishing_action() -> Iterator[None]:
    """Run an action that the end of the process waits for."""
    global _count
    with _actions:
        _count += 1
    try:
        yield
    finally:
        with _actions:
            _count -= 1
            _actions.notify_all()


def wait_for_actions() -> None:
    """Wait until no action runs any more, but not for ever."""
    with _actions:
        _actions.wait_for(lambda: _count == 0, GRACE_SECONDS)
