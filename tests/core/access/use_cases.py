"""All use cases that write or export, with a shop that has data for each."""

import io
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import update

from core import (
    access,
    demo,
    excel,
    imports,
    mail,
    notes,
    overview,
    refunds,
    storage,
    upkeep,
    views,
    vouchers,
)
from core.access import CONSOLE, Actor, Rights
from core.ground import Permission, Role
from core.notes import FollowUp
from core.storage import Contract, Delivery, ProviderRefund, Refund, new_id
from core.tables import ORDERS
from core.views import View, default_view, parse_view
from tests.conftest import NOW, Fill
from tests.core.imports.imported import changed, plain, write_workbook
from tests.core.mail.mailing import CONTACT, GIVEN, ZOE
from tests.rows import make_actor, make_item, make_order, make_transaction, sold_item

MINE = "CT-1"  # the contract of the shop
PATIENCE_SECONDS = 30


@dataclass(frozen=True)
class Shop:
    """The stored objects that use cases act on, and the users who created them."""

    agent: Actor  # sees one contract
    chief: Actor  # an admin
    email: str  # a delivery that has ended
    batch: str  # the agent's batch of refunds
    view: str  # saved by the agent
    user: str
    note: str  # by the agent, with a follow-up
    waiting: str  # a refund that waits for approval
    folder: Path = Path()  # the folder of the files to import
    file: io.BytesIO = field(default_factory=io.BytesIO)  # the exported file

    def actor(self, permission: Permission) -> Actor:
        """Return the user of the shop who has the permission."""
        of_chief = {
            *(Permission.IMPORT, Permission.USERS, Permission.GIVE_BACK),
            *(Permission.APPROVE, Permission.CONTRACTS),
        }
        return self.chief if permission in of_chief else self.agent


def make_shop(folder: Path, fill: Fill) -> Shop:
    """Store the shop, write files to import, and check one of them."""
    shop = replace(fill(_store_shop), folder=folder)
    write_workbook(folder / "new.xlsx", plain())
    write_workbook(folder / "faulty.xlsx", changed("Order Items", Airport=""))
    _check_faulty(folder / "faulty.xlsx", shop.chief)
    return shop


def _store_shop() -> Shop:
    """Store an order: items to refund and to hand out, and one that was mailed and refunded."""
    make_order("OD-1", item_count=4, contact_email=CONTACT)
    make_transaction(order_id="OD-1", amount_minor=-4 * 3800)
    for item in ("REFUNDABLE", "FINE", "MAILED", "WAITING"):
        make_item("OD-1", order_item_id=item, passenger_email=ZOE, **GIVEN)
    agent, chief = make_actor(contracts=frozenset({MINE})), make_actor(Role.ADMIN)
    asked: dict[str, Any] = {"actor": agent, "now": NOW}
    sent = mail.send(["MAILED"], [ZOE], message=None, key="first", **asked)
    with storage.writing() as session:
        session.execute(update(Delivery).values(status="sent", sent_at=NOW, handed_over_at=NOW))
    batch = refunds.request(["MAILED"], reason="goodwill", key="first", **asked)
    view = views.save_view(default_view(ORDERS), "Before", actor=agent)
    user = access.add_user("new@helios.example", rights=Rights(), actor=CONSOLE, now=NOW)
    _refund_at_provider(batch.batch_id)
    delivery = sent.deliveries[0].delivery_id
    note = notes.add_note(
        "OD-1", "Call back", key="first", zone="UTC", follow_up=_follow_up(agent), **asked
    )
    waiting = _ask_for_approval(asked)
    return Shop(agent, chief, delivery, batch.batch_id, view, user, note, waiting)


def _ask_for_approval(asked: dict[str, Any]) -> str:
    """Request a refund above the limit of the contract, which then has none again."""
    with storage.writing() as session:
        session.get_one(Contract, MINE).refund_limit_minor = 0
    (waiting,) = refunds.request(["WAITING"], reason="goodwill", key="ask", **asked).waiting
    with storage.writing() as session:
        session.get_one(Contract, MINE).refund_limit_minor = None
    return str(waiting.refund_id)


def _follow_up(actor: Actor) -> FollowUp:
    return FollowUp(NOW.date(), actor.email)


