"""Databases to copy to another one: fill them, and read every row."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select, text

from core import access, demo, mail, notes, storage, upkeep, views
from core.access import Actor, Rights
from core.ground import Method, Role
from core.imports import Run, runs
from core.notes import FollowUp
from core.storage import (
    DERIVED,
    Base,
    Contract,
    OrderItem,
    ProviderRefund,
    Refund,
    RefundDecision,
    SignIn,
    VerificationAttempt,
)
from core.tables import ORDERS
from core.views import parse_view
from tests.conftest import NOW, use_database
from tests.core.every_kind import HOSTILE
from tests.core.refunds.refund_races import guarded
from tests.core.refunds.returned_money import A_DAY, let_the_bank_return, pay_back
from tests.core.refunds.sold_items import sell

STORABLE = [one for one in HOSTILE if "\x00" not in one]


def rows_of(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Read every row of every copied table, as the application reads them."""
    use_database(url)
    with storage.reading() as session:
        return {
            table.name: [
                tuple(row)
                for row in session.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for table in Base.metadata.sorted_tables
            if table.name not in DERIVED
        }


def local_admin() -> Actor:
    actor = access.find_local_actor()
    assert actor is not None
    return actor


def have_returned_money() -> None:
    """Store refunds that the bank returned, and an unmatched refund of the provider."""
    returned, _ = items = sell(2, method=Method.CARD)
    for item in items:
        pay_back(item)
    let_the_bank_return(returned, at=NOW + A_DAY)
    with storage.writing() as session:
        refund = session.scalars(select(Refund).where(text(Refund.IS_RETURNED)).limit(1)).one()
        refund.decided_by, refund.decided_at, refund.decision_note = "zoe", NOW, "“No” 王"
        refund.stopped_by = "re_“王”"
        refund.note, refund.lease_until = "=1+1 é", NOW
        refund.ledger_no = 0  # a number that no entry has
        session.get_one(Contract, refund.contract_id).refund_limit_minor = 0
        session.add(
            RefundDecision(
                decision_id="D-1",
                idempotency_key="“王”",
                request_hash="h",
                answer={"results": ["é"], "batches": []},
                decided_by="zoe",
                created_at=NOW,
            )
        )
        session.add(
            ProviderRefund(
                reference="re_by_hand",
                payment_reference="pi_1",
                order_id=refund.order_id,
                contract_id=refund.contract_id,
                amount_minor=1250,
                currency="EUR",
                found_at=NOW,
                dismissed_by="zoe",
                dismissed_at=NOW,
                note="“No” 王",
            )
        )


def write_notes(item_id: str, admin: Actor) -> None:
    """Write a note of each kind: with a mention, a follow-up that is done, and withdrawn."""
    with storage.reading() as session:
        order = session.get_one(OrderItem, item_id).order_id
    given: dict[str, Any] = {"actor": admin, "now": NOW, "zone": "UTC"}
    follow_up = FollowUp(NOW.date(), admin.email)
    notes.add_note(order, "“王” =1+1\n@zoe@helios.example é", key="m", **given)
    done = notes.add_note(order, "Call back", key="d", follow_up=follow_up, **given)
    notes.close_follow_up(done, actor=admin, now=NOW)
    gone = notes.add_note(order, "A secret", key="w", **given)
    notes.withdraw_note(gone, actor=admin, now=NOW)


def check_files(admin: Actor) -> None:
    """Begin to check files; the check belongs to its process and stays where it is."""
    with storage.writing() as session:
        runs.put(session, Run(admin.user_id, admin.email, ("“王”.csv",), NOW))


def work_at(url: str) -> list[str]:
    """Fill every table with consistent rows; return the items to refund."""
    use_database(url)
    admin = local_admin()
    demo.fill(25, actor=admin, now=NOW)
    upkeep.check_keys(NOW)
    items = sell(9)
    guarded(admin)(items[:3], "before")
    have_returned_money()
    mail.send(items[3:5], ["zoe@mail.example"], message="Grüße", key="k", actor=admin, now=NOW)
    rights = Rights(role=Role.AGENT, contracts=frozenset({"SOLD-1", "SOLD-2"}))
    zoe = access.add_user("zoe@helios.example", rights=rights, actor=admin, now=NOW)
    write_notes(items[3], admin)
    check_files(admin)
    view = parse_view(ORDERS, {"search": "王伟 İ 😀", "zone": "Asia/Kathmandu"})
    views.save_view(view, "“Mine” 100%", actor=admin)
    times = {"began_at": NOW, "seen_at": NOW, "expires_at": NOW + timedelta(hours=1)}
    with storage.writing() as session:
        session.add(VerificationAttempt(attempt_id="1", user_id=zoe, at=NOW))
        session.add(SignIn(sign_in_id="one", user_id=zoe, ended_at=NOW, **times))
        odd = {"texts": STORABLE, "numbers": [0, -1, 2**63, 1e22, 1e3, 0.1, 12.50], "no": None}
        about: dict[str, Any] = {"actor": admin, "entity": "order", "entity_id": "=1+1", "now": NOW}
        access.record_event(
            session, "odd.happened", before=odd, after={"é\\u0000": {}, "a": []}, **about
        )
    return items[5:]
