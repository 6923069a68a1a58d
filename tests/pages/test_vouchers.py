"""Download Voucher and Verify, run without a browser."""

from datetime import UTC, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from core import storage
from core.access.actors import LOCAL_USER_ID
from core.storage import OrderItem, User
from pages.shell import plain
from tests.pages.opened import grid_says, open_page, texts, values
from tests.rows import make_item, make_order

SOON = datetime.now(UTC) + timedelta(days=3)


@pytest.fixture
def shop(sqlite_database: str) -> None:
    """Store two valid vouchers, and one that was used."""
    make_order("OD-1", item_count=3)
    for number, status in enumerate(("not_used", "not_used", "used"), 1):
        make_item("OD-1", order_item_id=f"I-{number}", status=status, valid_until=SOON)


def ticked(*items: str) -> AppTest:
    page = open_page("order_items")
    return grid_says(page, place="order_items", view={}, selected=list(items))


def links(page: AppTest) -> list[str]:
    return [link.proto.label for link in page.get("link_button")]


def popovers(page: AppTest) -> list[str]:
    return [block.proto.popover.label for block in page.get("popover")]


def verified(code: str) -> AppTest:
    page = open_page("verify")
    page.text_input(key="code").input(code)
    return page.button[0].click().run()


@pytest.mark.usefixtures("shop")
def test_vouchers_need_a_selection() -> None:
    page = open_page("order_items")
    button = page.button(key="voucher_order_items")
    assert (button.label, button.disabled) == ("Download Voucher", True)
    assert button.help == "Select order items to download their vouchers"


@pytest.mark.usefixtures("shop")
def test_before_the_click_the_page_says_how_many_and_which_are_left_out() -> None:
    page = ticked("I-1", "I-2", "I-3")
    (link,) = (
        one.proto for one in page.get("link_button") if one.proto.label == "Download Voucher"
    )
    assert link.help == "2 vouchers in one PDF, one per page; 1 left out"
    assert link.url.startswith("/vouchers?form=pdf&view=")
    page.session_state["vouchers_order_items"] = True
    page.run()
    (table,) = values(page, "table")
    assert table["Order Item ID"].tolist() == ["I-3"]
    assert table["Why"].tolist() == ["It has been used."]
    assert "Download separate PDFs (ZIP)" in links(page)


@pytest.mark.usefixtures("shop")
def test_characters_without_a_font_are_listed_before_the_download() -> None:
    make_item("OD-1", order_item_id="I-4", passenger_name="Ann ᚠ🛋ᚠ", valid_until=SOON)
    make_item("OD-1", order_item_id="I-5", passenger_name="𠮷野 ნინო", valid_until=SOON)
    page = ticked("I-1", "I-4", "I-5")
    assert "Download Voucher" in links(page)
    page.session_state["vouchers_order_items"] = True
    page.run()
    (table,) = values(page, "table")
    assert table["Order Item ID"].tolist() == ["I-4"]
    assert table["Characters"].tolist() == ["ᚠ U+16A0, 🛋 U+1F6CB"]
    assert "no font" in texts(page)
    assert "3 of 3 valid, 1 with \ufffd" in popovers(page)
    assert "1 with \ufffd" in popovers(ticked("I-4"))
    # The negative control: every character of these has a font.
    page = grid_says(page, place="order_items", view={}, selected=["I-1", "I-5"])
    assert values(page, "table") == []
    assert "no font" not in texts(page)
    assert "2 of 2 valid" in popovers(page)
    assert not any("valid" in label for label in popovers(ticked("I-5")))


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("role", ["viewer", "accountant"])
def test_a_role_without_vouchers_is_not_offered_them(role: str) -> None:
    with storage.writing() as session:
        session.get_one(User, LOCAL_USER_ID).role = role
    page = ticked("I-1")
    assert not page.exception
    assert "Download Voucher" not in [*links(page), *(button.label for button in page.button)]


@pytest.mark.usefixtures("shop")
def test_verify_says_which_voucher_a_code_belongs_to() -> None:
    with storage.reading() as session:
        code = session.get_one(OrderItem, "I-1").voucher_code
    page = verified(code.lower())
    assert page.success[0].value == "**Valid.** It is genuine, and has not been used."
    assert "Zoë Müller (Adult)" in texts(page)
    page = verified("7QXM-22KD-9WTA")
    assert (
        page.error[0].value
        == "**Unknown.** No voucher found with this code, or you have no access to it."
    )


@pytest.mark.usefixtures("shop")
def test_verify_warns_of_a_voucher_before_its_first_day() -> None:
    first = datetime(2040, 1, 2, 3, 4, tzinfo=UTC)
    days = {"valid_from": first, "valid_until": first + timedelta(hours=9)}
    make_item("OD-1", voucher_code="LATE", airport_tz="Pacific/Kiritimati", **days)
    page = verified("LATE")
    (warning,) = page.warning
    said = f"It is valid from {plain('2040-01-02 17:04 (Pacific/Kiritimati)')}."
    assert warning.value == f"**Not valid yet.** {said}"
    assert not page.success
    shown = texts(page)
    assert "Valid From" in shown
    assert "2040-01-02 17:04 (Pacific/Kiritimati)" in shown


@pytest.mark.usefixtures("shop")
def test_what_is_typed_for_a_code_is_shown_as_text() -> None:
    assert "javascript" not in texts(verified("[x](javascript:alert(1))"))


# What helps on Verify.


def checks(page: AppTest) -> list[tuple[str, str, str]]:
    """Return result, code and passenger of each recent check."""
    return [
        (line["Result"], line["Code"], line["Passenger"])
        for table in values(page, "table")
        for line in table.to_dict("records")
    ]


def test_verify_says_where_codes_are_before_anything_is_checked(sqlite_database: str) -> None:
    said = texts(open_page("verify"))
    assert "None yet. Codes that you check in this browser tab are listed here." in said
    assert "7QXM-22KD-9WTA" in said
    assert "7qxm22kd9wta" in said


@pytest.mark.usefixtures("shop")
def test_checks_are_listed_the_newest_first_and_once_each() -> None:
    make_item("OD-1", order_item_id="I-9", voucher_code="ABCD-EFGH-JKMN", valid_until=SOON)
    page = verified("abcdefghjkmn")
    page.text_input(key="code").input("**no** [x](javascript:alert(1)) and much more text")
    page.button[0].click().run()
    page.run()  # a run that nobody asked to check anything
    assert checks(page) == [
        ("Unknown", plain("**no** [x](javascript:al") + "…", ""),
        ("Valid", plain("ABCD-EFGH-JKMN"), "Zoë Müller"),
    ]


@pytest.mark.usefixtures("shop")
def test_checks_are_forgotten_when_the_rights_change() -> None:
    make_item("OD-1", order_item_id="I-9", voucher_code="ABCD-EFGH-JKMN", valid_until=SOON)
    page = verified("ABCD-EFGH-JKMN")
    assert len(checks(page)) == 1
    with storage.writing() as session:
        session.get_one(User, LOCAL_USER_ID).sees_all_contracts = False
    page.text_input(key="code").input("")
    page.run()
    assert checks(page) == []
    assert "Zoë" not in texts(page)
