"""Download Excel in the browser, from the click to the last byte, and its effect on others."""

import threading
import time
from collections.abc import Iterator
from statistics import median

from playwright.sync_api import Browser, Page

from tests.bench.databases import FilledDatabase
from tests.bench.expected import containing
from tests.bench.extent import some
from tests.bench.figures import Figure, in_milliseconds, time_figure
from tests.bench.grid_page import fresh_page
from tests.bench.people import ask, percentile
from tests.bench.processes import Server
from tests.bench.servers import order_desk

ROUNDS = some(5, 2)  # the best counts: other programs share the processors
MAX_SECONDS, MAX_FILTERED_SECONDS = 15, 2
PATIENCE_MS = 120_000
OTHERS, MAX_SLOWDOWN = 5, 2.0
AUTHOR = "maria"


def measure_downloads(
    browser: Browser, middle: FilledDatabase, large: FilledDatabase
) -> Iterator[Figure]:
    """Download a million orders; then filter a hundred thousand and download the matches."""
    yield from _everything(browser, large)
    yield _filtered(browser, middle)


def _everything(browser: Browser, database: FilledDatabase) -> Iterator[Figure]:
    database.warm()
    with order_desk(database) as server, fresh_page(browser) as page:
        page.open(f"{server.address}/orders")
        seconds = [_download(page.page) for _ in range(ROUNDS)]
        measure = f"Download Excel, {database.orders:,} orders: "
        yield time_figure(f"{measure}from the click to the last byte", min(seconds), MAX_SECONDS)
        yield _others(page.page, database, server, median(seconds), measure)


def _others(
    page: Page, database: FilledDatabase, server: Server, seconds: float, measure: str
) -> Figure:
    """Compare the waiting time of others for rows, with and without a running download.

    Both run in turns, each for about the time of one download.
    """
    alone, beside = [], []
    for _ in range(ROUNDS):
        alone += ask(database, server, OTHERS, seconds)["seconds"]
        found: list[float] = []

        def look(found: list[float] = found) -> None:
            found += ask(database, server, OTHERS, seconds)["seconds"]

        looking = threading.Thread(target=look)
        looking.start()
        while looking.is_alive():
            _download(page)
        looking.join()
        beside += found
    at_rest, meanwhile = percentile(alone, 95), percentile(beside, 95)
    return Figure(
        f"{measure}95 of 100 answers to {OTHERS} others within",
        in_milliseconds(meanwhile),
        f"{in_milliseconds(at_rest)} (nobody downloads)",
        meanwhile / at_rest,
        f"at most {MAX_SLOWDOWN:g} times",
        is_met=meanwhile <= MAX_SLOWDOWN * at_rest,
    )


def _filtered(browser: Browser, database: FilledDatabase) -> Figure:
    """Time from the last key of a filter until the file with exactly those rows is on the disk."""
    with order_desk(database) as server:
        seconds = []
        for _ in range(ROUNDS):
            with fresh_page(browser) as page:
                page.open(f"{server.address}/orders")
                started = time.perf_counter()
                page.type_filter("Author", AUTHOR, containing("author", AUTHOR))
                page.page.get_by_role("button", name=f"Author contains “{AUTHOR}”").wait_for()
                _download(page.page)
                seconds.append(time.perf_counter() - started)
    measure = f"Filter {database.orders:,} orders, then Download Excel: to the file on the disk"
    return time_figure(measure, min(seconds), MAX_FILTERED_SECONDS)


def _download(page: Page) -> float:
    """Click Download Excel; return the seconds until the whole file is on the disk."""
    started = time.perf_counter()
    with page.expect_download(timeout=PATIENCE_MS) as download:
        page.get_by_role("link", name="Download Excel").click()
    download.value.path()
    return time.perf_counter() - started
