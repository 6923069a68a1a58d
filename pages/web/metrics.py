"""What Prometheus reads of this process: its requests, and the state of the work that waits."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
    start_http_server,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from core import gauges

logger = logging.getLogger(__name__)

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
OTHER = "other"  # a table that does not exist: an address must not make a new series
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

disable_created_metrics()  # type: ignore[no-untyped-call]
_registry = CollectorRegistry()
ProcessCollector(registry=_registry)
_requests = Counter(
    "order_desk_requests",
    "Answered requests; 499 is a client that has left.",
    ["route", "table", "status"],
    registry=_registry,
)
_seconds = Histogram(
    "order_desk_request_seconds",
    "The time until the answer begins.",
    ["route", "table"],
    buckets=SECONDS,
    registry=_registry,
)
_in_progress = Gauge(
    "order_desk_requests_in_progress",
    "Requests that wait for their answer.",
    ["route"],
    registry=_registry,
)


@contextmanager
def in_progress(route: str) -> Iterator[None]:
    """Count a request while it is answered."""
    with _in_progress.labels(route).track_inprogress():
        yield


def count_request(route: str, table: str, status: int, seconds: float) -> None:
    """Count an answered request, and its time."""
    _requests.labels(route, table, str(status)).inc()
    _seconds.labels(route, table).observe(seconds)


def render_metrics() -> bytes:
    """Return all metrics as text; it asks the database."""
    return generate_latest(_registry)


@contextmanager
def serving_metrics(address: str, port: int | None) -> Iterator[None]:
    """Answer for the metrics at a port of their own until the block ends.

    A port that is taken is logged, and Order Desk serves all the same.
    """
    try:
        server = None if port is None else start_http_server(port, address, _registry)[0]
    except OSError as error:
        logger.error("METRICS_PORT: %s cannot be opened: %s", port, error)
        server = None
    try:
        yield
    finally:
        if server is not None:
            server.shutdown()
            server.server_close()


class _State(Collector):
    """Asks for the state at each reading."""

    def collect(self) -> Iterator[Metric]:
        """Yield the state of the process, and of the work unless the database is away."""
        now = gauges.load_gauges(datetime.now(UTC))
        yield _gauge("ready", "1 if /readyz says so.", now.is_ready)
        yield _gauge("pool_connections_in_use", "Connections in use.", now.connections_in_use)
        yield _gauge("pool_connections_max", "The most connections.", now.most_connections)
        yield _gauge(
            "import_running", "1 while a file is checked or imported.", now.is_import_running
        )
        refused = "Sign-ins of accounts without access."
        yield CounterMetricFamily("order_desk_sign_ins_refused", refused, now.sign_ins_refused)
        if now.work is not None:
            yield from _of_work(now.work)


def _of_work(work: gauges.Work) -> Iterator[Metric]:
    refunds, mails = work.open_refunds, work.queued_mails
    oldest = "How long the oldest of them has waited."
    yield _gauge("open_refunds", "Refunds that wait for a worker or a gateway.", refunds.count)
    yield _gauge("open_refunds_oldest_seconds", oldest, refunds.oldest_seconds)
    yield _gauge("queued_mails", "E-mails that wait to be sent.", mails.count)
    yield _gauge("queued_mails_oldest_seconds", oldest, mails.oldest_seconds)
    yield _gauge("mail_paused", "1 while the mail server cannot be used.", work.is_mail_paused)
    if work.worker_silent_seconds is not None:
        silent = "The time since the last sign of life of a worker."
        yield _gauge("worker_silent_seconds", silent, work.worker_silent_seconds)


def _gauge(name: str, says: str, value: float) -> Metric:
    return GaugeMetricFamily(f"order_desk_{name}", says, value)


_registry.register(_State())
