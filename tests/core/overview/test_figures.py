"""The daily figures always equal their rows, and each figure leads to its rows."""

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update

from core import demo, overview, query, startup, storage, upkeep
from core.access import Actor
from core.ground import NotPermitted, Role, next_day, start_of_day
from core.imports.outcome import Outcome
from core.overview import PERIODS, Overview, Period, Question
from core.overview.days import bounds, day_expression, day_of
from core.refunds.gateway import Failed, Succeeded
from core.storage import DAILY_FIGURES, FIGURE_CHANGES, AuditEvent, Order, OrderItem, Refund
from tests.conftest import NOW, use_database
from tests.core.imports.imported import Sheets, plain
from tests.core.query.random_views import ACTORS
from tests.core.random_rows import CONTRACTS, CURRENCIES, ZONES, fill
from tests.core.refunds.refund_rows import (
    AGENT,
    FakeGateway,
    by_card,
    make_card_order,
    make_paid_order,
    make_refundable,
    request,
    settings,
)
from tests.effort import share, some
from tests.rows import make_item, make_order, store_user

pytestmark = pytest.mark.both_databases

ALL = Period()
NOBODY = Actor("none", "none@desk.example", Role.VIEWER)
OWN_OF_ONE = Actor(
    "own1", "ana@helios.example", Role.VIEWER, contracts=frozenset({"CT-1"}), only_own_orders=True
)
DAYS = st.dates(date(2026, 3, 20), date(2026, 11, 5))
PERIODS_DRAWN = st.one_of(
    st.just(ALL),
    st.tuples(DAYS, DAYS).map(lambda ends: Period(min(ends), max(ends))),
    st.sampled_from(
        [choose(date(2026, 4, 3)) for _, choose in PERIODS.values()]
        + [Period(date(2026, 3, 29), date(2026, 3, 29)), Period(date(2025, 1, 1), date(2027, 1, 1))]
    ),
)


def check(question: Question, actor: Actor, now: datetime = NOW) -> Overview:
    """Compare every figure with the count and the total of its view."""
    found = overview.load_overview(question, actor=actor, now=now)
    for one in found.every_figure:
        words = (question, actor, one.view.in_words())
        assert one.count == query.count_rows(one.view, actor=actor, now=now), words
        totals = query.load_totals(one.view, actor=actor, now=now)
        others = {currency: minor for currency, minor in totals.items() if minor}
        expected = {question.currency: one.amount_minor} if one.amount_minor else {}
        assert others == expected, words
    _check_whole(found)
    return found


def _check_whole(found: Overview) -> None:
    """Check that no row is missing in a plot: its bars add up to the figure above."""
    for name, whole in (("orders", found.orders), ("items", found.items)):
        parts = [getattr(one, name) for one in found.time_steps]
        assert sum(part.count for part in parts) == whole.count
        assert sum(part.amount_minor for part in parts) == whole.amount_minor
    steps = [one.rows for one in found.refund_steps]
    assert sum(step.count for step in steps) == found.refunds.count
    assert sum(step.amount_minor for step in steps) == found.refunds.amount_minor
    for groups, whole in (
        (found.by_reason, found.refunds),
        (found.by_contract, found.orders),
        (found.by_channel, found.orders),
        (found.by_product_type, found.items),
        (found.by_airport, found.items),
    ):
        assert sum(one.rows.count for one in groups) == whole.count
        assert sum(one.rows.amount_minor for one in groups) == whole.amount_minor


def check_everything(actor: Actor, now: datetime = NOW) -> None:
    """Check questions about contracts, for all time and for the days around now."""
    pairs = overview.load_contract_currencies(actor=actor)
    each = sorted({(one.contract_id, one.currency) for one in pairs})
    for contract_id, currency in each[: some(3, len(each))]:
        check(Question(ALL, currency, contract_id), actor, now)
        check(Question(Period(date(2026, 9, 9), date(2026, 11, 30)), currency), actor, now)


# Every figure leads to its rows.


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, make_database: Callable[[str], str]) -> str:
    return fill(make_database(request.param))


