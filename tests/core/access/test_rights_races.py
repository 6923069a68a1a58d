"""A request, and an admin who takes the right away at the same time: one comes first."""

import io
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select, update

from core import access, excel, imports, mail, refunds, storage, vouchers
from core.access import Actor, rights
from core.access.actors import find_actor
from core.access.rights import AccessLost
from core.ground import AppError, OutsideFailed, Permission, Role
from core.imports.progress import Progress
from core.storage import Delivery, OrderItem, Refund, User, new_id
from core.tables import ORDERS
from core.views import default_view
from tests.conftest import NOW, Fill
from tests.core.access.use_cases import Shop, make_shop, take_away
from tests.core.mail.mailing import ZOE
from tests.core.refunds.refund_races import UNSETTLED, at_once, count_double_refunds, guarded, race
from tests.core.refunds.refund_rows import settings
from tests.core.refunds.sold_items import sell
from tests.core.refusals import refusals
from tests.core.waiting import start_and_wait
from tests.effort import some
from tests.rows import make_actor

pytestmark = pytest.mark.both_databases

THREADS = 32
LIMITS = ("refunds_per_hour", "emails_per_hour", "exported_rows_per_hour")
NO_LIMIT: dict[str, object] = {}
LIMITED: dict[str, object] = dict.fromkeys(LIMITS, 1_000_000)


@pytest.fixture
def shop(database: str, tmp_path: Path, filled_once: Fill) -> Shop:
    """Store a shop."""
    return make_shop(tmp_path, filled_once)


