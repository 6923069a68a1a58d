"""The worker: settles refunds and sends mail, in the application or as its own process.

Any number of workers may run: each takes what is due by lease, and one that dies loses nothing.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from core import deliveries, gateways, settlement
from core.errors import OutsideFailed

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 2.0
STOP_SECONDS = 15.0  # what is cut off is done again, under the same key, after its lease


def work(stop: threading.Event) -> None:
    """Settle and send what is due until `stop` is set; failures are logged, and tried again.

    Mail has a thread of its own, so that a slow mail server holds up no refund.
    """
    mail = threading.Thread(target=_repeat, args=[stop, _send], name="mail", daemon=True)
    mail.start()
    _repeat(stop, _settle)
    mail.join(STOP_SECONDS)


def _settle() -> int:
    return settlement.settle_due(now=datetime.now(UTC), gateways=gateways.configured())


def _send() -> int:
    return deliveries.deliver_due(now=datetime.now(UTC), door=deliveries.configured())


def _repeat(stop: threading.Event, act: Callable[[], int]) -> None:
    while not stop.is_set():
        done = 0
        try:
            done = act()
        except OutsideFailed as error:
            logger.warning("The worker waits: %s", error)
        except Exception:
            logger.exception("The worker failed; it goes on")
        if not done:
            stop.wait(PAUSE_SECONDS)


@contextmanager
def working() -> Iterator[None]:
    """Run a worker beside the block; at its end what is being done is finished."""
    stop = threading.Event()
    thread = threading.Thread(target=work, args=[stop], name="worker", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(STOP_SECONDS)
