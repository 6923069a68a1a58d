"""The refund dialog, run without a browser."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import pytest
from streamlit.testing.v1 import AppTest

from core import storage
from core.access.actors import LOCAL_USER_ID
from core.ground import get_settings
from core.storage import OrderItem, Refund, User
from tests.core.refunds.refund_rows import settings
from tests.core.refunds.returned import returned_item
from tests.pages.opened import grid_says, open_page, texts, values
from tests.rows import make_item, make_order, make_transaction

SOON = datetime.now(UTC) + timedelta(days=3)


def _shop() -> None:
    make_order("OD-1", item_count=2)
    make_transaction(order_id="OD-1", amount_minor=-7600)
    given = {"refund_expire_at": SOON, "valid_until": SOON}
    make_item("OD-1", order_item_id="I-1", **given)
    make_item("OD-1", order_item_id="I-2", product="*Fast* [track](x)", **given)


def _open_dialog(*items: str) -> AppTest:
    page = grid_says(open_page("order_items"), place="order_items", view={}, selected=list(items))
    page.button(key="refund_order_items").click().run()
    return page


def _status(item_id: str) -> str:
    with storage.reading() as session:
        return session.get_one(OrderItem, item_id).status


def test_refund_needs_a_selection(sqlite_database: str) -> None:
    _shop()
    page = open_page("order_items")
    assert page.button(key="refund_order_items").disabled
    page = grid_says(page, place="order_items", view={}, selected=["I-1"])
    assert not page.button(key="refund_order_items").disabled


@pytest.mark.parametrize("role", ["viewer", "accountant"])
def test_a_role_that_cannot_refund_is_not_offered_it(sqlite_database: str, role: str) -> None:
    _shop()
    with storage.writing() as session:
        session.get_one(User, LOCAL_USER_ID).role = role
    page = open_page("order_items")
    assert not page.exception
    assert "Refund" not in [button.label for button in page.button]


def test_dialog_says_what_will_happen_and_confirming_does_it(sqlite_database: str) -> None:
    _shop()
    page = _open_dialog("I-1", "I-2", "I-GONE")
    assert "**2** of 3 items will be refunded." in texts(page)
    assert "**Total** 76.00 EUR" in texts(page)
    assert r"Balance of CT-1\: 0.00 → 76.00 EUR" in texts(page)
    page.selectbox(key="refund_reason").select("goodwill")
    page.text_input(key="refund_note").input("as asked")
    page.button(key="refund_confirm").click().run()
    assert not page.exception
    assert r"**2 items** refunded\: 76.00 EUR" in texts(page)
    assert "**1 item** not refunded" in texts(page)
    links = [one.proto for one in page.get("page_link")]
    (there,) = [one for one in links if one.label == "See them in Refunds"]
    shown = open_page("refunds", **dict(parse_qsl(there.query_string)))
    assert "**2** refunds" in texts(shown)
    assert "**1 selected**" in texts(page)
    with storage.reading() as session:
        refund = session.query(Refund).filter_by(order_item_id="I-1").one()
        assert (refund.reason, refund.note, refund.status) == ("goodwill", "as asked", "succeeded")
    page.button(key="refund_done").click().run()
    assert "2 items" not in texts(page)


def test_names_in_the_dialog_are_text_and_not_markdown(sqlite_database: str) -> None:
    _shop()
    page = _open_dialog("I-2")
    (table,) = values(page, "table")
    assert "\\*Fast\\* \\[track\\](x)" in table["Product"].tolist()


def test_the_dialog_says_that_a_reason_needs_a_note(sqlite_database: str) -> None:
    _shop()
    page = _open_dialog("I-1")
    page.selectbox(key="refund_reason").select("other")
    page.button(key="refund_confirm").click().run()
    assert "Write the reason in the note." in texts(page)
    assert _status("I-1") == "not_used"
    page.text_input(key="refund_note").input("The lounge was closed.")
    page.button(key="refund_confirm").click().run()
    assert _status("I-1") == "refunded"


def test_more_than_the_hourly_limit_is_refused_whole(
    sqlite_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _shop()
    monkeypatch.setenv("REFUNDS_PER_HOUR", "1")
    get_settings.cache_clear()
    page = _open_dialog("I-1", "I-2")
    page.selectbox(key="refund_reason").select("goodwill")
    page.button(key="refund_confirm").click().run()
    assert "You can refund 1 order items per hour" in texts(page)
    assert (_status("I-1"), _status("I-2")) == ("not_used", "not_used")
    monkeypatch.undo()
    get_settings.cache_clear()


def test_one_selected_item_has_its_name_beside_the_count_also_when_the_filter_hides_it(
    sqlite_database: str,
) -> None:
    _shop()
    page = open_page("order_items")
    name = r"Zoë Müller · \*Fast\* \[track\](x)"
    none = {"product": {"filterType": "text", "type": "contains", "filter": "zzz"}}
    page = grid_says(page, place="order_items", view={"filters": none}, selected=["I-2"])
    assert "**1 selected**, 1 hidden by the filter" in texts(page)
    assert name in texts(page)
    page = grid_says(page, place="order_items", view={}, selected=["I-1", "I-2"])
    assert "**2 selected**" in texts(page)
    assert name not in texts(page)


def test_a_dialog_closes_when_the_person_leaves_the_page(sqlite_database: str) -> None:
    _shop()
    page = _open_dialog("I-1")
    page.switch_page("orders.py").run()
    page.switch_page("order_items.py").run()
    assert "will be refunded" not in texts(page)


def test_the_ready_made_view_shows_the_value_at_risk(sqlite_database: str) -> None:
    _shop()
    page = open_page("order_items")
    page.session_state["views_order_items"] = True
    page.run()
    labels = [button.label for button in page.button]
    assert "Refund expires within 24 hours" in labels
    within = next(b for b in page.button if b.label == "Refund expires within 7 days")
    within.click().run()
    assert "Value at risk: 76.00 EUR" in texts(page)


def test_an_item_whose_refund_the_bank_returned_is_refunded_again(sqlite_database: str) -> None:
    with settings(stripe_api_key="sk_test_x"):
        item = returned_item()
        page = _open_dialog(item)
        assert "**1** of 1 item will be refunded." in texts(page)
        shown = values(page, "table")[0]
        assert shown["Refund Expire Date"].tolist() == ["Returned by the bank"]
