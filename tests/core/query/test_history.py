"""The events of one order: newest first, and only those that the actor may see."""

from datetime import timedelta
from typing import Any

import pytest

from core import access, query, storage
from core.access import Actor
from core.ground import NotFound, NotPermitted, Role
from core.history import Subject
from core.query import get_event, load_history
from core.tables import AUDIT_EVENTS
from core.views import parse_view
from tests.conftest import NOW
from tests.rows import make_actor, make_item, make_order
from tests.statements import noted_statements, plans_of

ANA = "ana@helios.example"


def record(order_id: str | None, action: str = "voucher.downloaded", **given: Any) -> None:
    with storage.writing() as session:
        access.record_event(
            session,
            action,
            actor=ANA,
            entity="order_item",
            entity_id="F-1",
            order_id=order_id,
            **dict[str, Any](now=NOW, contract_id="CT-1") | given,
        )


@pytest.fixture
def orders(database: str) -> None:
    """Store events of an order, of an order of another contract, and of none."""
    make_order("OD-1", author=ANA)
    make_item("OD-1", order_item_id="F-1")
    make_order("OD-2", contract_id="CT-2", author="ben@blue.example")
    for number in range(3):
        record("OD-1", now=NOW + timedelta(minutes=number), after={"product": f"Lounge {number}"})
    record("OD-1", "refund.failed", now=NOW - timedelta(days=1))
    record("OD-2", contract_id="CT-2")
    record(None, contract_id=None)


def told(order_id: str, actor: Actor, **given: Any) -> list[str]:
    return [one.sentence for one in load_history(order_id, actor=actor, most=10, **given)]


@pytest.mark.both_databases
def test_the_newest_events_come_first_and_no_more_than_asked(orders: None, admin: Actor) -> None:
    newest = [f"{ANA} downloaded the voucher of Lounge {number} (F-1)." for number in (2, 1, 0)]
    failed = f"{ANA}'s refund of order item F-1 failed."
    assert told("OD-1", admin) == [*newest, failed]
    assert [one.sentence for one in load_history("OD-1", actor=admin, most=2)] == newest[:2]
    assert told("OD-1", admin, subject=Subject.REFUNDS) == [failed]
    assert told("OD-1", admin, subject=Subject.EMAILS) == []


@pytest.mark.both_databases
@pytest.mark.parametrize("role", Role)
def test_who_sees_the_order_sees_its_events_as_in_the_table(orders: None, role: Role) -> None:
    actors = [
        make_actor(role),
        make_actor(role, contracts=frozenset({"CT-1"})),
        make_actor(role, contracts=frozenset({"CT-2"})),
        make_actor(role, contracts=frozenset()),
        make_actor(role, only_own_orders=True),
    ]
    for actor in actors:
        for order_id in ("OD-1", "OD-2", "OD-NOWHERE"):
            view = parse_view(AUDIT_EVENTS, {}, order_id=order_id)
            keys = query.load_keys(view, actor=actor, now=NOW)
            history = load_history(order_id, actor=actor, most=10)
            assert {one.event_id for one in history} == set(keys)
            for key in keys:
                assert get_event(key, actor=actor, order_id=order_id).event_id == key


def test_an_event_is_opened_only_where_it_is_seen(orders: None, admin: Actor) -> None:
    (event,) = load_history("OD-2", actor=admin, most=10)
    assert get_event(event.event_id, actor=admin).order_id == "OD-2"
    own = make_actor(Role.VIEWER, contracts=frozenset({"CT-1"}))
    for actor, order_id in ((own, "OD-2"), (own, "OD-1"), (admin, "OD-1")):
        with pytest.raises(NotFound):
            get_event(event.event_id, actor=actor, order_id=order_id)
    with pytest.raises(NotPermitted):
        get_event(event.event_id, actor=own)
    for invalid in ("", "\x00", "x" * 5_000, "' OR 1=1 --"):
        with pytest.raises(NotFound):
            get_event(invalid, actor=admin)


@pytest.mark.both_databases
def test_sentences_are_filtered_and_searched_like_every_text(orders: None, admin: Actor) -> None:
    record("OD-1", after={"product": "İstanbul Lounge ЮЛИЯ"})

    def found(**raw: Any) -> int:
        return query.count_rows(parse_view(AUDIT_EVENTS, raw), actor=admin, now=NOW)

    def filtered(kind: str, text: str) -> int:
        return found(filters={"sentence": {"filterType": "text", "type": kind, "filter": text}})

    assert filtered("contains", "DOWNLOADED the voucher of lounge") == 3
    assert filtered("contains", "юлия") == 1
    assert filtered("startsWith", f"{ANA}'s refund") == 1
    assert filtered("notContains", "voucher") == 1
    assert found(search="юлия") == 1


def test_a_sentence_keeps_the_name_of_then(database: str) -> None:
    zoe = make_actor(email=ANA, name="Zoë Lind")
    record("OD-1")
    with storage.writing() as session:
        session.get_one(storage.User, zoe.user_id).name = "Zoë Berg"
    record("OD-1", now=NOW + timedelta(minutes=1))
    who = [one.partition(" downloaded")[0] for one in told("OD-1", make_actor())]
    assert who == ["Zoë Berg", "Zoë Lind"]


@pytest.mark.both_databases
def test_a_history_is_one_statement_that_reads_the_orders_own_events(
    orders: None, admin: Actor
) -> None:
    with noted_statements() as seen:
        load_history("OD-1", actor=admin, most=100, subject=Subject.REFUNDS)
    assert len(seen) == 1
    assert "ix_audit_events_order" in plans_of(seen)


def test_recording_for_an_actor_asks_for_no_name_and_for_an_address_once(
    database: str, admin: Actor
) -> None:
    for actor, count in ((admin, 0), (ANA, 1)):
        with noted_statements() as seen, storage.writing() as session:
            for number in range(5):
                access.record_event(
                    session,
                    "order.exported",
                    actor=actor,
                    entity="order",
                    entity_id=f"OD-{number}",
                    now=NOW,
                )
        assert sum("FROM users" in statement for statement, _ in seen) == count
