"""The scope of an actor: they never see or change rows of others."""

import io
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from core import excel, notes, query, refunds, storage, vouchers
from core.access import Actor, permissions
from core.access.actors import LOCAL_USER_ID
from core.due import count_due
from core.ground import NotFound, NotPermitted, Permission, Refused, Role
from core.query.rows import find_references
from core.refunds import Reason
from core.storage import Contract, Note, Refund
from core.tables import (
    AUDIT_EVENTS,
    CONTRACTS,
    NOTES,
    ORDER_ITEMS,
    ORDERS,
    REFUNDS,
    TRANSACTIONS,
    USERS,
    Table,
)
from core.views import default_view, parse_view
from core.vouchers import verification
from tests.conftest import NOW, Fill
from tests.core.read_back import open_book
from tests.core.refunds.refund_rows import make_paid_order, make_refundable
from tests.core.refusals import everything_stored, refusals
from tests.rows import make_contract, make_note, make_transaction, store_user

MINE, THEIRS = "CT-1", "CT-2"
SIDES = {  # contract, currency, author, product name and passenger name
    "MINE": (MINE, "EUR", "me@helios.example", "Usual"),
    "THEIRS": (THEIRS, "JPY", "theirs@secret.example", "Secret"),
}
OTHERS = ("CT-2", "OD-THEIRS", "IT-THEIRS", "TX-THEIRS", "theirs@", "WGT-THEIRS", "Secret", "JPY")
SCOPES: dict[str, dict[str, Any]] = {
    "one contract": {"sees_all_contracts": False, "contracts": frozenset({MINE})},
    "own orders": {"only_own_orders": True},
    "own orders of a contract": {
        "sees_all_contracts": False,
        "contracts": frozenset({MINE}),
        "only_own_orders": True,
    },
    "nothing": {"sees_all_contracts": False},
}


def _actor_of(role: Role, **given: Any) -> Actor:
    scope: dict[str, Any] = {"sees_all_contracts": True} | given
    return store_user(Actor(f"u-{role}", "me@helios.example", role, **scope))


@pytest.fixture
def two_contracts(database: str, admin: Actor, filled_once: Fill) -> None:
    verification._attempts.clear()
    filled_once(_make_two_contracts, admin)


def _make_two_contracts(admin: Actor) -> None:
    """Store an order of each contract with a history, each created by another user."""
    for name, (contract, currency, author, word) in SIDES.items():
        contract_id = make_contract(contract, currency=currency)
        given: dict[str, Any] = {"contract_id": contract_id, "currency": currency}
        make_paid_order(f"OD-{name}", author=author, widget_id=f"WGT-{name}", **given)
        for number in (1, 2, 3):
            make_refundable(
                f"OD-{name}",
                order_item_id=f"IT-{name}-{number}",
                product=f"{word} lounge",
                passenger_name=f"{word} passenger",
                voucher_code=f"CODE-{name}-{number}",
                price_minor=100,
                **given,
            )
        make_transaction(transaction_id=f"TX-{name}", order_id=f"OD-{name}", **given)
        top_up = {"type": "top_up", "amount_minor": 5} | given
        make_transaction(transaction_id=f"TX-{name}-TOP", **top_up)
        vouchers.issue([f"IT-{name}-1"], io.BytesIO(), file_format="pdf", actor=admin, now=NOW)
        refunds.request([f"IT-{name}-2"], reason="goodwill", key=name, actor=admin, now=NOW)
        excel.export_order(f"OD-{name}", io.BytesIO(), actor=admin, now=NOW, zone="UTC")
        _export_by_filter(admin, contract)
        _write_a_note(f"OD-{name}", author, word)
        _ask_for_approval(f"IT-{name}-3", contract, admin)


def _write_a_note(order_id: str, author: str, word: str) -> None:
    """Write a note whose follow-up is due, by the person whose scope is tested."""
    follow_up = {"follow_up_on": f"{NOW.date()}", "follow_up_by": "me@helios.example"}
    make_note(order_id, author=author, text=f"{word} note", **follow_up)


def _ask_for_approval(item_id: str, contract: str, admin: Actor) -> None:
    with storage.writing() as session:
        session.get_one(Contract, contract).refund_limit_minor = 0
    refunds.request([item_id], reason="goodwill", key=item_id, actor=admin, now=NOW)


