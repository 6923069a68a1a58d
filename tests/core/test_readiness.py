"""Whether a process can serve: what its signs of life say, and that questions cost nothing."""

import logging
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from core import readiness, storage, worker
from core.ground import ending
from core.storage.models.processes import PROCESS_SIGNS
from tests.core.refunds.worker_deaths import changed

UNREACHABLE = "the database cannot be reached"
PATIENCE_SECONDS = 10
PAUSE_SECONDS = 0.01


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try often."""
    monkeypatch.setattr(readiness, "EVERY_SECONDS", PAUSE_SECONDS)


@pytest.fixture
def works(sqlite_database: str) -> Iterator[str]:
    """Run a worker that does nothing; yield the database."""
    worker._heartbeats[worker._SEEN] = time.monotonic()
    yield sqlite_database
    worker._heartbeats.clear()


def wait_for(fault: str | None) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while readiness.find_fault() != fault:
        assert time.monotonic() < deadline, f"It says {readiness.find_fault()!r}"
        time.sleep(PAUSE_SECONDS)


def names() -> list[str]:
    with storage.reading() as session:
        return list(session.scalars(select(PROCESS_SIGNS.c.name)))


def test_a_process_is_ready_once_it_has_left_a_sign(works: str) -> None:
    assert readiness.find_fault() == readiness.STARTING
    with readiness.leaving_signs():
        wait_for(None)
        (name,) = names()
        assert name.endswith(f":{os.getpid()}")
    assert readiness.find_fault() == readiness.STARTING
    with readiness.leaving_signs():
        wait_for(None)
    assert names() == [name, name]  # a process that starts again has a new sign


def test_a_lock_that_is_held_for_long_is_ready(works: str) -> None:
    with closing(sqlite3.connect(works.removeprefix("sqlite:///"))) as other:
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        with readiness.leaving_signs():
            wait_for(None)
            assert names() == []  # it has not written anything


def test_a_worker_that_cannot_leave_a_sign_while_others_hold_the_lock_is_not_missed(
    sqlite_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker._store_heartbeat(datetime.now(UTC))
    with (
        changed({"RUN_WORKER": "false"}),
        closing(sqlite3.connect(sqlite_database.removeprefix("sqlite:///"))) as other,
    ):
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr(worker, "HEARTBEAT_TIMEOUT", timedelta(0))  # its sign is too old
        with readiness.leaving_signs():
            wait_for(None)
            time.sleep(5 * PAUSE_SECONDS)
            assert readiness.find_fault() is None
            other.execute("ROLLBACK")
            deadline = time.monotonic() + PATIENCE_SECONDS
            while "no heartbeat from a worker" not in (readiness.find_fault() or ""):
                assert time.monotonic() < deadline
                time.sleep(PAUSE_SECONDS)


def test_a_database_that_goes_away_and_comes_back_is_said_once_each_time(
    works: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = Path(works.removeprefix("sqlite:///"))
    away = path.with_suffix(".away")
    with readiness.leaving_signs():
        wait_for(None)
        assert not readiness.is_database_at_fault()
        storage.get_engine().dispose()
        path.rename(away)
        wait_for(UNREACHABLE)
        assert readiness.is_database_at_fault()
        away.rename(path)
        wait_for(None)
    said = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert said == ["Not ready: the database cannot be reached", "Ready again"]


def test_an_attempt_without_an_answer_is_said_without_waiting_for_it(
    works: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with readiness.leaving_signs():
        wait_for(None)
        monkeypatch.setattr(readiness, "EVERY_SECONDS", PATIENCE_SECONDS)
        monkeypatch.setattr(readiness, "LATE_SECONDS", 3 * PAUSE_SECONDS)
        begin = time.monotonic()
        wait_for(readiness.UNANSWERED)
        assert readiness.is_database_at_fault()
        readiness.find_fault()
        assert time.monotonic() - begin < 1


def test_a_worker_that_is_missing_is_said(sqlite_database: str) -> None:
    with changed({"RUN_WORKER": "false"}), readiness.leaving_signs():
        wait_for("no worker has been started: python -m core worker")
        worker._store_heartbeat(datetime.now(UTC))
        wait_for(None)


def test_a_process_that_ends_is_no_longer_ready(works: str) -> None:
    with readiness.leaving_signs():
        wait_for(None)
        try:
            ending.set()
            assert readiness.find_fault() == readiness.STOPPING
        finally:
            ending.clear()
