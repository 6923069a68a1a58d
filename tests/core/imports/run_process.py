"""What a process of its own does with checks and imports; see tests.core.forks."""

import io
import os
import signal
import threading
import time
from datetime import UTC, datetime
from typing import Any, NoReturn

from core import access
from core.access import Actor
from core.imports import background

PAUSE_SECONDS = 0.02


def check_for_ever() -> None:
    """Check a file until somebody cancels it, and print why it ended."""
    vars(background)["_check"] = _for_ever
    actor = _actor()
    file = io.BytesIO(b"Order ID\n")
    background.begin_check([("Orders.csv", file)], actor=actor, now=datetime.now(UTC))
    print("begun", flush=True)
    _wait()
    run = background.find_run(actor=actor)
    print(run and run.failure, flush=True)


def _for_ever(_run: object, _actor: object, progress: Any) -> NoReturn:
    while True:
        progress.say("Reading", 0.3)
        time.sleep(PAUSE_SECONDS)


def die_after_import() -> None:
    """Import what another process has checked, and die before its end is stored."""
    vars(background)["_end"] = lambda _run: os.kill(os.getpid(), signal.SIGKILL)
    background.begin_import(actor=_actor(), now=datetime.now(UTC))
    _wait()


def _actor() -> Actor:
    actor = access.find_local_actor()
    assert actor is not None
    return actor


def _wait() -> None:
    for thread in threading.enumerate():
        if thread.name == "import":
            thread.join()
