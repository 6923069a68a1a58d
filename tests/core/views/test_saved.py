"""Named views: who owns them, who sees them, which one opens first."""

from dataclasses import replace
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import text

from core import storage, views
from core.access import Actor
from core.ground import InvalidInput, NotFound, NotPermitted, Role
from core.storage import SavedView, new_id
from core.tables import ORDER_ITEMS, ORDERS, Table
from core.views import NameTaken, View, parse_view
from tests.rows import store_user

pytestmark = pytest.mark.both_databases

ANA = Actor("u-ana", "ana@helios.example", Role.VIEWER, sees_all_contracts=True)
BOB = Actor("u-bob", "bob@helios.example", Role.AGENT, sees_all_contracts=True)
CHIEF = Actor("u-chief", "chief@helios.example", Role.ADMIN, sees_all_contracts=True)


@pytest.fixture(autouse=True)
def users(request: pytest.FixtureRequest) -> None:
    """Store the users of these tests, if the test has a database."""
    for name in {"database", "sqlite_database"} & set(request.fixturenames):
        request.getfixturevalue(name)
        for actor in (ANA, BOB, CHIEF):
            store_user(actor)


def by_author(author: str = "ana", table: Table = ORDERS, column: str = "author") -> View:
    asked = {"filterType": "text", "type": "contains", "filter": author}
    return parse_view(table, {"filters": {column: asked}, "zone": "Europe/Rome"})


def opened(view_id: str, actor: Actor, table: Table = ORDERS) -> View:
    return views.opened_at(table, {"saved": view_id}, actor=actor, zone="UTC").view


def names(actor: Actor, table: Table = ORDERS) -> list[str]:
    return [saved.name for saved in views.find_saved(table, actor=actor)]


def first_view(actor: Actor, table: Table = ORDERS, **given: Any) -> View:
    return views.opened_at(table, {}, actor=actor, zone="UTC", **given).view


def test_what_everyone_can_read_in_a_view_is_every_text_and_id_in_it() -> None:
    raw = {
        "search": "lounge",
        "ids": [f"OD-{no}" for no in range(300)],
        "filters": {
            "author": {
                "filterType": "text",
                "operator": "OR",
                "conditions": [
                    {"filterType": "text", "type": "contains", "filter": "ana"},
                    {"filterType": "text", "type": "blank"},
                ],
            },
            "widget_id": {"filterType": "set", "values": ["w-1", "w-2", "w-3", "w-4", None]},
            "item_count": {"filterType": "number", "type": "equals", "filter": 3},
            "created_at": {"filterType": "date", "type": "today"},
        },
    }
    typed = parse_view(ORDERS, raw).typed
    assert typed[:2] == [("Search", "lounge"), ("ID", "OD-0")]
    chosen = [("Widget ID", f"w-{no}") for no in range(1, 5)]
    assert sorted(typed[301:]) == [("Author", "ana"), *chosen]
    status = {"filters": {"status": {"filterType": "set", "values": ["refunded", "expired"]}}}
    assert parse_view(ORDER_ITEMS, status).typed == []
    for secret in ({"type": "contains", "filter": "Ana"}, {"filterType": "set", "values": ["Ana"]}):
        status = {"filters": {"status": {"filterType": "text", **secret}}}
        assert parse_view(ORDER_ITEMS, status).typed == [("Status", "Ana")]
    assert parse_view(ORDERS, {}).typed == []


def test_a_view_that_is_shared_in_the_dialog_counts_as_confirmed(database: str) -> None:
    view_id = views.save_view(by_author(), "Mine", actor=ANA)
    assert [one.is_sharing_confirmed for one in views.find_saved(ORDERS, actor=ANA)] == [False]
    views.change_view(ORDERS, view_id, actor=ANA, is_shared=True)
    views.save_view(by_author(), "Ours", actor=ANA, is_shared=True)
    found = views.find_saved(ORDERS, actor=ANA)
    assert [one.is_sharing_confirmed for one in found] == [True, True]
    views.change_view(ORDERS, view_id, actor=ANA, is_shared=False)
    (mine, _) = views.find_saved(ORDERS, actor=ANA)
    assert (mine.is_shared, mine.is_sharing_confirmed) == (False, False)


def test_views_shared_before_are_confirmed_by_their_owner_alone(database: str) -> None:
    for actor in (ANA, BOB):
        views.save_view(by_author(), "Ours", actor=actor, is_shared=True)
        views.save_view(
            by_author("ana", ORDER_ITEMS, "passenger_name"), "Ours", actor=actor, is_shared=True
        )
    with storage.writing() as session:  # as the migration leaves them
        session.execute(text("UPDATE saved_views SET is_sharing_confirmed = false"))
    views.confirm_sharing(ORDERS, actor=ANA)
    with storage.reading() as session:
        confirmed = text("SELECT owner, table_name FROM saved_views WHERE is_sharing_confirmed")
        assert session.execute(confirmed).all() == [(ANA.user_id, "orders")]


