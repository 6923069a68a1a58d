"""The Orders page, run without a browser."""

import json
from typing import Any

import pytest

from core import demo, storage
from core.access import Actor, actors
from core.storage import User, UserContract
from core.tables import ORDERS
from core.views import parse_view, to_address
from pages.shell import plain
from tests.conftest import NOW, free_port, use_database
from tests.pages.opened import chips, grid_says, open_page, texts
from tests.rows import make_contract, make_order


def test_the_page_says_how_many_orders_there_are(database: str, admin: Actor) -> None:
    demo.fill(40, actor=admin, now=NOW)
    page = open_page()
    assert not page.exception
    assert page.title[0].value == "Orders"
    assert "**40** orders" in texts(page)


def test_a_link_opens_its_view_in_words(sqlite_database: str) -> None:
    make_order(author="ana")
    make_order(author="bob")
    filters = {"author": {"filterType": "text", "type": "contains", "filter": "ana"}}
    page = open_page(view=to_address(parse_view(ORDERS, {"filters": filters})))
    assert "**1** of 2 orders" in texts(page)
    assert chips(page) == ["Author contains “ana”"]


def test_an_answer_of_the_grid_changes_count_words_and_address(sqlite_database: str) -> None:
    make_order(author="ana", item_count=3)
    make_order(author="bob")
    page = open_page()
    filters = {"item_count": {"filterType": "number", "type": "greaterThan", "filter": 2}}
    page = grid_says(page, view={"filters": filters, "sort": [{"colId": "no", "sort": "asc"}]})
    assert "**1** of 2 orders" in texts(page)
    assert chips(page) == ["Total \\> 2"]
    view = parse_view(
        ORDERS, {"filters": filters, "sort": [{"colId": "no", "sort": "asc"}], "zone": "UTC"}
    )
    assert page.query_params["view"] == to_address(view)


def test_clear_all_and_one_removal_change_the_view(sqlite_database: str) -> None:
    make_order(author="ana", item_count=3)
    make_order(author="bob")
    filters = {
        "author": {"filterType": "text", "type": "contains", "filter": "ana"},
        "no": {"filterType": "number", "type": "greaterThan", "filter": 0},
    }
    page = open_page(view=to_address(parse_view(ORDERS, {"filters": filters})))
    page.button(key="words_orders_author").click().run()
    assert chips(page) == ["No \\> 0"]
    page.button(key="clear_orders").click().run()
    assert "**2** orders" in texts(page)
    assert not chips(page)


def test_an_answer_of_the_grid_from_before_a_push_is_ignored(sqlite_database: str) -> None:
    make_order(author="ana")
    filters = {"author": {"filterType": "text", "type": "contains", "filter": "zzz"}}
    page = open_page(view=to_address(parse_view(ORDERS, {"filters": filters})))
    page = grid_says(page, view={"filters": filters})
    page.button(key="clear_orders").click().run()
    assert "**1** order" in texts(page)


def test_a_damaged_link_shows_a_warning_and_every_row(sqlite_database: str) -> None:
    make_order()
    for parameters in ({"view": "!!!"}, {"saved": "nothing"}, {"view": "e30" * 9}):
        page = open_page(**parameters)
        for _ in range(2):  # an answer of the grid starts another run
            assert "The filters in the link were ignored." in texts(page)
            assert "**1** order" in texts(page)
            page.run()


def test_a_view_too_long_for_an_address_is_stored_and_opened_by_its_id(
    sqlite_database: str,
) -> None:
    make_order(author="ana")
    values = [f"somebody-{number}@x.example" for number in range(500)]
    page = open_page()
    page = grid_says(
        page, view={"filters": {"author": {"filterType": "set", "values": values}}, "sort": []}
    )
    assert "view" not in page.query_params
    saved = page.query_params["saved"]
    again = open_page(saved=saved)
    assert "**0** of 1 order" in texts(again)


