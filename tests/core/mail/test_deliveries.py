"""Sending: by lease, checked again just before sending, recorded; nothing is lost."""

import io
import mailbox
from datetime import timedelta
from pathlib import Path

import pypdf
import pytest
from sqlalchemy import select, update

from core import mail, refunds, storage, vouchers
from core.access import Actor
from core.ground import NotFound, NotPermitted, Role
from core.mail import get_delivery, get_pause, write_message
from core.mail.deliver import delivery as deliveries
from core.mail.deliver.outbox import Outbox
from core.mail.deliver.records import MAX_ATTEMPTS, PAUSE, _wait
from core.mail.deliver.server import Later, Rejected, Sent, Unusable
from core.storage import AuditEvent, OrderItem
from tests.conftest import NOW, Fill
from tests.core.mail.mailing import (
    GIVEN,
    OMER,
    ZOE,
    ScriptedTransport,
    make_shop,
    pdfs_of,
    read_message,
    send_due,
    statuses,
    stored,
)
from tests.rows import make_actor, make_item, make_order

LEASE = timedelta(seconds=61)


@pytest.fixture(autouse=True)
def shop(database: str, filled_once: Fill) -> None:
    """Store the orders that mail is about."""
    filled_once(make_shop)


def send(*items: str, to: list[str], actor: Actor, key: str = "k") -> list[str]:
    answer = mail.send(items, to, message="Enjoy!", key=key, actor=actor, now=NOW)
    return [one.delivery_id for one in answer.deliveries]


def refund(*items: str, actor: Actor) -> None:
    refunds.request(items, reason="goodwill", key=f"back-{items}", actor=actor, now=NOW)


def pages_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)


def code_of(item: str) -> str:
    with storage.reading() as session:
        return session.get_one(OrderItem, item).voucher_code


def events(action: str) -> list[str]:
    with storage.reading() as session:
        found = select(AuditEvent.entity_id).where(AuditEvent.action == action)
        return sorted(session.scalars(found))


@pytest.mark.both_databases
def test_mail_brings_one_pdf_with_every_voucher_and_is_recorded(admin: Actor) -> None:
    send("A", "B", to=[ZOE], actor=admin)
    transport = ScriptedTransport()
    assert send_due(transport) == 1
    (message,) = transport.taken
    (pdf,) = pdfs_of(message)
    assert code_of("A") in pages_of(pdf)
    assert code_of("B") in pages_of(pdf)
    text = message.get_body(("plain",))
    assert text is not None
    assert "Enjoy!" in text.get_content()
    (delivery,) = stored()
    assert (delivery.status, delivery.attempts, delivery.sent_at) == ("sent", 1, NOW)
    assert delivery.last_error is None
    assert message["Message-ID"] == delivery.message_id
    assert events("voucher.sent") == ["A", "B"]
    assert send_due(transport, after=LEASE) == 0


def test_refund_between_queueing_and_sending_cancels_and_says_why(admin: Actor) -> None:
    send("A", to=[ZOE], actor=admin)
    refund("A", actor=admin)
    transport = ScriptedTransport()
    send_due(transport)
    assert transport.attempted == []
    (delivery,) = stored()
    assert delivery.status == "cancelled"
    assert delivery.last_error is not None
    assert delivery.last_error.startswith("Without A: It was refunded on ")
    assert events("voucher.sent") == []


def test_mail_goes_without_the_item_that_was_refunded_and_says_so(admin: Actor) -> None:
    send("A", "B", to=[ZOE], actor=admin)
    refund("A", actor=admin)
    transport = ScriptedTransport()
    send_due(transport)
    (pdf,) = pdfs_of(transport.taken[0])
    assert code_of("B") in pages_of(pdf)
    assert code_of("A") not in pages_of(pdf)
    (delivery,) = stored()
    assert delivery.status == "sent"
    assert "Without A: It was refunded on" in str(delivery.last_error)
    assert events("voucher.sent") == ["B"]
    assert [one.order_item_id for one in vouchers.find_copies(["A", "B"], actor=admin)] == ["B"]


@pytest.mark.both_databases
def test_refund_while_the_mail_is_on_its_way_to_the_door_still_stops_the_voucher(
    admin: Actor,
) -> None:
    send("A", "B", to=[ZOE], actor=admin)
    transport, fates = ScriptedTransport(), ["A"]

    def refund_meanwhile() -> None:
        if fates:
            refund(fates.pop(), actor=admin)

    transport.before = refund_meanwhile
    send_due(transport)
    (message,) = transport.taken
    assert code_of("A") not in pages_of(pdfs_of(message)[0])
    assert statuses() == {ZOE: "sent"}


