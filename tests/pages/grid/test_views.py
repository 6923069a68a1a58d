"""The button of the views names the open one; a changed one is updated, or copied if not own."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core import views
from core.access import Actor
from core.ground import Role
from core.tables import ORDERS
from core.views import View, parse_view, to_address
from tests.pages.opened import grid_says, open_page, texts
from tests.rows import make_order, store_user

OTHER = Actor("u-other", "other@desk.example", Role.AGENT, sees_all_contracts=True)


@pytest.fixture(autouse=True)
def orders(sqlite_database: str) -> None:
    """Store two orders, so that the page has a table."""
    make_order("OD-1", author="ana@desk.example")
    make_order("OD-2", author="bob@desk.example")


def by_author(author: str) -> dict[str, Any]:
    asked = {"filterType": "text", "type": "contains", "filter": author}
    return {"filters": {"author": asked}, "zone": "UTC"}


def view_of(author: str) -> View:
    return parse_view(ORDERS, by_author(author))


def label(page: AppTest) -> str:
    """Return the words on the button of the views."""
    (button,) = (
        one.proto.popover.label
        for one in page.get("popover")
        if one.proto.popover.label.startswith("View")
    )
    return str(button).replace("*", "").replace("\u2060", "")


def keys(page: AppTest) -> set[str | None]:
    return {button.key for button in page.button}


def filter_by(page: AppTest, author: str) -> AppTest:
    """Filter the author in the grid."""
    revision = page.session_state["orders_state"].revision
    return grid_says(page, view=by_author(author) | {"sort": []}, revision=revision)


def shown(saved: str, actor: Actor) -> View:
    return views.opened_at(ORDERS, {"saved": saved}, actor=actor, zone="UTC").view


def test_the_button_names_the_open_view_and_says_that_it_changed(admin: Actor) -> None:
    saved = views.save_view(view_of("ana"), "Ana’s orders", actor=admin)
    assert label(open_page("orders")) == "Views"
    page = open_page("orders", saved=saved)
    assert label(page) == "View: Ana’s orders"
    assert "update_orders" not in keys(page)
    page = filter_by(page, "bob")
    assert label(page) == "View: Ana’s orders · changed"
    assert page.query_params["saved"] == saved
    assert "view" in page.query_params
    again = open_page("orders", saved=saved, view=to_address(view_of("bob")))
    assert label(again) == "View: Ana’s orders · changed"
    assert "**1** of 2 orders" in texts(again)


def test_one_click_updates_a_changed_view(admin: Actor) -> None:
    saved = views.save_view(view_of("ana"), "Mine", actor=admin)
    page = filter_by(open_page("orders", saved=saved), "bob")
    page.button(key="update_orders").click().run()
    assert "“Mine” was updated." in texts(page).replace("\u2060", "")
    assert label(page) == "View: Mine"
    assert "update_orders" not in keys(page)
    assert "bob" in str(shown(saved, admin).in_words())
    assert page.query_params["saved"] == saved
    assert "view" not in page.query_params


def test_other_words_of_a_shared_view_are_asked_about_before_it_is_updated(admin: Actor) -> None:
    saved = views.save_view(view_of("ana"), "Ours", actor=admin, is_shared=True)
    page = filter_by(open_page("orders", saved=saved), "bob")
    page.button(key="update_orders").click().run()
    assert "ana" in str(shown(saved, admin).in_words())
    assert page.button(key="update_now").disabled
    (agreed,) = (one for one in page.checkbox if one.key and one.key.startswith("agree_"))
    agreed.check().run()
    page.button(key="update_now").click().run()
    assert "bob" in str(shown(saved, admin).in_words())


def test_a_changed_view_of_another_user_is_only_saved_as_a_new_one() -> None:
    store_user(OTHER)
    saved = views.save_view(view_of("ana"), "Theirs", actor=OTHER, is_shared=True)
    page = filter_by(open_page("orders", saved=saved), "bob")
    assert label(page) == "View: Theirs · changed"
    assert "update_orders" not in keys(page)
    page.button(key="copy_orders").click().run()
    page.text_input(key="save_name").set_value("Mine").run()
    page.button(key="save_now").click().run()
    assert label(page) == "View: Mine"
    assert "ana" in str(shown(saved, OTHER).in_words())


def test_a_private_view_of_another_user_is_not_named(admin: Actor) -> None:
    store_user(OTHER)
    saved = views.save_view(view_of("ana"), "Secret name", actor=OTHER)
    page = open_page("orders", saved=saved, view=to_address(view_of("bob")))
    assert label(page) == "Views"
    assert "Secret name" not in texts(page)
    assert "**1** of 2 orders" in texts(page)


def test_a_built_in_view_is_named_too_but_not_updated() -> None:
    page = open_page("orders")
    page.session_state["views_orders"] = True
    page.run()
    page.button(key="open_orders_Today").click().run()
    assert label(page) == "View: Today"
    page = filter_by(page, "bob")
    assert label(page) == "View: Today · changed"
    assert not {"update_orders", "copy_orders"} & keys(page)


def test_a_deleted_view_is_not_the_open_one_any_more(admin: Actor) -> None:
    saved = views.save_view(view_of("ana"), "Gone", actor=admin)
    page = open_page("orders", saved=saved)
    page.session_state["views_orders_dialog"] = "manage"
    page.run()
    page.button(key="manage_delete").click().run()
    assert label(page) == "Views"
    assert "**1** of 2 orders" in texts(page)
    assert "saved" not in page.query_params


def copied(page: AppTest) -> str:
    """Click Copy link and return the ID of the link."""
    page.session_state["views_orders"] = True
    page.run()
    page.button(key="copy_link").click().run()
    return str(page.session_state["orders_state"].link[1])


def test_a_copied_link_shows_the_view_to_everyone_even_if_it_is_private(admin: Actor) -> None:
    store_user(OTHER)
    saved = views.save_view(view_of("ana"), "Mine", actor=admin)
    page = open_page("orders", saved=saved)
    link = copied(page)
    assert link != saved
    assert shown(link, OTHER) == view_of("ana")
    assert copied(page) == link
    assert copied(filter_by(page, "bob")) != link


def test_the_link_of_a_shared_view_follows_its_changes(admin: Actor) -> None:
    saved = views.save_view(view_of("ana"), "Ours", actor=admin, is_shared=True)
    page = open_page("orders", saved=saved)
    assert copied(page) == saved
    assert copied(filter_by(page, "bob")) != saved