def test_a_saved_view_is_listed_and_opens_as_it_was(database: str) -> None:
    view = replace(by_author(), search="lounge", ids=("OD-1", "OD-2"))
    view_id = views.save_view(view, "  Ana's   orders ", actor=ANA)
    assert opened(view_id, ANA) == view
    (saved,) = views.find_saved(ORDERS, actor=ANA)
    assert (saved.view_id, saved.name, saved.is_own) == (view_id, "Ana's orders", True)
    assert (saved.is_shared, saved.is_default) == (False, False)
    assert parse_view(ORDERS, saved.raw) == view


def test_a_taken_name_is_refused_and_not_overwritten(database: str) -> None:
    view_id = views.save_view(by_author("ana"), "Mine", actor=ANA, is_shared=True)
    with pytest.raises(NameTaken, match="You already have a view “Mine”"):
        views.save_view(by_author("bob"), " Mine ", actor=ANA)
    assert opened(view_id, ANA) == by_author("ana")


def test_a_view_can_be_replaced_in_place(database: str) -> None:
    view_id = views.save_view(by_author("ana"), "Mine", actor=ANA, is_shared=True)
    again = views.save_view(by_author("bob"), "Mine", actor=ANA, is_shared=True, replaces=True)
    assert again == view_id
    assert opened(view_id, BOB) == by_author("bob")
    assert names(ANA) == ["Mine"]


def test_replacing_an_unused_name_saves_the_view(database: str) -> None:
    views.save_view(by_author(), "New", actor=ANA, replaces=True)
    assert names(ANA) == ["New"]


def test_a_name_is_taken_only_for_its_user_and_table(database: str) -> None:
    mine = views.save_view(by_author("ana"), "Mine", actor=ANA)
    views.save_view(by_author("bob"), "Mine", actor=BOB, replaces=True)
    items = by_author("zoë", ORDER_ITEMS, "passenger_name")
    views.save_view(items, "Mine", actor=ANA)
    assert opened(mine, ANA) == by_author("ana")
    assert names(ANA, ORDER_ITEMS) == ["Mine"]


@pytest.mark.on_postgresql
def test_if_two_tabs_save_the_same_name_the_second_is_refused(database: str) -> None:
    caught: list[NameTaken] = []

    def save_too() -> None:
        try:
            views.save_view(by_author("bob"), "Mine", actor=ANA)
        except NameTaken as error:
            caught.append(error)

    second = Thread(target=save_too)
    with storage.writing() as session:
        row = {"view_id": new_id(), "owner": ANA.user_id, "table_name": "orders"}
        session.add(SavedView(**row, name="Mine", view={}))
        session.flush()
        second.start()
        waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        while second.is_alive() and not session.scalar(waits):
            pass
    second.join()
    assert len(caught) == 1


def test_a_shared_view_is_seen_by_others_after_their_own(database: str) -> None:
    shared = views.save_view(by_author("ana"), "A shared one", actor=ANA, is_shared=True)
    views.save_view(by_author("ana"), "Private", actor=ANA)
    views.save_view(by_author("bob"), "Zulu", actor=BOB)
    assert names(BOB) == ["Zulu", "A shared one"]
    assert [one.is_own for one in views.find_saved(ORDERS, actor=BOB)] == [True, False]
    assert opened(shared, BOB) == by_author("ana")
    assert names(ANA) == ["A shared one", "Private"]


@pytest.mark.parametrize("parameter", ["saved", "view"])
def test_a_private_view_is_not_opened_by_others_even_by_its_link(
    database: str, parameter: str
) -> None:
    view_id = views.save_view(by_author(), "Mine", actor=ANA)
    address = view_id if parameter == "saved" else f"saved.{view_id}"
    for actor in (BOB, CHIEF):
        with pytest.raises(NotFound, match=r"^View .* was not found"):
            views.opened_at(ORDERS, {parameter: address}, actor=actor, zone="UTC")
        assert names(actor) == []


def test_a_view_no_longer_shared_is_closed_to_others_at_once(database: str) -> None:
    view_id = views.save_view(by_author(), "Mine", actor=ANA, is_shared=True)
    views.change_view(ORDERS, view_id, actor=ANA, is_shared=False)
    with pytest.raises(NotFound):
        opened(view_id, BOB)
    assert names(BOB) == []


@pytest.mark.parametrize("view_id", ["gone", "", "a\x00b", "x" * 5_000, "'; --"])
def test_an_unknown_saved_view_is_not_found(database: str, view_id: str) -> None:
    with pytest.raises(NotFound) as refusal:
        opened(view_id, ANA)
    assert len(str(refusal.value)) < 200


def test_a_saved_view_of_another_table_is_not_found(database: str) -> None:
    view_id = views.save_view(by_author(), "Mine", actor=ANA)
    with pytest.raises(NotFound):
        opened(view_id, ANA, ORDER_ITEMS)
    with pytest.raises(NotFound):
        views.delete_view(ORDER_ITEMS, view_id, actor=ANA)


# The default view.


