"""Counts of what happened in this process since its start, by a name such as `sign_in.refused`."""

import threading
from collections import Counter

_lock = threading.Lock()
_counts: Counter[str] = Counter()


def count(name: str) -> None:
    """Count one more."""
    with _lock:
        _counts[name] += 1


def counted(name: str) -> int:
    """Return how often it happened."""
    with _lock:
        return _counts[name]
