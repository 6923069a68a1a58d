"""Sentences of audit events: of facts that are missing, unusual or hostile."""

import string
import unicodedata
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core import access, history, storage
from core.access import Actor
from core.ground import BIDI_CONTROLS
from core.history import ACTIONS, ANY, Event, Subject, actions_of, changes_of, sentence_of
from core.history.event import MAX_WORDS
from core.storage import AuditEvent
from tests.conftest import NOW
from tests.core.refunds.refund_rows import settings as changed_settings
from tests.effort import some

NAMES = [*(name.replace(ANY, "orders.") for name in ACTIONS), "unknown.action", "", ".", "refused"]
KEYS = (
    *("status", "role", "kind", "reason", "note", "method", "product", "order_item_id", "attempt"),
    *("amount_minor", "currency", "failure", "reference", "recipient", "delivery_id", "items"),
    *("why", "rows", "file", "order_id", "contracts", "sees_all_contracts", "only_own_orders"),
    *("added", "used", "orders", "refunds", "emails", "saved_views", "faults"),
    *("mentioned", "follow_up_on", "follow_up_by", "author", "refund_limit"),
    *("count", "days", "refund", "written_at"),
)
TEXTS = st.text(max_size=300) | st.sampled_from(["balance", "EUR", "\u202eOD-1", "a\nb", "x" * 999])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)
FACTS = st.none() | st.dictionaries(st.sampled_from(KEYS) | TEXTS, VALUES, max_size=8)
ENTITIES = ["refund_batch", "order_item", "user", ""]
HUGE: dict[str, Any] = {"amount_minor": 10**400, "currency": "EUR", "rows": -(10**400)}


@settings(max_examples=some(300, 3_000), deadline=None)
@given(
    st.sampled_from(NAMES),
    TEXTS,
    TEXTS,
    FACTS,
    FACTS,
    st.sampled_from(["refund_batch", "user", ""]),
)
@example("refund.succeeded", "ana", "R-1", HUGE, HUGE, "refund")
def test_random_facts_make_one_harmless_line(
    action: str, actor: str, entity_id: str, before: Any, after: Any, entity: str
) -> None:
    about = {"entity": entity, "entity_id": entity_id, "before": before, "after": after}
    sentence = sentence_of(Event(action, actor, **about, names={actor: actor}))
    assert sentence
    assert sentence == " ".join(sentence.split())
    harmful = {"Cc", "Cs", "Zl", "Zp"}
    assert [one for one in sentence if unicodedata.category(one) in harmful] == []
    assert not set(sentence) & set(BIDI_CONTROLS)
    changes_of(before, after)


@pytest.mark.parametrize("name", [one for one in NAMES if one in ACTIONS])
def test_an_event_without_facts_is_told(name: str) -> None:
    sentence = sentence_of(Event(name, "ana@helios.example"))
    assert sentence.endswith(".")
    assert not set(sentence) & set("{}[]_“”:"), sentence
    assert "None" not in sentence
    assert "  " not in sentence


def test_events_of_older_versions_are_told_by_the_facts_that_they_have() -> None:
    money = {"amount_minor": 3800, "currency": "EUR"}
    old = {"status": "succeeded", "order_item_id": "F-1", "attempt": 1, **money, "failure": None}
    event = Event("refund.succeeded", "ana@helios.example", "refund", "R-1", after=old)
    assert sentence_of(event) == "ana@helios.example refunded order item F-1, 38.00 EUR."


def test_a_long_note_is_cut_in_the_sentence_and_whole_in_the_changes() -> None:
    note = "word " * 400
    event = Event("order_item.given_back", "ana", after={"note": note})
    assert len(sentence_of(event)) < MAX_WORDS + 100
    assert sentence_of(event).endswith("…”")
    (change,) = changes_of(None, {"note": note})
    assert change.after == note