def test_a_default_view_opens_first_only_for_its_owner(database: str) -> None:
    usual = first_view(ANA)
    views.save_view(by_author(), "Mine", actor=ANA, is_shared=True, is_default=True)
    assert first_view(ANA) == by_author()
    assert first_view(BOB) == usual
    assert [one.is_default for one in views.find_saved(ORDERS, actor=BOB)] == [False]
    assert not first_view(ANA, ORDER_ITEMS).filters


def test_a_user_has_one_default_view_per_table(database: str) -> None:
    first = views.save_view(by_author("a"), "First", actor=ANA, is_default=True)
    items = by_author("zoë", ORDER_ITEMS, "passenger_name")
    views.save_view(items, "Items", actor=ANA, is_default=True)
    second = views.save_view(by_author("b"), "Second", actor=ANA, is_default=True)
    assert first_view(ANA) == by_author("b")
    views.change_view(ORDERS, first, actor=ANA, is_default=True)
    assert first_view(ANA) == by_author("a")
    assert first_view(ANA, ORDER_ITEMS) == items
    views.change_view(ORDERS, first, actor=ANA, is_default=False)
    assert not first_view(ANA).filters
    assert opened(second, ANA) == by_author("b")


def test_a_default_view_that_is_replaced_stays_the_default_when_asked(database: str) -> None:
    views.save_view(by_author("a"), "Mine", actor=ANA, is_default=True)
    views.save_view(by_author("b"), "Mine", actor=ANA, is_default=True, replaces=True)
    assert first_view(ANA) == by_author("b")
    views.save_view(by_author("c"), "Mine", actor=ANA, replaces=True)
    assert not first_view(ANA).filters


def test_a_link_and_the_tab_of_an_order_take_precedence_over_the_default_view(
    database: str,
) -> None:
    items = by_author("zoë", ORDER_ITEMS, "passenger_name")
    views.save_view(items, "Mine", actor=ANA, is_default=True)
    assert not first_view(ANA, ORDER_ITEMS, parameter="products", order_id="OD-1").filters
    address = views.address_of(by_author("x", ORDER_ITEMS, "product"), actor=ANA)
    asked = views.opened_at(ORDER_ITEMS, address, actor=ANA, zone="UTC").view
    assert asked == by_author("x", ORDER_ITEMS, "product")


def test_an_admin_cannot_make_another_users_view_their_default(database: str) -> None:
    view_id = views.save_view(by_author(), "Mine", actor=ANA, is_shared=True)
    views.change_view(ORDERS, view_id, actor=CHIEF, is_default=True)
    assert not first_view(ANA).filters
    assert not first_view(CHIEF).filters


# Who can change a view.


@pytest.mark.parametrize("actor", [ANA, CHIEF], ids=["owner", "admin"])
def test_owner_and_admin_change_and_delete_a_view(database: str, actor: Actor) -> None:
    view_id = views.save_view(by_author("a"), "Mine", actor=ANA, is_shared=True)
    views.change_view(ORDERS, view_id, actor=actor, view=by_author("b"))
    assert opened(view_id, BOB) == by_author("b")
    views.delete_view(ORDERS, view_id, actor=actor)
    assert names(ANA) == []
    with pytest.raises(NotFound):
        views.delete_view(ORDERS, view_id, actor=actor)


def test_other_users_cannot_change_or_delete_a_shared_view(database: str) -> None:
    view_id = views.save_view(by_author(), "Mine", actor=ANA, is_shared=True)
    with pytest.raises(NotPermitted, match="belongs to another user"):
        views.change_view(ORDERS, view_id, actor=BOB, view=by_author("b"))
    with pytest.raises(NotPermitted):
        views.delete_view(ORDERS, view_id, actor=BOB)
    assert opened(view_id, BOB) == by_author()


def test_other_users_cannot_find_a_private_view_to_change(database: str) -> None:
    view_id = views.save_view(by_author(), "Mine", actor=ANA)
    with pytest.raises(NotFound):
        views.change_view(ORDERS, view_id, actor=BOB, is_shared=True)
    with pytest.raises(NotFound):
        views.delete_view(ORDERS, view_id, actor=BOB)
    assert names(ANA) == ["Mine"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\x00b", "a\u200bb"])
def test_an_unreadable_name_is_refused(sqlite_database: str, name: str) -> None:
    with pytest.raises(InvalidInput, match="must have 1 to 60"):
        views.save_view(by_author(), name, actor=ANA)
    assert names(ANA) == []


def test_a_saved_view_with_a_removed_column_opens_without_it(database: str) -> None:
    view_id = new_id()
    raw = {"filters": {"gone": {"type": "blank"}}, "columns": ["no", "gone"], "search": "x"}
    with storage.writing() as session:
        row = {"view_id": view_id, "owner": ANA.user_id, "table_name": "orders", "name": "Old"}
        session.add(SavedView(**row, view=raw))
    left_out: list[str] = []
    view = views.opened_at(
        ORDERS, {"saved": view_id}, actor=ANA, zone="UTC", left_out=left_out
    ).view
    assert ([column.name for column in view.columns], view.search) == (["no"], "x")
    assert left_out == ["Orders has no column “gone”."] * 2
