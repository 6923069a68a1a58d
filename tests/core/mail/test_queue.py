"""Send Voucher, Resend and the void notice: what is queued, for whom, and what is not."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from core import mail, refunds, storage
from core.access import Actor
from core.ground import InvalidInput, NotFound, NotPermitted, Refused, Role, get_settings
from core.mail import Answer, To
from core.mail.compose.contents import TooLarge
from core.mail.deliver.server import Rejected
from core.mail.queue.assessment import find_void_notices
from core.storage import AuditEvent, Delivery, DeliveryItem, Order, OrderItem, Refund
from tests.conftest import NOW
from tests.core.mail.mailing import (
    CONTACT,
    OMER,
    ZOE,
    ScriptedTransport,
    send_due,
    statuses,
    stored,
)
from tests.core.refunds.refund_races import at_once
from tests.core.refunds.sold_items import sell
from tests.rows import make_actor

A_DAY = timedelta(days=1)


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Let a test set settings of its own."""
    yield monkeypatch
    monkeypatch.undo()
    get_settings.cache_clear()


def send(
    *items: str, to: list[str] | To, actor: Actor, key: str = "k", message: str | None = None
) -> Answer:
    return mail.send(items, to, message=message, key=key, actor=actor, now=NOW)


def count_deliveries() -> int:
    with storage.reading() as session:
        return session.scalar(select(func.count()).select_from(Delivery)) or 0


def sent_to(answer: Answer) -> list[tuple[str, str, tuple[str, ...]]]:
    return sorted((one.recipient, one.contract_id, one.item_ids) for one in answer.deliveries)


def refund(*items: str, actor: Actor) -> None:
    refunds.request(items, reason="goodwill", key=f"back-{items}", actor=actor, now=NOW)


def test_each_recipient_gets_one_mail_for_each_contract(shop: None, admin: Actor) -> None:
    answer = send("A", "B", "C", to=["x@a.example", "y@a.example"], actor=admin)
    assert sent_to(answer) == [
        ("x@a.example", "CT-1", ("A", "B")),
        ("x@a.example", "CT-2", ("C",)),
        ("y@a.example", "CT-1", ("A", "B")),
        ("y@a.example", "CT-2", ("C",)),
    ]
    assert {(one.status, one.kind, one.item_count) for one in stored()} == {
        ("queued", "voucher", 2),
        ("queued", "voucher", 1),
    }


def test_each_passenger_gets_their_own_and_who_has_no_address_is_left_out(
    shop: None, admin: Actor
) -> None:
    answer = send("A", "B", "C", to=To.PASSENGERS, actor=admin)
    assert sent_to(answer) == [(OMER, "CT-1", ("B",)), (ZOE, "CT-1", ("A",))]
    assert [(one.order_item_id, one.why) for one in answer.left_out] == [
        ("C", "The e-mail address of its passenger is not known.")
    ]


def test_each_contact_gets_the_vouchers_of_their_own_orders(shop: None, admin: Actor) -> None:
    answer = send("A", "B", "C", to=To.CONTACTS, actor=admin)
    assert sent_to(answer) == [
        (CONTACT, "CT-1", ("A", "B")),
        ("two@other.example", "CT-2", ("C",)),
    ]


def test_what_is_not_valid_is_left_out_with_the_reason_and_stops_no_other(
    shop: None, admin: Actor
) -> None:
    answer = send("A", "USED", "NONE", to=[ZOE], actor=admin)
    assert sent_to(answer) == [(ZOE, "CT-1", ("A",))]
    whys = {one.order_item_id: one.why for one in answer.left_out}
    assert whys == {
        "USED": "It has been used.",
        "NONE": "Order item “NONE” was not found, or you have no access to it.",
    }


def test_nothing_valid_is_refused_and_nothing_queued(shop: None, admin: Actor) -> None:
    with pytest.raises(Refused, match="It has been used"):
        send("USED", to=[ZOE], actor=admin)
    assert count_deliveries() == 0


@pytest.mark.both_databases
def test_replay_of_a_key_returns_the_first_answer_and_queues_nothing(
    shop: None, admin: Actor
) -> None:
    first = send("A", "USED", to=[ZOE], actor=admin)
    refund("A", actor=admin)
    assert send("USED", "A", to=[ZOE], actor=admin) == first
    assert count_deliveries() == 1


