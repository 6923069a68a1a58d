"""Cancelling work, even during its query."""

import threading
import time

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from core import storage
from core.ground import OutsideFailed
from core.storage import CancelToken, QueryCancelled

pytestmark = pytest.mark.both_databases

COUNT_FOR_LONG = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) "
FOR_LONG = {"sqlite": COUNT_FOR_LONG + "FROM n", "postgresql": "SELECT pg_sleep(60)"}


def long_query() -> str:
    """Return a query that takes a minute or longer."""
    return FOR_LONG[storage.get_engine().dialect.name]


def test_cancelling_ends_the_running_query(database: str) -> None:
    cancel, began = CancelToken(), time.monotonic()
    timer = threading.Timer(0.3, cancel.set)
    timer.start()
    with pytest.raises(QueryCancelled), storage.reading() as session, cancel.cancelling(session):
        session.execute(text(long_query()))
    timer.join()
    assert time.monotonic() - began < 10
    with storage.reading() as session:  # the connection can still be used
        assert session.scalar(text("SELECT 1")) == 1


def test_work_that_is_cancelled_before_it_begins_does_nothing(database: str) -> None:
    cancel = CancelToken()
    cancel.set()
    with pytest.raises(QueryCancelled), storage.reading() as session, cancel.cancelling(session):
        pytest.fail("The work began.")


def test_cancelling_finished_work_spares_the_next_query_on_its_connection(database: str) -> None:
    cancel = CancelToken()
    with storage.reading() as session, cancel.cancelling(session):
        session.execute(text("SELECT 1"))
    with storage.reading() as session:  # on the same connection of the pool
        session.execute(text("SELECT 1"))
        cancel.set()
        assert session.scalar(text("SELECT 2")) == 2


def test_an_error_in_work_that_is_not_cancelled_keeps_its_type(database: str) -> None:
    expected = OutsideFailed if storage.is_sqlite() else ProgrammingError
    with pytest.raises(expected), storage.reading() as session, CancelToken().cancelling(session):
        session.execute(text("SELECT * FROM no_such_table"))
