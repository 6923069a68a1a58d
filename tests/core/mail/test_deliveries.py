"""Sending: by lease, checked again just before sending, recorded; nothing is lost."""

import mailbox
from pathlib import Path

import pytest

from core import mail, vouchers
from core.access import Actor
from core.ground import NotFound, NotPermitted, Role, word_of
from core.mail import get_delivery, write_message
from core.mail.deliver.outbox import Outbox
from tests.conftest import NOW
from tests.core.mail.mailing import (
    GIVEN,
    OMER,
    ZOE,
    ScriptedTransport,
    pdfs_of,
    read_message,
    send_due,
    statuses,
    stored,
)
from tests.core.mail.sent import LEASE, code_of, events, pages_of, refund, send
from tests.rows import make_actor, make_item, make_order

pytestmark = pytest.mark.usefixtures("shop")


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


def test_without_a_mail_server_mail_goes_into_a_maildir(admin: Actor, tmp_path: Path) -> None:
    send("A", to=[ZOE], actor=admin)
    send_due(Outbox(tmp_path / "outbox"))
    (delivery,) = stored()
    assert (delivery.status, delivery.channel) == ("sent", "outbox")
    shown = get_delivery(delivery.delivery_id, actor=admin, now=NOW).state
    assert word_of(shown) == "Saved to outbox"
    assert events("voucher.saved_to_outbox") == ["A"]
    assert events("voucher.sent") == []
    assert [one.how for one in vouchers.find_copies(["A"], actor=admin)] == [
        f"saved to outbox for {ZOE}"
    ]
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
