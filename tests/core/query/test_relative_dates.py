"""Relative dates: each is the days that the calendar of a zone gives, on both databases."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import query, storage
from core.access import Actor
from core.ground import InvalidInput, Role
from core.storage import Order
from core.tables import ORDER_ITEMS, ORDERS, TABLES, Kind
from core.views import DateChoice, date_choices, parse_view, to_json
from tests.conftest import NOW, use_database
from tests.core.query.plain_filter import fits
from tests.core.query.random_views import COUNTED, PRESETS
from tests.core.random_rows import ZONES
from tests.effort import share
from tests.rows import make_contract, make_item, make_order

ADMIN = Actor("all", "all@desk.example", Role.ADMIN, sees_all_contracts=True)
FIRST, LAST = date(2025, 12, 20), date(2027, 1, 12)
DAYS = [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days)]
SOME_ZONES = ["UTC", "America/Havana", "Australia/Lord_Howe"]
START = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC)
RELATIVE = [*PRESETS, *COUNTED]


def midnights() -> list[datetime]:
    """Return the first second of every day in some zones, and the second before."""
    places = [ZoneInfo(zone) for zone in SOME_ZONES]
    starts = [datetime(one.year, one.month, one.day, tzinfo=at) for one in DAYS for at in places]
    first = [one.astimezone(UTC) for one in starts]
    return [*first, *(one - timedelta(seconds=1) for one in first)]


MIDNIGHTS = midnights()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, make_database: Callable[[str], str]) -> str:
    """Store an order at each midnight, once for the module."""
    url = make_database(request.param)
    use_database(url)
    make_contract("CT-1")
    usual = {"contract_id": "CT-1", "author": "a@desk.example", "item_count": 1, "currency": "EUR"}
    with storage.writing() as session:
        session.add_all(
            Order(order_id=f"OD-{number}", no=number, created_at=at, amount_minor=number, **usual)
            for number, at in enumerate(MIDNIGHTS, 1)
        )
    return url


@share(0.6)
@given(
    operator=st.sampled_from(RELATIVE),
    count=st.integers(1, 400),
    zone=st.sampled_from(ZONES),
    now=st.one_of(
        st.sampled_from(MIDNIGHTS),
        st.integers(0, len(DAYS) * 86_400).map(lambda seconds: START + timedelta(seconds=seconds)),
    ),
)
def test_each_range_is_the_days_of_the_zones_calendar(
    filled: str, operator: str, count: int, zone: str, now: datetime
) -> None:
    use_database(filled)
    asked: dict[str, Any] = {"filterType": "date", "type": operator}
    asked |= {"filter": count} if operator in COUNTED else {}
    raw = {"filters": {"created_at": asked}, "zone": zone, "sort": []}
    view = parse_view(ORDERS, raw)
    expected = [
        number
        for number, at in enumerate(MIDNIGHTS, 1)
        if fits(ORDERS, raw, {"created_at": at}, now)
    ]
    assert query.count_rows(view, actor=ADMIN, now=now) == len(expected)
    assert query.load_totals(view, actor=ADMIN, now=now).get("EUR", 0) == sum(expected)


def ids(asked: dict[str, Any], now: datetime, zone: str = "Europe/London") -> list[str]:
    view = parse_view(ORDERS, {"filters": {"created_at": asked}, "zone": zone, "sort": []})
    return query.load_keys(view, actor=ADMIN, now=now)


def test_a_week_begins_on_monday_and_a_day_ends_where_the_next_begins(
    sqlite_database: str,
) -> None:
    for order_id, at in {
        "SUNDAY": datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC),
        "MONDAY": datetime(2026, 11, 23, tzinfo=UTC),
        "NEXT": datetime(2026, 11, 30, tzinfo=UTC),
    }.items():
        make_order(order_id, created_at=at)
    sunday, monday = (datetime(2026, 11, day, 12, tzinfo=UTC) for day in (29, 30))
    this_week, last_week = (
        {"filterType": "date", "type": f"{one}Week"} for one in ("this", "last")
    )
    assert ids(this_week, sunday) == ids(last_week, monday) == ["MONDAY"]
    assert ids(last_week, sunday) == ["SUNDAY"]
    assert ids(this_week, monday) == ["NEXT"]


def test_yesterday_has_25_hours_when_clocks_go_back(sqlite_database: str) -> None:
    begins = datetime(2026, 10, 24, 23, tzinfo=UTC)  # midnight in London's summer
    for hour in range(-1, 26):
        make_order(f"OD-{hour:02}", created_at=begins + timedelta(hours=hour))
    found = ids({"filterType": "date", "type": "yesterday"}, datetime(2026, 10, 26, 9, tzinfo=UTC))
    assert found == [f"OD-{hour:02}" for hour in range(25)]


def test_next_days_of_a_service_are_days_at_its_airport(sqlite_database: str) -> None:
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    order = make_order()
    at = datetime(2026, 12, 1, 23, 30, tzinfo=UTC)  # already 2 December in Auckland
    here = make_item(order, service_at=at)
    make_item(order, service_at=at, airport_iata="AKL", airport_tz="Pacific/Auckland")
    asked = {"service_at": {"filterType": "date", "type": "nextDays", "filter": 2}}
    view = parse_view(ORDER_ITEMS, {"filters": asked, "zone": "Europe/London"})
    assert query.load_keys(view, actor=ADMIN, now=now) == [here]
    assert view.in_words() == ["Service Date in the next 2 days"]


@pytest.mark.parametrize("count", [0, -1, 10_000, 1.5, "7", None, True, 2**63])
def test_a_number_of_days_is_whole_and_from_1_to_9999(count: object) -> None:
    asked = {"filterType": "date", "type": "lastDays", "filter": count}
    with pytest.raises(InvalidInput):
        parse_view(ORDERS, {"filters": {"created_at": asked}})


def test_a_count_is_told_and_stored_as_such() -> None:
    asked = {"filterType": "date", "type": "lastDays", "filter": 45}
    view = parse_view(ORDERS, {"filters": {"created_at": asked}})
    assert view.in_words() == ["Created Date in the last 45 days"]
    assert to_json(view)["filters"] == {"created_at": asked}
    one = parse_view(ORDERS, {"filters": {"created_at": asked | {"filter": 1}}})
    assert one.in_words() == ["Created Date in the last 1 day"]


def test_seven_days_counted_are_the_seven_days_of_old_links() -> None:
    counted = {"filterType": "date", "type": "lastDays", "filter": 7}
    old = {"filterType": "date", "type": "last7Days"}
    views = [parse_view(ORDERS, {"filters": {"created_at": one}}) for one in (counted, old)]
    assert views[0] == views[1]


def test_old_links_about_the_future_of_any_column_keep_their_meaning(
    sqlite_database: str,
) -> None:
    for hours in (-1, 1, 7 * 24, 7 * 24 + 1):
        make_order(f"OD-{hours}", created_at=NOW + timedelta(hours=hours))
    assert ids({"filterType": "date", "type": "next7Days"}, NOW) == ["OD-1", "OD-168"]
    assert len(ids({"filterType": "date", "type": "fromNow"}, NOW)) == 3


@pytest.mark.both_databases
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland", "America/Los_Angeles"])
@pytest.mark.parametrize("days", [1, 7, 30])
def test_the_next_days_of_a_deadline_begin_now_and_those_of_a_service_with_today(
    database: str, zone: str, days: int
) -> None:
    order, hours = make_order(), (-9, -1, 0, 1, 24 * days, 24 * days + 1)
    for hour in hours:
        at = NOW + timedelta(hours=hour)
        make_item(order, order_item_id=f"{hour}", refund_expire_at=at, service_at=at)

    def next_days(column: str) -> list[str]:
        asked = {column: {"filterType": "date", "type": "nextDays", "filter": days}}
        view = parse_view(ORDER_ITEMS, {"filters": asked, "zone": zone})
        return sorted(query.load_keys(view, actor=ADMIN, now=NOW), key=int)

    assert next_days("refund_expire_at") == ["0", "1", f"{24 * days}"]
    today = NOW.astimezone(ZoneInfo("Europe/London")).date()  # of the airport
    ahead = {str(hour): (NOW + timedelta(hours=hour)).date() - today for hour in hours}
    whole = [hour for hour, left in ahead.items() if timedelta() <= left < timedelta(days=days)]
    assert next_days("service_at") == whole
    assert "-9" in whole


def test_the_deadlines_of_the_ready_made_view_are_those_of_the_list() -> None:
    ready = ORDER_ITEMS.ready_made["Refund expires within 7 days"]
    listed_days = {"filterType": "date", "type": "nextDays", "filter": 7}
    old = {"filterType": "date", "type": "next7Days"}
    chosen = ready | {"filters": ready["filters"] | {"refund_expire_at": listed_days}}
    linked = ready | {"filters": ready["filters"] | {"refund_expire_at": old}}
    assert parse_view(ORDER_ITEMS, ready) == parse_view(ORDER_ITEMS, chosen)
    assert parse_view(ORDER_ITEMS, ready) == parse_view(ORDER_ITEMS, linked)
    assert "Refund Expire Date in the next 7 days" in parse_view(ORDER_ITEMS, ready).in_words()


def listed(choices: list[DateChoice]) -> set[str]:
    return {one.operator.value for one in choices if one.is_listed}


def test_future_ranges_are_offered_only_where_times_can_be_in_the_future() -> None:
    ahead = {"fromNow", "next24Hours", "nextDays"}
    offered = {
        column.header
        for table in TABLES.values()
        for column in table.offered
        if column.kind is Kind.INSTANT and listed(date_choices(column)) & ahead
    }
    assert offered == {"Service Date", "Refund Expire Date", "Next Attempt"}


def test_every_relative_date_is_offered_once() -> None:
    column = ORDER_ITEMS.column("service_at")
    assert column is not None
    choices = date_choices(column)
    assert listed(choices) >= {*RELATIVE} - {"next7Days"}
    labels = [one.label for one in choices]
    assert len(labels) == len(set(labels))
    assert {"Yesterday", "Last week", "Last 90 days", "Last … days", "Next … days"} <= {*labels}


def test_every_relative_date_says_which_days_it_means() -> None:
    now = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)  # already 1 December in Madrid
    said = {}
    for kind in [*PRESETS, *COUNTED]:
        raw = {"type": kind} | ({"filter": 30} if kind in COUNTED else {})
        asked = parse_view(
            ORDER_ITEMS, {"filters": {"refund_expire_at": raw}}, zone="Europe/Madrid"
        )
        (said[kind],) = query.describe_days(asked, now)
    expiry = "Refund Expire Date: "
    assert said["today"] == f"{expiry}2026-12-01"
    assert said["lastDays"] == f"{expiry}2026-11-02 to 2026-12-01"
    assert said["nextDays"] == (
        f"{expiry}2026-12-01 00:30 (Europe/Madrid) to 2026-12-31 00:30 (Europe/Madrid)"
    )
    assert said["untilToday"] == f"{expiry}up to 2026-12-01"
    assert said["next7Days"].endswith("to 2026-12-08 00:30 (Europe/Madrid)")
    assert said["lastMonth"] == f"{expiry}2026-11-01 to 2026-11-30"
    assert said["fromNow"] == f"{expiry}from 2026-12-01 00:30 (Europe/Madrid)"
    assert said["next24Hours"] == (
        f"{expiry}2026-12-01 00:30 (Europe/Madrid) to 2026-12-02 00:30 (Europe/Madrid)"
    )
