"""Views in URLs: in the URL itself, or stored if they are long; and the built-in views."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from core import query, storage, views
from core.access import Actor
from core.ground import InvalidInput, NotFound, Role
from core.storage import SavedView
from core.tables import BOOKS, FOLLOW_UPS, ORDER_ITEMS, ORDERS, TRANSACTIONS, Table
from core.views import View, default_view, parse_view
from tests.core.query.random_views import NOWS
from tests.core.random_rows import Row, fill, rows_of
from tests.rows import store_user

ANA = Actor("u-ana", "ana@helios.example", Role.ADMIN, sees_all_contracts=True)
BOB = Actor("u-bob", "bob@helios.example", Role.VIEWER)


@pytest.fixture(autouse=True)
def users(request: pytest.FixtureRequest) -> None:
    """Store the users of these tests, if the test has a database."""
    for name in {"database", "sqlite_database"} & set(request.fixturenames):
        request.getfixturevalue(name)
        for actor in (ANA, BOB):
            store_user(actor)


def many_ids(table: Table = ORDER_ITEMS, **given: Any) -> View:
    return parse_view(table, {"ids": [f"OD-{number:06d}" for number in range(1_000)]}, **given)


def count_stored() -> int:
    with storage.reading() as session:
        return session.scalar(select(func.count()).select_from(SavedView)) or 0


def test_a_short_view_is_in_the_url_itself(sqlite_database: str) -> None:
    view = default_view(ORDERS, "Europe/Rome")
    for parameter in ("view", "products"):
        address = views.address_of(view, actor=ANA, parameter=parameter)
        assert list(address) == [parameter]
        asked = views.opened_at(ORDERS, address, actor=BOB, zone="UTC", parameter=parameter).view
        assert asked == view
    assert count_stored() == 0


@pytest.mark.both_databases
def test_a_long_view_is_stored_once_and_opens_for_everyone_with_the_link(database: str) -> None:
    view = many_ids()
    address = views.address_of(view, actor=ANA)
    assert list(address) == ["saved"]
    assert views.address_of(view, actor=ANA) == address
    assert count_stored() == 1
    assert views.opened_at(ORDER_ITEMS, address, actor=BOB, zone="UTC").view == view
    assert views.address_of(view, actor=BOB) != address


def test_a_long_view_in_the_tab_of_an_order_shares_its_parameter(database: str) -> None:
    view = many_ids(order_id="OD-1")
    address = views.address_of(view, actor=ANA, parameter="products")
    (text,) = address.values()
    assert list(address) == ["products"]
    assert text.startswith("saved.")
    asked = views.opened_at(
        ORDER_ITEMS,
        address | {"saved": "of another table"},
        actor=BOB,
        zone="UTC",
        parameter="products",
        order_id="OD-1",
    ).view
    assert asked == view


def test_a_stored_view_opens_only_in_its_own_table(database: str) -> None:
    address = views.address_of(many_ids(), actor=ANA, parameter="transactions")
    with pytest.raises(NotFound):
        views.opened_at(
            TRANSACTIONS, address, actor=ANA, zone="UTC", parameter="transactions", order_id="OD-1"
        )


def test_an_unnamed_view_cannot_be_listed_shared_or_deleted(database: str) -> None:
    view_id = views.address_of(many_ids(), actor=ANA)["saved"]
    assert views.find_saved(ORDER_ITEMS, actor=ANA) == []
    with pytest.raises(NotFound):
        views.change_view(ORDER_ITEMS, view_id, actor=ANA, is_default=True)
    with pytest.raises(NotFound):
        views.delete_view(ORDER_ITEMS, view_id, actor=ANA)


def test_a_damaged_url_is_refused_and_does_not_open_the_default_view(sqlite_database: str) -> None:
    for text in ("!!!", "e30" * 9, ""):
        with pytest.raises(InvalidInput):
            views.opened_at(ORDERS, {"view": text}, actor=ANA, zone="UTC", left_out=[])


# Built-in views.


def _keys(view: View, now: datetime) -> list[str]:
    return sorted(query.load_keys(view, actor=ANA, now=now))


def _is_today(table: Table, row: Row, now: datetime) -> bool:
    return bool(row[table.newest].date() == now.date())


def _is_this_month(table: Table, row: Row, now: datetime) -> bool:
    return bool(row[table.newest].month == now.month)


def _is_refundable(row: Row, now: datetime) -> bool:
    deadline = row["refund_expire_at"]
    is_open = row["status"] == "not_used" and row["valid_until"] >= now
    return bool(is_open and row["is_refundable"] and deadline is not None and deadline >= now)


@pytest.mark.both_databases
def test_built_in_views_show_the_rows_that_their_names_promise(database: str) -> None:
    fill(database)
    for table in BOOKS:
        ready = views.ready_made(table, "UTC", actor=ANA)
        for name, means in (("Today", _is_today), ("This month", _is_this_month)):
            for now in NOWS:
                expected = [row for row in rows_of(table, now) if means(table, row, now)]
                keys = sorted(row[table.key] for row in expected)
                assert _keys(ready[name], now) == keys, (table.name, name, now)


@pytest.mark.both_databases
def test_an_order_is_refundable_exactly_when_an_item_of_it_is(database: str) -> None:
    fill(database)
    for now in NOWS:
        items = [row for row in rows_of(ORDER_ITEMS, now) if _is_refundable(row, now)]
        of_items = views.ready_made(ORDER_ITEMS, "UTC", actor=ANA)["Refundable now"]
        assert _keys(of_items, now) == sorted(row["order_item_id"] for row in items)
        of_orders = views.ready_made(ORDERS, "UTC", actor=ANA)["Refundable now"]
        assert _keys(of_orders, now) == sorted({row["order_id"] for row in items})


def test_the_view_via_widget_has_the_orders_with_a_widget(make_database: Any) -> None:
    fill(make_database("sqlite"))
    via = views.ready_made(ORDERS, "UTC", actor=ANA)["Via widget"]
    rows = [row for row in rows_of(ORDERS, NOWS[0]) if row["widget_id"] is not None]
    assert _keys(via, NOWS[0]) == sorted(row["order_id"] for row in rows)


def test_the_view_mine_has_the_orders_that_the_user_created(make_database: Any) -> None:
    fill(make_database("sqlite"))
    author = rows_of(ORDERS, NOWS[0])[3]["author"]
    me = replace(ANA, email=author.upper())
    mine = views.ready_made(ORDERS, "UTC", actor=me)["Mine"]
    rows = [row for row in rows_of(ORDERS, NOWS[0]) if row["author"].lower() == author.lower()]
    assert _keys(mine, NOWS[0]) == sorted(row["order_id"] for row in rows)
    assert mine.in_words() == [f"Author is “{author.upper()}”"]


def test_refundable_items_are_sorted_by_deadline(make_database: Any) -> None:
    fill(make_database("sqlite"))
    view = views.ready_made(ORDER_ITEMS, "UTC", actor=ANA)["Refundable now"]
    frame = query.load_rows(view, actor=ANA, now=NOWS[0], start=0, end=100)
    assert frame["refund_expire_at"].is_monotonic_increasing
    assert len(frame) > 3


def test_built_in_views_use_the_time_zone_of_the_user() -> None:
    for table in BOOKS:
        ready = views.ready_made(table, "Asia/Tokyo", actor=ANA)
        follow_ups = ready.get(FOLLOW_UPS)  # it shows what the others do not
        for view in ready.values():
            assert view.zone == "Asia/Tokyo"
            assert view.columns == table.shown or view == follow_ups
