"""Tests of transactions that wait: one is held open until others wait for it."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import text

from core.storage import engine, transactions

Result = TypeVar("Result")
PATIENCE_SECONDS = 2.5  # the lock timeout is 3 seconds
PAUSE_SECONDS = 0.01


def start_and_wait(
    pool: ThreadPoolExecutor, act: Callable[[], Result], *, waiting: int
) -> Future[Result]:
    """Start a function in a thread, and return when `waiting` transactions wait for a lock."""
    started, deadline = pool.submit(act), time.monotonic() + PATIENCE_SECONDS
    while count_waiting() < waiting:
        assert not started.done(), "It did not wait"
        assert time.monotonic() < deadline, f"{count_waiting()} wait"
        time.sleep(PAUSE_SECONDS)
    return started


def count_waiting() -> int:
    """Count the threads that wait for the semaphore (SQLite) or for a lock (PostgreSQL)."""
    if engine.is_sqlite():
        return len(transactions._sqlite_writers._waiting)
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with transactions.reading() as session:
        return int(session.execute(text(f"{waits} AND datname = current_database()")).scalar_one())
