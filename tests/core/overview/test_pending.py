"""The figures of a snapshot whose last changes are not counted yet are those of its rows."""

import random
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import func, select, update

from core import storage
from core.access import Actor
from core.ground import Role
from core.overview import Period, counting, pending
from core.overview.pending import find_changed
from core.overview.sums import KeyedSums, sum_up_each
from core.storage import FIGURE_CHANGES, Dimension, NotOnStandby, OrderItem
from tests.effort import some
from tests.rows import make_contract, make_item, make_order, make_refund
from tests.statements import noted_statements

pytestmark = pytest.mark.both_databases
CONTRACTS = ["CT-1", "CT-2", "CT-3"]
ACTORS = [
    Actor("all", "all@desk.example", Role.ADMIN, sees_all_contracts=True),
    Actor("some", "some@desk.example", Role.ADMIN, contracts=frozenset(CONTRACTS[:2])),
]
PERIODS = [
    Period(),
    Period(date(2026, 1, 15), date(2026, 10, 20)),
    Period(date(2026, 3, 1), date(2026, 3, 31)),
    Period(date(2026, 3, 29), date(2026, 3, 29)),
]
DAYS = [(1, 14), (1, 15), (3, 1), (3, 29), (3, 31), (10, 20), (10, 25)]
TIMES = [datetime(2026, *day, hour, tzinfo=UTC) for day in DAYS for hour in (0, 12, 23)]
KEYS = {
    Dimension.CHANNEL: ["day", "contract_id", "value", "currency"],
    Dimension.PRODUCT_TYPE: ["day", "value", "currency"],
    Dimension.AIRPORT: ["value"],
    Dimension.REASON: ["day", "value", "currency"],
}


def _add_up() -> list[set[str]]:
    """Add up every dimension for each actor, in a snapshot in which nothing is counted again."""
    with storage.reading() as session:
        changed = find_changed(session)
        return [
            _without_zeros(sums)
            for actor in ACTORS
            for one, keys in KEYS.items()
            for sums in sum_up_each(session, one, PERIODS, actor=actor, keys=keys, changed=changed)
        ]


def _without_zeros(found: KeyedSums) -> set[str]:
    return {f"{key} {sums}" for key, sums in found if any(sums)}


def _change(draw: random.Random) -> None:
    """Sell an item on some day; at times, refund one on another day."""
    contract, created = draw.choice(CONTRACTS), draw.choice(TIMES)
    about: dict[str, Any] = {"contract_id": contract, "created_at": created}
    order = make_order(**about, widget_id=draw.choice([None, "W-1"]))
    item = make_item(order, **about, product_type=draw.choice(["lounge", "fast_track"]))
    if draw.random() < 0.4:
        make_refund(item, settled_at=draw.choice(TIMES), contract_id=contract)
        refunded = {"status": "refunded", "refunded_at": created}
        with storage.writing() as session:
            mine = OrderItem.order_item_id == item
            session.execute(update(OrderItem).where(mine).values(refunded))


def _queued() -> int:
    with storage.reading() as session:
        return session.execute(select(func.count()).select_from(FIGURE_CHANGES)).scalar_one()


@pytest.mark.on_postgresql
def test_counting_again_waits_for_no_standby(database: str) -> None:
    make_item(make_order())
    with noted_statements() as seen:
        counting.refresh_figures()
    asked = [statement for statement, _ in seen]
    assert "SET LOCAL synchronous_commit TO off" in asked
    assert any(one.startswith("DELETE FROM figure_changes") for one in asked)


def test_changed_days_are_counted_from_the_rows(database: str) -> None:
    draw = random.Random(7)
    for contract in CONTRACTS:
        make_contract(contract)
    counting.refresh_figures()
    for _ in range(some(3, 20)):
        for _ in range(draw.randint(1, 8)):
            _change(draw)
        assert _queued()
        found = _add_up()
        assert _queued()
        counting.refresh_figures()
        assert not _queued()
        assert found == _add_up()
    assert found[0]


def test_without_that_the_stored_figures_would_be_out_of_date(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting.refresh_figures()
    _change(random.Random(7))
    found = _add_up()
    monkeypatch.setattr(counting, "changed_days", lambda _: {})
    assert found != _add_up()


def test_too_many_changed_days_need_the_primary(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting.refresh_figures()
    _change(random.Random(7))
    monkeypatch.setattr(pending, "MAX_DAYS", 0)
    with pytest.raises(NotOnStandby):
        _add_up()


def test_figures_that_were_never_counted_need_the_primary(database: str) -> None:
    with storage.writing() as session:
        counting.invalidate_figures(session)
    with pytest.raises(NotOnStandby):
        _add_up()
