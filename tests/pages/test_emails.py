"""Send Voucher and E-mails, run without a browser."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from core import mail, notes, storage
from core.access import Actor
from core.access.actors import LOCAL_USER_ID
from core.ground import DeliveryState, word_of
from core.mail import STATE_TEXTS
from core.mail.deliver.outbox import Outbox
from core.storage import Delivery, User
from pages.dialogs.void_notice import NOTHING_SELECTED
from tests.pages.opened import grid_says, open_page, texts
from tests.rows import make_actor, make_item, make_order

SOON = datetime.now(UTC) + timedelta(days=3)
CONTACT = "contact@helios.example"


@pytest.fixture(autouse=True)
def shop(sqlite_database: str) -> None:
    """Store two valid vouchers of one order, a used one, and one of another order."""
    make_order("OD-1", item_count=3, contact_email=CONTACT)
    for number, status in enumerate(("not_used", "not_used", "used"), 1):
        make_item("OD-1", order_item_id=f"I-{number}", status=status, valid_until=SOON)
    make_order("OD-2", contact_email="other@helios.example")
    make_item("OD-2", order_item_id="J-1", valid_until=SOON)


def ticked(*items: str) -> AppTest:
    page = open_page("order_items")
    return grid_says(page, place="order_items", view={}, selected=list(items))


def opened(*items: str) -> AppTest:
    return ticked(*items).button(key="send_order_items").click().run()


def recipients() -> list[str]:
    with storage.reading() as session:
        return sorted(session.scalars(select(Delivery.recipient)))


def role_is(role: str) -> None:
    with storage.writing() as session:
        session.get_one(User, LOCAL_USER_ID).role = role


def test_button_needs_a_selection() -> None:
    assert open_page("order_items").button(key="send_order_items").disabled
    assert not ticked("I-1").button(key="send_order_items").disabled


def test_contact_of_the_one_order_is_filled_in_and_gets_the_mail() -> None:
    page = opened("I-1", "I-3")
    assert page.text_area(key="send_recipients").value == CONTACT
    assert "It has been used." in str(page.table[0].value)
    assert page.button(key="send_confirm").label == "Send 1 e-mail"
    page.button(key="send_confirm").click().run()
    assert recipients() == [CONTACT]
    assert "1 e-mail" in texts(page)


def test_items_of_several_orders_go_by_default_to_each_order_s_contact() -> None:
    page = opened("I-1", "J-1")
    assert page.radio(key="send_mode").value == "contacts"
    assert page.button(key="send_confirm").label == "Send 2 e-mails"
    page.button(key="send_confirm").click().run()
    assert recipients() == [CONTACT, "other@helios.example"]


def test_characters_without_a_font_are_listed_before_the_mail_and_it_can_be_sent() -> None:
    make_item("OD-2", order_item_id="J-2", product="Lounge ᚠ", valid_until=SOON)
    page = opened("I-1", "J-2")
    (listed,) = (one.value for one in page.table if "Characters" in one.value)
    assert listed["Order Item ID"].tolist() == ["J-2"]
    assert listed["Characters"].tolist() == ["ᚠ U+16A0"]
    page.button(key="send_confirm").click().run()
    assert recipients() == [CONTACT, "other@helios.example"]
    assert not any("Characters" in one.value for one in opened("I-1", "J-1").table)


def test_second_click_sends_nothing_more() -> None:
    page = opened("I-1")
    page.button(key="send_confirm").click().run()
    emails_before = recipients()
    assert "See them in E-mails" in [one.proto.label for one in page.get("page_link")]
    page.button(key="send_done").click().run()
    assert recipients() == emails_before == [CONTACT]


def test_without_a_recipient_the_click_says_what_is_missing() -> None:
    page = opened("I-1")
    page.text_area(key="send_recipients").input("").run()
    page.button(key="send_confirm").click().run()
    assert "There is no recipient" in texts(page)
    assert recipients() == []


def test_role_without_vouchers_has_no_button_and_no_page() -> None:
    role_is("viewer")
    page = ticked("I-1")
    assert not [one for one in page.button if one.label == "Send Voucher"]
    assert "cannot see or send e-mails" in texts(open_page("emails"))


def test_without_emails_the_page_says_how_to_send_one() -> None:
    assert "click *Send Voucher*" in texts(open_page("emails"))


def test_page_says_that_mail_goes_to_the_disk_and_shows_a_mail(
    admin: Actor, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    answer = mail.send(["I-1"], [CONTACT], message="Hello!", key="k", actor=admin, now=now)
    mail.deliver_due(now=now, transport=Outbox(tmp_path / "outbox"))
    page = open_page("emails")
    assert "in the outbox on disk" in texts(page)
    page = grid_says(page, place="emails", view={}, selected=[answer.deliveries[0].delivery_id])
    page.button(key="show_emails").click().run()
    assert "Hello!" in page.code[0].value
    assert f":gray[To] {CONTACT}" in texts(page).replace("\\", "")
    void = page.button(key="void_emails")
    assert (void.disabled, void.help.startswith("No one needs a void notice:")) == (True, True)
    page.button(key="resend_emails").click().run()
    assert recipients() == [CONTACT, CONTACT]
    (said,) = page.toast
    assert said.value.startswith("1 e-mail queued. No mail server is set up, so e-mails are only")
    assert page.button(key="void_emails").help == NOTHING_SELECTED


def test_mail_without_vouchers_is_shown_without_a_list_of_them(admin: Actor) -> None:
    ana, now = make_actor(email="ana@helios.example"), datetime.now(UTC)
    notes.add_note("OD-1", f"@{ana.email} look", key="k", actor=admin, now=now, zone="UTC")
    with storage.reading() as session:
        (mention,) = session.scalars(select(Delivery.delivery_id))
    page = grid_says(open_page("emails"), place="emails", view={}, selected=[mention])
    page.button(key="show_emails").click().run()
    assert "mentioned" in texts(page)
    assert not page.table


def test_address_that_is_new_to_two_contracts_is_warned_of_for_both() -> None:
    make_order("OD-3", contract_id="CT-2", contact_email=CONTACT)
    make_item("OD-3", order_item_id="K-1", contract_id="CT-2", valid_until=SOON)
    page = opened("I-1", "K-1")
    page.radio(key="send_mode").set_value("addresses").run()
    page.text_area(key="send_recipients").set_value("boss@mail.example").run()
    (warning,) = [one.value for one in page.warning if "not the contact" in one.value]
    assert "OD-1" in warning
    assert "OD-3" in warning


def test_click_on_the_button_of_before_a_warning_sends_nothing() -> None:
    page = opened("I-1")
    page.text_area(key="send_recipients").input("stranger@mail.example").run()
    assert "is not the contact or a passenger" in texts(page)
    # The button of before is gone, and with it a click that was on its way.
    (confirm,) = (one for one in page.button if str(one.key).startswith("send_confirm"))
    assert confirm.key != "send_confirm"
    confirm.click().run()
    assert recipients() == ["stranger@mail.example"]


def test_without_emails_the_page_says_what_the_states_mean() -> None:
    said = texts(open_page("emails"))
    assert "There are no e-mails yet." in said
    for state in DeliveryState:
        assert f"**{word_of(state)}.** {STATE_TEXTS[state]}" in said


def test_beside_emails_a_button_says_what_the_states_mean() -> None:
    opened("I-1").button(key="send_confirm").click().run()
    page = open_page("emails")
    labels = [one.proto.popover.label for one in page.get("popover")]
    assert "Columns and states explained" in labels
    assert STATE_TEXTS[DeliveryState.FAILED] not in texts(page)
    page.session_state["explained_emails"] = True
    assert STATE_TEXTS[DeliveryState.FAILED] in texts(page.run())


@pytest.mark.parametrize("has_emails", [False, True])
def test_where_emails_go_is_said_below_the_title(has_emails: bool) -> None:
    if has_emails:
        opened("I-1").button(key="send_confirm").click().run()
    page = open_page("emails")
    said = [str(getattr(one, "value", "")) for one in page.main]
    (notice,) = [place for place, one in enumerate(said) if "Nobody receives them." in one]
    assert said.index("E-mails") < notice
