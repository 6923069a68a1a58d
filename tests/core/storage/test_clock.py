"""Machines whose clocks differ go by the clock of the database."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import text

from core import storage, worker
from core.ground import get_settings
from tests.conftest import POSTGRESQL, use_database
from tests.core.refunds.refund_races import at_once
from tests.core.wrong_clock import set_clock
from tests.databases import close_connections

pytestmark = pytest.mark.on_postgresql
HOURS = timedelta(hours=3)
A_LITTLE = timedelta(minutes=2)  # a busy machine takes its time


@pytest.mark.parametrize("ahead", [HOURS, -HOURS, timedelta(minutes=10)])
def test_a_wrong_clock_is_corrected_by_that_of_the_database(
    database: str, monkeypatch: pytest.MonkeyPatch, ahead: timedelta
) -> None:
    with monkeypatch.context() as wrong:
        set_clock(wrong, ahead)
        found = storage.current_time()
        asked = storage.database_time(datetime(2026, 3, 1, tzinfo=UTC) + ahead)
    assert abs(found - datetime.now(UTC)) < A_LITTLE
    assert abs(asked - datetime(2026, 3, 1, tzinfo=UTC)) < A_LITTLE


def test_a_right_clock_is_not_corrected(database: str) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    assert storage.database_time(now) is now


def test_a_machine_with_a_wrong_clock_sees_the_heartbeat_of_another(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUN_WORKER", "false")
    get_settings.cache_clear()
    worker._store_heartbeat(storage.current_time())
    with monkeypatch.context() as wrong:
        set_clock(wrong, HOURS)
        assert worker.find_fault(datetime.fromtimestamp(time.time(), UTC)) is None
    monkeypatch.undo()
    get_settings.cache_clear()


def test_transactions_that_ask_for_the_time_at_once_do_not_wait_for_one_another(
    make_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    connections = 3
    monkeypatch.setenv("DATABASE_CONNECTIONS", f"{connections}")
    monkeypatch.setattr("core.storage.postgresql.POOL_SECONDS", 5)
    use_database(make_database(POSTGRESQL))
    storage.current_time()
    monkeypatch.setattr("core.storage.clock.MEASURED_SECONDS", 1e-6)  # each time is measured again
    all_hold_one = Barrier(connections)

    def ask(_number: int) -> datetime:
        with storage.reading() as session:
            session.execute(text("SELECT 1"))
            all_hold_one.wait()
            return storage.current_time()

    assert len(at_once(connections, ask)) == connections
    close_connections(storage.get_engine())
