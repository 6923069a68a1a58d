"""Order Desk and the plain alternative at the same sizes, in turns."""

import math
from collections.abc import Callable, Sequence
from statistics import median
from typing import NamedTuple

from playwright.sync_api import Browser, TimeoutError

from tests.bench.databases import FilledDatabase
from tests.bench.expected import containing
from tests.bench.figures import Figure, in_megabytes, in_seconds
from tests.bench.grid_page import GridPage, fresh_page
from tests.bench.servers import order_desk, plain_alternative

ROUNDS = 3
AUTHOR = "maria"


class _Times(NamedTuple):
    """Seconds to the first rows, and from the last key of a filter to its rows."""

    opened: float
    filtered: float

    @classmethod
    def median(cls, rounds: Sequence["_Times"]) -> "_Times":
        return cls(*map(median, zip(*rounds, strict=True)))


def compare(browser: Browser, database: FilledDatabase) -> list[Figure]:
    """Open and filter both at one size, after a warm-up each."""
    with order_desk(database) as ours, plain_alternative(database) as plain:
        addresses = (f"{ours.address}/orders", plain.address)
        rounds = [
            [_open_and_filter(browser, address) for address in addresses] for _ in range(ROUNDS + 1)
        ]
        memory = [server.megabytes("VmHWM") for server in (ours, plain)]
    of_ours, of_plain = (_Times.median(times) for times in zip(*rounds[1:], strict=True))
    size = f"{database.orders:,} orders"
    return [
        _figure(f"First rows, {size}", of_ours.opened, of_plain.opened, in_seconds),
        _figure(
            f"Filter Author: {AUTHOR}, {size}", of_ours.filtered, of_plain.filtered, in_seconds
        ),
        _figure(f"Memory of the server at its peak, {size}", memory[0], memory[1], in_megabytes),
    ]


def _figure(measure: str, ours: float, plain: float, say: Callable[[float], str]) -> Figure:
    return Figure(measure, say(ours), say(plain), plain / ours if math.isfinite(plain) else None)


def _open_and_filter(browser: Browser, address: str) -> _Times:
    """Do both as a new visitor."""
    with fresh_page(browser) as page:
        opened = page.open(address)
        return _Times(opened, _filter(page) if math.isfinite(opened) else math.inf)


def _filter(page: GridPage) -> float:
    try:
        return page.type_filter("Author", AUTHOR, containing("author", AUTHOR))
    except TimeoutError:
        return math.inf
