"""Work that nobody waits for any more ends, in the middle of its query."""

import threading
import time

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from core import storage
from core.ground import OutsideFailed
from core.storage import Stop, Unwanted

COUNT_FOR_LONG = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) "
FOR_LONG = {"sqlite": COUNT_FOR_LONG + "FROM n", "postgresql": "SELECT pg_sleep(60)"}


def long_query() -> str:
    """Return a query that takes a minute, or for ever."""
    return FOR_LONG[storage.get_engine().dialect.name]


def test_running_query_ends_when_it_is_stopped(database: str) -> None:
    stop, began = Stop(), time.monotonic()
    timer = threading.Timer(0.3, stop.set)
    timer.start()
    with pytest.raises(Unwanted), storage.reading() as session, stop.ending(session):
        session.execute(text(long_query()))
    timer.join()
    assert time.monotonic() - began < 10
    with storage.reading() as session:  # the connection is as good as before
        assert session.scalar(text("SELECT 1")) == 1


def test_work_that_is_stopped_before_it_begins_does_nothing(database: str) -> None:
    stop = Stop()
    stop.set()
    with pytest.raises(Unwanted), storage.reading() as session, stop.ending(session):
        pytest.fail("The work began.")


def test_query_of_somebody_else_goes_on_when_the_work_before_it_is_stopped(database: str) -> None:
    stop = Stop()
    with storage.reading() as session, stop.ending(session):
        session.execute(text("SELECT 1"))
    with storage.reading() as session:  # on the same connection of the pool
        session.execute(text("SELECT 1"))
        stop.set()
        assert session.scalar(text("SELECT 2")) == 2


def test_failure_of_work_that_is_wanted_stays_that_failure(database: str) -> None:
    expected = OutsideFailed if storage.is_sqlite() else ProgrammingError
    with pytest.raises(expected), storage.reading() as session, Stop().ending(session):
        session.execute(text("SELECT * FROM no_such_table"))
