"""How far a long attack is: it counts its steps here, and whoever shows them reads them."""

import threading
from collections.abc import Iterator

_lock = threading.Lock()
_done, _total = 0, 0


def begin(total: int) -> None:
    """Begin an attack, or a part of one, that has so many steps."""
    global _done, _total
    with _lock:
        _done, _total = 0, total


def step() -> None:
    """Count a step that is done."""
    global _done
    with _lock:
        _done += 1


def through(total: int) -> Iterator[int]:
    """Yield the numbers of the steps, and count each when it is done."""
    begin(total)
    for number in range(total):
        yield number
        step()


def said() -> tuple[int, int]:
    """Return how many steps are done, and of how many; 0 of 0 where nobody counts."""
    with _lock:
        return min(_done, _total), _total
