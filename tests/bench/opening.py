"""Opening the page: with a million orders against ten thousand."""

from statistics import median

from playwright.sync_api import Browser

from tests.bench.figures import Figure, in_seconds
from tests.bench.grid_page import fresh_page
from tests.bench.processes import Server

ROUNDS = 7
MAX_RATIO = 1.3


def measure_opening(browser: Browser, small: Server, large: Server) -> Figure:
    """Open both in turns, after a warm-up each, and compare the medians."""
    rounds = [(open_orders(browser, small), open_orders(browser, large)) for _ in range(ROUNDS + 1)]
    of_small, of_large = (median(seconds) for seconds in zip(*rounds[1:], strict=True))
    ratio = of_large / of_small
    return Figure(
        "First rows, 1,000,000 orders against 10,000",
        in_seconds(of_large),
        f"{in_seconds(of_small)} (ours, 10,000)",
        ratio,
        f"at most {MAX_RATIO}",
        is_met=ratio <= MAX_RATIO,
    )


def open_orders(browser: Browser, server: Server) -> float:
    """Open Orders as a new visitor; return the seconds until its first row was there."""
    with fresh_page(browser) as page:
        return page.open(f"{server.address}/orders")
