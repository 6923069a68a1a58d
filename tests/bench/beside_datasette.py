"""A contains filter on a million orders in the browser, compared with datasette."""

import time
from collections.abc import Iterator
from statistics import median
from urllib.parse import urlencode

from playwright.sync_api import Browser

from tests.bench.databases import FilledDatabase
from tests.bench.expected import containing
from tests.bench.figures import Figure, in_seconds
from tests.bench.grid_page import PATIENCE_MS, fresh_page
from tests.bench.processes import Server
from tests.bench.servers import datasette, order_desk

ROUNDS = 5
AUTHORS = ("maria", "nair", "zhang")
MIN_RATIO = 2


def measure_beside_datasette(browser: Browser, database: FilledDatabase) -> Iterator[Figure]:
    """Filter both in turns after a warm-up; time from the last key (or Enter) to the rows."""
    database.warm()
    with order_desk(database) as ours, datasette(database) as other:
        for author in AUTHORS:
            rounds = [
                (_filter_ours(browser, ours, author), _filter_datasette(browser, other, author))
                for _ in range(ROUNDS + 1)
            ]
            of_ours, of_datasette = (median(times) for times in zip(*rounds[1:], strict=True))
            ratio = of_datasette / of_ours
            yield Figure(
                f"Filter Author: {author}, {database.orders:,} orders",
                in_seconds(of_ours),
                f"{in_seconds(of_datasette)} (datasette 0.65)",
                ratio,
                f"{MIN_RATIO} times faster",
                is_met=ratio >= MIN_RATIO,
            )


def _filter_ours(browser: Browser, server: Server, author: str) -> float:
    with fresh_page(browser) as page:
        page.open(f"{server.address}/orders")
        return page.type_filter("Author", author, containing("author", author))


def _filter_datasette(browser: Browser, server: Server, author: str) -> float:
    """Open the table as its own form does, newest first; the page was loaded once before."""
    table = f"{server.address}/orders/orders"
    with fresh_page(browser) as page:
        page.page.goto(f"{server.address}/-/versions", timeout=PATIENCE_MS)
        asked = urlencode({"author__contains": author, "_sort_desc": "created_at"})
        started = time.perf_counter()
        page.page.goto(f"{table}?{asked}", wait_until="commit", timeout=PATIENCE_MS)
        page.page.locator("table.rows-and-columns tbody tr").first.wait_for(timeout=PATIENCE_MS)
        return time.perf_counter() - started
