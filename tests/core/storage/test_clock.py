"""Machines whose clocks differ go by the clock of the database."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from core import storage, worker
from core.ground import get_settings
from tests.core.wrong_clock import set_clock

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