@share(0.1)
@given(
    zone=st.sampled_from(ZONES),
    period=PERIODS_DRAWN,
    currency=st.sampled_from(CURRENCIES),
    contract_id=st.none() | st.sampled_from(CONTRACTS),
    actor=st.sampled_from([ACTORS[0], *ACTORS, OWN_OF_ONE, NOBODY]),
)
def test_every_figure_is_the_count_and_total_of_the_view_it_leads_to(
    filled: str,
    zone: str,
    period: Period,
    currency: str,
    contract_id: str | None,
    actor: Actor,
) -> None:
    use_database(filled)
    with settings(report_zone=zone):
        now = datetime(2026, 3, 28, 12, tzinfo=UTC)
        found = check(Question(period, currency, contract_id), actor, now)
    if actor is NOBODY:
        assert found.orders.count == found.items.count == 0
        assert overview.load_contract_currencies(actor=actor) == []


def test_figures_of_own_orders_equal_the_stored_figures(database: str, admin: Actor) -> None:
    demo.fill(300, actor=admin, now=NOW)
    with storage.reading() as session:
        author = session.scalars(select(Order.author).where(Order.currency == "EUR").limit(1)).one()
    own = Actor("own", author, Role.VIEWER, sees_all_contracts=True, only_own_orders=True)
    everything = check(Question(ALL, "EUR"), admin)
    mine = check(Question(ALL, "EUR"), own)
    assert 0 < mine.orders.count < everything.orders.count
    with storage.writing() as session:
        session.execute(update(Order).values(author_folded=author))
    assert check(Question(ALL, "EUR"), own) == everything


def test_contracts_and_currencies_are_those_that_the_actor_sees(
    database: str, admin: Actor
) -> None:
    make_order("OD-1", contract_id="CT-1", author="ana@helios.example")
    make_order("OD-2", contract_id="CT-2", currency="JPY")
    make_order("OD-3", contract_id="CT-2", currency="JPY", author="bob")
    one = Actor("one", "one@desk.example", Role.VIEWER, contracts=frozenset({"CT-2"}))
    own = Actor("own", "Ana@helios.example", Role.VIEWER, True, frozenset(), only_own_orders=True)
    pairs = {
        actor.user_id: [
            (one.contract_id, one.currency, one.orders)
            for one in overview.load_contract_currencies(actor=actor)
        ]
        for actor in (admin, one, own)
    }
    assert pairs == {
        admin.user_id: [("CT-1", "EUR", 1), ("CT-2", "JPY", 2)],
        "one": [("CT-2", "JPY", 2)],
        "own": [("CT-1", "EUR", 1), ("CT-2", "JPY", 1)],
    }


def test_two_currencies_are_never_added(database: str, admin: Actor) -> None:
    make_order("OD-1", amount_minor=1000)
    make_order("OD-2", amount_minor=7, currency="JPY")
    assert check(Question(ALL, "EUR"), admin).orders.amount_minor == 1000
    assert check(Question(ALL, "JPY"), admin).orders.amount_minor == 7


def test_value_at_risk_looks_ahead_and_ignores_the_period(database: str, admin: Actor) -> None:
    make_order("OD-1")
    usual = {"valid_until": NOW + timedelta(days=90), "price_minor": 1000}
    for hours in (-1, 1, 24, 25, 24 * 7, 24 * 7 + 1):
        make_item("OD-1", refund_expire_at=NOW + timedelta(hours=hours), **usual)
    make_item("OD-1", refund_expire_at=NOW + timedelta(hours=2), **usual | {"valid_until": NOW})
    for other in ({"is_refundable": False}, {"status": "used"}, {"currency": "JPY"}):
        make_item("OD-1", refund_expire_at=NOW + timedelta(hours=2), **usual | other)
    last_week = Period(date(2020, 1, 1), date(2020, 1, 7))
    for question in (Question(ALL, "EUR"), Question(last_week, "EUR", "CT-1")):
        at_risk = check(question, admin).at_risk
        assert {soon: one.count for soon, one in at_risk.items()} == {"24 hours": 3, "7 days": 5}


# The figures follow every change of the rows.


def _some_order(drawn: random.Random, make: Callable[..., str] = make_order) -> None:
    given = {
        "contract_id": drawn.choice(["CT-1", "CT-2"]),
        "created_at": NOW - timedelta(seconds=drawn.randrange(200 * 86_400)),
        "currency": drawn.choice(["EUR", "JPY"]),
    }
    item = {
        "product_type": drawn.choice(["lounge", "fast_track"]),
        "airport_iata": drawn.choice(["LHR", "JFK"]),
        "refund_expire_at": NOW + timedelta(hours=drawn.randrange(200)),
    }
    number, widget = drawn.randrange(10**9), drawn.choice([None, "W"])
    make_refundable(make(f"OD-{number}", widget_id=widget, **given), **given, **item)