def _refund_at_provider(batch_id: str) -> None:
    """Store two unmatched refunds, and an item whose refund the bank returned."""
    make_order("OD-2", item_count=2)
    make_item("OD-2", order_item_id="MATCHED", **GIVEN)
    make_item("OD-2", order_item_id="RETURNED", **GIVEN | {"status": "refund_requested"})
    of_order = {"order_id": "OD-2", "contract_id": MINE, "currency": "EUR", "amount_minor": 3800}
    with storage.writing() as session:
        for reference in ("re_match", "re_dismiss"):
            at_provider = {"reference": reference, "payment_reference": "pi_1", "found_at": NOW}
            session.add(ProviderRefund(**of_order, **at_provider))
        session.add(
            Refund(
                **of_order,
                **sold_item(),
                **{"refund_id": "R-BACK", "batch_id": batch_id, "order_item_id": "RETURNED"},
                **{"reason": "other", "gateway": "card", "status": "failed"},
                **{"requested_by": "ana@helios.example", "requested_at": NOW},
                failed_after_success_at=NOW,
            )
        )


def _check_faulty(path: Path, actor: Actor) -> None:
    file = io.BytesIO(path.read_bytes())
    imports.begin_check([(path.name, file)], actor=actor, now=NOW)
    wait_for_imports()


def wait_for_imports() -> None:
    """Wait until no check or import runs."""
    for thread in threading.enumerate():
        if thread.name == "import":
            thread.join(PATIENCE_SECONDS)


def long_view() -> View:
    """Return a view that is too long for a URL."""
    return parse_view(ORDERS, {"ids": [f"OD-{number:06d}" for number in range(1_000)]})


@dataclass(frozen=True)
class UseCase:
    """A use case: its permission, its call, and the effect of lost rights."""

    permission: Permission
    act: Callable[[Shop, Actor], object]
    is_for_viewers: bool = False  # the role viewer also has the permission
    is_scoped: bool = True  # it acts on objects of the contract
    is_file: bool = False  # it reads rows first, with the rights that the page has read


def _request(shop: Shop, actor: Actor) -> object:
    answer = refunds.request(
        ["REFUNDABLE"], reason="goodwill", key=new_id(), actor=actor, now=NOW, gateways={}
    )
    return answer.requested


def _send(shop: Shop, actor: Actor) -> object:
    return mail.send(["FINE"], [ZOE], message=None, key=new_id(), actor=actor, now=NOW)


def _import(shop: Shop, actor: Actor) -> object:
    return imports.import_files([shop.folder / "new.xlsx"], actor=actor, now=NOW)


def _add_user(shop: Shop, actor: Actor) -> object:
    email = f"{new_id()}@helios.example"
    return access.add_user(email, rights=Rights(), actor=actor, now=NOW)


def _excel(write: Callable[..., object], *given: object, **named: object) -> Any:
    def act(shop: Shop, actor: Actor) -> object:
        return write(*given, shop.file, actor=actor, now=NOW, **named)

    return act