def test_without_rows_there_is_nothing_to_export(sqlite_database: str) -> None:
    make_order(author="ana")
    filters = {"author": {"filterType": "text", "type": "contains", "filter": "zzz"}}
    page = open_page(view=to_address(parse_view(ORDERS, {"filters": filters})))
    assert "Nothing to export: no order matches these filters" in texts(page)
    assert not page.get("link_button")
    assert page.button(key="download_orders").disabled


def test_an_empty_database_says_what_to_do_next(sqlite_database: str) -> None:
    page = open_page()
    assert "There are no orders yet" in texts(page)
    assert "make import" in texts(page)
    assert "make demo" in texts(page)
    assert not page.get("link_button")


def test_without_an_active_user_no_page_is_shown(sqlite_database: str) -> None:
    make_order(author="ana@secret.example")
    with storage.writing() as session:
        session.get_one(User, actors.LOCAL_USER_ID).is_active = False
    page = open_page()
    assert "You are not signed in" in texts(page)
    assert "orders" not in texts(page).replace("Order Desk", "")
    assert not page.get("link_button")
    assert not page.get("component_instance")


def test_an_unreachable_database_shows_a_sentence_and_no_stack_trace() -> None:
    use_database(f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/none")
    page = open_page()
    assert not page.exception
    assert "The database cannot be reached" in texts(page)


def test_an_unknown_failure_is_logged_in_full_and_shown_without_details(
    sqlite_database: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make_order()

    def fail(*_: Any, **__: Any) -> int:
        raise RuntimeError("a secret of the house")

    monkeypatch.setattr("core.query.load_figures", fail)
    page = open_page()
    assert not page.exception
    assert "Something went wrong on this page" in texts(page)
    assert "secret" not in texts(page)
    assert "a secret of the house" in caplog.text


def test_hostile_filters_are_shown_as_text(sqlite_database: str) -> None:
    make_order()
    hostile = "**bold** <b>x</b> :material/home: $x$ [a](http://x)"
    filters = {"author": {"filterType": "text", "type": "contains", "filter": hostile}}
    page = open_page(view=to_address(parse_view(ORDERS, {"filters": filters})))
    (label,) = chips(page)
    for mark in ("**", "<b>", ":material", "$x", "[a]"):
        assert mark not in label.replace("\\" + mark[0], "")


def test_the_grids_configuration_stays_the_same_from_run_to_run(sqlite_database: str) -> None:
    make_order()
    page = open_page()
    first = json.loads(page.get("component_instance")[0].proto.json_args)
    page.run()
    assert json.loads(page.get("component_instance")[0].proto.json_args) == first


NAMED = to_address(
    parse_view(ORDERS, {"filters": {"contract_id": {"filterType": "set", "values": ["CT-1"]}}})
)


def test_a_chip_says_the_name_of_a_contract_as_text(sqlite_database: str) -> None:
    make_contract("CT-1", name="**Ana** [x](http://evil.example) :red[é]")
    make_order(contract_id="CT-1")
    (chip,) = chips(open_page(view=NAMED))
    assert chip == plain("Contract ID is CT-1 (**Ana** [x](http://evil.example) :red[é])")


def test_a_chip_does_not_say_the_name_of_a_contract_of_others(sqlite_database: str) -> None:
    make_contract("CT-1", name="Secret Tours")
    make_order(contract_id="CT-1")
    make_order(contract_id=make_contract("CT-2"))
    assert chips(open_page(view=NAMED)) == ["Contract ID is CT-1 (Secret Tours)"]
    with storage.writing() as session:
        session.get_one(User, actors.LOCAL_USER_ID).sees_all_contracts = False
        session.add(UserContract(user_id=actors.LOCAL_USER_ID, contract_id="CT-2"))
    page = open_page(view=NAMED)
    assert chips(page) == ["Contract ID is CT-1"]
    assert "Secret" not in texts(page)