def _some_refunds(drawn: random.Random) -> None:
    agent = Actor("ana", "ana@helios.example", Role.AGENT, sees_all_contracts=True)
    with storage.reading() as session:
        ids = list(session.scalars(select(OrderItem.order_item_id).limit(50)))
    answer = drawn.choice((Succeeded("re_1"), Failed("No.")))
    ticked = drawn.sample(ids, min(4, len(ids)))
    key = f"key-{drawn.randrange(10**9)}"
    request(*ticked, key=key, actor=agent, gateways=by_card(FakeGateway(answer)))


def _by_hand(drawn: random.Random) -> None:
    """Change rows directly in the database, as Order Desk never does."""
    at = NOW - timedelta(seconds=drawn.randrange(200 * 86_400))
    item, order, refund = OrderItem.order_item_id, Order.order_id, Refund.refund_id
    key, change = drawn.choice(
        (
            (order, update(Order).values(widget_id=None, created_at=at, amount_minor=1)),
            (item, update(OrderItem).values(created_at=at, airport_iata="AKL")),
            (item, update(OrderItem).values(price_minor=7, product_type="delay_care")),
            (item, update(OrderItem).values(contract_id="CT-1", currency="GBP")),
            (refund, update(Refund).values(settled_at=at, reason="other")),
            (refund, update(Refund).values(amount_minor=7, contract_id="CT-2")),
        )
    )
    with storage.writing() as session:
        some = list(session.scalars(select(key).limit(3)))
        session.execute(change.where(key.in_(some)))


def _deletion(drawn: random.Random) -> None:
    with storage.writing() as session:
        is_free = OrderItem.order_item_id.not_in(select(Refund.order_item_id))
        item = session.scalars(select(OrderItem.order_item_id).where(is_free).limit(1)).first()
        session.execute(delete(OrderItem).where(OrderItem.order_item_id == item))


