"""Every role with every use case: allowed or refused, as the table of roles says."""

import io
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
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
    views,
    vouchers,
)
from core.access import Actor, Rights, permissions
from core.due import count_due
from core.ground import InvalidInput, Method, NotFound, NotPermitted, Permission, Refused, Role
from core.imports import run
from core.overview import Period
from core.refunds.gateway import Failed, Gateways
from core.storage import Contract, Refund
from core.tables import (
    AUDIT_EVENTS,
    ORDER_ITEMS,
    ORDERS,
    REFUNDS,
    TRANSACTIONS,
    USERS,
    Table,
)
from core.tables import CONTRACTS as CONTRACT_TABLE
from core.tables import EMAILS as EMAIL_TABLE
from core.tables import NOTES as NOTE_TABLE
from core.views import default_view
from tests.conftest import NOW, Fill
from tests.core.mail.mailing import ZOE
from tests.core.read_back import open_book
from tests.core.refunds.refund_rows import (
    FakeGateway,
    make_paid_order,
    make_refundable,
)
from tests.core.refusals import everything_stored, refusals
from tests.rows import store_user

# As it was confirmed, row by row.
AGREED = """
| | viewer | agent | accountant | admin |
| orders, order items, refunds, export | yes | yes | yes | yes |
| download and send vouchers | | yes | | yes |
| refund | | yes | | yes |
| overview, an order's Transactions and History, verify, own saved views | yes | yes | yes | yes |
| E-mails page, resend, void notice | | yes | | yes |
| retry a failed refund | | yes | | yes |
| Transactions page | | | yes | yes |
| import, users, audit trail | | | | yes |
| write notes | | yes | yes | yes |
| approve or decline refunds | | | yes | yes |
| contracts | | | | yes |
| give an item back whose refund the bank returned | | | | yes |
"""
HEAD, *ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")] for line in AGREED.strip().splitlines()
]
MAY = {
    row[0]: {Role(role) for role, word in zip(HEAD[1:], row[1:], strict=True) if word}
    for row in ROWS
}
SEE, VOUCHERS, REFUND, LOOK, EMAILS, RETRY, LEDGER, ADMIN, NOTES, APPROVE, CONTRACTS, GIVE_BACK = (
    MAY
)
STANDS_FOR = {
    SEE: [Permission.ORDERS],
    VOUCHERS: [Permission.VOUCHERS],
    REFUND: [Permission.REFUND],
    LOOK: [Permission.OVERVIEW],
    EMAILS: [Permission.EMAILS],
    RETRY: [Permission.REFUND],
    LEDGER: [Permission.TRANSACTIONS],
    ADMIN: [Permission.IMPORT, Permission.USERS, Permission.AUDIT_TRAIL],
    NOTES: [Permission.NOTES],
    APPROVE: [Permission.APPROVE],
    CONTRACTS: [Permission.CONTRACTS],
    GIVE_BACK: [Permission.GIVE_BACK],
}


def actor_of(role: Role, **given: Any) -> Actor:
    scope: dict[str, Any] = {"sees_all_contracts": True} | given
    return Actor(f"u-{role}", f"{role}@helios.example", role, **scope)


def rows_of(table: Table, actor: Actor, order_id: str | None = None) -> list[dict[Any, Any]]:
    view = default_view(table, order_id=order_id)
    frame = query.load_rows(view, actor=actor, now=NOW, start=0, end=100)
    return frame.astype("object").to_dict("records")


def exported(table: Table, actor: Actor, order_id: str | None = None) -> int:
    view = default_view(table, order_id=order_id)
    return excel.export(view, io.BytesIO(), actor=actor, now=NOW)


def every_question(table: Table, actor: Actor) -> list[Callable[[], object]]:
    """Return all queries of a whole table."""
    view = default_view(table)
    asked: dict[str, Any] = {"actor": actor, "now": NOW}
    choices = next(column.name for column in table.offered if column.has_choices)
    return [
        lambda: rows_of(table, actor),
        lambda: query.load_keys(view, **asked),
        lambda: query.load_ticked(view, ["x"], **asked),
        lambda: query.count_rows(view, **asked),
        lambda: query.count_among(view, ["x"], **asked),
        lambda: query.load_figures(view, **asked),
        lambda: query.load_totals(view, **asked),
        lambda: query.load_choices(view, choices, **asked),
        lambda: query.read_pasted("x", table, actor=actor),
        lambda: query.find_missing(view.with_ids(("x",)), actor=actor),
        lambda: exported(table, actor),
        lambda: views.opened_at(table, {}, actor=actor, zone="UTC").view,
        lambda: views.find_saved(table, actor=actor),
        lambda: views.save_view(view, "Mine", actor=actor),
        lambda: views.change_view(table, "x", actor=actor, is_shared=True),
        lambda: views.delete_view(table, "x", actor=actor),
    ]


