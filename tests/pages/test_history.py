"""The history of an order, run without a browser: a timeline, opened events, and the table."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from core import access, storage
from core.access import Actor
from core.ground import day_in_words
from core.history import Subject
from core.storage import AuditEvent
from pages.history import timeline
from tests.pages.opened import grid_says, open_page, texts, values
from tests.rows import make_order

HOSTILE = "**bold** [link](http://evil.example) <b>x</b> :material/home: \u202egnp"
TODAY = datetime.now(UTC).replace(hour=0, minute=5, second=0, microsecond=0)


def record(at: datetime, action: str = "voucher.downloaded", **given: Any) -> None:
    about: dict[str, Any] = {"entity": "order_item", "entity_id": "F-1", "order_id": "OD-1"} | given
    actor = access.find_local_actor()
    assert actor is not None
    with storage.writing() as session:
        access.record_event(session, action, actor=actor, now=at, contract_id="CT-1", **about)


def open_history() -> AppTest:
    page = open_page("order", order="OD-1", tab="History")
    assert not page.exception
    return page


def steps(page: AppTest) -> list[str]:
    return [one.label.replace("\\", "") for one in page.expander]


def open_only_event(page: AppTest) -> None:
    page.session_state[f"event_{only_event()}"] = True
    page.run()


def only_event() -> str:
    with storage.reading() as session:
        return session.scalars(select(AuditEvent.event_id)).one()


@pytest.fixture
def order(sqlite_database: str) -> None:
    make_order("OD-1")


def test_events_are_sentences_by_day_newest_first(order: None) -> None:
    record(TODAY - timedelta(days=9), after={"product": "Lounge"})
    record(TODAY - timedelta(days=1), "voucher.sent", after={"recipient": "zoe@mail.example"})
    record(TODAY, "refund.failed", after={"failure": "No such card."})
    page = open_history()
    days = [TODAY - timedelta(days=count) for count in (0, 1, 9)]
    first, second, third = map(day_in_words, days)
    assert "Times are in UTC." in texts(page)
    assert values(page, "header") == [f"Today, {first}", f"Yesterday, {second}", third]
    assert steps(page) == [
        "**00:05** Local analyst's refund of order item F-1 failed. No such card.",
        "**00:05** Local analyst sent the voucher of order item F-1 to zoe@mail.example.",
        "**00:05** Local analyst downloaded the voucher of Lounge (F-1).",
    ]
    assert not page.get("component_instance")


def test_an_opened_event_shows_its_values_before_and_after_and_the_record(order: None) -> None:
    note = "word " * 300
    record(
        TODAY,
        "order_item.given_back",
        before={"status": "refund_requested"},
        after={"status": "not_used", "note": note},
    )
    page = open_history()
    assert not page.table
    assert not page.code
    open_only_event(page)
    lines = page.table[0].value
    assert list(lines.columns) == ["Field", "Before", "After"]
    assert lines["After"].tolist() == ["Not used", note.strip()]
    (raw,) = values(page, "code")
    assert '"action": "order_item.given_back"' in raw
    assert note in raw


def test_hostile_facts_are_shown_as_text(order: None) -> None:
    record(TODAY, "order_item.given_back", after={"note": HOSTILE, HOSTILE: HOSTILE})
    page = open_history()
    (label,) = [one.label for one in page.expander]
    assert "\\*\\*bold" in label
    assert "\\[link\\]" in label
    assert "\\<b\\>" in label
    assert "⟨U+202E⟩" in label
    open_only_event(page)
    cells = page.table[0].value.to_numpy().ravel().tolist()
    assert all("\\[link\\]" in cell for cell in cells if "link" in cell)
    assert "\u202e" not in "".join([*cells, *values(page, "code")])


def test_only_a_page_of_a_long_history_is_drawn(
    order: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "PAGE", 3)
    monkeypatch.setattr(timeline, "MOST", 6)
    for number in range(8):
        record(TODAY - timedelta(hours=number))
    page = open_history()
    assert len(page.expander) == 3
    page.button(key="history_shown_OD-1_more").click().run()
    assert len(page.expander) == 6
    assert "the newest 6 events" in texts(page)
    assert "history_shown_OD-1_more" not in [one.key for one in page.button]


def test_a_subject_can_be_chosen(order: None) -> None:
    record(TODAY)
    record(TODAY, "refund.failed")
    page = open_history()
    assert len(page.expander) == 2
    page.session_state["history_subject_OD-1"] = Subject.REFUNDS
    page.run()
    assert len(page.expander) == 1
    page.session_state["history_subject_OD-1"] = Subject.EMAILS
    page.run()
    assert "This order has no events about e-mails." in texts(page)


def test_the_table_is_one_click_away_and_an_address_with_its_view_opens_it(order: None) -> None:
    record(TODAY)
    page = open_history()
    page.toggle(key="history_as_table_OD-1").set_value(True).run()
    assert len(page.get("component_instance")) == 1
    assert not page.expander
    page = open_page("order", order="OD-1", tab="History", history="eyJzZWFyY2giOiJ4In0")
    assert page.toggle(key="history_as_table_OD-1").value is True
    page.toggle(key="history_as_table_OD-1").set_value(False).run()
    assert "history" not in page.query_params
    assert len(page.expander) == 1


def test_an_order_without_events_says_what_will_be_here(order: None) -> None:
    page = open_history()
    assert "This order has no events yet." in texts(page)


def test_an_event_of_the_audit_trail_opens_in_a_dialog(order: None, admin: Actor) -> None:
    record(TODAY, after={"product": "Lounge"})
    page = open_page("audit_trail")
    show = page.button(key="show_audit_trail")
    assert show.disabled
    grid_says(page, place="audit_trail", view={}, selected=[only_event()])
    page.button(key="show_audit_trail").click().run()
    assert not page.exception
    said = texts(page)
    assert "Local analyst downloaded the voucher of Lounge (F-1)." in said.replace("\\", "")
    assert '"event_id"' in values(page, "code")[0]