@pytest.fixture(params=[NO_LIMIT, LIMITED], ids=["no limit", "limits"])
def limits(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run the test without hourly limits, and with limits that are not reached."""
    with settings(**request.param):
        yield


def hold_item(session: Any) -> None:
    """Lock the item, so that requests for it wait (PostgreSQL)."""
    is_it = OrderItem.order_item_id.in_(("FINE", "REFUNDABLE"))
    session.execute(select(OrderItem).where(is_it).with_for_update())


def deactivate_in(session: Any, actor: Actor) -> None:
    mine = update(User).where(User.user_id == actor.user_id)
    session.execute(mine.values(is_active=False))


CLICKS: dict[str, Callable[[Shop], object]] = {
    "refund": lambda s: refunds.request(
        ["REFUNDABLE"], reason="goodwill", key="k", actor=s.agent, now=NOW, gateways={}
    ),
    "send": lambda s: mail.send(["FINE"], [ZOE], message=None, key="k", actor=s.agent, now=NOW),
    "download": lambda s: vouchers.issue(
        ["FINE"], s.file, file_format="pdf", actor=s.agent, now=NOW
    ),
}


def traces(shop: Shop) -> tuple[int, int, int]:
    """Count the effects of the requests: refunds, e-mails, downloaded bytes."""
    with storage.reading() as session:
        asked = session.scalars(select(Refund.refund_id)).all()
        queued = session.scalars(select(Delivery.delivery_id)).all()
    return len(asked) - 3, len(queued) - 1, len(shop.file.getvalue())


@pytest.mark.usefixtures("limits")
@pytest.mark.parametrize("click", CLICKS)
def test_a_waiting_request_is_refused_if_the_deactivation_came_first(
    shop: Shop, click: str
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with storage.writing() as session:
            deactivate_in(session, shop.agent)
            hold_item(session)
            clicked = start_and_wait(pool, lambda: CLICKS[click](shop), waiting=1)
        assert type(clicked.exception()) is AccessLost
    assert traces(shop) == (0, 0, 0)
    assert len(refusals()) == 1


@pytest.mark.parametrize("click", CLICKS)
def test_without_the_guard_a_waiting_request_succeeds_after_the_deactivation(
    shop: Shop, click: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rights, "_confirm", lambda _session, actor, *_: actor)
    with ThreadPoolExecutor(1) as pool:
        with storage.writing() as session:
            deactivate_in(session, shop.agent)
            hold_item(session)
            clicked = start_and_wait(pool, lambda: CLICKS[click](shop), waiting=1)
        clicked.result()
    assert sum(traces(shop)) > 0
    assert find_actor(shop.agent.user_id) is None


@pytest.mark.usefixtures("limits")
@pytest.mark.parametrize("click", CLICKS)
def test_a_deactivation_waits_for_a_request_that_came_first(shop: Shop, click: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        with storage.writing() as session:
            hold_item(session)
            clicked = start_and_wait(pool, lambda: CLICKS[click](shop), waiting=1)
            taken = start_and_wait(pool, lambda: take_away(shop.agent, is_active=False), waiting=2)
        clicked.result()
        taken.result()
    assert sum(traces(shop)) > 0
    assert find_actor(shop.agent.user_id) is None
    assert refusals() == []


# One user in many tabs.


def test_requests_from_many_tabs_of_one_user_never_deadlock(shop: Shop, limits: None) -> None:
    def act(thread: int) -> list[str]:
        asked: dict[str, Any] = {"actor": shop.agent, "now": NOW}
        items = ["FINE", "REFUNDABLE"]
        acts: list[Callable[[], object]] = [
            lambda: refunds.request(items, reason="goodwill", key=new_id(), **asked),
            lambda: mail.send(items, [ZOE], message=None, key=new_id(), **asked),
            lambda: vouchers.issue(items, io.BytesIO(), file_format="zip", **asked),
            lambda: excel.export(default_view(ORDERS), io.BytesIO(), **asked),
        ]
        failures = []
        for number in range(4):
            try:
                acts[(thread + number) % 4]()
            except OutsideFailed as error:
                failures.append(str(error))
            except AppError:
                pass  # the items are refunded already
        return failures

    assert [one for failed in at_once(THREADS, act) for one in failed] == []
    assert count_double_refunds() == 0


@pytest.mark.on_postgresql  # SQLite locks no rows
def test_upgrading_a_lock_in_the_transaction_deadlocks_two_tabs(database: str) -> None:
    agent, both_share = make_actor(), Barrier(2)

    def count_late(_tab: int) -> bool:
        mine = update(User).where(User.user_id == agent.user_id)
        try:
            with rights.changing(agent, Permission.REFUND) as (session, _):
                both_share.wait()
                session.execute(mine.values(is_active=User.is_active))
        except OutsideFailed:
            return False
        return True

    assert sorted(at_once(2, count_late)) == [False, True]


def _count_refunds() -> int:
    with storage.reading() as session:
        return session.scalar(select(func.count()).select_from(Refund)) or 0


def test_a_user_can_be_deactivated_while_many_of_their_tabs_refund(database: str) -> None:
    agent, items = make_actor(), sell(some(250, 600))
    with ThreadPoolExecutor(1) as pool:
        asked = {"threads": THREADS, "requests": some(12, 40)}
        racing = pool.submit(race, guarded(agent, UNSETTLED), items, **asked)
        while _count_refunds() < THREADS:
            time.sleep(0.005)
        take_away(agent, is_active=False)
        granted = _count_refunds()
        run = racing.result()
    assert {type(error) for error in run.errors} == {AccessLost}
    assert 0 < granted == run.granted.total()


@pytest.mark.on_postgresql  # SQLite has one queue
def test_requests_of_a_user_do_not_overtake_an_admin_who_waits(database: str) -> None:
    agent = make_actor()

    def click() -> None:
        with rights.changing(agent, Permission.REFUND):
            pass

    with ThreadPoolExecutor(2) as pool:
        with rights.changing(agent, Permission.REFUND):
            taken = start_and_wait(pool, lambda: take_away(agent, is_active=False), waiting=1)
            clicked = start_and_wait(pool, click, waiting=2)
        taken.result()
        assert type(clicked.exception()) is AccessLost


@pytest.mark.on_postgresql
def test_a_shared_row_lock_alone_overtakes_the_admin(database: str) -> None:
    agent = make_actor()
    mine = select(User).where(User.user_id == agent.user_id)
    with ThreadPoolExecutor(1) as pool:
        with rights.changing(agent, Permission.REFUND):
            taken = start_and_wait(pool, lambda: take_away(agent, is_active=False), waiting=1)
            with storage.writing() as session:
                assert session.scalars(mine.with_for_update(read=True)).one().is_active
            assert not taken.done()
        taken.result()


# Admins.


def test_admins_who_deactivate_each_other_do_not_all_succeed(database: str) -> None:
    admins = [make_actor(Role.ADMIN) for _ in range(8)]
    gone = access.Rights(Role.ADMIN, sees_all_contracts=True, is_active=False)

    def deactivate_others(number: int) -> list[Exception]:
        failures: list[Exception] = []
        for step in range(1, len(admins)):
            other = admins[(number + step) % len(admins)]
            try:
                access.change_user(other.user_id, rights=gone, actor=admins[number], now=NOW)
            except AccessLost as error:
                failures.append(error)
        return failures

    at_once(len(admins), deactivate_others)
    assert len([one for one in admins if find_actor(one.user_id)]) == 1


# Imports.


@pytest.mark.on_postgresql  # SQLite has one writer
def test_a_counted_refund_that_waits_for_an_import_of_the_same_user_does_not_abort_it(
    shop: Shop,
) -> None:
    chief = replace(shop.chief)
    with settings(**LIMITED), ThreadPoolExecutor(1) as pool:
        clicked: list[Any] = []

        def click() -> object:
            return refunds.request(
                ["REFUNDABLE"], reason="goodwill", key="k", actor=chief, now=NOW, gateways={}
            )

        def report(phase: str, _share: float) -> None:
            if phase == "Saving":
                clicked.append(start_and_wait(pool, click, waiting=1))

        path = shop.folder / "new.xlsx"
        imports.import_files([path], actor=chief, now=NOW, progress=Progress(report))
        assert clicked[0].result().requested


@pytest.mark.on_postgresql
def test_with_a_stronger_lock_it_would_abort_the_import(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rights, "_FOR_KEY_SHARE", rights._FOR_SHARE)
    with pytest.raises(OutsideFailed):
        test_a_counted_refund_that_waits_for_an_import_of_the_same_user_does_not_abort_it(shop)