# By module and function: test_rights_door.py compares these names with the source.
USE_CASES: dict[str, UseCase] = {
    "refunds.requests.request": UseCase(Permission.REFUND, _request),
    "refunds.matches.match_refund": UseCase(
        Permission.REFUND,
        lambda s, a: refunds.match_refund("re_match", "MATCHED", note=None, actor=a, now=NOW),
    ),
    "refunds.matches.dismiss_refund": UseCase(
        Permission.REFUND,
        lambda s, a: refunds.dismiss_refund("re_dismiss", note="No", actor=a, now=NOW),
    ),
    "refunds.returned_items.give_back": UseCase(
        Permission.GIVE_BACK,
        lambda s, a: refunds.give_back(["RETURNED"], note="No", actor=a, now=NOW),
    ),
    "refunds.approval.approve": UseCase(
        Permission.APPROVE,
        lambda s, a: refunds.approve([s.waiting], key=new_id(), actor=a, now=NOW),
    ),
    "refunds.approval.decline": UseCase(
        Permission.APPROVE,
        lambda s, a: refunds.decline([s.waiting], note="No", key=new_id(), actor=a, now=NOW),
    ),
    "access.contracts.change_contract": UseCase(
        Permission.CONTRACTS,
        lambda s, a: access.change_contract(
            MINE, name="Helios", refund_limit_minor=None, actor=a, now=NOW
        ),
    ),
    "notes.writing.add_note": UseCase(
        Permission.NOTES,
        lambda s, a: notes.add_note("OD-1", "Hi", key=new_id(), zone="UTC", actor=a, now=NOW),
    ),
    "notes.follow_ups.close_follow_up": UseCase(
        Permission.NOTES, lambda s, a: notes.close_follow_up(s.note, actor=a, now=NOW)
    ),
    "notes.writing.withdraw_note": UseCase(
        Permission.NOTES, lambda s, a: notes.withdraw_note(s.note, actor=a, now=NOW)
    ),
    "mail.queue.submission.send": UseCase(Permission.VOUCHERS, _send),
    "mail.queue.submission.notify_void": UseCase(
        Permission.EMAILS,
        lambda s, a: mail.notify_void(["MAILED"], key=new_id(), actor=a, now=NOW),
    ),
    "mail.queue.submission.resend": UseCase(
        Permission.EMAILS, lambda s, a: mail.resend([s.email], key=new_id(), actor=a, now=NOW)
    ),
    "mail.queue.previews.write_message": UseCase(
        Permission.EMAILS,
        lambda s, a: mail.write_message(s.email, s.file, actor=a, now=NOW),
    ),
    "vouchers.issuing.issue": UseCase(
        Permission.VOUCHERS,
        lambda s, a: vouchers.issue(["FINE"], s.file, file_format="pdf", actor=a, now=NOW),
    ),
    "excel.exports.export": UseCase(
        Permission.ORDERS,
        _excel(excel.export, default_view(ORDERS)),
        is_for_viewers=True,
        is_file=True,
    ),
    "excel.exports.export_order": UseCase(
        Permission.ORDERS,
        _excel(excel.export_order, "OD-1", zone="UTC"),
        is_for_viewers=True,
        is_file=True,
    ),
    "excel.exports.dump": UseCase(Permission.IMPORT, _excel(excel.dump), is_file=True),
    "refunds.results.export_results": UseCase(
        Permission.ORDERS,
        lambda s, a: refunds.export_results(s.batch, s.file, actor=a, now=NOW, zone="UTC"),
        is_for_viewers=True,
        is_file=True,
    ),
    "imports.report.export_faults": UseCase(
        Permission.IMPORT, _excel(imports.export_faults, zone="UTC"), is_file=True
    ),
    "views.links.address_of": UseCase(
        Permission.ORDERS,
        lambda s, a: views.address_of(long_view(), actor=a),
        is_for_viewers=True,
        is_scoped=False,
    ),
    "views.links.short_link_of": UseCase(
        Permission.ORDERS,
        lambda s, a: views.short_link_of(default_view(ORDERS), None, actor=a),
        is_for_viewers=True,
        is_scoped=False,
    ),
    "views.saved.save_view": UseCase(
        Permission.ORDERS,
        lambda s, a: views.save_view(default_view(ORDERS), new_id(), actor=a),
        is_for_viewers=True,
        is_scoped=False,
    ),
    "views.saved.change_view": UseCase(
        Permission.ORDERS,
        lambda s, a: views.change_view(ORDERS, s.view, actor=a, is_shared=True),
        is_for_viewers=True,
        is_scoped=False,
    ),
    "views.saved.confirm_sharing": UseCase(
        Permission.ORDERS,
        lambda s, a: views.confirm_sharing(ORDERS, actor=a),
        is_for_viewers=True,
        is_scoped=False,
    ),
    "views.saved.delete_view": UseCase(
        Permission.ORDERS,
        lambda s, a: views.delete_view(ORDERS, s.view, actor=a),
        is_for_viewers=True,
        is_scoped=False,
    ),
    "access.people.add_user": UseCase(Permission.USERS, _add_user),
    "access.people.change_user": UseCase(
        Permission.USERS,
        lambda s, a: access.change_user(s.user, rights=Rights(Role.AGENT), actor=a, now=NOW),
    ),
    "access.people.forget_sign_in": UseCase(
        Permission.USERS, lambda s, a: access.forget_sign_in(s.user, actor=a, now=NOW)
    ),
    "imports.run.import_files": UseCase(Permission.IMPORT, _import),
    "overview.counting.rebuild_figures": UseCase(
        Permission.IMPORT, lambda s, a: overview.rebuild_figures(actor=a, now=NOW)
    ),
    "upkeep.keys.trust_keys": UseCase(
        Permission.USERS, lambda s, a: upkeep.trust_keys(actor=a, now=NOW), is_scoped=False
    ),
    "demo.filling.fill": UseCase(Permission.IMPORT, lambda s, a: demo.fill(5, actor=a, now=NOW)),
    "demo.filling.reset": UseCase(Permission.IMPORT, lambda s, a: demo.reset(actor=a, now=NOW)),
    "demo.filling.clear": UseCase(Permission.IMPORT, lambda s, a: demo.clear(actor=a, now=NOW)),
}


def take_away(actor: Actor, **lost: object) -> None:
    """Change the rights of a user as an admin, as the Users page does."""
    before = access.get_person(actor.user_id, actor=CONSOLE).rights
    after = replace(before, **lost)  # type: ignore[arg-type]
    access.change_user(actor.user_id, rights=after, actor=CONSOLE, now=NOW)