def test_mail_that_cannot_go_now_is_tried_six_times_as_the_same_message(admin: Actor) -> None:
    send("A", to=[ZOE], actor=admin)
    transport, clock = (
        ScriptedTransport([Later(f"busy {number}") for number in range(MAX_ATTEMPTS)]),
        timedelta(),
    )
    for number in range(MAX_ATTEMPTS):
        (delivery,) = stored()
        assert (delivery.status, delivery.attempts) == ("queued", number)
        clock = delivery.next_attempt_at - NOW
        if number:
            assert send_due(transport, after=clock - timedelta(seconds=1)) == 0
        assert send_due(transport, after=clock) == 1
    (delivery,) = stored()
    assert (delivery.status, delivery.last_error) == ("failed", f"busy {MAX_ATTEMPTS - 1}")
    assert transport.attempted == [delivery.message_id] * MAX_ATTEMPTS
    assert send_due(transport, after=clock + timedelta(days=1)) == 0
    assert events("delivery.failed") == [delivery.delivery_id]


def test_waits_between_tries_grow_up_to_five_minutes(admin: Actor) -> None:
    for attempts in range(1, MAX_ATTEMPTS):
        waits = [_wait(attempts).total_seconds() for _ in range(200)]
        assert min(waits) >= 2
        assert max(waits) <= 300
    assert max(waits) > 150


def test_server_that_cannot_be_used_pauses_the_queue_and_burns_no_tries(admin: Actor) -> None:
    send("A", "B", to=[ZOE, OMER, "x@mail.example"], actor=admin)
    transport = ScriptedTransport([Unusable("The sign-in was refused (535).")] * 3)
    send_due(transport)
    assert set(statuses().values()) == {"queued"}
    assert {one.attempts for one in stored()} == {0}
    pause = get_pause()
    assert pause is not None
    assert pause.why == "The sign-in was refused (535)."
    assert send_due(transport, after=PAUSE - timedelta(seconds=1)) == 0
    tries = len(transport.attempted)
    assert send_due(transport, after=PAUSE) == 1
    assert len(transport.attempted) == tries + 1
    assert get_pause() is None
    assert send_due(transport, after=PAUSE) == 2
    assert set(statuses().values()) == {"sent"}


def test_pause_that_lasts_says_since_when(admin: Actor) -> None:
    send("A", to=[ZOE], actor=admin)
    transport = ScriptedTransport([Unusable("down"), Unusable("still down")])
    send_due(transport)
    send_due(transport, after=PAUSE)
    pause = get_pause()
    assert pause is not None
    assert (pause.why, pause.since, pause.until) == ("still down", NOW, NOW + 2 * PAUSE)
    assert {one.attempts for one in stored()} == {0}


def test_rejected_mail_fails_at_once_and_others_go(admin: Actor) -> None:
    send("A", to=[ZOE, OMER], actor=admin)
    send_due(ScriptedTransport([Rejected("550 no such mailbox")]))
    assert sorted(statuses().values()) == ["failed", "sent"]


@pytest.mark.both_databases
def test_delivery_is_one_workers_until_its_lease_is_over(admin: Actor) -> None:
    send("A", to=[ZOE], actor=admin)
    (job,) = deliveries._claim(NOW, 10)
    assert send_due(ScriptedTransport()) == 0
    assert send_due(ScriptedTransport(), after=LEASE) == 1
    assert statuses() == {ZOE: "sent"}
    late = ScriptedTransport()
    deliveries._deliver(job, NOW, late)  # the first worker comes back
    assert late.taken == []
    assert statuses() == {ZOE: "sent"}


def test_fractions_of_a_second_do_not_cost_a_worker_its_lease(admin: Actor) -> None:
    send("A", to=[ZOE], actor=admin)
    send_due(ScriptedTransport(), after=timedelta(microseconds=123_456))
    assert statuses() == {ZOE: "sent"}


def test_worker_that_died_before_handing_over_leaves_no_doubt(admin: Actor) -> None:
    send("A", to=[ZOE], actor=admin)
    deliveries._claim(NOW, 10)
    send_due(ScriptedTransport(), after=LEASE)
    (delivery,) = stored()
    assert (delivery.status, delivery.may_be_twice, delivery.last_error) == ("sent", False, None)


@pytest.mark.both_databases
def test_worker_that_died_after_handing_over_leaves_a_mail_that_may_be_twice(admin: Actor) -> None:
    send("A", to=[ZOE], actor=admin)

    class Killed(BaseException):
        pass

    class Deadly(ScriptedTransport):
        def send(self, *given: object, **named: object) -> Sent:
            assert named["may_hand_over"]()  # type: ignore[operator]
            raise Killed

    (job,) = deliveries._claim(NOW, 10)
    with pytest.raises(Killed):
        deliveries._deliver(job, NOW, Deadly())
    assert [one.how for one in vouchers.find_copies(["A"], actor=admin)] == [f"e-mailed to {ZOE}"]
    send_due(ScriptedTransport(), after=LEASE)
    (delivery,) = stored()
    assert (delivery.status, delivery.may_be_twice) == ("sent", True)
    assert "may have arrived twice" in str(delivery.last_error)