def test_key_of_another_request_is_refused(shop: None, admin: Actor) -> None:
    send("A", to=[ZOE], actor=admin)
    with pytest.raises(Refused, match="was sent before"):
        send("A", to=[OMER], actor=admin)
    assert count_deliveries() == 1


@pytest.mark.both_databases
def test_one_key_from_many_threads_queues_once(shop: None, admin: Actor) -> None:
    answers, start = [], threading.Barrier(6)

    def ask() -> None:
        start.wait()
        answers.append(send("A", "B", to=[ZOE, OMER], actor=admin))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(answers) == 6
    assert all(one == answers[0] for one in answers)
    assert count_deliveries() == 2


def test_roles_that_hand_out_no_vouchers_send_none(shop: None, admin: Actor) -> None:
    for role in (Role.VIEWER, Role.ACCOUNTANT):
        actor = make_actor(role)
        with pytest.raises(NotPermitted):
            send("A", to=[ZOE], actor=actor)
        with pytest.raises(NotPermitted):
            mail.notify_void(["A"], key="k", actor=actor, now=NOW)
        with pytest.raises(NotPermitted):
            mail.resend(["D"], key="k", actor=actor, now=NOW)


def test_item_of_another_contract_is_neither_sent_nor_named(shop: None, admin: Actor) -> None:
    scoped = make_actor(contracts=frozenset({"CT-1"}))
    answer = send("A", "C", to=[ZOE], actor=scoped)
    assert sent_to(answer) == [(ZOE, "CT-1", ("A",))]
    (left,) = answer.left_out
    assert (left.product, left.why) == (
        "",
        "Order item “C” was not found, or you have no access to it.",
    )
    theirs = send("C", to=[ZOE], actor=admin, key="admin").deliveries[0].delivery_id
    with pytest.raises(NotFound):
        mail.resend([theirs], key="r", actor=scoped, now=NOW)


def test_address_that_the_order_does_not_know_is_said(shop: None, admin: Actor) -> None:
    to = [CONTACT.lower(), ZOE, "stranger@mail.example"]
    found = mail.assess(["A", "C"], to, actor=admin, now=NOW)
    unknown = {(one.recipient, one.contract_id): one.unknown_to for one in found.envelopes}
    assert unknown == {
        (CONTACT.lower(), "CT-1"): (),
        (CONTACT.lower(), "CT-2"): ("OD-2",),
        (ZOE, "CT-1"): (),
        (ZOE, "CT-2"): ("OD-2",),
        ("stranger@mail.example", "CT-1"): ("OD-1",),
        ("stranger@mail.example", "CT-2"): ("OD-2",),
    }


def test_an_address_is_known_however_its_accents_are_stored(shop: None, admin: Actor) -> None:
    with storage.writing() as session:
        for order_id, contact in (
            ("OD-1", "ana@BU\u0308RO.example"),
            ("OD-2", "ana@b\xfcro.example"),
        ):
            session.get_one(Order, order_id).contact_email = contact
    found = mail.assess(["A", "C"], ["ana@b\xfcro.example"], actor=admin, now=NOW)
    assert [one.unknown_to for one in found.envelopes] == [(), ()]
    assert len(mail.find_contacts(["A", "C"], actor=admin)) == 1


@pytest.mark.parametrize(
    "text",
    ["a@b.example, c@d.example", "a@b.example\nBcc: c@d.example", "no address", "", "@", "a@b@c"],
)
def test_what_is_not_one_address_is_a_fault_and_nothing_is_queued(
    shop: None, admin: Actor, text: str
) -> None:
    with pytest.raises(InvalidInput):
        send("A", to=[ZOE, text], actor=admin)
    assert count_deliveries() == 0


def test_every_faulty_address_is_named(shop: None, admin: Actor) -> None:
    with pytest.raises(InvalidInput) as said:
        send("A", to=["first", ZOE, "second"], actor=admin)
    assert "“first”" in str(said.value)
    assert "“second”" in str(said.value)


