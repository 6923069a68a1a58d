"""Refund… and Send Vouchers… of the selected orders, run without a browser."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from core import query, storage
from core.access.actors import LOCAL_USER_ID
from core.query.items_of import ItemsOfOrders
from core.storage import Delivery, OrderItem, User
from core.tables import ORDER_ITEMS
from core.views import parse_view
from core.views.codec import from_address
from tests.pages.opened import grid_says, open_page, texts, values
from tests.rows import make_contract, make_item, make_order, make_transaction

SOON, PAST = (datetime.now(UTC) + timedelta(days=days) for days in (3, -1))
GIVEN = {"refund_expire_at": SOON, "valid_until": SOON}
GONE = GIVEN | {"status": "refunded", "refunded_at": PAST}


@pytest.fixture(autouse=True)
def shop(sqlite_database: str) -> None:
    """Store orders: mixed, in another currency, all refunded, and without items."""
    _store("OD-1", {}, {"status": "used"}, contact_email="one@helios.example")
    make_contract("CT-2", currency="JPY")
    _store("OD-2", {"currency": "JPY", "price_minor": 900}, contract_id="CT-2", currency="JPY")
    _store("OD-3", GONE, GONE)
    make_order("OD-4")


def _store(order_id: str, *items: dict[str, object], **given: object) -> None:
    make_order(order_id, item_count=len(items), **given)
    of_order = {name: given[name] for name in ("contract_id", "currency") if name in given}
    make_transaction(order_id=order_id, amount_minor=-9000, **of_order)
    for number, item in enumerate(items, 1):
        name = f"{order_id}-{number}"
        make_item(order_id, order_item_id=name, **(GIVEN | of_order | item))


def _selected(*orders: str) -> AppTest:
    return grid_says(open_page("orders"), view={}, selected=list(orders))


def _opened(action: str, *orders: str) -> AppTest:
    page = _selected(*orders).button(key=f"{action}_orders").click().run()
    assert not page.exception
    return page


def _statuses() -> dict[str, str]:
    with storage.reading() as session:
        rows = session.execute(select(OrderItem.order_item_id, OrderItem.status))
        return {row.order_item_id: row.status for row in rows}


def test_the_buttons_need_a_selection() -> None:
    page = open_page("orders")
    for key, label in (
        ("refund_orders", "Refund…"),
        ("voucher_orders", "Download Vouchers…"),
        ("send_orders", "Send Vouchers…"),
    ):
        button = page.button(key=key)
        assert (button.label, button.disabled) == (label, True)
        assert str(button.help).startswith("Select orders to ")
    assert not _selected("OD-1").button(key="refund_orders").disabled


@pytest.mark.parametrize("role", ["viewer", "accountant"])
def test_a_role_without_these_rights_has_none_of_the_buttons(role: str) -> None:
    with storage.writing() as session:
        session.get_one(User, LOCAL_USER_ID).role = role
    page = _selected("OD-1")
    assert not page.exception
    assert not {"Refund…", "Download Vouchers…", "Send Vouchers…"} & {
        button.label for button in page.button
    }


def test_refund_lists_every_item_of_the_orders_with_totals_per_currency() -> None:
    page = _opened("refund", "OD-1", "OD-2", "OD-3")
    assert "**2** of 5 items will be refunded." in texts(page)
    assert "**Total** 38.00 EUR · 900 JPY" in texts(page)
    able, refused = values(page, "table")
    assert able["Order ID"].tolist() == ["OD-1", "OD-2"]
    assert able["Order Item ID"].tolist() == ["OD-1-1", "OD-2-1"]
    assert refused["Order ID"].tolist() == ["OD-1", "OD-3", "OD-3"]
    assert refused["Why"].tolist()[0] == "It has been used."
    assert all(why.startswith("It was refunded on ") for why in refused["Why"].tolist()[1:])


def test_refund_changes_the_items_and_keeps_the_untouched_orders_selected() -> None:
    page = _opened("refund", "OD-1", "OD-3")
    page.selectbox(key="refund_reason").select("goodwill")
    page.button(key="refund_confirm").click().run()
    assert not page.exception
    assert r"**1 item** refunded\: 38.00 EUR" in texts(page)
    assert "**3 items** not refunded" in texts(page)
    (results,) = values(page, "table")
    assert results["Order ID"].tolist() == ["OD-1", "OD-1", "OD-3", "OD-3"]
    assert results["Result"].tolist() == ["Refunded", *["Not refunded"] * 3]
    assert "**1 selected**" in texts(page)
    assert page.session_state["orders_state"].selected == ("OD-3",)
    assert page.session_state["orders_state"].data_revision == 2  # the grid reloads its rows
    assert _statuses()["OD-1-1"] == "refunded"


def test_an_item_that_was_added_since_the_dialog_opened_is_not_refunded() -> None:
    page = _opened("refund", "OD-1")
    make_item("OD-1", order_item_id="OD-1-NEW", **GIVEN)
    page.selectbox(key="refund_reason").select("goodwill")
    page.button(key="refund_confirm").click().run()
    assert (_statuses()["OD-1-1"], _statuses()["OD-1-NEW"]) == ("refunded", "not_used")


def test_orders_that_are_missing_or_have_no_items_are_named() -> None:
    page = _opened("refund", "OD-1", "OD-4", "OD-GONE")
    assert "**1** of 2 items will be refunded." in texts(page)
    assert "Order OD-4 has no items" in texts(page)
    assert "Order OD-GONE was not found, or you have no access to it" in texts(page)
    page = _opened("refund", "OD-4")
    assert "Order OD-4 has no items" in texts(page)
    assert [button.label for button in page.button if str(button.key).startswith("refund_c")] == [
        "Close"
    ]
    assert "Order OD-GONE was not found" in texts(_opened("send", "OD-GONE"))


def test_refunded_orders_alone_say_so_in_every_dialog() -> None:
    done_by = {"refund": "refunded", "voucher": "downloaded", "send": "sent"}
    for action, done in done_by.items():
        page = _opened(action, "OD-3")
        assert f"**Nothing you selected can be {done}.**" in texts(page)
        assert values(page, "table")[0]["Order ID"].tolist() == ["OD-3", "OD-3"]


def test_more_items_than_an_action_takes_are_refused_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("core.query.items_of.MAX_SELECTED", 3)
    page = _opened("refund", "OD-1", "OD-3")
    assert "The 2 selected orders have more than 3 items" in texts(page)
    assert "Select fewer orders" in texts(page)
    assert "**2** of 3 items" in texts(_opened("refund", "OD-1", "OD-2"))


def test_vouchers_of_orders_are_listed_and_sent_to_each_contact() -> None:
    page = _opened("send", "OD-1", "OD-2", "OD-3")
    assert "No mail server is set up" in texts(page)
    left_out, able = values(page, "table")
    assert left_out["Order ID"].tolist() == ["OD-1", "OD-3", "OD-3"]
    assert able["Order Item ID"].tolist() == ["OD-1-1", "OD-2-1"]
    assert able["To"].tolist() == ["one@helios.example"] * 2
    page.text_area(key="send_recipients").input("me@helios.example").run()
    (confirm,) = (b for b in page.button if str(b.key).startswith("send_confirm"))
    assert confirm.label == "Send 2 e-mails"  # no mail mixes contracts
    confirm.click().run()
    with storage.reading() as session:
        assert sorted(session.scalars(select(Delivery.contract_id))) == ["CT-1", "CT-2"]
    assert page.session_state["orders_state"].selected == ()


def test_the_items_of_orders_are_looked_up_by_a_click_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[object] = []
    find = query.find_items_of

    def note(ids: Sequence[str], **given: Any) -> ItemsOfOrders:
        asked.append(ids)
        return find(ids, **given)

    monkeypatch.setattr("core.query.find_items_of", note)
    page = _selected("OD-1")
    page.run()
    assert asked == []  # only a click looks for them
    page.button(key="refund_orders").click().run()
    assert asked == [("OD-1",)]


def test_vouchers_of_orders_are_listed_and_downloaded() -> None:
    page = _opened("voucher", "OD-1", "OD-2", "OD-3")
    assert "**2** of 5 vouchers will be downloaded." in texts(page)
    (left_out,) = values(page, "table")
    assert left_out["Order Item ID"].tolist() == ["OD-1-2", "OD-3-1", "OD-3-2"]
    links = {one.proto.label: one.proto.url for one in page.get("link_button")}
    assert "/vouchers?form=zip&" in links["Download separate PDFs (ZIP)"]
    (view,) = parse_qs(urlsplit(links["Download 2 vouchers"]).query)["view"]
    named = parse_view(ORDER_ITEMS, from_address(view)).ids
    assert named == ("OD-1-1", "OD-2-1")
    assert "Order OD-4 has no items" in texts(_opened("voucher", "OD-4"))
