"""Sharing a view: what everyone will read is listed and asked about, and once for older views."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Checkbox

from core import storage, views
from core.access import Actor
from core.tables import ORDERS
from core.views import parse_view
from pages.grid import sharing
from tests.pages.opened import open_page, texts
from tests.rows import make_order

NOTICE = "You share views with everyone."
WORDS: dict[str, Any] = {
    "search": "smith",
    "ids": ["OD-1", "OD-2"],
    "filters": {"author": {"filterType": "text", "type": "contains", "filter": "*ana*"}},
}
READ = ["Search “smith”", "ID “OD-1”", "ID “OD-2”", "Author “*ana*”"]


@pytest.fixture
def orders(sqlite_database: str) -> None:
    """Store an order, so that the page has a table."""
    make_order("OD-1")


def share_before(actor: Actor, **named: object) -> None:
    """Store views as versions without the question left them."""
    for name, raw in named.items():
        views.save_view(parse_view(ORDERS, raw), name, actor=actor, is_shared=True)
    with storage.writing() as session:
        session.execute(text("UPDATE saved_views SET is_sharing_confirmed = false"))


def listed(page: AppTest) -> Sequence[str]:
    """Return the lines of the list of what everyone can read."""
    return [line for code in page.code for line in str(code.value).splitlines()]


def agree(page: AppTest) -> Checkbox:
    """Return the box that says that everyone may read the words."""
    (found,) = (one for one in page.checkbox if one.label == sharing.AGREE)
    return found


def dialog_to_save(view: dict[str, Any]) -> AppTest:
    """Open the dialog that saves a view, and tick that it is shared."""
    page = open_page("orders", view=views.to_address(parse_view(ORDERS, view)))
    page.session_state["views_orders_dialog"] = "save"
    page.session_state["views_orders"] = True
    page.run()
    return page.checkbox(key="save_shared").check().run()


@pytest.mark.usefixtures("orders")
def test_a_view_is_shared_only_once_its_words_are_agreed_to(admin: Actor) -> None:
    page = dialog_to_save(WORDS)
    assert listed(page) == READ
    assert page.button(key="save_now").disabled
    agree(page).check().run()
    assert not page.button(key="save_now").disabled
    page.checkbox(key="save_shared").uncheck().run()
    assert listed(page) == []
    assert not page.button(key="save_now").disabled


@pytest.mark.usefixtures("orders")
def test_other_words_in_a_shared_view_are_asked_about_again(admin: Actor) -> None:
    view_id = views.save_view(parse_view(ORDERS, {"search": "smith"}), "Ours", actor=admin)
    page = open_page("orders", view=views.to_address(parse_view(ORDERS, {"search": "jones"})))
    page.session_state["views_orders_dialog"] = "manage"
    page.run()
    page.checkbox(key=f"shared_{view_id}").check().run()
    agree(page).check().run()
    assert not page.button(key="manage_save").disabled
    page.checkbox(key=f"replace_{view_id}").check().run()
    assert listed(page) == ["Search “jones”"]
    assert page.button(key="manage_save").disabled
    agree(page).check().run()
    page.button(key="manage_save").click().run()
    (saved,) = views.find_saved(ORDERS, actor=admin)
    assert (saved.is_shared, saved.raw["search"]) == (True, "jones")


@pytest.mark.usefixtures("orders")
def test_a_view_without_words_is_shared_without_a_question(admin: Actor) -> None:
    page = dialog_to_save({"filters": {"created_at": {"filterType": "date", "type": "today"}}})
    assert listed(page) == []
    assert not page.button(key="save_now").disabled


@pytest.mark.usefixtures("orders")
def test_views_shared_before_are_listed_to_their_owner_once(admin: Actor) -> None:
    share_before(admin, Ours={"search": "smith"}, Days={}, Pasted={"ids": ["OD-1"]})
    page = open_page("orders")
    assert NOTICE in texts(page)
    assert listed(page) == ["Ours: Search “smith”", "Pasted: ID “OD-1”"]
    page.button(key="shared_before_orders_ok").click().run()
    assert NOTICE not in texts(page)
    assert NOTICE not in texts(open_page("orders"))


@pytest.mark.usefixtures("orders")
@pytest.mark.parametrize("raw", [{}, {"search": "smith"}])
def test_views_without_words_or_of_others_are_not_listed(admin: Actor, raw: dict[str, str]) -> None:
    share_before(admin, Ours=raw)
    if raw:
        with storage.writing() as session:
            session.execute(text("UPDATE saved_views SET owner = 'somebody'"))
    assert NOTICE not in texts(open_page("orders"))


@pytest.mark.usefixtures("orders")
def test_a_long_list_is_cut_and_says_so(admin: Actor) -> None:
    page = dialog_to_save({"ids": [f"OD-{no}" for no in range(1, 252)]})
    lines = [line for line in listed(page) if line.startswith(("ID ", "…"))]
    assert len(lines) == sharing.MAX_LISTED + 1
    assert lines[-1] == "… and 51 more"