def test_drop_after_the_message_is_shown_as_one_that_may_arrive_twice(admin: Actor) -> None:
    send("A", to=[ZOE], actor=admin)
    transport = ScriptedTransport([Later("The connection broke.", may_have_arrived=True)])
    send_due(transport)
    (delivery,) = stored()
    assert (delivery.status, delivery.may_be_twice) == ("queued", True)
    assert [one.how for one in vouchers.find_copies(["A"], actor=admin)] == [f"e-mailed to {ZOE}"]
    send_due(transport, after=timedelta(hours=1))
    (delivery,) = stored()
    assert delivery.status == "sent"
    assert "may have arrived twice" in str(delivery.last_error)
    assert transport.attempted == [delivery.message_id] * 2


def test_try_that_the_server_did_not_take_leaves_no_copy(admin: Actor) -> None:
    send("A", to=[ZOE], actor=admin)
    send_due(ScriptedTransport([Later("451 try later")]))
    assert vouchers.find_copies(["A"], actor=admin) == []


def test_one_that_cannot_be_rendered_waits_and_holds_up_no_other(admin: Actor) -> None:
    send("A", to=[ZOE], actor=admin)
    send("B", to=[OMER], actor=admin, key="b")
    with storage.writing() as session:
        broken = update(OrderItem).where(OrderItem.order_item_id == "A")
        session.execute(broken.values(airport_tz="No/Where"))
    send_due(ScriptedTransport())
    assert statuses() == {ZOE: "sending", OMER: "sent"}


def test_without_a_mail_server_mail_goes_into_a_maildir(admin: Actor, tmp_path: Path) -> None:
    send("A", to=[ZOE], actor=admin)
    send_due(Outbox(tmp_path / "outbox"))
    (delivery,) = stored()
    assert (delivery.status, delivery.channel) == ("sent", "outbox")
    (kept,) = mailbox.Maildir(tmp_path / "outbox").values()
    message = read_message(kept.as_bytes())
    assert message["To"] == ZOE
    assert code_of("A") in pages_of(pdfs_of(message)[0])


def test_outbox_that_cannot_be_written_is_tried_again(admin: Actor, tmp_path: Path) -> None:
    send("A", to=[ZOE], actor=admin)
    (tmp_path / "outbox").write_text("a file is in the way")
    send_due(Outbox(tmp_path / "outbox"))
    (delivery,) = stored()
    assert (delivery.status, delivery.attempts) == ("queued", 1)
    assert "Cannot write to the outbox" in str(delivery.last_error)


def test_void_notice_is_sent_without_any_voucher(admin: Actor) -> None:
    send("A", to=[ZOE], actor=admin)
    send_due(ScriptedTransport())
    refund("A", actor=admin)
    mail.notify_void(["A"], key="void", actor=admin, now=NOW)
    transport = ScriptedTransport()
    send_due(transport)
    (message,) = transport.taken
    assert pdfs_of(message) == []
    assert code_of("A") in message["Subject"]
    assert events("void_notice.sent") == ["A"]


def test_message_file_has_its_pdf_only_while_every_item_is_valid(
    admin: Actor, tmp_path: Path
) -> None:
    (delivery_id,) = send("A", "B", to=[ZOE], actor=admin)
    send_due(ScriptedTransport())

    def download() -> bytes:
        with (tmp_path / "mail.eml").open("w+b") as file:
            name = write_message(delivery_id, file, actor=admin, now=NOW)
            assert name == f"voucher-{delivery_id}.eml"
            file.seek(0)
            return file.read()

    before = read_message(download())
    assert code_of("A") in pages_of(pdfs_of(before)[0])
    assert events("voucher.downloaded") == ["A", "B"]
    refund("A", actor=admin)
    after = read_message(download())
    assert pdfs_of(after) == []
    assert "A: It was refunded on" in after.as_string()
    assert events("voucher.downloaded") == ["A", "B"]
    found = get_delivery(delivery_id, actor=admin, now=NOW)
    assert not found.is_whole
    assert found.preview.recipient == ZOE


def test_message_of_another_contract_is_not_there(admin: Actor, tmp_path: Path) -> None:
    (delivery_id,) = send("C", to=[ZOE], actor=admin)
    scoped = make_actor(contracts=frozenset({"CT-1"}))
    viewer = make_actor(Role.VIEWER)
    with pytest.raises(NotFound):
        get_delivery(delivery_id, actor=scoped, now=NOW)
    with pytest.raises(NotPermitted):
        get_delivery(delivery_id, actor=viewer, now=NOW)
    with (tmp_path / "mail.eml").open("wb") as file, pytest.raises(NotFound):
        write_message(delivery_id, file, actor=scoped, now=NOW)


def test_own_orders_only_hides_mail_about_others(admin: Actor) -> None:
    make_order("OD-3", author="ben@helios.example")
    make_item("OD-3", order_item_id="D", **GIVEN)
    mixed = send("A", "D", to=[ZOE], actor=admin)
    own = send("A", to=[OMER], actor=admin, key="own")
    ana = make_actor(email="ana@helios.example", only_own_orders=True)
    assert get_delivery(own[0], actor=ana, now=NOW).status == "queued"
    with pytest.raises(NotFound):
        get_delivery(mixed[0], actor=ana, now=NOW)
