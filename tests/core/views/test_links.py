"""Links to views: short ones, and those that keep the named view that a view was changed from."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from core import storage, views
from core.access import Actor
from core.ground import NotPermitted, Role
from core.storage import SavedView
from core.tables import AUDIT_EVENTS, ORDERS
from core.views import Opened, View, default_view
from tests.core.views.test_saved import ANA, BOB, by_author
from tests.rows import store_user

pytestmark = pytest.mark.both_databases


@pytest.fixture(autouse=True)
def users(database: str) -> None:
    """Store the users of these tests."""
    for actor in (ANA, BOB):
        store_user(actor)


def opened(actor: Actor, **parameters: str) -> Opened:
    return views.opened_at(ORDERS, parameters, actor=actor, zone="UTC")


def saved(view: View, *, is_shared: bool) -> views.Saved:
    views.save_view(view, "Mine", actor=ANA, is_shared=is_shared)
    (found,) = views.find_saved(ORDERS, actor=ANA)
    return found


def test_a_short_link_shows_any_view_to_everyone() -> None:
    view = by_author("ana")
    link = views.short_link_of(view, None, actor=ANA)
    assert len(link) == 32
    assert opened(BOB, saved=link) == Opened(view, None)
    assert views.short_link_of(view, None, actor=ANA) == link
    with storage.reading() as session:
        assert session.scalar(select(func.count()).select_from(SavedView)) == 1


def test_a_private_view_is_copied_and_its_own_link_stays_closed() -> None:
    mine = saved(by_author("ana"), is_shared=False)
    link = views.short_link_of(by_author("ana"), mine, actor=ANA)
    assert link != mine.view_id
    assert opened(BOB, saved=link).view == by_author("ana")
    views.change_view(ORDERS, mine.view_id, actor=ANA, view=by_author("bob"))
    assert opened(BOB, saved=link).view == by_author("ana")


def test_a_shared_view_has_its_own_link_unless_it_was_changed() -> None:
    ours = saved(by_author("ana"), is_shared=True)
    assert views.short_link_of(by_author("ana"), ours, actor=ANA) == ours.view_id
    assert views.short_link_of(by_author("bob"), ours, actor=ANA) != ours.view_id


def test_a_short_link_needs_the_permission_to_see_the_table() -> None:
    viewer = replace(BOB, role=Role.VIEWER)
    with pytest.raises(NotPermitted):
        views.short_link_of(default_view(AUDIT_EVENTS), None, actor=viewer)


def test_an_address_names_the_view_that_it_comes_from_only_to_those_who_may_see_it() -> None:
    mine = saved(by_author("ana"), is_shared=False)
    changed = by_author("bob")
    address = views.address_of(changed, actor=ANA, opened=mine.view_id)
    assert set(address) == {"view", "saved"}
    own = opened(ANA, **address)
    assert (own.view, own.saved) == (changed, mine)
    assert opened(BOB, **address) == Opened(changed, None)
    assert opened(BOB, view=address["view"], saved="gone").view == changed


def test_a_long_changed_view_keeps_where_it_comes_from() -> None:
    mine = saved(by_author("ana"), is_shared=False)
    long = replace(by_author("bob"), ids=tuple(f"OD-{number:06}" for number in range(900)))
    address = views.address_of(long, actor=ANA, opened=mine.view_id)
    assert address["view"].startswith("saved.")
    assert len(str(address)) < 200
    found = opened(ANA, **address)
    assert (found.view, found.saved) == (long, mine)


def test_the_default_view_is_named_and_the_plain_one_is_not() -> None:
    assert opened(ANA).saved is None
    views.save_view(by_author("ana"), "First", actor=ANA, is_default=True)
    found = opened(ANA)
    assert found.saved is not None
    assert (found.saved.name, found.view) == ("First", by_author("ana"))
    assert opened(BOB).saved is None
