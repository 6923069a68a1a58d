"""Shutdown: running work gets a few seconds to finish, and no new work starts.

Work that takes longer is aborted; no data is lost. Its transaction is rolled back, and a refund or
an e-mail is retried after its lease has expired.
"""

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

logger = logging.getLogger(__name__)

GRACE_SECONDS = 4.0
FORCED_EXIT = 128 + signal.SIGTERM  # the exit status if work was aborted
REFUSED_EXIT = 1  # the exit status if the process cannot serve
ending = threading.Event()  # set once the process has to end
_actions = threading.Condition()
_count = 0


def handle_signals(*, call_previous: bool) -> None:
    """Start the shutdown on SIGTERM and Ctrl+C; with `call_previous`, then call the old handler.

    Does nothing outside the main thread: Python allows no signal handlers there.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        _handle(number, signal.getsignal(number) if call_previous else None)


def _handle(number: int, previous: Any) -> None:
    def end(number: int, frame: Any) -> None:
        _start()
        if callable(previous):
            previous(number, frame)

    signal.signal(number, end)


def _start() -> None:
    if ending.is_set():
        return
    deadline = threading.Timer(GRACE_SECONDS, _force_exit)
    deadline.daemon = True
    deadline.start()  # first: the process ends even if the rest hangs
    ending.set()


def _force_exit() -> None:
    logger.warning("Stopped after %.0f s; unfinished work is retried later.", GRACE_SECONDS)
    logging.shutdown()
    os._exit(FORCED_EXIT)


def refuse_start(why: Exception) -> NoReturn:
    """End the process at once with the sentence that says why it cannot serve; for any thread."""
    logging.shutdown()
    print(f"Order Desk cannot start.\n{why}", file=sys.stderr, flush=True)  # noqa: T201
    os._exit(REFUSED_EXIT)


@contextmanager
def finishing_action() -> Iterator[None]:
    """Make the shutdown wait for the block."""
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
    """Wait until all `finishing_action` blocks have ended, for at most GRACE_SECONDS."""
    with _actions:
        _actions.wait_for(lambda: _count == 0, GRACE_SECONDS)
