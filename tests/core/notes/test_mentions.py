"""Mentions: whom an @ means, and the one mail that they get."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from core import mail, notes, query, storage
from core.access import CONSOLE, Actor
from core.ground import DeliveryKind, DeliveryStatus, Refused, Role
from core.notes.people import Colleague, mentioned_in
from core.query import sees_order
from core.storage import Delivery, Order, User, new_id
from core.tables import EMAILS, ORDERS
from core.views import default_view
from tests.conftest import NOW
from tests.core.access.use_cases import take_away
from tests.core.mail.mailing import ScriptedTransport
from tests.core.refunds.refund_rows import settings
from tests.effort import share
from tests.rows import make_actor, make_item, make_order


def person(name: str, *, sees: bool = True) -> Colleague:
    return Colleague(f"{name.lower().replace(' ', '.')}@helios.example", name, sees, sees)


ANA, ANA_RUIZ, BEN = person("Ana"), person("Ana Ruiz"), person("Ben Łukasz")
BLIND = person("Max Blind", sees=False)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("@Ana please look", [ANA]),
        ("@Ana Ruiz please look", [ANA_RUIZ]),
        ("@ana ruiz, @BEN ŁUKASZ!", [ANA_RUIZ, BEN]),
        ("Look (@Ana)\n@Ana\n@ana@helios.example", [ANA]),
        ("@ana.ruiz@helios.example", [ANA_RUIZ]),
        ("@Anatol at 5 @ 7", []),
        ("write to joe@ana", []),
        ("@nobody @ @@", []),
        ("max.blind@helios.example wrote", []),
    ],
)
def test_an_at_sign_means_the_longest_name_after_it(text: str, meant: list[Colleague]) -> None:
    assert mentioned_in(text, [ANA, ANA_RUIZ, BEN, BLIND]) == meant


def test_somebody_who_cannot_see_the_order_is_refused_by_name() -> None:
    with pytest.raises(Refused, match=r"Max Blind \(max.blind@helios.example\) cannot see"):
        mentioned_in("@Ana and @max blind", [ANA, BLIND])


def test_of_two_people_with_one_name_the_one_who_sees_the_order_is_meant() -> None:
    other = Colleague("ana.2@helios.example", "Ana", False, False)
    assert mentioned_in("@Ana", [other, ANA]) == [ANA]


@share(1)
@given(st.text(alphabet="@Anabn Ruizİß\n.") | st.text())
def test_no_text_breaks_the_search_for_mentions(text: str) -> None:
    assert set(mentioned_in(text, [ANA, ANA_RUIZ, BEN])) <= {ANA, ANA_RUIZ, BEN}


@pytest.fixture
def order(database: str) -> str:
    order = make_order("OD-1", author="own@helios.example")
    make_item(order)
    return order


def add(words: str, **given: Any) -> str:
    given = dict[str, Any](key=new_id(), now=NOW, zone="UTC", actor=CONSOLE) | given
    return notes.add_note("OD-1", words, **given)


def deliveries() -> list[Delivery]:
    with storage.reading() as session:
        return list(session.scalars(select(Delivery).order_by(Delivery.recipient)))


def send(transport: ScriptedTransport | None = None) -> list[Any]:
    transport = transport or ScriptedTransport()
    mail.deliver_due(now=NOW + timedelta(minutes=1), transport=transport)
    return transport.taken


def texts_of(messages: Iterable[Any]) -> str:
    parts = (part for one in messages for part in one.walk())
    return "\n".join(one.get_content() for one in parts if one.get_content_maintype() == "text")


@pytest.mark.both_databases
def test_each_mentioned_person_gets_one_mail_with_the_note_and_the_link(order: str) -> None:
    ana, ben = make_actor(email="ana@helios.example"), make_actor(email="ben@helios.example")
    words = "@ana@helios.example look <b>here</b>\n=1+1 @ben@helios.example @ANA@helios.example"
    for _ in range(2):
        add(words, key="k")
    assert [one.recipient for one in deliveries()] == [ana.email, ben.email]
    sent = send()
    assert sorted(one["To"] for one in sent) == [ana.email, ben.email]
    assert {one["Subject"] for one in sent} == {"console mentioned you on order OD-1"}
    said = texts_of(sent)
    assert "/order?order=OD-1" in said
    assert "> @ana@helios.example look <b>here</b>\n> =1+1" in said
    assert "&lt;b&gt;here&lt;/b&gt;" in said
    kinds = {part.get_content_type() for one in sent for part in one.walk()}
    assert "application/pdf" not in kinds
    assert {one.status for one in deliveries()} == {DeliveryStatus.SENT}
    assert send() == []


def test_who_mentions_themselves_gets_no_mail(order: str) -> None:
    ana = make_actor(email="ana@helios.example")
    add("@ana@helios.example", actor=ana)
    assert deliveries() == []


@pytest.mark.both_databases
def test_a_mention_of_somebody_without_access_writes_nothing(order: str) -> None:
    make_actor(contracts=frozenset({"CT-2"}), email="blind@helios.example")
    make_actor(email="ana@helios.example")
    with pytest.raises(Refused, match=r"blind@helios.example cannot see this order.*Nothing was"):
        add("@ana@helios.example @blind@helios.example")
    assert notes.find_notes("OD-1", actor=CONSOLE) == []
    assert deliveries() == []


def test_a_note_that_is_withdrawn_before_it_is_sent_is_not_sent(order: str) -> None:
    make_actor(email="ana@helios.example")
    note = add("@ana@helios.example a secret")
    notes.withdraw_note(note, actor=CONSOLE, now=NOW)
    assert send() == []
    (one,) = deliveries()
    assert (one.status, one.last_error) == ("cancelled", "The note was withdrawn.")


def test_somebody_who_lost_access_meanwhile_gets_no_mail(order: str) -> None:
    ana = make_actor(email="ana@helios.example")
    add("@ana@helios.example a secret")
    take_away(ana, is_active=False)
    assert send() == []
    (one,) = deliveries()
    assert one.last_error == "ana@helios.example cannot see the order any more."


def test_a_note_that_is_withdrawn_after_it_was_sent_is_not_shown_any_more(order: str) -> None:
    make_actor(email="ana@helios.example")
    note = add("@ana@helios.example a secret")
    send()
    (one,) = deliveries()
    shown = mail.get_delivery(one.delivery_id, actor=CONSOLE, now=NOW)
    assert "a secret" in shown.preview.text
    notes.withdraw_note(note, actor=CONSOLE, now=NOW)
    shown = mail.get_delivery(one.delivery_id, actor=CONSOLE, now=NOW)
    assert "a secret" not in shown.preview.text + shown.preview.html
    assert "This note was withdrawn." in shown.preview.text


def test_a_failed_mention_is_sent_again(order: str) -> None:
    make_actor(email="ana@helios.example")
    add("@ana@helios.example look")
    send()
    (one,) = deliveries()
    mail.resend([one.delivery_id], key="again", actor=CONSOLE, now=NOW)
    assert len(send()) == 1
    assert {one.kind for one in deliveries()} == {DeliveryKind.MENTION}
    assert len({one.note_id for one in deliveries()}) == 1


@pytest.mark.both_databases
def test_mentions_are_seen_by_those_who_see_their_order(order: str) -> None:
    make_actor(email="ana@helios.example")
    add("@ana@helios.example look")
    view = default_view(EMAILS)
    of_order = default_view(EMAILS, order_id="OD-1")
    own = make_actor(email="own@helios.example", only_own_orders=True)
    for actor, count in (
        (make_actor(), 1),
        (own, 1),
        (make_actor(only_own_orders=True), 0),
        (make_actor(contracts=frozenset({"CT-2"})), 0),
    ):
        assert query.count_rows(view, actor=actor, now=NOW) == count
        assert query.count_rows(of_order, actor=actor, now=NOW) == count


def test_mentions_count_as_mails_of_the_hour(order: str) -> None:
    make_actor(email="ana@helios.example")
    make_actor(email="ben@helios.example")
    with settings(emails_per_hour=1):
        add("@ana@helios.example")
        with pytest.raises(Refused, match="You can send 1 e-mails per hour"):
            add("@ben@helios.example")
    assert len(notes.find_notes("OD-1", actor=CONSOLE)) == 1


@pytest.mark.both_databases
def test_who_sees_an_order_is_who_finds_it(order: str) -> None:
    """Hold the rule from the order's side together with the scope from the person's side."""
    make_order("OD-2", contract_id="CT-2", author="Özlem@helios.example")
    people = [
        make_actor(role, email=email, contracts=frozenset(contracts), only_own_orders=own)
        for place, role in enumerate(Role)
        for contracts in ((), ("CT-1",), ("CT-2",), ("CT-1", "CT-2"))
        for own in (False, True)
        for email in [f"{place}{len(contracts)}{'-'.join(contracts)}{own}@helios.example"]
    ]
    people += [make_actor(only_own_orders=own, email=f"all{own}@x.example") for own in (0, 1)]
    people += [make_actor(email="özlem@helios.example", only_own_orders=True)]
    with storage.reading() as session:
        for one in session.scalars(select(Order)):
            seeing = select(User.email).where(sees_order(one.contract_id, one.author))
            found = set(session.scalars(seeing))
            mine = Order.order_id == one.order_id
            for actor in people:
                own_view = select(Order.order_id).where(mine, query.scope(ORDERS, actor))
                is_found = session.scalar(own_view) is not None
                assert (actor.email in found) == is_found, (actor, one.order_id)


def test_colleagues_are_listed_by_name_with_what_they_may(order: str) -> None:
    make_actor(email="ana@helios.example")
    make_actor(Role.VIEWER, email="vic@helios.example")
    make_actor(contracts=frozenset({"CT-2"}), email="blind@helios.example")
    listed = notes.find_colleagues("OD-1", actor=CONSOLE)
    found = {one.email: one.can_write for one in listed if "helios" in one.email}
    assert found == {"ana@helios.example": True, "vic@helios.example": False}


def test_a_person_is_told_nothing_about_people_who_cannot_see_the_order(order: str) -> None:
    agent = Actor("x", "x@helios.example", Role.AGENT, sees_all_contracts=True)
    make_actor(contracts=frozenset({"CT-2"}), email="blind@helios.example")
    assert all(one.sees for one in notes.find_colleagues("OD-1", actor=agent))
