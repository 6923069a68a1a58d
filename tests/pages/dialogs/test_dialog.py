"""Every dialog of a page: it stays open when the page runs again, and closes when it is left."""

from datetime import UTC, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.opened import grid_says, open_page
from tests.rows import make_item, make_order, make_transaction

SOON = datetime.now(UTC) + timedelta(days=3)
# A dialog: its page, the selected rows, the button that opens it, a button inside it.
DIALOGS = {
    "refund": ("order_items", ["I-1"], "refund_order_items", "refund_confirm"),
    "send vouchers": ("order_items", ["I-1"], "send_order_items", "send_confirm"),
    "add a user": ("users", [], "add_user", "user_confirm"),
    "save a view": ("order_items", [], "save_order_items", "save_now"),
}


def _open(page_file: str, selected: list[str], opener: str) -> AppTest:
    make_order("OD-1")
    make_transaction(order_id="OD-1", amount_minor=-3800)
    make_item("OD-1", order_item_id="I-1", refund_expire_at=SOON, valid_until=SOON)
    page = open_page(page_file)
    if opener.startswith("save_"):
        page.session_state[f"views_{page_file}"] = True
        page.run()
    page = grid_says(page, place=page_file, view={}, selected=selected)
    return page.button(key=opener).click().run()


def _is_open(page: AppTest, inside: str) -> bool:
    assert not page.exception
    return inside in [button.key for button in page.button]


@pytest.mark.parametrize("name", DIALOGS)
def test_a_dialog_stays_open_when_the_page_runs_again(name: str, sqlite_database: str) -> None:
    page_file, selected, opener, inside = DIALOGS[name]
    page = _open(page_file, selected, opener)
    assert _is_open(page, inside)
    assert _is_open(page.run(), inside)


@pytest.mark.parametrize("name", DIALOGS)
def test_a_dialog_is_closed_when_the_page_was_left(name: str, sqlite_database: str) -> None:
    page_file, selected, opener, inside = DIALOGS[name]
    page = _open(page_file, selected, opener)
    page.switch_page("transactions.py").run()
    assert not _is_open(page, inside)
    page.switch_page(f"{page_file}.py").run()
    assert not _is_open(page, inside)
    assert opener.startswith("save_") or _is_open(page, opener)


@pytest.mark.parametrize("name", ["refund", "send vouchers", "add a user"])
def test_cancel_closes_a_dialog(name: str, sqlite_database: str) -> None:
    page_file, selected, opener, inside = DIALOGS[name]
    page = _open(page_file, selected, opener)
    page.button(key=inside.replace("_confirm", "_cancel")).click().run()
    assert not _is_open(page, inside)
