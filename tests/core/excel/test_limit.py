"""EXPORTED_ROWS_PER_HOUR limits the rows that one person exports to Excel in an hour."""

import io
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from core import excel, refunds, storage
from core.access import Actor
from core.excel.limit import TooManyRows
from core.ground import get_settings
from core.storage import AuditEvent
from core.tables import ORDERS
from core.views import default_view
from tests.conftest import NOW
from tests.core.refunds.refund_rows import make_paid_order, make_refundable, request
from tests.rows import make_item, make_order

AN_HOUR, A_SECOND = timedelta(hours=1), timedelta(seconds=1)


@pytest.fixture
def limit(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Store three orders (the first has two items); return a function that sets the limit."""
    first = make_paid_order("OD-1")
    make_item(first)
    make_item(first)
    make_order()
    make_order()

    def set_to(rows: int) -> None:
        monkeypatch.setenv("EXPORTED_ROWS_PER_HOUR", str(rows))
        get_settings.cache_clear()

    yield set_to
    get_settings.cache_clear()


def export_orders(actor: Actor, *, at: timedelta = timedelta()) -> int:
    return excel.export(default_view(ORDERS), io.BytesIO(), actor=actor, now=NOW + at)


def export_order(file: io.BytesIO, actor: Actor) -> None:
    excel.export_order("OD-1", file, actor=actor, now=NOW, zone="UTC")


def exports() -> list[str]:
    """Return the exports in the audit trail."""
    with storage.reading() as session:
        actions = session.scalars(select(AuditEvent.action))
        return sorted(one for one in actions if one.endswith(".exported"))


def test_over_the_limit_nothing_is_exported(limit: Callable[[int], None], admin: Actor) -> None:
    limit(5)
    assert export_orders(admin) == 3
    file = io.BytesIO()
    with pytest.raises(TooManyRows) as refusal:
        excel.export(default_view(ORDERS), file, actor=admin, now=NOW)
    assert str(refusal.value) == (
        "You can export 5 rows per hour. You exported 3 in the last hour, and this export has 3. "
        "Filter for fewer rows, or try again later. Nothing was exported."
    )
    assert file.getvalue() == b""
    assert exports() == ["orders.exported"]


def test_an_orders_workbook_and_the_results_of_refunds_count_too(
    limit: Callable[[int], None], admin: Actor
) -> None:
    batch_id = request(make_refundable("OD-1"), actor=admin).batch_id
    limit(10)
    export_order(io.BytesIO(), admin)  # 3 items; their payment and refund; who refunded it why
    refunds.export_results(batch_id, io.BytesIO(), actor=admin, now=NOW, zone="UTC")
    file = io.BytesIO()
    with pytest.raises(TooManyRows, match=r"You exported 7 .* this export has 6\."):
        export_order(file, admin)
    assert export_orders(admin) == 3
    with pytest.raises(TooManyRows, match=r"this export has 1\."):
        refunds.export_results(batch_id, file, actor=admin, now=NOW, zone="UTC")
    assert file.getvalue() == b""
    assert exports() == ["order.exported", "orders.exported", "refunds.exported"]


def test_the_limit_counts_one_person_and_one_hour(
    limit: Callable[[int], None], admin: Actor
) -> None:
    limit(3)
    export_orders(admin)
    export_orders(replace(admin, email="else@desk.example"))
    with pytest.raises(TooManyRows):
        export_orders(admin, at=AN_HOUR - A_SECOND)
    assert export_orders(admin, at=AN_HOUR) == 3


@pytest.mark.both_databases
def test_exports_at_the_same_moment_share_the_limit(
    limit: Callable[[int], None], admin: Actor
) -> None:
    limit(7)
    at_once = threading.Barrier(4)

    def ask(_turn: int) -> int:
        at_once.wait()
        try:
            return export_orders(admin)
        except TooManyRows:
            return 0

    with ThreadPoolExecutor(4) as people:
        assert sum(people.map(ask, range(4))) == 6
    assert exports() == ["orders.exported"] * 2


def test_without_the_setting_there_is_no_limit(limit: Callable[[int], None], admin: Actor) -> None:
    assert [export_orders(admin) for _ in range(5)] == [3] * 5
