"""Filter and sort a table of millions of rows in the browser, column by column."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from playwright.sync_api import Browser

from tests.bench.databases import FilledDatabase
from tests.bench.expected import Expected
from tests.bench.extent import some
from tests.bench.figures import Figure, in_seconds, time_figure
from tests.bench.filters import Typed
from tests.bench.grid_page import GridPage, fresh_page
from tests.bench.item_cases import item_cases, sort_cases, transaction_cases
from tests.bench.order_cases import order_cases
from tests.bench.processes import Server
from tests.bench.samples import Sample

ROUNDS = some(3, 1)
MAX_SECONDS = 1.0
LISTS = ("Widget ID", "Contract ID", "Author")


@dataclass(frozen=True)
class Measured:
    """An open page of a table, and its first rows without a filter."""

    title: str
    page: GridPage
    newest: Expected

    def filters(self, cases: Iterable[Typed]) -> Iterator[Figure]:
        """Set each filter and remove it again."""
        for case in cases:
            rounds = []
            for _ in range(ROUNDS):
                rounds.append(case.seconds(self.page))
                self.page.clear_filters(self.newest)
            yield time_figure(f"{self.title}: filter {case}", median(rounds), MAX_SECONDS)

    def sorts(self, cases: list[tuple[str, str, Expected]]) -> Iterator[Figure]:
        """Click each header twice: it sorts ascending, then descending."""
        rounds = [
            [self.page.sort(header, first) for header, _, first in cases] for _ in range(ROUNDS)
        ]
        for (header, direction, _), seconds in zip(cases, zip(*rounds, strict=True), strict=True):
            words = f"{self.title}: sort by {header}, {direction.lower()}ending"
            yield time_figure(words, median(seconds), MAX_SECONDS)

    def lists(self, headers: Iterable[str]) -> Iterator[Figure]:
        """Open and close the list of values of each column."""
        for header in headers:
            rounds = []
            for _ in range(ROUNDS):
                rounds.append(self.page.open_list(header))
                self.page.close_list()
            yield Figure(f"{self.title}: list of values of {header}", in_seconds(median(rounds)))


def measure_tables(browser: Browser, server: Server, database: FilledDatabase) -> Iterator[Figure]:
    """Filter the three tables, and sort the largest."""
    with database.reading() as connection:
        orders = Sample(connection, "orders", "order_id")
        items = Sample(connection, "order_items", "order_item_id")
        transactions = Sample(connection, "transactions", "transaction_id")
        database.warm()
        with _opened(browser, server, "Orders", orders) as shown:
            yield from shown.filters(order_cases(orders))
            yield from shown.lists(LISTS)
        database.warm()
        with _opened(browser, server, "Order Items", items) as shown:
            yield from shown.filters(item_cases(items))
            yield from shown.sorts(sort_cases(items))
        with _opened(browser, server, "Transactions", transactions) as shown:
            yield from shown.filters(transaction_cases(transactions))


@contextmanager
def _opened(browser: Browser, server: Server, title: str, sample: Sample) -> Iterator[Measured]:
    with fresh_page(browser) as page:
        page.open(f"{server.address}/{sample.table}")
        yield Measured(title, page, sample.first())
