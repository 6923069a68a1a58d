"""The notices on an order's page about refunds that were returned or need a match."""

import pytest
from streamlit.testing.v1 import AppTest

from core import storage
from core.access.actors import LOCAL_USER_ID
from core.refunds import NO_CARD_REFUNDS
from core.storage import AuditEvent, OrderItem, Refund, User
from pages.shell import plain
from tests.core.refunds.refund_rows import make_card_order, make_refundable, settings
from tests.core.refunds.returned import returned_item, unmatched_items
from tests.pages.opened import open_page, texts
from tests.rows import make_order


def _open() -> AppTest:
    page = open_page("order", order="OD-2")
    assert not page.exception
    return page


def _status(item_id: str) -> str:
    with storage.reading() as session:
        return session.get_one(OrderItem, item_id).status


def _become(role: str) -> None:
    with storage.writing() as session:
        session.get_one(User, LOCAL_USER_ID).role = role


def _buttons(page: AppTest) -> set[str]:
    return {button.label for button in page.button}


def test_a_refund_by_hand_is_matched_with_an_item(sqlite_database: str) -> None:
    with settings(stripe_api_key="sk_test_x"):
        items = unmatched_items()
        page = _open()
        assert r"re\_hand" in page.warning[0].value
        page.selectbox(key="match_item_re_hand").select(items[1])
        page.button(key="match_now_re_hand").click().run()
    assert not page.exception
    assert _status(items[1]) == "refunded"
    assert not page.warning


def test_without_an_item_nothing_is_matched(sqlite_database: str) -> None:
    with settings(stripe_api_key="sk_test_x"):
        items = unmatched_items()
        page = _open()
        page.button(key="match_now_re_hand").click().run()
    assert [_status(one) for one in items] == ["not_used"] * 3
    assert "Choose the order item" in page.toast[0].value
    assert page.warning


def test_a_refund_by_hand_is_dismissed_with_a_note(sqlite_database: str) -> None:
    with settings(stripe_api_key="sk_test_x"):
        unmatched_items()
        page = _open()
        page.button(key="match_none_re_hand").click().run()
        assert "Write in the note" in page.toast[0].value
        page.text_input(key="match_note_re_hand").input("Of the other shop")
        page.button(key="match_none_re_hand").click().run()
    assert not page.warning


def test_a_notice_shows_a_returned_refund_and_its_item_is_given_back(sqlite_database: str) -> None:
    with settings(stripe_api_key="sk_test_x"):
        item = returned_item()
        page = _open()
        assert "The bank returned the money" in page.warning[0].value
        assert "lost or stolen card" in page.warning[0].value
        page.text_input(key="give_back_note").input("Paid in cash")
        page.button(key="give_back_now").click().run()
    assert _status(item) == "not_used"
    assert not page.warning


@pytest.mark.parametrize(
    ("role", "is_offered"),
    [("viewer", False), ("accountant", False), ("agent", True), ("admin", True)],
)
def test_who_can_refund_is_offered_to_match(
    sqlite_database: str, role: str, is_offered: bool
) -> None:
    with settings(stripe_api_key="sk_test_x"):
        unmatched_items()
        _become(role)
        page = _open()
    assert ({"Match", "Belongs to no item"} <= _buttons(page)) is is_offered
    assert page.warning  # everyone who sees the order reads it


@pytest.mark.parametrize(("role", "is_offered"), [("agent", False), ("admin", True)])
def test_only_an_admin_is_offered_to_give_back(
    sqlite_database: str, role: str, is_offered: bool
) -> None:
    with settings(stripe_api_key="sk_test_x"):
        returned_item()
        _become(role)
        page = _open()
    assert ("Give back" in _buttons(page)) is is_offered
    assert page.warning  # everyone who sees the order reads it


# All of them, on Refunds.


def _open_refunds() -> AppTest:
    page = open_page("refunds")
    assert not page.exception
    return page


def test_refunds_lists_what_is_to_be_matched_of_all_orders(sqlite_database: str) -> None:
    with settings(stripe_api_key="sk_test_x"):
        items = unmatched_items()
        page = _open_refunds()
        assert [one.label for one in page.expander] == ["**To be matched** (1)"]
        assert "Order OD-2" in [link.proto.label for link in page.get("page_link")]
        page.selectbox(key="match_item_re_hand").select(items[1])
        before = page.session_state["refunds_state"].data_revision
        page.button(key="match_now_re_hand").click().run()
    assert not page.exception
    assert _status(items[1]) == "refunded"
    assert not page.expander
    assert page.session_state["refunds_state"].data_revision > before  # the table shows it
    with storage.reading() as session:
        matched = session.query(Refund).filter_by(external_reference="re_hand").one()
        assert (matched.reason, matched.status) == ("matched", "succeeded")
        audited = session.query(AuditEvent).filter_by(action="refund.matched").one()
        assert audited.entity_id == matched.refund_id


def test_refunds_dismisses_what_belongs_to_no_item(sqlite_database: str) -> None:
    with settings(stripe_api_key="sk_test_x"):
        unmatched_items()
        page = _open_refunds()
        page.text_input(key="match_note_re_hand").input("Of the other shop")
        page.button(key="match_none_re_hand").click().run()
    assert not page.expander


@pytest.mark.parametrize(("role", "is_offered"), [("viewer", False), ("agent", True)])
def test_who_can_refund_matches_on_refunds(
    sqlite_database: str, role: str, is_offered: bool
) -> None:
    with settings(stripe_api_key="sk_test_x"):
        unmatched_items()
        _become(role)
        page = _open_refunds()
    assert len(page.expander) == 1
    assert ({"Match", "Belongs to no item"} <= _buttons(page)) is is_offered


@pytest.mark.parametrize(
    ("page_file", "asked"), [("orders", {}), ("order_items", {}), ("order", {"order": "OD-2"})]
)
def test_pages_with_refundable_now_say_that_cards_cannot_be_refunded_here(
    sqlite_database: str, page_file: str, asked: dict[str, str]
) -> None:
    make_card_order("OD-2", reference="pi_1")
    make_refundable("OD-2")
    said = plain(NO_CARD_REFUNDS)
    assert "STRIPE" not in said
    assert said in texts(open_page(page_file, **asked))
    with settings(stripe_api_key="sk_test_x"):
        assert said not in texts(open_page(page_file, **asked))


def test_an_order_that_was_not_paid_by_card_says_nothing_of_cards(sqlite_database: str) -> None:
    make_card_order("OD-2", reference="pi_1")
    make_order("OD-1")
    assert plain(NO_CARD_REFUNDS) not in texts(open_page("order", order="OD-1"))