@pytest.mark.parametrize("seed", range(some(1, 6)))
def test_after_any_sequence_of_changes_the_figures_equal_the_rows(
    database: str, admin: Actor, seed: int, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    drawn = random.Random(seed)

    def import_one(drawn: random.Random) -> None:
        number = f"I{drawn.randrange(10**9)}"
        no = drawn.randrange(10**6, 10**9)
        made = f"2026-{drawn.randrange(1, 12):02}-01 00:30"
        order = {"Order ID": number, "No": no, "Created Date": made}
        item = {"Order ID": number, "No": no, "Order Item ID": f"{number}-1"}
        one = plain()
        one["Orders"][0] |= order
        one["Order Items"][0] |= item
        import_sheets(one)

    def rebuild(_: random.Random) -> None:
        overview.rebuild_figures(actor=admin, now=NOW)

    steps = [_some_order, _some_order, _some_refunds, _by_hand, _deletion, import_one, rebuild]
    for make in (make_paid_order, make_card_order) * 3:  # the ledger gives refunds their numbers
        _some_order(drawn, make)
    for _ in range(some(4, 8)):
        for _ in range(drawn.randrange(1, 4)):
            drawn.choice(steps)(drawn)
        check_everything(admin)
        kept = _kept()
        overview.rebuild_figures(actor=admin, now=NOW)
        assert _kept() == kept


def _kept() -> list[tuple[object, ...]]:
    with storage.reading() as session:
        return sorted(tuple(row) for row in session.execute(select(DAILY_FIGURES)))


def _queued() -> int:
    with storage.reading() as session:
        return session.scalar(select(func.count()).select_from(FIGURE_CHANGES)) or 0


def test_a_refund_changes_the_figures_of_the_day_its_item_was_made(
    database: str, admin: Actor
) -> None:
    make_paid_order()
    item = make_refundable()
    question = Question(Period(date(2026, 3, 1), date(2026, 3, 1)), "EUR")
    assert check(question, admin).refunded.count == 0
    request(item)
    found = check(question, admin)
    assert (found.refunded.count, found.refunded.amount_minor) == (1, 3800)
    assert found.refunds.count == 0  # it is of another day
    on_that_day = check(Question(Period(NOW.date(), NOW.date()), "EUR"), admin)
    assert (on_that_day.refunds.count, on_that_day.refunds.amount_minor) == (1, 3800)
    assert overview.rate(found.refunded, found.items) == 1
    assert _queued() == 0


def test_a_change_that_is_rolled_back_queues_nothing(database: str) -> None:
    make_order("OD-1")
    overview.refresh_figures()
    with suppress(ZeroDivisionError), storage.writing() as session:
        session.execute(update(Order).values(amount_minor=5))
        raise ZeroDivisionError
    assert _queued() == 0


def test_a_change_during_a_count_is_counted_by_the_next_read(database: str, admin: Actor) -> None:
    make_order("OD-1")
    question = Question(ALL, "EUR")
    assert check(question, admin).orders.count == 1
    make_order("OD-2")
    assert _queued() == 1
    assert check(question, admin).orders.count == 2


# The zone.


@pytest.mark.parametrize("zone", ZONES)
def test_days_in_sql_are_the_days_of_views(database: str, zone: str) -> None:
    place, first, last = ZoneInfo(zone), date(2026, 1, 1), date(2026, 12, 31)
    edges = {start_of_day(day, place) for day in (first, last, *_change_days(place))}
    moments = [at + timedelta(seconds=s) for at in sorted(edges) for s in (-1, 0, 1, 3599, 7200)]
    for number, at in enumerate(moments):
        make_order(f"OD-{number}", created_at=at)
    since, before = bounds(place, first, last)
    with storage.reading() as session:
        day = day_expression(session, Order.created_at, place, (first, last))
        inside = (Order.created_at >= since, Order.created_at < before)
        rows = session.execute(select(Order.created_at, day).where(*inside)).all()
    assert len(rows) > 5
    for at, found in rows:
        assert found == day_of(at, place)
        assert start_of_day(found, place) <= at < start_of_day(next_day(found), place)


def _change_days(zone: ZoneInfo) -> list[date]:
    """Return the days around every clock change of 2026."""
    days = [date(2026, 1, 2) + timedelta(days=n) for n in range(362)]
    return [
        near
        for day in days
        if start_of_day(next_day(day), zone) - start_of_day(day, zone) != timedelta(days=1)
        for near in (day, next_day(day))
    ]


def test_a_new_report_zone_recounts_every_figure(database: str, admin: Actor) -> None:
    make_order("OD-1", created_at=datetime(2026, 3, 1, 23, 30, tzinfo=UTC))
    second = Question(Period(date(2026, 3, 2), date(2026, 3, 2)), "EUR")
    assert check(second, admin).orders.count == 0
    with settings(report_zone="Asia/Tokyo"):
        startup.prepare(NOW, may_fill=False)
        assert check(second, admin).orders.count == 1
    assert check(second, admin).orders.count == 0


# Whole databases.


def test_demo_data_comes_with_its_figures(database: str, admin: Actor) -> None:
    demo.fill(60, actor=admin, now=NOW)
    assert _queued() == 0
    assert _kept()
    check_everything(admin)


@pytest.mark.parametrize("kinds", [("sqlite", "postgresql"), ("postgresql", "sqlite")])
def test_a_copy_has_the_figures_of_its_rows(
    kinds: tuple[str, str], desks: Callable[[str], str]
) -> None:
    source, target = map(desks, kinds)
    fill(source)
    overview.refresh_figures()
    kept = _kept()
    upkeep.copy_to(target)
    use_database(target)
    assert (_kept(), _queued()) == (kept, 0)


def test_the_start_counts_figures_that_do_not_exist_yet(database: str, admin: Actor) -> None:
    fill(database)
    with storage.writing() as session:
        overview.invalidate_figures(session)
        session.execute(delete(FIGURE_CHANGES))
    startup.prepare(NOW, may_fill=False)
    assert _kept()
    check_everything(admin)


def test_rebuilding_needs_the_right_to_import_and_is_audited(database: str, admin: Actor) -> None:
    make_order("OD-1")
    with pytest.raises(NotPermitted):
        overview.rebuild_figures(actor=store_user(AGENT), now=NOW)
    assert overview.rebuild_figures(actor=admin, now=NOW) == 2  # a day and its month
    with storage.reading() as session:
        actions = set(session.scalars(select(AuditEvent.action)))
    assert "figures.rebuilt" in actions
