"""Who gets an e-mail about a decision on refunds, once, and what it says."""

from collections.abc import Sequence
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy import select

from core import mail, query, storage
from core.access import CONSOLE, LOCAL_USER_EMAIL, Actor
from core.ground import Role
from core.refunds import approve, decline, decline_late
from core.storage import AuditEvent, Contract, Delivery, OrderItem, User
from core.tables import EMAILS
from core.views import default_view
from tests.conftest import NOW
from tests.core.access.use_cases import take_away
from tests.core.mail.mailing import ScriptedTransport
from tests.core.refunds.refund_rows import (
    AGENT,
    get_refund,
    make_paid_order,
    make_refundable,
    request,
    settings,
)
from tests.rows import make_actor, make_transaction, store_user

A_WEEK = timedelta(days=7)


def sell(
    count: int = 1, contract_id: str = "CT-1", author: str = "ana@helios.example"
) -> list[str]:
    """Sell items of a contract whose every refund needs a second person."""
    order = f"OD-{contract_id}"
    make_paid_order(
        order, paid=3800 * count, contract_id=contract_id, item_count=count, author=author
    )
    make_transaction(type="top_up", amount_minor=3800 * count, contract_id=contract_id)
    with storage.writing() as session:
        session.get_one(Contract, contract_id).refund_limit_minor = 0
    return [
        make_refundable(order, contract_id=contract_id, order_item_id=f"{contract_id}-{number}")
        for number in range(count)
    ]


def ask(*items: str, actor: Actor = AGENT) -> list[str]:
    """Request refunds, and return the IDs of those that wait."""
    return [str(one.refund_id) for one in request(*items, key=items[0], actor=actor).waiting]


def boss(name: str = "Ben Ho", role: Role = Role.ACCOUNTANT, **given: Any) -> Actor:
    email = f"{name.lower().replace(' ', '.')}@helios.example"
    return make_actor(role, email=email, name=name, **given)


def deliveries() -> list[Delivery]:
    with storage.reading() as session:
        return list(session.scalars(select(Delivery).order_by(Delivery.recipient)))


def recipients() -> list[str]:
    return [one.recipient for one in deliveries()]


def send() -> list[EmailMessage]:
    transport = ScriptedTransport()
    mail.deliver_due(now=NOW + A_WEEK * 2, transport=transport)
    return transport.taken


def text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def audited(*actions: str) -> Sequence[str]:
    with storage.reading() as session:
        named = select(AuditEvent.sentence).where(AuditEvent.action.in_(actions))
        return session.scalars(named.order_by(AuditEvent.event_id)).all()


@pytest.mark.both_databases
def test_who_asked_reads_that_the_refund_was_approved_with_the_note(database: str) -> None:
    (item,) = sell()
    (waiting,) = ask(item)
    ben = boss()
    for _ in range(2):  # a double click
        approve([waiting], note="Fine\n<b>=1+1", key="k", actor=ben, now=NOW)
    (message,) = send()
    reference = f"R-{get_refund(item).no}"
    assert message["To"] == AGENT.email
    assert message["Subject"] == f"Ben Ho approved refund {reference} of order OD-CT-1"
    said = text_of(message)
    assert "A refund was approved\n=====" in said
    assert f"approved refund {reference} of order OD-CT-1. The money is being paid" in " ".join(
        said.split()
    )
    assert "Note:\n\n> Fine\n> <b>=1+1\n" in said
    assert "Amount:         38.00 EUR\n" in said
    assert "/order?order=OD-CT-1\n" in said
    assert "Voucher" not in said
    html = message.get_body(("html",))
    assert html is not None
    assert "&lt;b&gt;=1+1" in html.get_content()
    assert not list(message.iter_attachments())
    assert audited("delivery.queued", "decision.sent") == [
        f"Ben Ho queued an e-mail about 1 approved refund to {AGENT.email}.",
        f"Ben Ho sent an e-mail about 1 approved refund to {AGENT.email}.",
    ]
    assert send() == []


@pytest.mark.both_databases
def test_one_decision_is_one_mail_for_each_person_and_contract(database: str) -> None:
    bob = make_actor(contracts=frozenset({"CT-1", "CT-2"}), email="bob@helios.example")
    waiting = ask(*sell(2)) + ask(*sell(2, "CT-2"), actor=bob)
    (late,) = ask(make_refundable("OD-CT-1"), actor=bob)
    decline([*waiting, late], note="Not agreed", key="k", actor=boss(), now=NOW)
    found = [(one.recipient, one.contract_id, one.item_count) for one in deliveries()]
    assert sorted(found) == [
        (AGENT.email, "CT-1", 2),
        (bob.email, "CT-1", 1),
        (bob.email, "CT-2", 2),
    ]
    texts = {message["Subject"]: text_of(message) for message in send()}
    assert "Ben Ho declined 2 refunds of order OD-CT-2" in texts
    said = texts["Ben Ho declined 2 refunds of order OD-CT-2"]
    assert "2 refunds were declined\n" in said
    assert "No money is paid back. 2 of 2 vouchers are valid again." in " ".join(said.split())
    assert "Refund 2 of 2\n" in said
    assert "> Not agreed\n" in said


@pytest.mark.parametrize("is_valid", [True, False])
def test_a_declined_refund_says_that_its_voucher_is_valid_unless_it_expired(
    sqlite_database: str, is_valid: bool
) -> None:
    (item,) = sell()
    waiting = ask(item)
    if not is_valid:
        with storage.writing() as session:
            session.get_one(OrderItem, item).valid_until = NOW - timedelta(seconds=1)
    decline(waiting, note="No", key="k", actor=boss(), now=NOW)
    (message,) = send()
    said = " ".join(text_of(message).split())
    assert "No money is paid back." in said
    assert ("The voucher is valid again." in said) is is_valid