@dataclass(frozen=True)
class Shop:
    """The IDs of the stored objects that use cases act on."""

    item: str
    failed: str
    user: str
    waiting: str  # a refund that waits for approval
    file: Path  # to import, which is not there
    email: str


@pytest.fixture
def shop(sqlite_database: str, admin: Actor, filled_once: Fill) -> Shop:
    return filled_once(_make_shop, admin)


def _make_shop(admin: Actor) -> Shop:
    """Store an order with an item, one whose refund failed, and a user."""
    make_paid_order("OD-1")
    make_paid_order("OD-2")
    failed = make_refundable("OD-2", order_item_id="FAILED")
    item = make_refundable("OD-1", order_item_id="FINE")
    _fail_a_refund(failed, admin)
    user = access.add_user("new@helios.example", rights=Rights(), actor=admin, now=NOW)
    email = _send(item, admin, "first").deliveries[0].delivery_id
    return Shop(item, failed, user, _ask_for_approval(admin), Path("none.csv"), email)


def _ask_for_approval(admin: Actor) -> str:
    """Request a refund of another contract, of which every refund needs a second person."""
    make_paid_order("OD-3", contract_id="CT-2")
    item = make_refundable("OD-3", contract_id="CT-2")
    with storage.writing() as session:
        session.get_one(Contract, "CT-2").refund_limit_minor = 0
    asked: dict[str, Any] = {"reason": "goodwill", "actor": admin, "now": NOW}
    (waiting,) = refunds.request([item], key="ask", **asked).waiting
    return str(waiting.refund_id)


def _send(item: str, actor: Actor, key: str) -> mail.Answer:
    return mail.send([item], [ZOE], message=None, key=key, actor=actor, now=NOW)


def _fail_a_refund(item: str, admin: Actor) -> None:
    gateways: Gateways = {Method.BALANCE: FakeGateway(Failed("Declined."))}
    refunds.request([item], reason="goodwill", key="first", actor=admin, now=NOW, gateways=gateways)
    with storage.reading() as session:
        assert session.scalars(select(Refund.status)).all() == ["failed"]


def _refund(item: str, actor: Actor) -> object:
    return refunds.request(
        [item], reason="goodwill", key="again", actor=actor, now=NOW, gateways={}
    )


def _look_over(actor: Actor) -> object:
    return overview.load_overview(overview.Question(Period(), "EUR"), actor=actor, now=NOW)