def test_two_hundred_recipients_are_queued_and_more_are_refused_with_the_numbers(
    shop: None, admin: Actor
) -> None:
    many = [f"p{number}@mail.example" for number in range(201)]
    with pytest.raises(InvalidInput, match="201 recipients"):
        send("A", to=many, actor=admin)
    assert count_deliveries() == 0
    assert len(send("A", to=many[:200], actor=admin).deliveries) == 200
    assert count_deliveries() == 200


def test_mail_that_is_too_large_is_refused_with_the_numbers(
    database: str, admin: Actor, settings: pytest.MonkeyPatch
) -> None:
    items = sell(500)
    with storage.writing() as session:  # one contract, so one mail
        session.execute(update(Order).values(contract_id="SOLD-0"))
        session.execute(update(OrderItem).values(contract_id="SOLD-0"))
    settings.setenv("MAIL_MAX_MB", "1")
    get_settings.cache_clear()
    with pytest.raises(TooLarge, match=r"500 vouchers has 1\.\d MB; the maximum is 1\.0 MB"):
        send(*items, to=[ZOE], actor=admin, key="large")
    with pytest.raises(TooLarge):
        mail.assess(items, [ZOE], actor=admin, now=NOW)


@pytest.mark.both_databases
def test_hourly_limit_refuses_the_whole_request(
    shop: None, admin: Actor, settings: pytest.MonkeyPatch
) -> None:
    settings.setenv("EMAILS_PER_HOUR", "3")
    get_settings.cache_clear()
    send("A", to=[ZOE, OMER], actor=admin)
    with pytest.raises(Refused, match=r"3 e-mails per hour\. You sent 2 "):
        send("B", to=[ZOE, OMER], actor=admin, key="more")
    assert count_deliveries() == 2
    later = NOW + timedelta(hours=2)
    mail.send(["B"], [ZOE, OMER], message=None, key="later", actor=admin, now=later)
    assert count_deliveries() == 4


@pytest.mark.both_databases
def test_mails_that_are_sent_again_count_for_the_hourly_limit(
    shop: None, admin: Actor, settings: pytest.MonkeyPatch
) -> None:
    answer = send("A", to=[ZOE, OMER], actor=admin)
    failed = [one.delivery_id for one in answer.deliveries]
    send_due(ScriptedTransport([Rejected("no such mailbox")] * 2))
    sent = send("B", to=[ZOE], actor=admin, key="b").deliveries[0].delivery_id
    send_due(ScriptedTransport())
    settings.setenv("EMAILS_PER_HOUR", "3")
    get_settings.cache_clear()
    later = NOW + timedelta(hours=2)
    mail.resend(failed, key="again", actor=admin, now=later)
    mail.resend([sent], key="copy", actor=admin, now=later)
    with pytest.raises(Refused, match=r"3 e-mails per hour\. You sent 3 "):
        mail.resend([sent], key="more", actor=admin, now=later)


def test_queueing_is_in_the_audit_trail_of_its_order(shop: None, admin: Actor) -> None:
    send("A", to=[ZOE], actor=admin)
    with storage.reading() as session:
        queued = select(AuditEvent).where(AuditEvent.action == "delivery.queued")
        (event,) = session.scalars(queued)
        assert (event.actor, event.order_id, event.contract_id) == (admin.email, "OD-1", "CT-1")
        assert event.after == {"kind": "voucher", "recipient": ZOE, "items": 1}


@pytest.mark.both_databases
def test_void_notice_goes_to_exactly_those_who_had_the_voucher(shop: None, admin: Actor) -> None:
    send("A", "B", to=[ZOE, OMER], actor=admin)
    send_due(ScriptedTransport([Rejected("no such mailbox")]))
    (had,) = [who for who, status in statuses().items() if status == "sent"]
    send("B", to=["third@mail.example"], actor=admin, key="b")
    send_due(ScriptedTransport())
    assert find_void_notices(["A", "B"], actor=admin) == ()
    refund("A", actor=admin)
    answer = mail.notify_void(["A", "B"], key="void", actor=admin, now=NOW)
    assert sent_to(answer) == [(had, "CT-1", ("A",))]


