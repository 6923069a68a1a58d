"""Measures everything, prints the table, writes RESULTS.md; exit code 1 when a bar is missed."""

import os
import signal
import sys
from collections.abc import Iterator

from playwright.sync_api import Browser

from tests.bench.databases import FilledDatabase, provide
from tests.bench.exporting import measure_exports
from tests.bench.figures import Figure, as_text, memory_figure, time_figure, write_results
from tests.bench.filtering import measure_tables
from tests.bench.grid_page import browsing
from tests.bench.importing import measure_import
from tests.bench.mailing import measure_mail
from tests.bench.opening import measure_opening
from tests.bench.overview import measure_overview
from tests.bench.refunding import measure_refunds
from tests.bench.servers import order_desk
from tests.bench.side_by_side import compare
from tests.bench.voucher_pdfs import measure_vouchers

SMALL, MIDDLE, LARGE = 10_000, 100_000, 1_000_000
PATHS = ("/orders", "/order_items", "/transactions")
MAX_MEGABYTES = 500
MAX_FILL_SECONDS, MAX_FILL_MEGABYTES = 8 * 60, 1_000


def main() -> int:
    """Run the bench."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers end with it
    load = os.getloadavg()[0]
    figures = []
    for figure in _measure_all():
        print(f"  {figure.measure}: {figure.ours}", file=sys.stderr, flush=True)
        figures.append(figure)
    print(as_text(figures))
    write_results(figures, load)
    return 0 if all(figure.is_met for figure in figures) else 1


def _measure_all() -> Iterator[Figure]:
    small, middle, large = (provide(orders) for orders in (SMALL, MIDDLE, LARGE))
    yield from _filling(large)
    yield from measure_exports(middle, large)
    yield from measure_import()
    yield from measure_refunds()
    with browsing() as browser:
        yield from _order_desk(browser, small, large)
        for database in (small, middle):
            yield from compare(browser, database)
    yield from measure_vouchers()
    yield from measure_mail()


def _filling(database: FilledDatabase) -> Iterator[Figure]:
    filled = f"Fill {database.orders:,} orders{' (cached)' if database.is_cached else ''}"
    yield time_figure(f"{filled}: time", database.cost.seconds, MAX_FILL_SECONDS)
    yield memory_figure(f"{filled}: memory", database.cost.megabytes, MAX_FILL_MEGABYTES)


def _order_desk(browser: Browser, small: FilledDatabase, large: FilledDatabase) -> Iterator[Figure]:
    with order_desk(large) as server:
        with order_desk(small) as other:
            for path in PATHS:
                yield measure_opening(browser, other, server, path)
            yield from measure_overview(browser, other, server, large)
        yield from measure_tables(browser, server, large)
        measure = f"Memory of the server, {large.orders:,} orders"
        yield memory_figure(f"{measure}: after it all", server.megabytes("VmRSS"), MAX_MEGABYTES)
        yield memory_figure(f"{measure}: at its peak", server.megabytes("VmHWM"), MAX_MEGABYTES)


if __name__ == "__main__":
    sys.exit(main())