def test_controls_and_line_breaks_of_data_are_made_harmless() -> None:
    hostile = {"note": "one\ntwo\x00\x1b[31m \u202edesrever\u2028end"}
    sentence = sentence_of(Event("order_item.given_back", "ana", after=hostile))
    assert sentence.endswith("“one two� [31m ⟨U+202E⟩desrever end”")


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("flight_cancelled", "flight cancelled"),
        ("ops", "operational error"),
        ("vip", "VIP request"),
        ("long_gone", "long gone"),
    ],
)
def test_a_reason_is_told_in_the_words_that_people_chose(code: str, told: str) -> None:
    facts = {"product": "Lounge", "reason": code}
    with changed_settings(refund_reasons="ops=Operational error; vip=VIP request"):
        said = sentence_of(Event("refund.succeeded", "ana", after=facts))
        (_, change) = changes_of(None, facts)
    assert said == f"ana refunded Lounge. Reason: {told}."
    assert change.after == f"{told[0].upper()}{told[1:]}"


def test_colleagues_are_called_by_their_names() -> None:
    names = {"ana@helios.example": "Ana Ruiz", "ben@helios.example": "Ben Ho"}
    follow_up = {"follow_up_on": "2026-12-03", "follow_up_by": "ben@helios.example"}
    facts = {"mentioned": ["ben@helios.example", "eve@helios.example"]} | follow_up
    added = Event("note.added", "ana@helios.example", "note", "N", after=facts)
    assert added.people == {"ben@helios.example", "eve@helios.example"}
    assert sentence_of(replace(added, names=names)) == (
        "Ana Ruiz wrote a note that mentions Ben Ho, eve@helios.example. Follow-up on 2026-12-03 "
        "by Ben Ho."
    )


def test_a_recipient_of_a_voucher_is_an_address_and_no_colleague() -> None:
    for kind, people in (("voucher", set()), ("mention", {"zoe@mail.example"})):
        facts = {"kind": kind, "recipient": "zoe@mail.example"}
        assert Event("delivery.queued", "ana", "delivery", "D", after=facts).people == people


def test_an_amount_is_written_in_the_decimals_of_its_currency() -> None:
    for minor, currency, written in ((6900, "JPY", "6,900 JPY"), (1250, "KWD", "1.250 KWD")):
        facts = {"amount_minor": minor, "currency": currency, "product": "Lounge"}
        assert sentence_of(Event("refund.succeeded", "ana", after=facts)) == (
            f"ana refunded Lounge, {written}."
        )


def test_changes_name_each_fact_with_its_words() -> None:
    before = {"status": "not_used", "amount_minor": 1, "currency": "EUR", "left_out": None}
    after = {"status": "refund_requested", "order_item_id": "F-1", "only_own_orders": True}
    after |= {"contracts": ["CT-1", "CT-2"], "added": {"orders": 2, "order_items": 3}}
    after |= {"attempt": 2, "odd": {"deep": {"er": []}}}
    found = {one.name: (one.before, one.after) for one in changes_of(before, after)}
    assert found == {
        "Status": ("Not used", "Refund requested"),
        "Amount": ("0.01 EUR", ""),
        "Order Item ID": ("", "F-1"),
        "Only Own Orders": ("", "Yes"),
        "Contracts": ("", "CT-1, CT-2"),
        "Added": ("", "Orders: 2, Order Items: 3"),
        "Attempt": ("", "2"),
        "Odd": ("", '{"deep": {"er": []}}'),
    }


def test_every_subject_has_actions_and_every_action_one_subject() -> None:
    listed = [name for subject in Subject for name in actions_of(subject)]
    assert sorted(listed) == sorted(name for name in ACTIONS if not name.startswith(ANY))
    assert all(map(actions_of, Subject))


def test_an_unknown_action_is_stored_and_named_all_the_same(database: str, admin: Actor) -> None:
    assert history.find_action("order.painted") is None
    about: dict[str, Any] = {"entity": "order", "entity_id": "OD-1", "now": NOW}
    with storage.writing() as session:
        access.record_event(session, "order.painted", actor=admin, **about)
    with storage.reading() as session:
        (event,) = session.query(AuditEvent).all()
        assert event.sentence == "Local analyst: order.painted (OD-1)."


def test_no_sentence_is_made_of_markup() -> None:
    for name in NAMES:
        sentence = sentence_of(Event(name, "ana"))
        assert set(sentence) <= set(string.ascii_letters + string.digits + " .,'-:_"), sentence
