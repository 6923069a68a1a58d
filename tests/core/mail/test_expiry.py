"""What is kept no longer: senders' texts in the database, and mails in the outbox on disk."""

import mailbox
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from core import storage, worker
from core.access import Actor
from core.ground import get_settings
from core.mail import delete_expired, get_delivery
from core.mail.deliver import expiry
from core.mail.deliver.outbox import OUTBOX_FOLDER, Outbox
from core.mail.deliver.server import Later
from core.storage import AuditEvent, Delivery
from tests.conftest import NOW
from tests.core.mail.mailing import OMER, ZOE, ScriptedTransport, send_due, stored
from tests.core.mail.sent import send
from tests.core.refunds.refund_rows import settings

pytestmark = pytest.mark.usefixtures("shop")

DAY = timedelta(days=1)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Path]:
    """Keep texts for 30 days and mails on disk for 10; return the outbox."""
    with settings(mail_text_days=30, outbox_days=10, data_dir=tmp_path):
        yield tmp_path / OUTBOX_FOLDER


def told() -> list[tuple[str, str, Any]]:
    with storage.reading() as session:
        found = select(AuditEvent).where(AuditEvent.action.endswith("_deleted"))
        return [(one.actor, one.sentence, one.after) for one in session.scalars(found)]


def age(folder: Path, days: float) -> None:
    """Make the mails in the outbox as old as days before NOW."""
    at = (NOW - days * DAY).timestamp()
    for one in folder.glob("*/*"):
        os.utime(one, (at, at))


@pytest.mark.both_databases
def test_the_text_of_an_ended_mail_is_deleted_and_the_mail_stays(admin: Actor, kept: Path) -> None:
    (sent,) = send("A", to=[ZOE], actor=admin)
    assert send_due(ScriptedTransport()) == 1
    (waiting,) = send("B", to=[OMER], actor=admin, key="waits")
    assert delete_expired(now=NOW + 30 * DAY) == 0
    assert [one.message for one in stored()] == ["Enjoy!", "Enjoy!"]
    assert delete_expired(now=NOW + 31 * DAY) == 1
    (old,) = stored(sent)
    twins = [getattr(old, name) for name in Delivery.twins if name.startswith("message_")]
    assert (old.message, twins) == (None, [None, None])
    assert (old.recipient, old.status) == (ZOE, "sent")
    assert [one.message for one in stored(waiting)] == ["Enjoy!"]  # it is sent with its text
    facts = {"count": 1, "days": 30}
    sentence = "Order Desk deleted the senders' own texts of 1 e-mail older than 30 days."
    assert told() == [("Order Desk", sentence, facts)]
    assert delete_expired(now=NOW + 31 * DAY) == 0
    found = get_delivery(sent, actor=admin, now=NOW + 31 * DAY)
    assert "Enjoy!" not in found.preview.text
    assert found.text_kept_days == 30
    assert get_delivery(sent, actor=admin, now=NOW).text_kept_days is None


def test_without_the_settings_everything_is_kept(admin: Actor, tmp_path: Path) -> None:
    with settings(data_dir=tmp_path):
        send("A", to=[ZOE], actor=admin)
        send_due(Outbox(tmp_path / OUTBOX_FOLDER))
        age(tmp_path / OUTBOX_FOLDER, 9_000)
        assert delete_expired(now=NOW + 9_000 * DAY) == 0
        assert [one.message for one in stored()] == ["Enjoy!"]
    assert len(list((tmp_path / OUTBOX_FOLDER).glob("*/*"))) == 1


def test_a_mail_in_the_outbox_is_deleted_after_its_days(admin: Actor, kept: Path) -> None:
    send("A", to=[ZOE, OMER], actor=admin)
    send_due(Outbox(kept))
    read = min((kept / "new").iterdir())
    read.rename(kept / "cur" / f"{read.name}:2,S")  # as a mail program does
    age(kept, 9.9)
    assert delete_expired(now=NOW) == 0
    age(kept, 10.1)
    (own := kept / "notes.txt").write_text("not a mail")
    os.utime(own, (0, 0))
    (elsewhere := kept.parent / "elsewhere").write_text("kept")
    (kept / "new" / "link").symlink_to(elsewhere)
    assert delete_expired(now=NOW) == 2
    assert list(mailbox.Maildir(kept).keys()) == ["link"]
    assert own.exists()
    assert elsewhere.exists()
    ((who, sentence, _),) = told()
    assert (who, sentence) == (
        "Order Desk",
        "Order Desk deleted 2 mails older than 10 days from the outbox.",
    )


def test_there_may_be_no_outbox(kept: Path) -> None:
    assert delete_expired(now=NOW) == 0


def test_a_step_is_small_and_the_next_one_goes_on(
    admin: Actor, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiry, "STEP", 2)
    for number, item in enumerate(["A", "B", "A"]):
        send(item, to=[ZOE], actor=admin, key=f"{number}")
    send_due(Outbox(kept))
    age(kept, 11)
    steps = []
    while done := delete_expired(now=NOW + 31 * DAY):
        steps.append(done)
    assert steps == [4, 2]
    assert [one.message for one in stored()] == [None] * 3


def test_a_mail_that_cannot_be_deleted_is_logged_and_does_not_stop_the_others(
    admin: Actor, kept: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    send("A", to=[ZOE, OMER], actor=admin)
    send_due(Outbox(kept))
    age(kept, 11)
    stuck, unlink = min((kept / "new").iterdir()), Path.unlink

    def refuse(path: Path) -> None:
        if path == stuck:
            raise PermissionError(13, "Permission denied")
        unlink(path)

    monkeypatch.setattr(Path, "unlink", refuse)
    assert delete_expired(now=NOW) == 1
    assert f"Cannot delete {stuck} from the outbox: Permission denied" in caplog.text


def test_a_mail_that_waits_again_keeps_its_text(admin: Actor, kept: Path) -> None:
    """A failed e-mail can be resent, and then it must not lose its text on the way."""
    (one,) = send("A", to=[ZOE], actor=admin)
    send_due(ScriptedTransport([Later("Busy.")]))
    with storage.writing() as session:
        session.execute(update(Delivery).values(queued_at=NOW - 90 * DAY))
    assert stored(one)[0].status == "queued"
    assert delete_expired(now=NOW) == 0
    assert stored(one)[0].message == "Enjoy!"


def test_the_worker_looks_at_once_and_then_hourly(
    admin: Actor, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_rests", {})
    send("A", to=[ZOE], actor=admin)
    send_due(Outbox(kept))
    age(kept, 11)
    assert worker._delete_expired(NOW) == 1
    assert worker._delete_expired(NOW) == 0  # nothing is left, so it rests from now on
    send("B", to=[OMER], actor=admin, key="later")
    send_due(Outbox(kept))
    age(kept, 11)
    assert worker._delete_expired(NOW) == 0
    monkeypatch.setattr(worker, "_rests", {})
    assert worker._delete_expired(NOW) == 1


@pytest.mark.parametrize("name", ["MAIL_TEXT_DAYS", "OUTBOX_DAYS"])
@pytest.mark.parametrize("value", ["0", "-1", "1.5", "never", "36501"])
def test_a_wrong_number_of_days_stops_the_start(name: str, value: str) -> None:
    with settings(**{name: value}), pytest.raises(SystemExit, match=name):
        get_settings()