def _export_by_filter(admin: Actor, contract: str) -> None:
    """Export with a filter that names the contract: the event contains it and has no order."""
    named = {"contract_id": {"filterType": "set", "values": [contract]}}
    excel.export(parse_view(ORDERS, {"filters": named}), io.BytesIO(), actor=admin, now=NOW)


def everything_seen(actor: Actor) -> str:
    """Run all queries, and return all answers as one text."""
    seen: list[object] = []
    for table, order_id in [
        *((table, None) for table in (ORDERS, ORDER_ITEMS, TRANSACTIONS, REFUNDS, NOTES)),
        *((table, None) for table in (AUDIT_EVENTS, USERS, CONTRACTS)),
        *(
            (table, f"OD-{name}")
            for table in (ORDER_ITEMS, TRANSACTIONS, REFUNDS, AUDIT_EVENTS)
            for name in ("MINE", "THEIRS")
        ),
    ]:
        if permissions.may(actor, table.permission(order_id)):
            seen += _seen_of(table, order_id, actor)
    for name in ("MINE", "THEIRS"):
        for ask in questions_about(name, actor):
            with suppress(NotFound):
                seen.append(ask())
    if permissions.may(actor, Permission.APPROVE):
        waiting = [_refund_of(f"IT-{name}-3") for name in SIDES]
        seen.append(refunds.find_waiting(waiting, actor=actor))
    return repr(seen)


def questions_about(name: str, actor: Actor) -> list[Callable[[], object]]:
    """Return the queries about one order and its items."""
    ids = [f"IT-{name}-1", f"IT-{name}-2"]
    return [
        lambda: query.get_order(f"OD-{name}", actor=actor),
        lambda: query.find_items_of([f"OD-{name}"], actor=actor).orders,
        lambda: vouchers.find_copies(ids, actor=actor),
        lambda: verification.verify(f"CODE-{name}-1", actor=actor, now=NOW).item,
        lambda: [line.item for line in refunds.assess(ids, actor=actor, now=NOW).lines],
        lambda: refunds.assess(ids, actor=actor, now=NOW).balances,
        lambda: refunds.get_results(_batch_of(ids[1]), actor=actor),
        lambda: refunds.find_items([_refund_of(ids[1])], actor=actor),
        lambda: refunds.find_returned(f"OD-{name}", actor=actor),
        lambda: refunds.find_unmatched(f"OD-{name}", actor=actor),
        lambda: notes.find_notes(f"OD-{name}", actor=actor),
        lambda: notes.find_colleagues(f"OD-{name}", actor=actor),
    ]


def _batch_of(item: str) -> str:
    with storage.reading() as session:
        batch = select(Refund.batch_id).where(Refund.order_item_id == item)
        return session.scalars(batch).one()


def _refund_of(item: str) -> str:
    with storage.reading() as session:
        refund = select(Refund.refund_id).where(Refund.order_item_id == item)
        return session.scalars(refund).one()


def _status_of(item: str) -> str:
    with storage.reading() as session:
        return session.scalars(select(Refund.status).where(Refund.order_item_id == item)).one()


def _note_of(order_id: str) -> str:
    with storage.reading() as session:
        return session.scalars(select(Note.note_id).where(Note.order_id == order_id)).one()


def _seen_of(table: Table, order_id: str | None, actor: Actor) -> list[object]:
    view = replace(default_view(table, order_id=order_id), columns=table.offered)
    asked: dict[str, Any] = {"actor": actor, "now": NOW}
    file = io.BytesIO()
    excel.export(view, file, **asked)
    book = open_book(file)
    rows = [tuple(row) for row in book[table.title].iter_rows(values_only=True)]
    total = [
        row for row in book["About this export"].iter_rows(values_only=True) if row[0] == "Rows"
    ]
    ids = ("OD-THEIRS", "IT-THEIRS-1", "TX-THEIRS", "CODE-THEIRS-1", "OD-MINE")
    return [
        query.load_rows(view, start=0, end=100, **asked).astype("object").to_dict("records"),
        query.load_keys(view, **asked),
        query.load_figures(view, **asked),
        query.load_totals(view, **asked),
        query.load_ticked(view, ids, **asked).astype("object").to_dict("records"),
        sorted(find_references(table, ids, actor=actor, order_id=order_id)),
        [
            query.load_choices(view, column.name, **asked).values.tolist()
            for column in table.offered
            if column.has_choices
        ],
        rows,
        total,
    ]


