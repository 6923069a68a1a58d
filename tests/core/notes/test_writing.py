"""Write and withdraw notes: what is stored, who may, and what is refused with which sentence."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from core import access, notes, storage
from core.access import CONSOLE, Actor
from core.ground import (
    AppError,
    InvalidInput,
    NotFound,
    NotPermitted,
    NotSignedIn,
    Refused,
    Role,
)
from core.notes import FollowUp, SeenNote
from core.storage import AuditEvent, Note, new_id
from tests.conftest import NOW
from tests.core.access.use_cases import take_away
from tests.core.random_rows import SCRIPTS, TEXTS
from tests.effort import some
from tests.rows import make_actor, make_order

TODAY = NOW.date()
BIDI = "\u202e\u2066left\u2069 \u200fright"
KEPT = [
    "one line", "two\nlines\n\nand a gap", "  inside   blanks  stay", "tab\tthere",
    "<b>bold</b> <script>alert(1)</script>", "**bold** [a](https://x.example) # no heading",
    "=1+1", "@SUM(A1)", "-2+3", "#N/A", "1.2E+12", BIDI, "a\u200bb", "x" * 2_000,
]  # fmt: skip


def add(words: str = "Called the lounge", order: str = "OD-1", **given: Any) -> str:
    given = dict[str, Any](key=new_id(), now=NOW, zone="UTC", actor=CONSOLE) | given
    return notes.add_note(order, words, **given)


def seen(order: str = "OD-1", actor: Actor = CONSOLE) -> list[SeenNote]:
    return notes.find_notes(order, actor=actor)


def texts() -> list[str | None]:
    return [one.text for one in seen()]


def events() -> list[AuditEvent]:
    with storage.reading() as session:
        found = select(AuditEvent).where(AuditEvent.entity == "note")
        return list(session.scalars(found.order_by(AuditEvent.event_id)))


@pytest.fixture
def order(database: str) -> str:
    return make_order("OD-1")


@pytest.fixture
def agent(order: str) -> Actor:
    return make_actor(contracts=frozenset({"CT-1"}))


@pytest.mark.both_databases
@pytest.mark.parametrize("words", KEPT)
def test_a_text_comes_back_as_it_was_written(agent: Actor, words: str) -> None:
    add(words, actor=agent)
    assert texts() == [words.strip()]


@pytest.mark.both_databases
def test_random_texts_come_back_as_they_were(agent: Actor) -> None:
    drawn = random.Random(5)
    pieces = [*SCRIPTS, *(one for one in TEXTS if one.isprintable()), *KEPT[:9], "\n", " ", "@"]
    written = []
    for _ in range(some(30, 300)):
        words = "".join(drawn.choices(pieces, k=drawn.randrange(1, 9))).strip() or "x"
        written.append(words)
        add(words, actor=agent)
    assert texts()[::-1] == written


def test_line_breaks_of_every_system_are_kept_as_one(agent: Actor) -> None:
    add("a\r\nb\rc\n", actor=agent)
    assert texts() == ["a\nb\nc"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("", "The note is empty"),
        (" \n\t\u200b ", "The note is empty"),
        ("x" * 2_001, "has 2,001 characters; at most 2,000 are possible"),
        ("a\x00b", "the control character U\\+0000"),
        ("a\x07b", "the control character U\\+0007"),
        ("a\x9fb", "the control character U\\+009F"),
        ("a\ud800b", "the control character U\\+D800"),
    ],
)
def test_a_text_that_is_no_note_is_refused_with_a_sentence(
    agent: Actor, words: str, why: str
) -> None:
    with pytest.raises(InvalidInput, match=f"{why}.*\\. Nothing was written\\."):
        add(words, actor=agent)
    assert seen() == []
    assert events() == []


@pytest.mark.both_databases
def test_a_note_says_who_wrote_it_when_and_is_audited_without_its_text(agent: Actor) -> None:
    note = add("A secret", actor=agent)
    (found,) = seen()
    assert (found.note_id, found.author, found.created_at) == (note, agent.email, NOW)
    (event,) = events()
    assert (event.action, event.entity_id, event.actor) == ("note.added", note, agent.email)
    assert (event.order_id, event.contract_id) == ("OD-1", "CT-1")
    assert event.after == {"characters": 8}


@pytest.mark.both_databases
def test_the_same_note_sent_twice_stands_once(agent: Actor) -> None:
    first = add("Hello", key="k", actor=agent)
    assert add("Hello", key="k", actor=agent, now=NOW + timedelta(hours=1)) == first
    assert texts() == ["Hello"]
    assert len(events()) == 1


def test_a_key_that_wrote_another_note_is_refused(agent: Actor) -> None:
    add("Hello", key="k", actor=agent)
    for given in ({"words": "Other"}, {"order": make_order("OD-2")}, {"actor": make_actor()}):
        again: dict[str, Any] = {"words": "Hello", "key": "k", "actor": agent} | given
        with pytest.raises(Refused, match="has already written another note"):
            add(**again)
    assert texts() == ["Hello"]


@pytest.mark.both_databases
def test_a_note_sent_twice_at_the_same_moment_stands_once(agent: Actor) -> None:
    with ThreadPoolExecutor(8) as threads:
        sent = [threads.submit(add, "Hello", key="k", actor=agent) for _ in range(8)]
    assert len({one.result() for one in sent}) == 1
    assert texts() == ["Hello"]


@pytest.mark.both_databases
def test_notes_of_several_people_at_once_all_stand_in_one_order(agent: Actor) -> None:
    people = [agent, *(make_actor() for _ in range(3))]
    count = some(6, 40)

    def write(person: Actor) -> None:
        for number in range(count):
            add(f"{person.email} {number}", actor=person, now=NOW + timedelta(seconds=number))

    with ThreadPoolExecutor(len(people)) as threads:
        list(threads.map(write, people))
    found = [one or "" for one in texts()][::-1]
    assert sorted(found) == sorted(f"{p.email} {n}" for p in people for n in range(count))
    for person in people:  # everybody's own notes in their order
        mine = [one for one in found if one.startswith(person.email)]
        assert mine == [f"{person.email} {number}" for number in range(count)]
    with storage.reading() as session:
        numbers = list(session.scalars(select(Note.no)))
    assert len(set(numbers)) == len(numbers) == len(events())


def test_a_viewer_reads_but_cannot_write(order: str) -> None:
    viewer = make_actor(Role.VIEWER)
    note = add()
    assert [one.text for one in seen(actor=viewer)] == ["Called the lounge"]
    with pytest.raises(NotPermitted, match="Your role, Viewer, cannot write notes"):
        add(actor=viewer)
    with pytest.raises(NotPermitted):
        notes.withdraw_note(note, actor=viewer, now=NOW)
    (found,) = seen(actor=viewer)
    assert (found.can_withdraw, found.can_close) == (False, False)


@pytest.mark.both_databases
@pytest.mark.parametrize("role", [Role.AGENT, Role.ACCOUNTANT, Role.ADMIN])
def test_nobody_reads_or_writes_on_an_order_out_of_scope(order: str, role: Role) -> None:
    other = make_actor(role, contracts=frozenset({"CT-2"}))
    own = make_actor(role, only_own_orders=True)
    note = add("Hello", follow_up=FollowUp(TODAY, make_actor().email))
    for actor in (other, own):
        assert seen(actor=actor) == []
        with pytest.raises(NotFound, match="“OD-1” was not found, or you have no access to it"):
            add(actor=actor)
        with pytest.raises(NotFound):
            notes.withdraw_note(note, actor=actor, now=NOW)
        with pytest.raises(NotFound):
            notes.close_follow_up(note, actor=actor, now=NOW)
        with pytest.raises(NotFound):
            notes.find_colleagues("OD-1", actor=actor)
    assert texts() == ["Hello"]


@pytest.mark.parametrize("order_id", ["", "OD-9", "OD\x00", "x" * 5_000, "\ud800"])
def test_a_note_on_an_order_that_is_not_there_is_refused(agent: Actor, order_id: str) -> None:
    with pytest.raises(NotFound, match="Nothing was written"):
        add(order=order_id, actor=agent)
    assert notes.find_notes(order_id, actor=agent) == []


def test_somebody_who_lost_access_meanwhile_writes_nothing(agent: Actor) -> None:
    take_away(agent, contracts=frozenset())
    with pytest.raises(NotFound):
        add(actor=agent)
    take_away(agent, is_active=False)
    with pytest.raises(NotSignedIn, match="nothing was done"):
        add(actor=agent)
    assert seen() == []


@pytest.mark.both_databases
def test_a_withdrawn_note_says_who_and_when_and_its_text_is_gone(agent: Actor) -> None:
    note = add("A secret", actor=agent)
    later = NOW + timedelta(minutes=5)
    notes.withdraw_note(note, actor=agent, now=later)
    (found,) = seen()
    assert (found.text, found.withdrawn_by, found.withdrawn_at) == (None, agent.email, later)
    assert (found.author, found.created_at, found.can_withdraw) == (agent.email, NOW, False)
    with storage.reading() as session:
        stored = session.execute(select(Note.__table__)).mappings().one()
    assert not any("secret" in f"{value}".casefold() for value in stored.values())
    assert [one.action for one in events()] == ["note.added", "note.withdrawn"]


def test_only_the_author_or_an_admin_withdraws_a_note(agent: Actor) -> None:
    chief, other = make_actor(Role.ADMIN), make_actor()
    first, second = add("First", actor=agent), add("Second", actor=agent)
    with pytest.raises(NotPermitted, match="Only the author of a note or an admin"):
        notes.withdraw_note(first, actor=other, now=NOW)
    assert [one.can_withdraw for one in seen(actor=other)] == [False, False]
    assert [one.can_withdraw for one in seen(actor=agent)] == [True, True]
    notes.withdraw_note(first, actor=agent, now=NOW)
    notes.withdraw_note(second, actor=chief, now=NOW)
    with pytest.raises(Refused, match=f"already withdrawn by {agent.email}"):
        notes.withdraw_note(first, actor=agent, now=NOW)


def test_a_withdrawn_note_can_be_sent_again_without_coming_back(agent: Actor) -> None:
    note = add("Hello", key="k", actor=agent)
    notes.withdraw_note(note, actor=agent, now=NOW)
    assert add("Hello", key="k", actor=agent) == note
    assert texts() == [None]


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "change",
    [
        {"text": "Other"}, {"author": "someone"}, {"created_at": NOW + timedelta(days=1)},
        {"follow_up_on": "2026-12-24"}, {"order_id": "OD-2"}, {"no": 99}, {"text": None},
    ],
    ids=str,
)  # fmt: skip
def test_the_database_refuses_to_rewrite_a_note(agent: Actor, change: dict[str, Any]) -> None:
    make_order("OD-2")
    follow_up = FollowUp(TODAY, agent.email)
    add("Hello", actor=agent, follow_up=follow_up)
    with pytest.raises(DBAPIError), storage.writing() as session:
        session.execute(update(Note).values(change))
    with pytest.raises(DBAPIError, match="append-only"), storage.writing() as session:
        session.execute(text("DELETE FROM notes"))
    assert texts() == ["Hello"]


@pytest.mark.both_databases
def test_the_database_refuses_to_bring_a_withdrawn_note_back(agent: Actor) -> None:
    note = add("Hello", actor=agent)
    notes.withdraw_note(note, actor=agent, now=NOW)
    back = {"text": "Hello", "withdrawn_at": None, "withdrawn_by": None}
    with pytest.raises(DBAPIError, match="append-only"), storage.writing() as session:
        session.execute(update(Note).values(back))
    assert texts() == [None]


def test_an_unknown_note_is_refused(agent: Actor) -> None:
    for note in ("", "x", "\x00", "x" * 5_000):
        for act in (notes.withdraw_note, notes.close_follow_up):
            with pytest.raises(NotFound, match="was not found"):
                act(note, actor=agent, now=NOW)


def test_people_have_their_names_in_notes(order: str) -> None:
    access.add_user(
        "Ana@Helios.example",
        name="Ana Ruiz",
        rights=access.Rights(Role.AGENT, sees_all_contracts=True),
        actor=CONSOLE,
        now=NOW,
    )
    add("Hi", follow_up=FollowUp(TODAY, "ANA@helios.example "))
    (found,) = seen()
    assert (found.author, found.follow_up_by) == ("console", "Ana Ruiz")


def test_a_key_must_be_valid(agent: Actor) -> None:
    for key in ("", "a\nb", "x" * 101):
        with pytest.raises(AppError, match="no valid key"):
            add(key=key, actor=agent)
    assert seen() == []


def test_the_day_of_a_follow_up_is_the_writers(agent: Actor) -> None:
    yesterday = FollowUp(date(2026, 3, 1), agent.email)
    at = NOW.replace(year=2026, month=3, day=2, hour=3, minute=0)
    assert add(actor=agent, now=at, zone="America/New_York", follow_up=yesterday)
    with pytest.raises(InvalidInput, match="2026-03-01 is in the past"):
        add(actor=agent, now=at, zone="UTC", follow_up=yesterday)