def test_what_changed_nothing_is_told_to_nobody(sqlite_database: str) -> None:
    (item,) = sell()
    chief = boss(role=Role.ADMIN)
    own = ask(item, actor=chief)
    approve([*own, "gone"], key="k", actor=chief, now=NOW)
    assert deliveries() == []


def test_who_is_no_longer_active_is_not_told(sqlite_database: str) -> None:
    first, second = sell(2)
    waiting = ask(first), ask(second)
    take_away(AGENT, is_active=False)
    approve(waiting[0], key="a", actor=boss(), now=NOW)  # which declines it
    decline(waiting[1], note="No", key="d", actor=boss("Cy"), now=NOW)
    assert {get_refund(one).status for one in (first, second)} == {"declined"}
    assert deliveries() == []


def test_who_loses_access_before_the_mail_is_sent_gets_none(sqlite_database: str) -> None:
    (item,) = sell()
    approve(ask(item), key="a", actor=boss(), now=NOW)
    take_away(AGENT, contracts=frozenset())
    assert send() == []
    (one,) = deliveries()
    assert (one.status, one.last_error) == (
        "cancelled",
        f"Without {item}: {AGENT.email} cannot see the order any more.",
    )


def test_the_local_user_has_no_mailbox(sqlite_database: str, admin: Actor) -> None:
    (item,) = sell()
    assert admin.email == LOCAL_USER_EMAIL
    approve(ask(item, actor=admin), key="a", actor=boss(), now=NOW)
    assert get_refund(item).status == "succeeded"
    assert deliveries() == []


@pytest.mark.both_databases
def test_that_nobody_decided_is_told_to_both(database: str, admin: Actor) -> None:
    ours, theirs = sell(2), sell(1, "CT-2", author="own@helios.example")
    ask(*ours)
    chief = boss("Chief", Role.ADMIN)
    ask(*theirs, actor=chief)
    seen: dict[str, dict[str, Any]] = {
        "All": {},
        "Ours": {"contracts": frozenset({"CT-1"})},
        "Own": {"only_own_orders": True},
    }
    for name, given in seen.items():
        boss(name, **given)
    boss("Agent", Role.AGENT)
    boss("Gone")
    with storage.writing() as session:
        session.query(User).filter_by(name="Gone").update({"is_active": False})
    assert decline_late(now=NOW + A_WEEK) == 3
    assert decline_late(now=NOW + A_WEEK) == 0
    found = [(one.recipient.partition("@")[0], one.contract_id) for one in deliveries()]
    assert sorted(found) == [
        *(("all", "CT-1"), ("all", "CT-2")),
        ("ana", "CT-1"),
        *(("chief", "CT-1"), ("chief", "CT-2")),  # one to decide about, and one that they asked for
        ("ours", "CT-1"),
        ("own", "CT-2"),
    ]
    said = {message["To"]: text_of(message) for message in send()}
    assert len(said) == 5
    assert "Order Desk declined 2 refunds of order OD-CT-1." in said["ours@helios.example"]
    assert "> Nobody decided within 7 days, so it was declined.\n" in said[AGENT.email]


def test_mails_about_decisions_do_not_count_for_the_hourly_limit(sqlite_database: str) -> None:
    first, second = sell(2)
    chief = boss(role=Role.ADMIN)
    with settings(emails_per_hour=1):
        approve(ask(first), key="a", actor=chief, now=NOW)
        approve(ask(second), key="b", actor=chief, now=NOW)
        kept = make_refundable("OD-CT-1")
        mail.send([kept], ["zoe@x.example"], message=None, key="m", actor=chief, now=NOW)
    assert len(deliveries()) == 3


def test_a_mail_about_a_decision_is_sent_again_and_shown(sqlite_database: str) -> None:
    (item,) = sell()
    decline(ask(item), note="A secret", key="k", actor=boss(), now=NOW)
    (before,) = send()
    (one,) = deliveries()
    shown = mail.get_delivery(one.delivery_id, actor=CONSOLE, now=NOW)
    assert shown.preview.text.splitlines() == text_of(before).splitlines()
    assert [line.order_item_id for line in shown.lines] == [item]
    mail.resend([one.delivery_id], key="again", actor=CONSOLE, now=NOW)
    (again,) = send()
    assert text_of(again) == text_of(before)


@pytest.mark.both_databases
def test_mails_about_decisions_are_seen_by_those_who_see_the_orders(database: str) -> None:
    decline(ask(*sell()), note="No", key="k", actor=boss(), now=NOW)
    for view in (default_view(EMAILS), default_view(EMAILS, order_id="OD-CT-1")):
        for actor, count in (
            (make_actor(), 1),
            (store_user(AGENT), 1),
            (make_actor(only_own_orders=True), 0),
            (make_actor(contracts=frozenset({"CT-2"})), 0),
        ):
            assert query.count_rows(view, actor=actor, now=NOW) == count


def test_a_mail_about_a_decision_is_no_void_notice(sqlite_database: str) -> None:
    (item,) = sell()
    store_user(AGENT)
    mail.send([item], [AGENT.email], message=None, key="voucher", actor=AGENT, now=NOW)
    send()
    approve(ask(item), key="k", actor=boss(), now=NOW)
    send()
    assert [one.recipient for one in mail.find_void_notices([item], actor=AGENT)] == [AGENT.email]


def test_a_long_decision_lists_some_refunds_and_counts_the_rest(sqlite_database: str) -> None:
    approve(ask(*sell(30)), key="k", actor=boss(), now=NOW)
    (message,) = send()
    said = text_of(message)
    assert "30 refunds were approved\n" in said
    assert "Refund 25 of 30\n" in said
    assert "And 5 more.\n" in said
