"""The worker: settles what is due, in the background of the application or as its own process.

Any number of workers may run: each takes refunds by lease, and one that dies loses none.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from core import gateways, settlement
from core.errors import OutsideFailed

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 2.0
STOP_SECONDS = 15.0  # what is cut off is asked again, under the same key, after its lease


def work(stop: threading.Event) -> None:
    """Settle what is due until `stop` is set; failures are logged, and tried again."""
    while not stop.is_set():
        done = 0
        try:
            done = settlement.settle_due(now=datetime.now(UTC), gateways=gateways.configured())
        except OutsideFailed as error:
            logger.warning("The worker waits: %s", error)
        except Exception:
            logger.exception("The worker failed; it goes on")
        if not done:
            stop.wait(PAUSE_SECONDS)


@contextmanager
def working() -> Iterator[None]:
    """Run a worker beside the block; at its end what is being settled is finished."""
    stop = threading.Event()
    thread = threading.Thread(target=work, args=[stop], name="worker", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(STOP_SECONDS)
