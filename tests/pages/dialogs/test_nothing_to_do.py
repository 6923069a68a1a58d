"""A selection of which nothing can be refunded, downloaded or sent: every button says so alike."""

from datetime import UTC, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.opened import grid_says, open_page, texts, values
from tests.rows import make_item, make_order, make_transaction

NOW = datetime.now(UTC)
SOON, PAST = NOW + timedelta(days=3), NOW - timedelta(days=1)
DONE = {"refund": "refunded", "voucher": "downloaded", "send": "sent"}
THINGS = {"refund": "item", "voucher": "voucher", "send": "voucher"}


@pytest.fixture(autouse=True)
def shop(sqlite_database: str) -> None:
    """Store an order with two refunded items, and a valid one."""
    make_order("OD-1", item_count=3)
    make_transaction(order_id="OD-1", amount_minor=-9000)
    gone = {"status": "refunded", "refunded_at": PAST, "valid_until": SOON}
    for item in ("I-1", "I-2"):
        make_item("OD-1", order_item_id=item, **gone)
    make_item("OD-1", order_item_id="I-3", valid_until=SOON, refund_expire_at=SOON)


def opened(action: str, *items: str) -> AppTest:
    page = grid_says(open_page("order_items"), place="order_items", view={}, selected=list(items))
    button = page.button(key=f"{action}_order_items")
    assert not button.disabled
    return button.click().run()


@pytest.mark.parametrize("action", DONE)
@pytest.mark.parametrize("items", [("I-1",), ("I-1", "I-2")])
def test_with_refunded_items_alone_each_button_opens_a_dialog_that_says_why(
    action: str, items: tuple[str, ...]
) -> None:
    page = opened(action, *items)
    assert not page.exception
    count, done = len(items), DONE[action]
    things = THINGS[action] + "s" * (count != 1)
    assert (
        f"**Nothing you selected can be {done}.** 0 of {count} {things} will be {done}."
    ) in texts(page)
    assert f"**Cannot be {done}** ({count})" in texts(page)
    (table,) = values(page, "table")
    assert table["Order Item ID"].tolist() == list(items)
    assert all("refunded on" in why for why in table["Why"])
    confirm = page.button(key=f"{action}_confirm")
    assert confirm.disabled
    assert " 0 " in confirm.label
    assert not page.text_area  # nothing is asked for
    page.button(key=f"{action}_cancel").click().run()
    assert "Nothing you selected" not in texts(page)


def test_with_one_that_is_valid_no_button_says_so() -> None:
    for action in ("refund", "send"):
        assert "Nothing you selected" not in texts(opened(action, "I-1", "I-3"))
    page = grid_says(
        open_page("order_items"), place="order_items", view={}, selected=["I-1", "I-3"]
    )
    assert "Download Voucher" in [link.proto.label for link in page.get("link_button")]
