"""Filtering a million orders, column by column."""

from collections.abc import Iterator
from statistics import median

from playwright.sync_api import Browser

from tests.bench.databases import FilledDatabase
from tests.bench.figures import Figure, in_seconds, time_figure
from tests.bench.filter_cases import Typed, filter_cases, newest_order
from tests.bench.grid_page import Expected, GridPage, fresh_page
from tests.bench.processes import Server

ROUNDS = 3
MAX_SECONDS = 1.0
LISTS = ("Widget ID", "Contract ID", "Author")


def measure_filters(browser: Browser, server: Server, database: FilledDatabase) -> Iterator[Figure]:
    """Set each filter and take it away again, on one page, as a person would."""
    with database.reading() as orders:
        cases, newest = filter_cases(orders), newest_order(orders)
    with fresh_page(browser) as page:
        page.open(f"{server.address}/orders")
        for case in cases:
            yield _measure(page, case, newest)
        for header in LISTS:
            yield _measure_list(page, header)


def _measure(page: GridPage, case: Typed, newest: Expected) -> Figure:
    rounds = []
    for _ in range(ROUNDS):
        rounds.append(case.seconds(page))
        page.clear_filters(newest)
    return time_figure(f"Filter {case}", median(rounds), MAX_SECONDS)


def _measure_list(page: GridPage, header: str) -> Figure:
    rounds = []
    for _ in range(ROUNDS):
        rounds.append(page.open_list(header))
        page.close_list()
    return Figure(f"List of values of {header}", in_seconds(median(rounds)))