@pytest.mark.both_databases
@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("role", Role)
def test_a_scope_hides_every_trace_of_other_rows(
    two_contracts: None, role: Role, scope: str
) -> None:
    actor = _actor_of(role, **SCOPES[scope])
    seen = everything_seen(actor)
    assert [trace for trace in OTHERS if trace in seen] == []
    assert ("OD-MINE" in seen) == (scope != "nothing")
    assert ("TX-MINE-TOP" in seen) == (
        scope == "one contract" and Permission.TRANSACTIONS in _of(actor)
    )
    assert ("Usual note" in seen) == (scope != "nothing")
    is_any = int(scope != "nothing")
    decides = Permission.APPROVE in _of(actor)
    due = count_due(actor=actor, today=NOW.date())
    assert (due.follow_ups, due.to_approve) == (is_any, is_any if decides else 0)


@pytest.mark.both_databases
def test_without_a_scope_every_trace_is_seen(two_contracts: None) -> None:
    seen = everything_seen(_all_seeing())
    assert [trace for trace in OTHERS if trace not in seen] == []


def _of(actor: Actor) -> set[Permission]:
    return {one for one in Permission if permissions.may(actor, one)}


def _all_seeing() -> Actor:
    return Actor(LOCAL_USER_ID, "analyst@local", Role.ADMIN, sees_all_contracts=True)


@pytest.mark.both_databases
@pytest.mark.parametrize("role", [Role.AGENT, Role.ACCOUNTANT, Role.ADMIN])
@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_prevents_changes_of_other_rows(
    two_contracts: None, role: Role, scope: str
) -> None:
    actor = _actor_of(role, **SCOPES[scope])
    before, asked = everything_stored(), dict[str, Any](actor=actor, now=NOW)
    theirs = "was not found, or you have no access"
    with pytest.raises(NotFound):
        excel.export_order("OD-THEIRS", io.BytesIO(), zone="UTC", **asked)
    with pytest.raises(NotFound, match=theirs):
        notes.add_note("OD-THEIRS", "Hi", key="n", zone="UTC", **asked)
    for act in (notes.close_follow_up, notes.withdraw_note):
        with pytest.raises(NotFound):
            act(_note_of("OD-THEIRS"), **asked)
    assert everything_stored() == before
    if Permission.APPROVE in _of(actor):
        for decide, note in ((refunds.approve, None), (refunds.decline, "No")):
            theirs_waits = [_refund_of("IT-THEIRS-3")]
            (decided,) = decide(theirs_waits, note=note, key=decide.__name__, **asked).results
            assert decided.why == "It no longer waits for approval, or you have no access to it."
        assert _status_of("IT-THEIRS-3") == "waiting"
    if Permission.REFUND in _of(actor):
        with pytest.raises(Refused, match=theirs):
            vouchers.issue(["IT-THEIRS-1"], io.BytesIO(), file_format="zip", **asked)
        (outcome,) = refunds.request(
            ["IT-THEIRS-1"], reason="goodwill", key="k", gateways={}, **asked
        ).outcomes
        assert theirs in str(outcome.why)
        (line,) = refunds.assess(["IT-THEIRS-1"], **asked).lines
        assert line.refusal is not None
        assert line.refusal.reason is Reason.NOT_FOUND


@pytest.mark.parametrize("scope", ["one contract", "own orders", "nothing"])
@pytest.mark.parametrize("permission", sorted(permissions.NEED_ALL_CONTRACTS))
def test_actions_on_all_contracts_need_a_user_who_sees_them_all(
    sqlite_database: str, scope: str, permission: Permission
) -> None:
    actor = _actor_of(Role.ADMIN, **SCOPES[scope])
    with pytest.raises(NotPermitted, match="Only a user who sees all orders of all contracts can"):
        permissions.require(actor, permission)
    assert refusals() == [(f"{permission}.refused", actor.email)]