USE_CASES: dict[str, tuple[str, Permission, Callable[[Shop, Actor], object]]] = {
    "orders": (SEE, Permission.ORDERS, lambda _, a: rows_of(ORDERS, a)),
    "order items": (SEE, Permission.ORDERS, lambda _, a: rows_of(ORDER_ITEMS, a)),
    "refunds": (SEE, Permission.ORDERS, lambda _, a: rows_of(REFUNDS, a)),
    "an order's refunds": (SEE, Permission.ORDERS, lambda _, a: rows_of(REFUNDS, a, "OD-2")),
    "export refunds": (SEE, Permission.ORDERS, lambda _, a: exported(REFUNDS, a)),
    "export orders": (SEE, Permission.ORDERS, lambda _, a: exported(ORDERS, a)),
    "download vouchers": (
        VOUCHERS,
        Permission.VOUCHERS,
        lambda s, a: vouchers.issue([s.item], io.BytesIO(), file_format="pdf", actor=a, now=NOW),
    ),
    "send vouchers": (VOUCHERS, Permission.VOUCHERS, lambda s, a: _send(s.item, a, "again")),
    "what would be sent": (
        VOUCHERS,
        Permission.VOUCHERS,
        lambda s, a: mail.assess([s.item], [ZOE], actor=a, now=NOW),
    ),
    "whom to send to": (
        VOUCHERS,
        Permission.VOUCHERS,
        lambda s, a: mail.find_contacts([s.item], actor=a),
    ),
    "e-mails": (EMAILS, Permission.EMAILS, lambda _, a: rows_of(EMAIL_TABLE, a)),
    "an order's e-mails": (EMAILS, Permission.EMAILS, lambda _, a: rows_of(EMAIL_TABLE, a, "OD-1")),
    "an e-mail": (
        EMAILS,
        Permission.EMAILS,
        lambda s, a: mail.get_delivery(s.email, actor=a, now=NOW),
    ),
    "an e-mail as a file": (
        EMAILS,
        Permission.EMAILS,
        lambda s, a: mail.write_message(s.email, io.BytesIO(), actor=a, now=NOW),
    ),
    "what became of e-mails": (
        EMAILS,
        Permission.EMAILS,
        lambda s, a: mail.get_states([s.email], actor=a),
    ),
    "how many e-mails are on the way": (
        EMAILS,
        Permission.EMAILS,
        lambda _, a: mail.count_open(actor=a),
    ),
    "what e-mails are about": (
        EMAILS,
        Permission.EMAILS,
        lambda s, a: mail.find_items([s.email], actor=a),
    ),
    "resend": (
        EMAILS,
        Permission.EMAILS,
        lambda s, a: mail.resend([s.email], key="r", actor=a, now=NOW),
    ),
    "void notice": (
        EMAILS,
        Permission.EMAILS,
        lambda s, a: mail.notify_void([s.item], key="v", actor=a, now=NOW),
    ),
    "who has to be told": (
        EMAILS,
        Permission.EMAILS,
        lambda s, a: mail.find_void_notices([s.item], actor=a),
    ),
    "refund": (REFUND, Permission.REFUND, lambda s, a: _refund(s.item, a)),
    "retry a failed refund": (RETRY, Permission.REFUND, lambda s, a: _refund(s.failed, a)),
    "an order": (LOOK, Permission.OVERVIEW, lambda _, a: query.get_order("OD-1", actor=a)),
    "the items of orders": (
        SEE,
        Permission.ORDERS,
        lambda _, a: query.find_items_of(["OD-1"], actor=a),
    ),
    "an order's transactions": (
        LOOK,
        Permission.OVERVIEW,
        lambda _, a: [rows_of(TRANSACTIONS, a, "OD-1"), exported(TRANSACTIONS, a, "OD-1")],
    ),
    "an order's history": (
        LOOK,
        Permission.OVERVIEW,
        lambda _, a: [rows_of(AUDIT_EVENTS, a, "OD-2"), exported(AUDIT_EVENTS, a, "OD-2")],
    ),
    "an order's workbook": (
        LOOK,
        Permission.OVERVIEW,
        lambda _, a: excel.export_order("OD-1", io.BytesIO(), actor=a, now=NOW, zone="UTC"),
    ),
    "overview": (LOOK, Permission.OVERVIEW, lambda _, a: _look_over(a)),
    "what overview offers": (
        LOOK,
        Permission.OVERVIEW,
        lambda _, a: overview.load_contract_currencies(actor=a),
    ),
    "verify": (LOOK, Permission.OVERVIEW, lambda _, a: vouchers.verify("X", actor=a, now=NOW)),
    "save a view": (
        LOOK,
        Permission.OVERVIEW,
        lambda _, a: views.save_view(default_view(ORDERS), "Mine", actor=a),
    ),
    "transactions": (LEDGER, Permission.TRANSACTIONS, lambda _, a: rows_of(TRANSACTIONS, a)),
    "import": (
        ADMIN,
        Permission.IMPORT,
        lambda s, a: run.import_files([s.file], actor=a, now=NOW),
    ),
    "check an import": (
        ADMIN,
        Permission.IMPORT,
        lambda s, a: run.check_files([s.file], actor=a),
    ),
    "begin to check": (
        ADMIN,
        Permission.IMPORT,
        lambda _, a: imports.begin_check([], actor=a, now=NOW),
    ),
    "begin to import": (
        ADMIN,
        Permission.IMPORT,
        lambda _, a: imports.begin_import(actor=a, now=NOW),
    ),
    "the last import": (ADMIN, Permission.IMPORT, lambda _, a: imports.find_run(actor=a)),
    "what is being imported": (
        ADMIN,
        Permission.IMPORT,
        lambda _, a: imports.find_running(actor=a),
    ),
    "cancel an import": (ADMIN, Permission.IMPORT, lambda _, a: imports.cancel_run(actor=a)),
    "forget an import": (ADMIN, Permission.IMPORT, lambda _, a: imports.forget_run(actor=a)),
    "faults of an import": (
        ADMIN,
        Permission.IMPORT,
        lambda _, a: imports.export_faults(io.BytesIO(), actor=a, now=NOW, zone="UTC"),
    ),
    "dump": (ADMIN, Permission.IMPORT, lambda _, a: excel.dump(io.BytesIO(), actor=a, now=NOW)),
    "demo": (ADMIN, Permission.IMPORT, lambda _, a: demo.fill(5, actor=a, now=NOW)),
    "what a demo holds": (ADMIN, Permission.IMPORT, lambda _, a: demo.get_contents(actor=a)),
    "reset the demo": (ADMIN, Permission.IMPORT, lambda _, a: demo.reset(actor=a, now=NOW)),
    "own orders": (ADMIN, Permission.IMPORT, lambda _, a: demo.clear(actor=a, now=NOW)),
    "users": (ADMIN, Permission.USERS, lambda _, a: rows_of(USERS, a)),
    "a user": (ADMIN, Permission.USERS, lambda s, a: access.get_person(s.user, actor=a)),
    "contracts to choose from": (
        ADMIN,
        Permission.USERS,
        lambda _, a: access.find_contracts(actor=a),
    ),
    "add a user": (
        ADMIN,
        Permission.USERS,
        lambda _, a: access.add_user("x@helios.example", rights=Rights(), actor=a, now=NOW),
    ),
    "change a user": (
        ADMIN,
        Permission.USERS,
        lambda s, a: access.change_user(s.user, rights=Rights(Role.AGENT), actor=a, now=NOW),
    ),
    "unbind the account of a user": (
        ADMIN,
        Permission.USERS,
        lambda s, a: access.forget_sign_in(s.user, actor=a, now=NOW),
    ),
    "an order's notes": (SEE, Permission.ORDERS, lambda _, a: notes.find_notes("OD-1", actor=a)),
    "all notes": (SEE, Permission.ORDERS, lambda _, a: rows_of(NOTE_TABLE, a)),
    "export notes": (SEE, Permission.ORDERS, lambda _, a: exported(NOTE_TABLE, a)),
    "who can be mentioned": (
        SEE,
        Permission.ORDERS,
        lambda _, a: notes.find_colleagues("OD-1", actor=a),
    ),
    "how much is due": (
        SEE,
        Permission.ORDERS,
        lambda _, a: count_due(actor=a, today=NOW.date()),
    ),
    "write a note": (
        NOTES,
        Permission.NOTES,
        lambda _, a: notes.add_note("OD-1", "Hi", key="n", zone="UTC", actor=a, now=NOW),
    ),
    "withdraw a note": (
        NOTES,
        Permission.NOTES,
        lambda _, a: notes.withdraw_note("x", actor=a, now=NOW),
    ),
    "close a follow-up": (
        NOTES,
        Permission.NOTES,
        lambda _, a: notes.close_follow_up("x", actor=a, now=NOW),
    ),
    "match a refund": (
        REFUND,
        Permission.REFUND,
        lambda s, a: refunds.match_refund("re_1", s.item, note=None, actor=a, now=NOW),
    ),
    "dismiss a refund": (
        REFUND,
        Permission.REFUND,
        lambda s, a: refunds.dismiss_refund("re_1", note="No", actor=a, now=NOW),
    ),
    "refunds to match": (SEE, Permission.ORDERS, lambda _, a: refunds.find_unmatched(actor=a)),
    "refunds that the bank returned": (
        SEE,
        Permission.ORDERS,
        lambda _, a: refunds.find_returned("OD-1", actor=a),
    ),
    "what waits for approval": (
        APPROVE,
        Permission.APPROVE,
        lambda s, a: refunds.find_waiting([s.waiting], actor=a),
    ),
    "approve a refund": (
        APPROVE,
        Permission.APPROVE,
        lambda s, a: refunds.approve([s.waiting], key="a", actor=a, now=NOW),
    ),
    "decline a refund": (
        APPROVE,
        Permission.APPROVE,
        lambda s, a: refunds.decline([s.waiting], note="No", key="d", actor=a, now=NOW),
    ),
    "contracts": (CONTRACTS, Permission.CONTRACTS, lambda _, a: rows_of(CONTRACT_TABLE, a)),
    "export contracts": (
        CONTRACTS,
        Permission.CONTRACTS,
        lambda _, a: exported(CONTRACT_TABLE, a),
    ),
    "see a contract": (
        CONTRACTS,
        Permission.CONTRACTS,
        lambda _, a: access.get_contract("CT-1", actor=a),
    ),
    "change a contract": (
        CONTRACTS,
        Permission.CONTRACTS,
        lambda _, a: access.change_contract(
            "CT-1", name="CT-1", refund_limit_minor=None, actor=a, now=NOW
        ),
    ),
    "give an item back": (
        GIVE_BACK,
        Permission.GIVE_BACK,
        lambda s, a: refunds.give_back([s.item], note="No", actor=a, now=NOW),
    ),
    "rebuild figures": (
        ADMIN,
        Permission.IMPORT,
        lambda _, a: overview.rebuild_figures(actor=a, now=NOW),
    ),
    "audit trail": (ADMIN, Permission.AUDIT_TRAIL, lambda _, a: rows_of(AUDIT_EVENTS, a)),
}


