"""Grid, widgets and address share one view: the last change wins, and late ones are ignored."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core import access, storage, views
from core.access import Actor, actors
from core.ground import OutsideFailed
from core.storage import SavedView, User
from core.tables import ORDERS
from core.views import default_view, parse_view, to_address, to_json
from tests.pages.opened import chips, grid_says, open_page, texts
from tests.rows import make_item, make_order

ANA = {"author": {"filterType": "text", "type": "contains", "filter": "ana"}}
ONE = {"item_count": {"filterType": "number", "type": "equals", "filter": 1}}


@pytest.fixture
def page(sqlite_database: str) -> AppTest:
    """Open Orders with two orders of Ana and one of Bob."""
    for order_id, author in (("OD-1", "ana"), ("OD-2", "ana"), ("OD-3", "bob")):
        make_order(order_id, author=author)
    return open_page()


def test_a_selection_with_an_address_from_before_the_filter_keeps_it(page: AppTest) -> None:
    page = grid_says(page, view={"filters": ANA})
    assert "**2** of 3 orders" in texts(page)
    page.query_params.clear()  # the browser does not have the new address yet
    page = grid_says(page, view={"filters": ANA}, selected=["OD-1"])
    assert "**2** of 3 orders" in texts(page)
    assert "**1 selected**" in texts(page)


def test_a_button_with_an_address_from_before_the_filter_keeps_it(
    page: AppTest,
) -> None:
    page = grid_says(page, view={"filters": ANA})
    page.query_params.clear()
    page.button(key="select_orders").click().run()
    assert "**2** of 3 orders" in texts(page)
    assert "**2 selected**" in texts(page)


def test_back_to_the_address_from_before_the_filter_undoes_it(page: AppTest) -> None:
    page = grid_says(page, view={"filters": ANA})
    page.query_params.clear()
    page.run()
    assert "**3** orders" in texts(page)


def test_a_click_as_the_page_was_left_does_not_hide_the_address_of_the_way_back(
    page: AppTest,
) -> None:
    page = grid_says(page, view={"filters": {}})
    page.session_state["orders_state"].touch()  # by a dialog that closed in the run of another page
    del page.session_state["orders_grid"]
    page.query_params["view"] = to_address(parse_view(ORDERS, {"filters": ANA, "zone": "UTC"}))
    page.run()
    assert "**2** of 3 orders" in texts(page)


def test_a_chip_that_was_drawn_before_another_filter_removes_its_own_alone(page: AppTest) -> None:
    page = grid_says(page, view={"filters": ANA})
    chip = page.button(key="words_orders_author")
    usual = {"revision": 1, "renewals": 0, "selectionRevision": 1, "selected": []}
    page.session_state["orders_state"].view = parse_view(
        ORDERS, {"filters": ANA | ONE, "zone": "UTC"}
    )
    page.session_state["orders_grid"] = usual | {"view": {"filters": ANA | ONE}}
    chip.click().run()
    assert chips(page) == ["Total = 1"]


def test_the_grid_changes_neither_search_nor_ids_nor_zone(page: AppTest) -> None:
    view = {"filters": {}, "search": "bob", "ids": ["OD-3"], "zone": "Asia/Tokyo"}
    page = grid_says(page, view=view)
    assert "**3** orders" in texts(page)
    assert "times in UTC" in texts(page)


BAD_SELECTIONS = ["OD-1", [1], ["a\x00b"], [""], ["x" * 1_001], [f"OD-{i}" for i in range(1_001)]]


@pytest.mark.parametrize("selected", BAD_SELECTIONS)
def test_an_invalid_selection_shows_a_warning_and_the_last_one_stays(
    page: AppTest, selected: Any
) -> None:
    page = grid_says(page, view={"filters": {}}, selected=["OD-2"])
    page = grid_says(page, view={"filters": {}}, selected=selected)
    assert len(page.warning) == 1
    assert "**1 selected**" in texts(page)


def test_the_selection_says_how_many_the_filter_hides_and_is_cleared(page: AppTest) -> None:
    page = grid_says(page, view={"filters": {}}, selected=["OD-1", "OD-3"])
    page = grid_says(page, view={"filters": ANA}, selected=["OD-1", "OD-3"])
    assert "**2 selected**, 1 hidden by the filter" in texts(page)
    page.button(key="unselect_orders").click().run()
    assert "selected**" not in texts(page)


def test_select_all_adds_the_rows_of_the_view_to_the_selection(page: AppTest) -> None:
    page = grid_says(page, view={"filters": ANA}, selected=["OD-3"])
    page.button(key="select_orders").click().run()
    assert "**3 selected**, 1 hidden by the filter" in texts(page)
    page = grid_says(page, view={"filters": ANA}, selected=["OD-3"])  # from before the push
    assert "**3 selected**" in texts(page)


def test_a_selection_made_while_the_database_is_away_is_kept(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = grid_says(page, view={"filters": {}}, selected=["OD-1"])
    with monkeypatch.context() as away:
        away.setattr(access, "find_local_actor", _fail)
        away.setattr(storage, "is_reachable", lambda: False)
        page = grid_says(page, view={"filters": {}}, selected=["OD-1", "OD-2"])
        assert "cannot be reached" in texts(page)
    page.run()
    assert "**2 selected**" in texts(page)


def test_a_button_pressed_while_the_database_is_away_says_so(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = grid_says(page, view={"filters": ANA})
    monkeypatch.setattr("core.query.load_keys", _fail)
    page.button(key="select_orders").click().run()
    assert not page.exception
    assert "cannot be reached" in page.toast[0].value
    assert "**2** of 3 orders" in texts(page)


def _fail(*_: Any, **__: Any) -> Any:
    raise OutsideFailed("The database cannot be reached.")


def test_a_search_of_too_many_words_is_said_and_stays_in_the_box(page: AppTest) -> None:
    words = "a b c d e f g h i"
    page.text_input(key="search_orders").set_value(words).run()
    assert "at most 8 words" in page.toast[0].value
    assert page.text_input(key="search_orders").value == words
    assert "**3** orders" in texts(page)


def test_a_search_becomes_a_chip_and_a_link_fills_the_box(page: AppTest) -> None:
    page.text_input(key="search_orders").set_value("  bob ").run()
    assert "**1** of 3 orders" in texts(page)
    assert chips(page) == ["Search “bob”"]
    assert page.text_input(key="search_orders").value == "  bob "
    page.button(key="words_orders_search").click().run()
    assert page.text_input(key="search_orders").value == ""
    view = parse_view(ORDERS, {"search": "ana", "zone": "UTC"})
    assert open_page(view=to_address(view)).text_input(key="search_orders").value == "ana"


def test_pasted_ids_that_no_row_has_are_named(page: AppTest) -> None:
    view = parse_view(ORDERS, {"ids": ["OD-1", "gone"], "zone": "UTC"})
    opened = open_page(view=to_address(view))
    assert "**1** of 3 orders" in texts(opened)
    assert "1 of the 2 pasted IDs was not found: gone." in texts(opened).replace("\\", "")


def test_the_default_view_opens_first(page: AppTest, admin: Actor) -> None:
    view = parse_view(ORDERS, {"filters": ANA, "zone": "UTC"})
    views.save_view(view, "Ana's", actor=admin, is_default=True)
    opened = open_page()
    assert chips(opened) == ["Author contains “ana”"]
    assert "view" not in opened.query_params


def test_a_saved_view_that_is_no_longer_valid_keeps_the_others(page: AppTest, admin: Actor) -> None:
    views.save_view(default_view(ORDERS), "Good", actor=admin)
    bad = to_json(default_view(ORDERS)) | {"zone": "Mars/Base"}
    with storage.writing() as session:
        session.add(
            SavedView(view_id="x", table_name="orders", owner="local", name="Bad", view=bad)
        )
    page.session_state["views_orders"] = True
    page.run()
    labels = [button.label for button in page.button]
    assert "Good" in labels
    assert "Bad: “Mars/Base” is not an IANA time zone." in texts(page).replace("\\", "")


def test_without_an_active_user_a_button_of_an_open_page_does_nothing(page: AppTest) -> None:
    page = grid_says(page, view={"filters": ANA})
    with storage.writing() as session:
        session.get_one(User, actors.LOCAL_USER_ID).is_active = False
    page.button(key="select_orders").click().run()
    assert "You are not signed in" in texts(page)
    assert "orders" not in texts(page).replace("Order Desk", "")


def test_an_order_shows_its_facts_and_its_items(sqlite_database: str) -> None:
    order_id = make_order("OD-7", author="ana@helios.example", contact_email="desk@helios.example")
    make_item(order_id)
    opened = open_page("order", order=order_id)
    for words in ("Order OD-7", "ana@helios.example", "desk@helios.example", "38.00 EUR"):
        assert words in texts(opened)
    assert "**1** order item" in texts(opened)


def test_an_order_that_is_not_there_is_named_in_one_sentence(sqlite_database: str) -> None:
    opened = open_page("order", order="nowhere")
    assert opened.error[0].value == "Order “nowhere” was not found, or you have no access to it."


@pytest.mark.parametrize(("number", "said"), [(7, 7), ('"><b>', 0), (None, 0)])
def test_page_says_for_which_answer_and_view_its_links_are(
    page: AppTest, number: Any, said: int
) -> None:
    assert 'data-answer="0" data-revision="1"' in texts(page)
    page = grid_says(page, view={"filters": ANA}, number=number)
    assert f'data-answer="{said}" data-revision="1"' in texts(page)
    page.button(key="clear_orders").click().run()
    assert f'data-answer="{said}" data-revision="2"' in texts(page)
