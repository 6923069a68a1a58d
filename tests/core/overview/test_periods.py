"""The periods of Overview, and the period that each one is compared with."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import overview
from core.access import Actor
from core.overview import PERIODS, Period, Question, growth
from core.overview.sums import Sums
from tests.conftest import NOW
from tests.rows import make_item, make_order

DAYS = st.dates(date(2000, 1, 1), date(2100, 12, 31))


def days(name: str, today: date) -> tuple[date | None, date | None]:
    period = PERIODS[name][1](today)
    return period.first, period.last


def before(name: str, today: date) -> tuple[date | None, date | None]:
    compared = PERIODS[name][1](today).compared_with
    assert compared is not None
    return compared.first, compared.last


@given(today=DAYS)
def test_each_period_comes_right_after_the_one_it_is_compared_with(today: date) -> None:
    for name, (_, choose) in PERIODS.items():
        period = choose(today)
        compared = period.compared_with
        if name == "all":
            assert compared is None
            continue
        assert compared is not None
        assert period.first is not None
        assert compared.first is not None
        assert compared.last is not None
        assert compared.first <= compared.last < period.first
        until_now = min(period.last or today, today)
        lengths = [(last - first).days for first, last in (
            (period.first, until_now), (compared.first, compared.last)
        )]  # fmt: skip
        longest = 3 if "month" in name or name == "this-year" else 0  # of months and leap years
        assert abs(lengths[0] - lengths[1]) <= longest, name


@pytest.mark.parametrize(
    ("name", "today", "expected", "compared"),
    [
        ("yesterday", "2026-03-01", "2026-02-28 2026-02-28", "2026-02-27 2026-02-27"),
        ("this-week", "2026-12-02", "2026-11-30 2026-12-06", "2026-11-23 2026-11-25"),
        ("this-week", "2026-11-29", "2026-11-23 2026-11-29", "2026-11-16 2026-11-22"),
        ("month-to-date", "2026-11-15", "2026-11-01 2026-11-15", "2026-10-01 2026-10-15"),
        ("month-to-date", "2026-03-31", "2026-03-01 2026-03-31", "2026-02-01 2026-02-28"),
        ("this-month", "2026-12-10", "2026-12-01 2026-12-31", "2026-11-01 2026-11-10"),
        ("last-month", "2027-01-05", "2026-12-01 2026-12-31", "2026-11-01 2026-11-30"),
        ("this-year", "2028-02-29", "2028-01-01 2028-12-31", "2027-01-01 2027-02-28"),
        ("7-days", "2026-11-30", "2026-11-24 2026-11-30", "2026-11-17 2026-11-23"),
    ],
)
def test_a_running_period_is_compared_with_as_much_of_the_one_before(
    name: str, today: str, expected: str, compared: str
) -> None:
    day = date.fromisoformat(today)
    assert days(name, day) == tuple(map(date.fromisoformat, expected.split()))
    assert before(name, day) == tuple(map(date.fromisoformat, compared.split()))


def test_a_custom_range_is_compared_with_as_many_days_before() -> None:
    own = Period(date(2026, 3, 10), date(2026, 3, 12))
    assert own.compared_with == Period(date(2026, 3, 7), date(2026, 3, 9))
    assert Period().compared_with is None


def test_growth_is_a_part_of_what_was_before() -> None:
    assert growth(112, 100) == pytest.approx(0.12)
    assert growth(0, 4) == -1
    assert growth(3, 0) is None


def store(day: date, currency: str, minor: int, *, is_refunded: bool = False) -> None:
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    order = make_order(created_at=at, currency=currency, amount_minor=minor)
    status = {"status": "refunded", "refunded_at": at} if is_refunded else {}
    make_item(order, created_at=at, currency=currency, price_minor=minor, **status)


@pytest.mark.both_databases
def test_the_period_before_has_the_sums_that_its_own_question_gives(
    database: str, admin: Actor
) -> None:
    first = date(2026, 3, 10)
    for number in range(-4, 4):
        day = first + timedelta(days=number)
        store(day, "EUR", 1_000 + number, is_refunded=number % 2 == 0)
        store(day, "JPY", 10, is_refunded=number == -1)
    period = Period(first, first + timedelta(days=2))
    for currency in ("EUR", "JPY", None):
        found = overview.load_overview(Question(period, currency), actor=admin, now=NOW)
        compared = period.compared_with
        assert compared is not None
        own = overview.load_overview(Question(compared, currency), actor=admin, now=NOW)
        assert found.before is not None
        assert found.before.orders.rows == own.orders.count
        assert found.before.items.rows == own.items.count
        assert found.before.items.refunded == own.refunded.count
        steps = {one.period.first: one.orders.count for one in own.time_steps}
        assert {day: orders.rows for day, (orders, _) in found.before.steps.items()} == steps
        if currency:
            assert found.before.orders.amount_minor == own.orders.amount_minor


@pytest.mark.both_databases
def test_all_currencies_have_counts_in_all_and_amounts_of_each(database: str, admin: Actor) -> None:
    day = date(2026, 3, 10)
    for currency, minor in (("EUR", 1_000), ("EUR", 500), ("JPY", 7)):
        store(day, currency, minor, is_refunded=currency == "JPY")
    store(day - timedelta(days=1), "EUR", 99)
    found = overview.load_overview(Question(Period(day, day), None), actor=admin, now=NOW)
    assert (found.orders.count, found.items.count, found.refunded.count) == (3, 3, 1)
    assert all(figure.amount_minor == 0 for figure in found.every_figure)
    assert list(found.by_currency) == ["EUR", "JPY"]
    for currency, one in found.by_currency.items():
        alone = overview.load_overview(Question(Period(day, day), currency), actor=admin, now=NOW)
        assert (one.orders, one.items, one.refunded) == (alone.orders, alone.items, alone.refunded)
        assert one.at_risk == alone.at_risk
        assert one.before is not None
        assert alone.before is not None
        assert (one.before.orders, one.before.items) == (alone.before.orders, alone.before.items)
    euros = found.by_currency["EUR"].before
    assert euros is not None
    assert euros.orders == Sums(1, 99, 0, 0)
