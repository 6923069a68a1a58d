"""Measure everything, print the table and write RESULTS.md; exit code 1 if a bar is missed.

`python -m tests.bench PART…` measures some parts; RESULTS.md keeps the results of the others. Each
part has its own process, so that no part pays for another's memory. The quick bench (extent.py)
measures fewer parts with fewer rows, and writes no results.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from tests.bench.beside_datasette import measure_beside_datasette
from tests.bench.databases import FilledDatabase, provide
from tests.bench.downloading import measure_downloads
from tests.bench.exporting import measure_exports
from tests.bench.extent import FEW, IS_QUICK, LARGE, MIDDLE, SMALL
from tests.bench.figures import Figure, as_text, memory_figure, time_figure, write_results
from tests.bench.filtering import measure_tables
from tests.bench.grid_page import browsing
from tests.bench.growing import measure_growth
from tests.bench.importing import measure_import
from tests.bench.mailing import measure_mail
from tests.bench.opening import measure_opening
from tests.bench.overview import measure_overview
from tests.bench.people import measure_people
from tests.bench.processes import PROJECT
from tests.bench.querying import measure_queries
from tests.bench.refunding import measure_refunds
from tests.bench.reruns import measure_reruns
from tests.bench.servers import order_desk
from tests.bench.side_by_side import compare
from tests.bench.starting import measure_start
from tests.bench.voucher_pdfs import measure_vouchers

MAX_MEGABYTES = 500
MAX_FILL_SECONDS, MAX_FILL_MEGABYTES = 8 * 60, 1_000


def _filling() -> Iterator[Figure]:
    database = provide(LARGE)
    filled = f"Fill {database.orders:,} orders{' (cached)' if database.is_cached else ''}"
    yield time_figure(f"{filled}: time", database.cost.seconds, MAX_FILL_SECONDS)
    yield memory_figure(f"{filled}: memory", database.cost.megabytes, MAX_FILL_MEGABYTES)


def _overview() -> Iterator[Figure]:
    database = provide(LARGE)
    with (
        browsing() as browser,
        order_desk(database) as large,
        order_desk(provide(SMALL)) as small,
    ):
        yield from measure_overview(browser, small, large, database)


def _tables() -> Iterator[Figure]:
    database: FilledDatabase = provide(LARGE)
    with browsing() as browser, order_desk(database) as server:
        yield from measure_tables(browser, server, database)
        measure = f"Memory of the server, {database.orders:,} orders"
        yield memory_figure(f"{measure}: after it all", server.megabytes("VmRSS"), MAX_MEGABYTES)
        yield memory_figure(f"{measure}: at its peak", server.megabytes("VmHWM"), MAX_MEGABYTES)


def _beside_the_plain_grid() -> Iterator[Figure]:
    with browsing() as browser:
        for orders in (SMALL, MIDDLE):
            yield from compare(browser, provide(orders))


def _beside_datasette() -> Iterator[Figure]:
    with browsing() as browser:
        yield from measure_beside_datasette(browser, provide(LARGE))


def _downloads() -> Iterator[Figure]:
    with browsing() as browser:
        yield from measure_downloads(browser, provide(MIDDLE), provide(LARGE))


PARTS: dict[str, Callable[[], Iterator[Figure]]] = {
    "filling": _filling,
    "exports": lambda: measure_exports(provide(MIDDLE), provide(LARGE)),
    "downloads": _downloads,
    "opening": lambda: measure_opening(provide(FEW), provide(LARGE)),
    "queries": measure_queries,
    "overview": _overview,
    "tables": _tables,
    "plain-grid": _beside_the_plain_grid,
    "datasette": _beside_datasette,
    "reruns": lambda: measure_reruns(provide(SMALL)),
    "people": lambda: measure_people(provide(LARGE)),
    "starting": lambda: measure_start(provide(SMALL)),
    "import": measure_import,
    "refunds": measure_refunds,
    "vouchers": measure_vouchers,
    "mail": measure_mail,
    "growing": measure_growth,
}


SLOW = ("tables", "datasette")  # the quick bench leaves them out
ALONE = ("growing",)  # measured only when it is named


def main(names: list[str]) -> int:
    """Measure the named parts, or all parts."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so the servers end too
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        print(f"Unknown part: {', '.join(unknown)}. The parts are: {', '.join(PARTS)}.")
        return 2
    if len(names) == 1:
        return _measure(names[0])
    chosen = names or [name for name in PARTS if name not in (SLOW + ALONE if IS_QUICK else ALONE)]
    began = time.monotonic()
    codes = [
        subprocess.run([sys.executable, "-m", "tests.bench", name], cwd=PROJECT).returncode
        for name in chosen
    ]
    print(f"Measured in {(time.monotonic() - began) / 60:.0f} minutes.", flush=True)
    return max(codes)


def _measure(name: str) -> int:
    load, began = os.getloadavg()[0], time.monotonic()
    figures: list[Figure] = []
    try:
        for figure in PARTS[name]():
            print(f"  {figure.measure}: {figure.ours}", file=sys.stderr, flush=True)
            figures.append(figure)
    finally:  # also after an error: write what was measured
        print(as_text(figures), flush=True)
        if not IS_QUICK:
            seconds = time.monotonic() - began
            write_results(name, list(PARTS), figures, load=load, seconds=seconds)
    return 0 if all(figure.is_met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
