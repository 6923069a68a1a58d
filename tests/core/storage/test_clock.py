"""Machines whose clocks differ: leases, retries and heartbeats go by the clock of the database."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from core import storage, worker
from core.refunds import settle_due
from tests.core.refunds.outcomes import A_MINUTE, DONE
from tests.core.refunds.refund_rows import (
    FakeGateway,
    Killed,
    by_card,
    get_refund,
    request,
)

pytestmark = pytest.mark.on_postgresql
HOURS = timedelta(hours=3)
A_LITTLE = timedelta(seconds=5)


def _set_clock(monkeypatch: pytest.MonkeyPatch, ahead: timedelta) -> None:
    """Let this machine's clock be wrong."""
    right = time.time
    monkeypatch.setattr(time, "time", lambda: right() + ahead.total_seconds())


@pytest.mark.parametrize("ahead", [HOURS, -HOURS, timedelta(seconds=40)])
def test_a_wrong_clock_is_corrected_by_that_of_the_database(
    database: str, monkeypatch: pytest.MonkeyPatch, ahead: timedelta
) -> None:
    with monkeypatch.context() as wrong:
        _set_clock(wrong, ahead)
        found = storage.current_time()
        asked = storage.database_time(datetime(2026, 3, 1, tzinfo=UTC) + ahead)
    assert abs(found - datetime.now(UTC)) < A_LITTLE
    assert abs(asked - datetime(2026, 3, 1, tzinfo=UTC)) < A_LITTLE


def test_a_right_clock_is_not_corrected(database: str) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    assert storage.database_time(now) is now


@pytest.mark.parametrize("ahead", [HOURS, -HOURS])
def test_a_worker_with_a_wrong_clock_blocks_nobody(
    card_item: str, monkeypatch: pytest.MonkeyPatch, ahead: timedelta
) -> None:
    request(card_item, gateways={})
    with monkeypatch.context() as wrong:
        _set_clock(wrong, ahead)
        with pytest.raises(Killed):
            settle_due(now=storage.current_time(), gateways=by_card(FakeGateway(Killed())))
    lease = get_refund(card_item).lease_until
    assert lease is not None
    assert abs(lease - datetime.now(UTC) - A_MINUTE) < A_LITTLE
    due = storage.current_time() + A_MINUTE
    assert settle_due(now=due, gateways=by_card(FakeGateway(DONE))) == 1


def test_by_its_own_clock_it_would(card_item: str) -> None:
    request(card_item, gateways={})
    with pytest.raises(Killed):
        settle_due(now=datetime.now(UTC) + HOURS, gateways=by_card(FakeGateway(Killed())))
    due = storage.current_time() + A_MINUTE
    assert settle_due(now=due, gateways=by_card(FakeGateway(DONE))) == 0


def test_a_machine_with_a_wrong_clock_sees_the_heartbeat_of_another(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUN_WORKER", "false")
    worker.get_settings.cache_clear()
    worker._store_heartbeat(storage.current_time())
    with monkeypatch.context() as wrong:
        _set_clock(wrong, HOURS)
        assert worker.find_fault(datetime.fromtimestamp(time.time(), UTC)) is None
    monkeypatch.undo()
    worker.get_settings.cache_clear()
