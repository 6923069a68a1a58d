"""Follow-ups: who can have one, who closes it, what is due, and what Orders show of it."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from core import notes, query
from core.access import CONSOLE, Actor
from core.due import count_due
from core.ground import InvalidInput, NotPermitted, Refused, Role
from core.notes import FollowUp
from core.storage import new_id
from core.tables import FOLLOW_UPS, ORDERS
from core.views import default_view, ready_made
from tests.conftest import NOW
from tests.core.access.use_cases import take_away
from tests.rows import make_actor, make_order

TODAY = NOW.date()
DAY = timedelta(days=1)


def follow_up(on: date, by: Actor | str, order: str = "OD-1", **given: Any) -> str:
    email = by if isinstance(by, str) else by.email
    given = dict[str, Any](key=new_id(), now=NOW, zone="UTC", actor=CONSOLE) | given
    return notes.add_note(order, "Call back", follow_up=FollowUp(on, email), **given)


def due(actor: Actor, today: date = TODAY) -> int:
    return count_due(actor=actor, today=today).follow_ups


def viewed(actor: Actor) -> list[str]:
    """Return the orders of the built-in view of what is due."""
    view = ready_made(ORDERS, "UTC", actor=actor)[FOLLOW_UPS]
    return query.load_keys(view, actor=actor, now=NOW)


def shown(order: str) -> dict[str, Any]:
    """Return what Orders show of an order's notes."""
    names = ("note_count", "last_note", "follow_up_on", "follow_up_by")
    columns = tuple(column for column in ORDERS.columns if column.name in names)
    view = replace(default_view(ORDERS), columns=columns)
    frame = query.load_ticked(view, [order], actor=CONSOLE, now=NOW)
    (row,) = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return {name: row[name] for name in names}


@pytest.fixture
def order(database: str) -> str:
    return make_order("OD-1")


@pytest.fixture
def ana(order: str) -> Actor:
    return make_actor(email="ana@helios.example")


@pytest.fixture
def joana(order: str) -> Actor:
    """Return somebody whose address contains that of Ana."""
    return make_actor(email="joana@helios.example")


@pytest.mark.both_databases
def test_what_is_due_is_counted_and_listed_for_its_person_alone(ana: Actor, joana: Actor) -> None:
    for order in ("OD-2", "OD-3", "OD-4"):
        make_order(order)
    follow_up(TODAY, ana, "OD-1")
    follow_up(TODAY + DAY, ana, "OD-2")
    follow_up(TODAY, joana, "OD-3")
    follow_up(TODAY, joana, "OD-4")
    follow_up(TODAY + 9 * DAY, ana, "OD-4")
    assert (due(ana), viewed(ana)) == (1, ["OD-1"])
    assert (due(joana), viewed(joana)) == (2, ["OD-3", "OD-4"])
    assert due(ana, TODAY + DAY) == 2


@pytest.mark.both_databases
def test_two_follow_ups_of_one_order_are_one_order_that_is_due(ana: Actor) -> None:
    first, second = follow_up(TODAY, ana), follow_up(TODAY, ana)
    assert (due(ana), len(viewed(ana))) == (1, 1)
    notes.close_follow_up(first, actor=ana, now=NOW)
    assert due(ana) == 1
    notes.close_follow_up(second, actor=ana, now=NOW)
    assert (due(ana), viewed(ana)) == (0, [])


