"""Start Order Desk: from the command until /readyz is ready."""

import time
from collections.abc import Iterator

from tests.bench.databases import FilledDatabase
from tests.bench.extent import some
from tests.bench.figures import Figure, time_figure
from tests.bench.servers import order_desk

ROUNDS = some(5, 2)  # the best counts: other programs share the processors
MAX_SECONDS = 3


def measure_start(database: FilledDatabase) -> Iterator[Figure]:
    """Start the application on a filled database, several times."""
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        with order_desk(database):
            seconds.append(time.perf_counter() - started)
    measure = f"Start with {database.orders:,} orders, until /readyz says so"
    yield time_figure(measure, min(seconds), MAX_SECONDS)
