"""The notes on the page of an order: the form, the notes, and the link to what is due."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core import notes, storage
from core.access import CONSOLE
from core.access.actors import LOCAL_USER_EMAIL, LOCAL_USER_ID
from core.notes import FollowUp
from core.storage import User, new_id
from pages.dialogs.note import text_as_html
from tests.pages.opened import open_page, texts
from tests.rows import make_actor, make_order


def history() -> AppTest:
    page = open_page("order", order="OD-1", tab="History")
    assert not page.exception
    return page


def add(words: str, **given: Any) -> str:
    given = dict[str, Any](key=new_id(), now=datetime.now(UTC), zone="UTC", actor=CONSOLE) | given
    return notes.add_note("OD-1", words, **given)


def stored() -> list[str | None]:
    return [one.text for one in notes.find_notes("OD-1", actor=CONSOLE)]


@pytest.fixture(autouse=True)
def order(sqlite_database: str) -> str:
    return make_order("OD-1")


def test_a_note_is_added_and_stands_above_the_history() -> None:
    page = history()
    page.text_area(key="note_text").set_value("Called\nthe <b>lounge</b>").run()
    page.button(key="note_add").click().run()
    assert not page.exception
    assert "Note added" in page.toast[0].value
    assert stored() == ["Called\nthe <b>lounge</b>"]
    assert "Called\nthe &lt;b&gt;lounge&lt;/b&gt;" in texts(page)
    assert page.text_area(key="note_text").value == ""
    page.button(key="note_add").click().run()  # a second click adds nothing
    assert len(stored()) == 1


def test_what_is_refused_stays_in_the_form_with_a_sentence() -> None:
    page = history()
    long = "x" * 2_001
    page.text_area(key="note_text").set_value(long).run()
    page.button(key="note_add").click().run()
    assert "has 2,001 characters; at most 2,000 are possible" in page.error[0].value
    assert page.text_area(key="note_text").value == long
    assert stored() == []
    page.text_area(key="note_text").set_value("Short").run()
    assert not page.error
    page.button(key="note_add").click().run()
    assert stored() == ["Short"]


def test_a_text_that_is_not_added_yet_is_kept_on_another_tab() -> None:
    page = history()
    page.text_area(key="note_text").set_value("Half a sente").run()
    page.query_params["tab"] = "Products"
    page.session_state["tab"] = "Products"
    page.run()
    assert not [one for one in page.text_area if one.key == "note_text"]
    page.session_state["tab"] = "History"
    page.run()
    assert page.text_area(key="note_text").value == "Half a sente"


def test_the_same_click_twice_writes_one_note() -> None:
    page = history()
    page.text_area(key="note_text").set_value("Once").run()
    draft = dict(page.session_state["note_drafts"]["OD-1"])
    page.button(key="note_add").click().run()
    page.session_state["note_drafts"] = {"OD-1": draft}  # as if the answer was lost
    page.session_state["note_text"] = "Once"
    page.run()
    page.button(key="note_add").click().run()
    assert stored() == ["Once"]


def test_choosing_a_colleague_writes_an_at_sign_and_their_name() -> None:
    make_actor(email="ana@helios.example")
    make_actor(email="blind@helios.example", contracts=frozenset({"CT-2"}))
    page = history()
    box = page.selectbox(key="note_mention")
    assert "ana@helios.example" in box.options
    assert "blind@helios.example" not in box.options
    page.text_area(key="note_text").set_value("Please look ").run()
    page.selectbox(key="note_mention").select("ana@helios.example").run()
    assert page.text_area(key="note_text").value == "Please look @ana@helios.example "
    page.button(key="note_add").click().run()
    assert stored() == ["Please look @ana@helios.example"]


def _links(page: AppTest) -> list[str]:
    links: Any = page.get("page_link")
    return [one.label for one in links]


def test_a_follow_up_is_set_counted_in_the_header_and_done() -> None:
    page = history()
    assert "due" not in _links(page)
    page.text_area(key="note_text").set_value("Call back").run()
    page.date_input(key="note_on").set_value(datetime.now(UTC).date()).run()
    assert page.selectbox(key="note_by").value == LOCAL_USER_EMAIL
    page.button(key="note_add").click().run()
    assert not page.exception
    assert "1 due" in _links(page)
    assert "Follow up on" in texts(page)
    (done,) = [one for one in page.button if one.label == "Done"]
    done.click().run()
    assert "Followed up by Local analyst" in texts(page)
    assert "1 due" not in _links(page)


def test_a_day_that_was_typed_last_is_followed_up_by_whom_the_box_would_name() -> None:
    page = history()
    page.text_area(key="note_text").set_value("Call back").run()
    page.date_input(key="note_on").set_value(datetime.now(UTC).date())
    page.button(key="note_add").click().run()  # the click leaves the box of the day
    assert not page.error
    (note,) = notes.find_notes("OD-1", actor=CONSOLE)
    assert note.follow_up_by == "Local analyst"
    assert page.date_input(key="note_on").value is None


def test_a_note_is_withdrawn_and_says_so() -> None:
    add("A secret")
    page = history()
    assert "A secret" in texts(page)
    (withdraw,) = [one for one in page.button if one.label == "Withdraw note"]
    withdraw.click().run()
    assert "A secret" not in texts(page)
    assert "Withdrawn by Local analyst" in texts(page)


def test_a_viewer_sees_the_notes_and_no_form() -> None:
    add("Hello", follow_up=FollowUp(datetime.now(UTC).date() + timedelta(days=1), LOCAL_USER_EMAIL))
    with storage.writing() as session:
        session.get_one(User, LOCAL_USER_ID).role = "viewer"
    page = history()
    assert "Hello" in texts(page)
    assert not [one for one in page.text_area if one.key == "note_text"]
    assert {"Done", "Withdraw note", "Add note"}.isdisjoint({one.label for one in page.button})


def test_many_notes_are_shown_on_demand() -> None:
    for number in range(12):
        add(f"Note number {number}.")
    page = history()
    assert "Note number 0." not in texts(page)
    page.button(key="notes_show_all").click().run()
    assert "Note number 0." in texts(page)


def test_a_name_is_no_markdown() -> None:
    with storage.writing() as session:
        session.get_one(User, LOCAL_USER_ID).name = "**Ana** [x](https://x.example)"
    page = history()
    page.text_area(key="note_text").set_value("Hi").run()
    page.button(key="note_add").click().run()
    assert r"\*\*Ana\*\*" in texts(page)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a < b & \"c\" 'd'", "a &lt; b &amp; &quot;c&quot; &#x27;d&#x27;"),
        ("=1+1 **b** # h\n- x", "=1+1 **b** # h\n- x"),
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("javascript:alert(1) www.x.example", "javascript:alert(1) www.x.example"),
    ],
)
def test_a_text_is_shown_as_it_is(text: str, shown: str) -> None:
    assert text_as_html(text) == shown


@pytest.mark.parametrize(
    ("text", "link", "rest"),
    [
        ("see https://x.example/a?b=1&c=2.", "https://x.example/a?b=1&amp;c=2", "."),
        ("(http://x.example/a_(b))", "http://x.example/a_(b)", ")"),
        ("HTTPS://X.example/Köln, soon", "HTTPS://X.example/Köln", ", soon"),
        ('https://x.example/"onclick="x', "https://x.example/", "&quot;onclick=&quot;x"),
        ("https://x.example/\u202egpj", "https://x.example/", "⟨U+202E⟩gpj"),
    ],
)
def test_only_links_can_be_clicked(text: str, link: str, rest: str) -> None:
    shown = text_as_html(text)
    anchor = f'<a href="{link}" target="_blank" rel="noopener">{link}</a>'
    assert shown.endswith(f"{anchor}{rest}")
    assert shown.count("<") == 2
