"""Counts wait while rows are looked for, and not for long."""

import threading
import time

import pytest

from pages.grid import rows


def test_a_count_waits_until_the_rows_are_found() -> None:
    order: list[str] = []
    begun, may_end = threading.Event(), threading.Event()

    def look() -> None:
        with rows._looking_for_rows():
            begun.set()
            may_end.wait(5)
            order.append("rows")

    def count() -> None:
        rows.let_rows_go_first()
        order.append("count")

    looking, counting = threading.Thread(target=look), threading.Thread(target=count)
    looking.start()
    begun.wait(5)
    counting.start()
    time.sleep(0.05)  # the count has its chance to be the first
    may_end.set()
    looking.join()
    counting.join()
    assert order == ["rows", "count"]


def test_a_count_does_not_wait_for_rows_that_take_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MOST_PATIENCE_SECONDS", 0.05)
    with rows._looking_for_rows():
        rows.let_rows_go_first()
