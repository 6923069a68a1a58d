"""Open a page with a million orders, compared with ten thousand."""

from statistics import median

from playwright.sync_api import Browser

from tests.bench.figures import Figure, in_seconds
from tests.bench.grid_page import fresh_page
from tests.bench.processes import Server

ROUNDS = 7
MAX_RATIO = 1.3


def measure_opening(browser: Browser, small: Server, large: Server, path: str) -> Figure:
    """Open the page of both in turns after a warm-up, and compare the medians."""
    rounds = [
        tuple(open_page(browser, f"{server.address}{path}") for server in (small, large))
        for _ in range(ROUNDS + 1)
    ]
    of_small, of_large = (median(seconds) for seconds in zip(*rounds[1:], strict=True))
    ratio = of_large / of_small
    return Figure(
        f"First rows of {path}, 1,000,000 orders against 10,000",
        in_seconds(of_large),
        f"{in_seconds(of_small)} (ours, 10,000)",
        ratio,
        f"at most {MAX_RATIO}",
        is_met=ratio <= MAX_RATIO,
    )


def open_page(browser: Browser, address: str) -> float:
    """Open a page as a new visitor; return the seconds until its first row is shown."""
    with fresh_page(browser) as page:
        return page.open(address)