def test_void_notice_is_sent_once_and_again_only_when_it_failed(shop: None, admin: Actor) -> None:
    send("A", to=[ZOE], actor=admin)
    send_due(ScriptedTransport())
    refund("A", actor=admin)
    first = mail.notify_void(["A"], key="void", actor=admin, now=NOW)
    assert mail.notify_void(["A"], key="void", actor=admin, now=NOW) == first
    with pytest.raises(Refused, match="No one needs a void notice"):
        mail.notify_void(["A"], key="again", actor=admin, now=NOW)
    send_due(ScriptedTransport([Rejected("mailbox is full")]))
    answer = mail.notify_void(["A"], key="once more", actor=admin, now=NOW)
    assert sent_to(answer) == [(ZOE, "CT-1", ("A",))]


def test_failed_mail_is_resent_as_the_same_message(shop: None, admin: Actor) -> None:
    (queued,) = send("A", to=[ZOE], actor=admin).deliveries
    transport = ScriptedTransport([Rejected("mailbox is full")])
    send_due(transport)
    (failed,) = stored()
    assert (failed.status, failed.last_error) == ("failed", "mailbox is full")
    mail.resend([queued.delivery_id], key="r", actor=admin, now=NOW)
    with pytest.raises(Refused, match="already queued or being sent"):
        mail.resend([queued.delivery_id], key="r", actor=admin, now=NOW)
    send_due(transport)
    (sent,) = stored()
    assert (sent.status, sent.last_error, sent.message_id) == ("sent", None, failed.message_id)
    assert transport.attempted == [failed.message_id] * 2


def test_sent_mail_is_resent_as_a_new_one_and_once_for_a_key(shop: None, admin: Actor) -> None:
    (queued,) = send("A", to=[ZOE], actor=admin, message="Have a good flight").deliveries
    send_due(ScriptedTransport())
    mail.resend([queued.delivery_id], key="r", actor=admin, now=NOW)
    with pytest.raises(Refused, match="already queued or being sent"):
        mail.resend([queued.delivery_id], key="r", actor=admin, now=NOW)
    before, again = sorted(stored(), key=lambda one: one.status, reverse=True)
    assert (before.status, again.status) == ("sent", "queued")
    assert again.message == "Have a good flight"
    assert again.message_id != before.message_id
    with storage.reading() as session:
        about = select(DeliveryItem.order_item_id).where(
            DeliveryItem.delivery_id == again.delivery_id
        )
        assert session.scalars(about).all() == ["A"]


@pytest.mark.both_databases
def test_who_had_a_voucher_again_gets_a_void_notice_again(shop: None, admin: Actor) -> None:
    send("A", to=[ZOE], actor=admin)
    send_due(ScriptedTransport())
    refund("A", actor=admin)
    mail.notify_void(["A"], key="first", actor=admin, now=NOW)
    with storage.writing() as session:  # the bank returns the money, and the item is given back
        session.execute(update(Refund).values(status="failed"))
        session.execute(update(OrderItem).values(status="not_used"))
    mail.send(["A"], [ZOE], message=None, key="again", actor=admin, now=NOW + A_DAY)
    send_due(ScriptedTransport(), after=A_DAY)
    assert find_void_notices(["A"], actor=admin) == ()
    refunds.request(["A"], reason="goodwill", key="twice", actor=admin, now=NOW + 2 * A_DAY)
    (notice,) = find_void_notices(["A"], actor=admin)
    assert (notice.recipient, notice.item_ids) == (ZOE, ("A",))
    mail.notify_void(["A"], key="second", actor=admin, now=NOW + 2 * A_DAY)
    assert find_void_notices(["A"], actor=admin) == ()


@pytest.mark.both_databases
def test_void_notices_that_are_asked_for_at_once_are_queued_once(shop: None, admin: Actor) -> None:
    send("A", to=[ZOE], actor=admin)
    send_due(ScriptedTransport())
    refund("A", actor=admin)

    def notify(number: int) -> int:
        try:
            return len(mail.notify_void(["A"], key=f"{number}", actor=admin, now=NOW).deliveries)
        except Refused:
            return 0

    assert sum(at_once(4, notify)) == 1
    assert count_deliveries() == 2
