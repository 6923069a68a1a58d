"""Compare Order Desk with the plain alternative at the same sizes, in turns."""

import math
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from playwright.sync_api import Browser, TimeoutError

from tests.bench.databases import FilledDatabase
from tests.bench.expected import containing
from tests.bench.extent import some
from tests.bench.figures import Figure, in_megabytes, in_seconds
from tests.bench.grid_page import GridPage, fresh_page
from tests.bench.servers import order_desk, plain_alternative

ROUNDS = some(3, 1)
AUTHOR = "maria"
MANY = 100_000  # the smallest size with bars
MIN_RATIOS = {"opened": 2, "filtered": 4}


class _Times(NamedTuple):
    """The seconds to the first rows, and from the last key of a filter to its rows."""

    opened: float
    filtered: float

    @classmethod
    def median(cls, rounds: Sequence["_Times"]) -> "_Times":
        return cls(*map(median, zip(*rounds, strict=True)))


def compare(browser: Browser, database: FilledDatabase) -> list[Figure]:
    """Open and filter both at one size after a warm-up."""
    with order_desk(database) as ours, plain_alternative(database) as plain:
        addresses = (f"{ours.address}/orders", plain.address)
        rounds = [
            [_open_and_filter(browser, address) for address in addresses] for _ in range(ROUNDS + 1)
        ]
        memory = [server.megabytes("VmHWM") for server in (ours, plain)]
    of_ours, of_plain = (_Times.median(times) for times in zip(*rounds[1:], strict=True))
    size = f"{database.orders:,} orders"
    bars = MIN_RATIOS if database.orders >= MANY else {}
    return [
        _faster(f"First rows, {size}", of_ours.opened, of_plain.opened, bars.get("opened")),
        _faster(
            f"Filter Author: {AUTHOR}, {size}",
            of_ours.filtered,
            of_plain.filtered,
            bars.get("filtered"),
        ),
        Figure(
            f"Memory of the server at its peak, {size}",
            in_megabytes(memory[0]),
            in_megabytes(memory[1]),
            memory[1] / memory[0],
        ),
    ]


def _faster(measure: str, ours: float, plain: float, least: float | None) -> Figure:
    ratio = plain / ours
    bar = f"at least {least:g} times faster" if least else ""
    said = ratio if math.isfinite(ratio) else None
    return Figure(measure, in_seconds(ours), in_seconds(plain), said, bar, ratio >= (least or 0))


def _open_and_filter(browser: Browser, address: str) -> _Times:
    """Open and filter as a new visitor."""
    with fresh_page(browser) as page:
        opened = page.open(address)
        return _Times(opened, _filter(page) if math.isfinite(opened) else math.inf)


def _filter(page: GridPage) -> float:
    try:
        return page.type_filter("Author", AUTHOR, containing("author", AUTHOR))
    except TimeoutError:
        return math.inf