def test_the_permissions_of_each_role_are_as_agreed() -> None:
    named = {permission for some in STANDS_FOR.values() for permission in some}
    assert named == set(Permission) == set(permissions.ROLES)
    for row, some in STANDS_FOR.items():
        for permission in some:
            allowed = {role for role in Role if permissions.may(actor_of(role), permission)}
            assert allowed == MAY[row], (row, permission)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("name", USE_CASES)
def test_every_role_can_do_what_its_permissions_allow_and_nothing_more(
    shop: Shop, role: Role, name: str
) -> None:
    row, permission, use = USE_CASES[name]
    actor = store_user(actor_of(role))
    if role in MAY[row]:
        with suppress(InvalidInput, NotFound, Refused):  # no file; the database has orders
            use(shop, actor)
        assert refusals() == []
        return
    before = everything_stored()
    with pytest.raises(NotPermitted, match=rf"^Your role, {role.capitalize()}, cannot .*\.$"):
        use(shop, actor)
    assert refusals() == [(f"{permission}.refused", actor.email)]
    assert everything_stored() == before


@pytest.mark.both_databases
@pytest.mark.parametrize("role", Role)
def test_the_permissions_hold_on_each_database(
    database: str, role: Role, admin: Actor, filled_once: Fill
) -> None:
    shop = filled_once(_make_shop, admin)
    actor, expected = store_user(actor_of(role)), list[tuple[str, str]]()
    for row, permission, use in USE_CASES.values():
        if row in (SEE, REFUND, RETRY, NOTES, APPROVE, CONTRACTS, GIVE_BACK):
            with suppress(InvalidInput, NotFound, NotPermitted, Refused):
                use(shop, actor)
            if role not in MAY[row]:
                expected.append((f"{permission}.refused", actor.email))
            assert refusals() == expected


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(
    ("table", "row"),
    [
        *((TRANSACTIONS, LEDGER), (EMAIL_TABLE, EMAILS), (USERS, ADMIN)),
        *((AUDIT_EVENTS, ADMIN), (CONTRACT_TABLE, CONTRACTS)),
    ],
)
def test_no_query_of_a_table_is_answered_without_the_permission(
    shop: Shop, role: Role, table: Table, row: str
) -> None:
    actor = store_user(actor_of(role))
    for number, ask in enumerate(every_question(table, actor)):
        if role in MAY[row]:
            with suppress(NotFound, InvalidInput):
                ask()
        else:
            with pytest.raises(NotPermitted):
                ask()
            assert len(refusals()) == number + 1


def test_the_workbook_of_an_order_leaves_out_what_the_role_cannot_see(
    shop: Shop, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(permissions.ROLES, Permission.OVERVIEW, frozenset({Role.ADMIN}))
    for actor, sheets in (
        (admin, ["Order", "Products", "Transactions", "Refunds", "Notes"]),
        (store_user(actor_of(Role.VIEWER)), ["Order", "Products", "Refunds", "Notes"]),
    ):
        file = io.BytesIO()
        excel.export_order("OD-1", file, actor=actor, now=NOW, zone="UTC")
        assert open_book(file).sheetnames == sheets
