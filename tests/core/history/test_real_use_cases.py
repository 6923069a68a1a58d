"""Each audit action has its sentence: the real use case is run, and its sentence is read."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from core import (
    access,
    demo,
    excel,
    imports,
    mail,
    notes,
    overview,
    query,
    refunds,
    storage,
    upkeep,
    vouchers,
)
from core.access import CONSOLE, Actor, Rights, SignInNeeded, sign_ins
from core.ground import NotPermitted, NotSignedIn, Permission, Role, in_zone
from core.history import ACTIONS, ANY
from core.mail.deliver.outbox import Outbox
from core.mail.deliver.server import Rejected
from core.refunds.gateway import Failed, Succeeded
from core.storage import AuditEvent, User
from core.tables import AUDIT_EVENTS, EMAILS, ORDER_ITEMS
from core.views import default_view
from tests.conftest import NOW
from tests.core.access.test_people import SIGN_IN
from tests.core.access.test_sign_ins import claims
from tests.core.access.use_cases import wait_for_imports
from tests.core.imports.imported import changed, plain, write_workbook
from tests.core.mail.mailing import GIVEN, OMER, ZOE, ScriptedTransport, send_due, stored
from tests.core.refunds.refund_rows import (
    FakeGateway,
    by_card,
    make_card_order,
    make_paid_order,
    make_refundable,
    request,
    settings,
)
from tests.core.refunds.returned import made, paid, returned_item, unmatched_items
from tests.rows import make_actor, make_item, make_order

ANA = "Ana Ruiz"


@pytest.fixture
def ana(database: str) -> Actor:
    return make_actor(Role.ADMIN, email="ana.ruiz@helios.example", name=ANA)


def told() -> dict[str, str]:
    """Return the sentence of every event by its action; of several, the last."""
    rows = select(AuditEvent.action, AuditEvent.sentence).order_by(AuditEvent.event_id)
    with storage.reading() as session:
        return {row.action: row.sentence for row in session.execute(rows)}


BALANCE = {
    "order_item.refund_requested": "Ana Ruiz requested refund R-1 of Fast Track Security (F-1), "
    "38.00 EUR. Reason: flight cancelled. “Gate closed”",
    "refund.succeeded": "Ana Ruiz refunded Fast Track Security (F-1), 38.00 EUR to the contract's "
    "balance. Reason: flight cancelled. “Gate closed”",
    "refunds.exported": "Ana Ruiz downloaded the results of a refund request: 1 row.",
}


@pytest.mark.both_databases
def test_a_refund_to_the_balance(ana: Actor) -> None:
    make_paid_order()
    make_refundable("OD-1", order_item_id="F-1", product="Fast Track Security")
    said: dict[str, Any] = {"reason": "flight_cancelled", "note": "Gate closed"}
    batch = request("F-1", actor=ana, **said).batch_id
    refunds.export_results(batch, io.BytesIO(), actor=ana, now=NOW, zone="UTC")
    assert told() == BALANCE


CARD = {
    "order_item.refund_requested": "Ana Ruiz requested again refund R-1 of Aspire Lounge (F-1), "
    "38.00 EUR. Reason: goodwill.",
    "refund.failed": "Ana Ruiz's refund R-1 of Aspire Lounge (F-1), 38.00 EUR, failed. The card "
    "provider refused it.",
    "refund.succeeded": "Ana Ruiz refunded Aspire Lounge (F-1), 38.00 EUR to the card. "
    "Reason: goodwill.",
}


def test_a_refund_to_the_card_that_fails_first(ana: Actor) -> None:
    make_card_order("OD-2")
    make_refundable("OD-2", order_item_id="F-1")
    gateways = by_card(FakeGateway(Failed("The card provider refused it."), Succeeded("re_1")))
    with settings(stripe_api_key="sk_test_x"):
        for key in ("first", "second"):
            request("F-1", actor=ana, key=key, gateways=gateways)
    assert told() == CARD


RETURNED = {
    "refund.returned": "Refund R-1 of Aspire Lounge ({item}), 38.00 EUR, came back. The bank "
    "returned the money: lost or stolen card.",
    "order_item.given_back": "Ana Ruiz gave back Aspire Lounge ({item}). It can be used again. "
    "“Paid in cash”",
}


def test_a_refund_that_the_bank_returns(ana: Actor) -> None:
    with settings(stripe_api_key="sk_test_x"):
        item = returned_item()
        refunds.give_back([item], note="Paid in cash", actor=ana, now=NOW)
    said = told()
    assert {name: said[name] for name in RETURNED} == {
        name: sentence.format(item=item) for name, sentence in RETURNED.items()
    }


MATCHES = {
    "refund.matched": "Ana Ruiz matched the provider's refund re_hand with Aspire Lounge ({item}), "
    "38.00 EUR. “By phone”",
    "provider_refund.dismissed": "Ana Ruiz dismissed the provider's refund re_other, 38.00 EUR, "
    "because it belongs to no order item. “A tip”",
}


def test_refunds_at_the_provider(ana: Actor) -> None:
    gateway = FakeGateway(Succeeded("re_new"))
    with settings(stripe_api_key="sk_test_x"):
        item, _, last = unmatched_items(gateway=gateway)
        refunds.match_refund("re_hand", item, note="By phone", actor=ana, now=NOW)
        gateway.paid = paid(made("re_other"))
        request(last, key="other", actor=ana, gateways=by_card(gateway))
        refunds.dismiss_refund("re_other", note="A tip", actor=ana, now=NOW)
    said = told()
    assert {name: said[name] for name in MATCHES} == {
        name: sentence.format(item=item) for name, sentence in MATCHES.items()
    }


MAIL = {
    "delivery.queued": "Ana Ruiz queued an e-mail about 1 void voucher to zoe@mail.example.",
    "delivery.failed": "Order Desk could not send an e-mail with 1 voucher to omer@mail.example. "
    "550 no such mailbox",
    "delivery.resent": "Ana Ruiz queued an e-mail with 1 voucher to omer@mail.example again.",
    "delivery.cancelled": "Order Desk did not send an e-mail with 1 voucher to omer@mail.example. "
    "Without F-1: It was refunded on {when} (Europe/London).",
    "voucher.sent": "Ana Ruiz sent the voucher of Aspire Lounge (F-1) to zoe@mail.example.",
    "void_notice.sent": "Ana Ruiz sent zoe@mail.example the notice that the voucher of Aspire "
    "Lounge (F-1) is void.",
    "voucher.downloaded": "Ana Ruiz downloaded an e-mail with the voucher of Aspire Lounge (F-1).",
}


def test_vouchers_and_mails(ana: Actor) -> None:
    make_paid_order()
    make_item("OD-1", order_item_id="F-1", **GIVEN)
    asked: dict[str, Any] = {"actor": ana, "now": NOW}
    vouchers.issue(["F-1"], io.BytesIO(), file_format="pdf", **asked)
    assert told() == {
        "voucher.downloaded": "Ana Ruiz downloaded the voucher of Aspire Lounge (F-1)."
    }
    mail.send(["F-1"], [ZOE], message=None, key="one", **asked)
    send_due(ScriptedTransport())
    mail.write_message(stored()[0].delivery_id, io.BytesIO(), **asked)
    mail.send(["F-1"], [OMER], message=None, key="two", **asked)
    send_due(ScriptedTransport([Rejected("550 no such mailbox")]))
    (failed,) = [one.delivery_id for one in stored() if one.status == "failed"]
    mail.resend([failed], key="three", **asked)
    refunds.request(["F-1"], reason="goodwill", key="back", **asked)
    send_due(ScriptedTransport())
    mail.notify_void(["F-1"], key="void", **asked)
    send_due(ScriptedTransport())
    said = told()
    when = in_zone(NOW, "Europe/London").removesuffix(" (Europe/London)")
    assert {name: said[name] for name in MAIL} == {
        name: sentence.format(when=when) for name, sentence in MAIL.items()
    }


OUTBOX = {
    "voucher.saved_to_outbox": "Ana Ruiz's e-mail to zoe@mail.example with the voucher of Aspire "
    "Lounge (F-1) was saved to the outbox on disk, and not sent.",
    "void_notice.saved_to_outbox": "Ana Ruiz's e-mail to zoe@mail.example about the void voucher "
    "of Aspire Lounge (F-1) was saved to the outbox on disk, and not sent.",
}


EXPIRED = {
    "emails.texts_deleted": "Order Desk deleted the senders' own texts of 1 e-mail older than 30 "
    "days.",
    "outbox.mails_deleted": "Order Desk deleted 1 mail older than 1 day from the outbox.",
}


def test_what_is_kept_no_longer(ana: Actor, tmp_path: Path) -> None:
    make_paid_order()
    make_item("OD-1", order_item_id="F-1", **GIVEN)
    mail.send(["F-1"], [ZOE], message="Enjoy!", key="one", actor=ana, now=NOW)
    with settings(mail_text_days=30, outbox_days=1, data_dir=tmp_path):
        send_due(Outbox(tmp_path / mail.OUTBOX_FOLDER))
        mail.delete_expired(now=datetime.now(UTC) + timedelta(days=40))
    said = told()
    assert {name: said[name] for name in EXPIRED} == EXPIRED


def test_mails_without_a_mail_server(ana: Actor, tmp_path: Path) -> None:
    make_paid_order()
    make_item("OD-1", order_item_id="F-1", **GIVEN)
    asked: dict[str, Any] = {"actor": ana, "now": NOW}
    mail.send(["F-1"], [ZOE], message=None, key="one", **asked)
    send_due(Outbox(tmp_path / "outbox"))
    refunds.request(["F-1"], reason="goodwill", key="back", **asked)
    mail.notify_void(["F-1"], key="void", **asked)
    send_due(Outbox(tmp_path / "outbox"))
    said = told()
    assert {name: said[name] for name in OUTBOX} == OUTBOX


NOTES = {
    "note.added": "Ana Ruiz wrote a note that mentions Ben Ho. Follow-up on {day} by Ana Ruiz.",
    "delivery.queued": "Ana Ruiz queued an e-mail about a note to Ben Ho.",
    "mention.sent": "Ana Ruiz sent Ben Ho a note that mentions them.",
    "mention.saved_to_outbox": "Ana Ruiz's e-mail to Ben Ho about a note was saved to the outbox "
    "on disk, and not sent.",
    "follow_up.done": "Ana Ruiz closed the follow-up of {day}.",
    "note.withdrawn": "Ana Ruiz withdrew the note from 2026-11-23 09:30 (UTC).",
}


def test_notes(ana: Actor, tmp_path: Path) -> None:
    make_item(make_order("OD-1"))
    make_actor(email="ben@helios.example", name="Ben Ho")
    asked: dict[str, Any] = {"actor": ana, "now": NOW}
    follow_up = notes.FollowUp(NOW.date(), ana.email)
    for transport in (ScriptedTransport(), Outbox(tmp_path / "outbox")):
        named: dict[str, Any] = {
            "key": type(transport).__name__,
            "zone": "UTC",
            "follow_up": follow_up,
        }
        note_id = notes.add_note("OD-1", "Hi @ben@helios.example", **named, **asked)
        send_due(transport)
    notes.close_follow_up(note_id, **asked)
    notes.withdraw_note(note_id, **asked)
    said = told()
    assert {name: said[name] for name in NOTES} == {
        name: sentence.format(day=NOW.date()) for name, sentence in NOTES.items()
    }


APPROVALS = {
    "contract.changed": "Ana Ruiz changed contract CT-1: refund limit from no limit to 10.00 EUR.",
    "order_item.approval_requested": "Ana Ruiz asked for approval of refund R-2 of Aspire Lounge "
    "(F-2), 38.00 EUR. The contract's limit is 10.00 EUR in 24 hours. Reason: goodwill.",
    "refund.approved": "Ben Ho approved refund R-1 of Aspire Lounge (F-1), 38.00 EUR, that Ana "
    "Ruiz asked for. “Fine”",
    "refund.declined": "Ben Ho declined refund R-2 of Aspire Lounge (F-2), 38.00 EUR, that Ana "
    "Ruiz asked for. “No” The voucher is valid again, unless it has expired.",
    "refund.succeeded": "Ana Ruiz refunded Aspire Lounge (F-1), 38.00 EUR to the contract's "
    "balance, approved by Ben Ho. Reason: goodwill.",
    "delivery.queued": "Ben Ho queued an e-mail about 1 declined refund to Ana Ruiz.",
    "decision.sent": "Ben Ho sent an e-mail about 1 approved refund to Ana Ruiz.",
    "decision.saved_to_outbox": "Ben Ho's e-mail to Ana Ruiz about 1 declined refund was saved to "
    "the outbox on disk, and not sent.",
}


def test_approvals(ana: Actor, tmp_path: Path) -> None:
    make_paid_order()
    for item_id in ("F-1", "F-2"):
        make_item("OD-1", order_item_id=item_id, **GIVEN)
    ben = make_actor(Role.ADMIN, email="ben.ho@helios.example", name="Ben Ho")
    asked: dict[str, Any] = {"actor": ana, "now": NOW}
    access.change_contract("CT-1", name="CT-1", refund_limit_minor=1_000, **asked)
    waiting = [
        refunds.request([one], reason="goodwill", key=one, **asked).requested[0].refund_id or ""
        for one in ("F-1", "F-2")
    ]
    refunds.approve(waiting[:1], note="Fine", key="yes", actor=ben, now=NOW)
    send_due(ScriptedTransport())
    refunds.decline(waiting[1:], note="No", key="no", actor=ben, now=NOW)
    send_due(Outbox(tmp_path / "outbox"))
    said = told()
    assert {name: said[name] for name in APPROVALS} == APPROVALS


FILES = {
    "orders.imported": "Ana Ruiz imported used.xlsx: 1 order item marked as used.",
    "order_item.used": "Ana Ruiz's import of used.xlsx marked Aspire Lounge (A1-1) as used.",
    "import.faults_downloaded": "Ana Ruiz downloaded 1 import error of faulty.xlsx.",
    "orders.dumped": "Ana Ruiz downloaded all orders as an import workbook.",
    "order.exported": "Ana Ruiz downloaded order A1.",
    "order_items.exported": "Ana Ruiz downloaded 1 order item of order A1 as Excel.",
    "emails.exported": "Ana Ruiz downloaded 0 e-mails as CSV.",
    "audit_trail.exported": "Ana Ruiz downloaded 4 audit events as Excel.",
}


def test_imports_and_downloads(ana: Actor, tmp_path: Path) -> None:
    asked: dict[str, Any] = {"actor": ana, "now": NOW}
    sheets = plain()
    write_workbook(tmp_path / "new.xlsx", sheets)
    imports.import_files([tmp_path / "new.xlsx"], **asked)
    added = "Ana Ruiz imported new.xlsx: 1 order, 1 order item, 1 transaction added."
    assert told()["orders.imported"].startswith(added[:48])
    sheets["Order Items"][0] |= {"Status": "used"}
    write_workbook(tmp_path / "used.xlsx", sheets)
    imports.import_files([tmp_path / "used.xlsx"], **asked)
    write_workbook(tmp_path / "faulty.xlsx", changed("Order Items", Airport=""))
    faulty = io.BytesIO((tmp_path / "faulty.xlsx").read_bytes())
    imports.begin_check([("faulty.xlsx", faulty)], **asked)
    wait_for_imports()
    imports.export_faults(io.BytesIO(), zone="UTC", **asked)
    excel.export(default_view(AUDIT_EVENTS), io.BytesIO(), **asked)
    excel.export(default_view(ORDER_ITEMS, order_id="A1"), io.BytesIO(), **asked)
    excel.export(default_view(EMAILS), io.BytesIO(), file_format=excel.FileFormat.CSV, **asked)
    excel.export_order("A1", io.BytesIO(), zone="UTC", **asked)
    excel.dump(io.BytesIO(), **asked)
    assert told() == FILES


PEOPLE = {
    "user.added": "Ana Ruiz added Zoë Lind with the role Viewer.",
    "user.role_changed": "Ana Ruiz changed the role of Zoë Lind from Viewer to Agent.",
    "user.scope_changed": "Ana Ruiz changed the orders that Zoë Lind can see: all contracts, own "
    "orders only (before: no contract).",
    "user.deactivated": "Ana Ruiz deactivated Zoë Lind.",
    "user.reactivated": "Ana Ruiz activated Zoë Lind again.",
    "user.sign_in_forgotten": "Ana Ruiz removed the sign-in account of Zoë Lind.",
    "users.refused": "Zoë Lind was refused. Order Desk said: “Your role, Agent, cannot manage "
    "users.”",
}


def test_users(ana: Actor) -> None:
    asked: dict[str, Any] = {"actor": ana, "now": NOW}
    user = access.add_user("zoe@helios.example", name="Zoë Lind", rights=Rights(), **asked)
    every: dict[str, Any] = {"sees_all_contracts": True, "only_own_orders": True}
    for rights in (
        Rights(Role.AGENT),
        Rights(Role.AGENT, **every),
        Rights(Role.AGENT, **every, is_active=False),
        Rights(Role.AGENT, **every),
    ):
        access.change_user(user, rights=rights, **asked)
    with storage.writing() as session:
        session.get_one(User, user).issuer = "https://sign-in.example"
    access.forget_sign_in(user, **asked)
    zoe = Actor(user, "zoe@helios.example", Role.AGENT, name="Zoë Lind")
    with pytest.raises(NotPermitted):
        access.require(zoe, Permission.USERS)
    assert told() == PEOPLE


SIGN_INS = {
    "user.added": "The command line added Ana Díaz with the role Viewer.",
    "sign_in.succeeded": "Ana Díaz signed in.",
    "sign_in.ended": "Ana Díaz signed out.",
    "sign_in.refused": "eve@evil.example could not sign in. Order Desk said: “You do not have "
    "access yet. Ask an admin of Order Desk.”",
}


def test_sign_ins(database: str) -> None:
    with settings(**SIGN_IN):
        rights = Rights()
        access.add_user(
            "ana@helios.example", name="Ana Díaz", rights=rights, actor=CONSOLE, now=NOW
        )
        actor = sign_ins.accept_sign_in(claims(), now=NOW)
        access.end_sign_in(actor, now=NOW)
        with pytest.raises(SignInNeeded):
            sign_ins.accept_sign_in(claims(), now=NOW)
        with pytest.raises(NotSignedIn):
            sign_ins.accept_sign_in(claims(email="eve@evil.example", sub="e", nonce="e"), now=NOW)
    assert told() == SIGN_INS


DATABASE = {
    "orders.demo_filled": "Ana Ruiz filled the database with 3 sample orders.",
    "orders.demo_reset": "Ana Ruiz replaced the demo data with 3 sample orders. Deleted: 3 orders.",
    "orders.demo_cleared": "Ana Ruiz deleted the demo data. Deleted: 3 orders.",
    "figures.rebuilt": "Ana Ruiz counted the figures of Overview again.",
    "keys.trusted": "Ana Ruiz trusted a new signing secret and trusted the voucher key ",
}


def test_demo_data_figures_and_keys(ana: Actor) -> None:
    asked: dict[str, Any] = {"actor": ana, "now": NOW}
    steps: list[Callable[[], object]] = [
        lambda: demo.fill(3, **asked),
        lambda: demo.reset(**asked),
        lambda: demo.clear(**asked),
        lambda: overview.rebuild_figures(**asked),
        lambda: upkeep.trust_keys(**asked),
    ]
    for step in steps:
        step()
    said = told()
    for name, sentence in DATABASE.items():
        start, _, _ = sentence.partition("Deleted")
        assert said[name].startswith(start)
    assert "Deleted: 3 orders" in said["orders.demo_cleared"]


LIFE = """
Ana Ruiz gave back Aspire Lounge (F-1). It can be used again. “Paid in cash”
Refund R-1 of Aspire Lounge (F-1), 38.00 EUR, came back. The bank returned the money: lost card.
Ana Ruiz refunded Aspire Lounge (F-1), 38.00 EUR to the card. Reason: booked twice.
Ana Ruiz requested again refund R-1 of Aspire Lounge (F-1), 38.00 EUR. Reason: booked twice.
Ana Ruiz's refund R-1 of Aspire Lounge (F-1), 38.00 EUR, failed. The card provider refused it.
Ana Ruiz requested refund R-1 of Aspire Lounge (F-1), 38.00 EUR. Reason: goodwill. “She called”
Ana Ruiz sent the voucher of Aspire Lounge (F-1) to zoe@mail.example.
Ana Ruiz queued an e-mail with 1 voucher to zoe@mail.example.
Ana Ruiz downloaded the voucher of Aspire Lounge (F-1).
""".strip().splitlines()


@pytest.mark.both_databases
def test_the_whole_life_of_an_order_is_its_history(ana: Actor) -> None:
    make_card_order("OD-2")
    make_item("OD-2", order_item_id="F-1", **GIVEN)
    first = NOW - timedelta(hours=1)
    vouchers.issue(["F-1"], io.BytesIO(), file_format="pdf", actor=ana, now=first)
    mail.send(["F-1"], [ZOE], message=None, key="m", actor=ana, now=NOW)
    send_due(ScriptedTransport(), after=timedelta(hours=2))
    gateway = FakeGateway(Failed("The card provider refused it."), Succeeded("re_1"))
    gateways, later = by_card(gateway), NOW + timedelta(hours=3)
    with settings(stripe_api_key="sk_test_x"):
        request(
            "F-1", key="1", reason="goodwill", note="She called", actor=ana, now=later, gateways={}
        )
        refunds.settle_due(now=later + timedelta(hours=1), gateways=gateways)
        later += timedelta(hours=2)
        request("F-1", key="2", reason="booked_twice", actor=ana, now=later, gateways={})
        refunds.settle_due(now=later + timedelta(hours=1), gateways=gateways)
        gateway.seen = made("re_1", status="ended", why_ended="lost card")
        later += timedelta(days=2)
        assert refunds.look_again_due(now=later, gateways=gateways) == 1
        again = later + timedelta(hours=1)
        refunds.give_back(["F-1"], note="Paid in cash", actor=ana, now=again)
    told_of_it = query.load_history("OD-2", actor=ana, most=50)
    assert [one.sentence for one in told_of_it] == LIFE


def test_every_action_is_told_by_one_of_these_tests() -> None:
    every = (
        BALANCE,
        CARD,
        RETURNED,
        MATCHES,
        MAIL,
        OUTBOX,
        EXPIRED,
        NOTES,
        APPROVALS,
        FILES,
        PEOPLE,
        SIGN_INS,
        DATABASE,
    )
    names = {name for one in every for name in one}
    families = {ANY + name.rpartition(".")[2] for name in names - ACTIONS.keys()}
    assert names | families >= ACTIONS.keys()
