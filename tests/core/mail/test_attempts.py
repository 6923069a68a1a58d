"""Attempts: later ones, a paused queue, leases of workers that died, and doubt."""

from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy import update

from core import storage, vouchers
from core.access import Actor
from core.mail import get_pause
from core.mail.deliver import delivery as deliveries
from core.mail.deliver.records import MAX_ATTEMPTS, PAUSE, _wait
from core.mail.deliver.server import Later, Rejected, Result, Sent, Unusable
from core.storage import OrderItem
from tests.conftest import NOW
from tests.core.mail.mailing import (
    OMER,
    ZOE,
    ScriptedTransport,
    send_due,
    statuses,
    stored,
)
from tests.core.mail.sent import LEASE, events, send

pytestmark = pytest.mark.usefixtures("shop")


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


def test_a_mail_that_the_server_never_takes_does_not_stop_the_others(admin: Actor) -> None:
    send("A", to=[ZOE], actor=admin)
    (bad,) = stored()
    refused = Unusable("530 Authentication required")

    class Strict(ScriptedTransport):
        def send(self, message: EmailMessage, **how: Any) -> Result:
            is_bad = message["Message-ID"] == bad.message_id
            return refused if is_bad else super().send(message, **how)

    transport = Strict()
    send_due(transport)
    send("B", to=[OMER, "x@mail.example"], actor=admin, key="others")
    for pauses in (1, 2, 3):
        send_due(transport, after=pauses * PAUSE)
    assert sorted(statuses().values()) == ["queued", "sent", "sent"]


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