@pytest.mark.both_databases
def test_orders_show_the_count_the_last_note_and_who_is_next(ana: Actor, joana: Actor) -> None:
    nothing = {"note_count": 0, "last_note": None, "follow_up_on": None, "follow_up_by": None}
    assert shown("OD-1") == nothing
    later = follow_up(TODAY + 9 * DAY, joana)
    soon = follow_up(TODAY + 5 * DAY, ana)
    last = notes.add_note("OD-1", "The last", key="l", zone="UTC", actor=CONSOLE, now=NOW + DAY)
    assert shown("OD-1") == {
        "note_count": 3,
        "last_note": "The last",
        "follow_up_on": f"{TODAY + 5 * DAY}",
        "follow_up_by": ana.email,
    }
    notes.close_follow_up(soon, actor=joana, now=NOW)
    notes.withdraw_note(last, actor=CONSOLE, now=NOW)
    assert shown("OD-1") == {
        "note_count": 2,
        "last_note": "Call back",
        "follow_up_on": f"{TODAY + 9 * DAY}",
        "follow_up_by": joana.email,
    }
    notes.withdraw_note(later, actor=CONSOLE, now=NOW)
    assert shown("OD-1")["follow_up_on"] is None


def test_a_closed_follow_up_says_who_closed_it_and_is_closed_once(ana: Actor) -> None:
    note = follow_up(TODAY, ana)
    other = make_actor(Role.ACCOUNTANT)
    notes.close_follow_up(note, actor=other, now=NOW + DAY)
    (found,) = notes.find_notes("OD-1", actor=ana)
    assert (found.done_by, found.done_at, found.can_close) == (other.email, NOW + DAY, False)
    with pytest.raises(Refused, match=f"already closed by {other.email}"):
        notes.close_follow_up(note, actor=ana, now=NOW)


def test_a_note_without_a_follow_up_or_withdrawn_has_nothing_to_close(ana: Actor) -> None:
    plain = notes.add_note("OD-1", "Hi", key="k", zone="UTC", actor=ana, now=NOW)
    withdrawn = follow_up(TODAY, ana, actor=ana)
    notes.withdraw_note(withdrawn, actor=ana, now=NOW)
    for note in (plain, withdrawn):
        with pytest.raises(Refused, match="has no open follow-up"):
            notes.close_follow_up(note, actor=ana, now=NOW)
    assert due(ana) == 0


def test_a_viewer_closes_nothing(ana: Actor) -> None:
    note = follow_up(TODAY, ana)
    with pytest.raises(NotPermitted):
        notes.close_follow_up(note, actor=make_actor(Role.VIEWER), now=NOW)
    assert due(ana) == 1


def test_the_day_must_be_today_or_later_and_one_that_filters_know(ana: Actor) -> None:
    for day, why in (
        (TODAY - DAY, f"The follow-up on {TODAY - DAY} is in the past"),
        (date(2200, 1, 1), "possible until 2199-12-31"),
    ):
        with pytest.raises(InvalidInput, match=f"{why}.*Nothing was written"):
            follow_up(day, ana)
    assert notes.find_notes("OD-1", actor=ana) == []


@pytest.mark.both_databases
def test_who_cannot_follow_up_is_refused_by_name(ana: Actor) -> None:
    blind = make_actor(contracts=frozenset({"CT-2"}), email="blind@helios.example")
    gone = make_actor(email="gone@helios.example")
    take_away(gone, is_active=False)
    own = make_actor(email="own@helios.example", only_own_orders=True)
    for person in (blind, gone, own):
        with pytest.raises(Refused, match=f"{person.email} cannot see this order"):
            follow_up(TODAY, person)
    viewer = make_actor(Role.VIEWER, email="viewer@helios.example")
    with pytest.raises(Refused, match=f"{viewer.email} is a viewer and could not close"):
        follow_up(TODAY, viewer)
    with pytest.raises(InvalidInput, match="“nobody” is not a user"):
        follow_up(TODAY, "nobody")
    assert notes.find_notes("OD-1", actor=ana) == []


def test_what_is_due_on_an_order_that_somebody_no_longer_sees_is_not_counted(ana: Actor) -> None:
    agent = make_actor(contracts=frozenset({"CT-1"}))
    follow_up(TODAY, agent)
    assert due(agent) == 1
    take_away(agent, contracts=frozenset())
    blind = Actor(agent.user_id, agent.email, agent.role)
    assert (due(blind), viewed(blind)) == (0, [])
