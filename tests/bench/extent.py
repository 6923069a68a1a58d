"""How much is measured: everything (`make bench`), or a part for every day (`make bench-quick`).

The quick part has a tenth of the rows and fewer rounds. Its figures show whether a change made
something slower; they are not those of RESULTS.md.
"""

import os
from typing import TypeVar

QUICK = "ORDER_DESK_BENCH_QUICK"  # in the environment, so that every process of the bench has it
IS_QUICK = os.environ.get(QUICK) == "1"
Number = TypeVar("Number", int, float, tuple[int, ...])


def some(whole: Number, quick: Number) -> Number:
    """Return how many there are in the whole bench, or in the quick one."""
    return quick if IS_QUICK else whole


FEW = 2_000  # as `make demo` fills
SMALL, MIDDLE, LARGE = 10_000, some(100_000, 20_000), some(1_000_000, 100_000)
