"""A worker on a machine with a wrong clock leases refunds by the clock of the database."""

from datetime import UTC, datetime, timedelta

import pytest

from core import storage
from core.refunds import settle_due
from tests.core.refunds.outcomes import A_MINUTE, DONE
from tests.core.refunds.refund_rows import FakeGateway, Killed, by_card, get_refund, request
from tests.core.wrong_clock import set_clock

pytestmark = pytest.mark.on_postgresql
HOURS = timedelta(hours=3)
A_LITTLE = timedelta(minutes=2)  # a busy machine takes its time


@pytest.mark.parametrize("ahead", [HOURS, -HOURS])
def test_a_worker_with_a_wrong_clock_blocks_nobody(
    card_item: str, monkeypatch: pytest.MonkeyPatch, ahead: timedelta
) -> None:
    request(card_item, gateways={})
    with monkeypatch.context() as wrong:
        set_clock(wrong, ahead)
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
