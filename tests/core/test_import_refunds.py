"""Importing and dumping refunds that the bank returned: what counts of a refund is its net."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select

from core import db, excel, refunds
from core.imports import Faulty, Outcome, check_files, import_files
from core.models import AuditEvent, Contract, OrderItem, Refund, Transaction
from core.orders import get_order
from core.users import Actor
from tests.conftest import NOW, use_database
from tests.core.books import check_books
from tests.core.imported import ITEM, ORDER, REFUND, Sheets, write_workbook
from tests.core.refund_rows import AGENT, get_item, get_refund, settings
from tests.core.returned_money import A_DAY, make_every_kind, pay_back

Import = Callable[[Sheets], Outcome]

PAYMENT = {
    "Transaction ID": "T-1",
    "Created Date": "2026-03-01 10:00",
    "Type": "payment",
    "Order ID": "A1",
    "Amount": "-38.50",
    "Currency": "EUR",
    "Method": "card",
    "Reference": "pi_1",
}
PAID = REFUND | {"Refund ID": "R-1", "Method": "card", "Reference": "re_1"}
RETURNED = PAID | {
    "Transaction ID": "T-3",
    "Created Date": "2026-04-05 10:00",
    "Type": "adjustment",
    "Amount": "-38.50",
}
PAID_AGAIN = PAID | {"Transaction ID": "T-4", "Created Date": "2026-04-09 10:00"}
RETURNED_AGAIN = RETURNED | {"Transaction ID": "T-5", "Created Date": "2026-04-12 10:00"}
SECOND_ITEM = ITEM | {"Order Item ID": "A1-2", "Passenger": "Ana Müller"}


def sold(status: str, *entries: dict[str, Any], **item: Any) -> Sheets:
    """Return an order with an item in a status, its payment, and entries of its refunds."""
    item = ITEM | {"Status": status} | item
    return {"Orders": [ORDER], "Order Items": [item], "Transactions": [PAYMENT, *entries]}


def faults_of(import_sheets: Import, sheets: Sheets) -> str:
    with pytest.raises(Faulty) as refusal:
        import_sheets(sheets)
    assert refusal.value.faults
    return refusal.value.report()


def at(day: int) -> datetime:
    return datetime(2026, 4, day, 10, tzinfo=UTC)


def dump(path: Path, admin: Actor) -> list[list[tuple[Any, ...]]]:
    with path.open("wb") as file:
        excel.dump(file, actor=admin, now=NOW)
    return [list(sheet.values) for sheet in openpyxl.load_workbook(path)]


def facts_of_refunds() -> dict[str, tuple[Any, ...]]:
    """Return of each refund what an import has to bring back, by order item."""
    with db.reading() as session:
        return {
            one.order_item_id: (
                *(one.refund_id, one.status, one.attempt, one.gateway, one.settled_at),
                *(one.amount_minor, one.currency),
                # Of one that stands it says nothing any more.
                one.failed_after_success_at if one.status == "failed" else None,
            )
            for one in session.scalars(select(Refund))
        }


def test_every_fate_of_a_refund_comes_back_from_a_dump(
    make_database: Callable[[str], str], database: str, admin: Actor, tmp_path: Path
) -> None:
    items = make_every_kind()
    check_books()
    first, facts = dump(tmp_path / "first.xlsx", admin), facts_of_refunds()
    assert len(facts) == len(items) - 1
    use_database(make_database("sqlite" if database.startswith("sqlite") else "postgresql"))
    import_files([tmp_path / "first.xlsx"], actor=admin, now=NOW)
    check_books()
    assert facts_of_refunds() == facts
    assert dump(tmp_path / "second.xlsx", admin) == first
    again = import_files([tmp_path / "first.xlsx"], actor=admin, now=NOW)
    assert (again.added, again.kept, again.returned) == ({}, [], [])


def test_what_came_back_can_be_refunded_again_after_an_import_and_what_was_paid_cannot(
    make_database: Callable[[str], str], database: str, admin: Actor, tmp_path: Path
) -> None:
    items = make_every_kind()
    dump(tmp_path / "dump.xlsx", admin)
    use_database(make_database("sqlite" if database.startswith("sqlite") else "postgresql"))
    import_files([tmp_path / "dump.xlsx"], actor=admin, now=NOW)
    with settings(stripe_api_key="sk_test_x"):
        assessment = refunds.assess(list(items.values()), actor=AGENT, now=NOW)
    able = {item.order_item_id for item in assessment.refundable}
    open_kinds = ("not refunded", "returned", "returned, then failed", "returned twice")
    assert able == {items[kind] for kind in (*open_kinds, "returned, given back")}
    before = facts_of_refunds()
    for item in able:
        pay_back(item, at=NOW + 5 * A_DAY)
        assert get_item(item).status == "refunded"
        attempts = before[item][2] if item in before else 0
        assert get_refund(item).attempt == attempts + 1  # the same row, where there is one
    check_books()


# Files made by hand.


def test_a_returned_refund_becomes_a_failed_one_that_its_item_waits_for(
    database: str, import_sheets: Import, admin: Actor
) -> None:
    import_sheets(sold("refund_requested", RETURNED, PAID))
    refund, item = get_refund("A1-1"), get_item("A1-1")
    assert (refund.refund_id, refund.status, refund.attempt) == ("R-1", "failed", 1)
    assert (refund.requested_at, refund.settled_at) == (at(1), at(5))
    assert refund.failed_after_success_at == at(5)
    assert refund.external_reference is None
    assert str(refund.failure) == "The bank returned the money. Refund the item again."
    assert (item.status, item.refunded_at) == ("refund_requested", None)
    assert get_order("A1", actor=admin).refunded_minor == 0
    check_books()


@pytest.mark.parametrize("status", ["not_used", "used"])
def test_a_returned_refund_whose_item_was_given_back_does_not_count_any_more(
    database: str, import_sheets: Import, status: str
) -> None:
    import_sheets(sold(status, PAID, RETURNED))
    refund = get_refund("A1-1")
    assert (refund.status, refund.failed_after_success_at, refund.failure) == ("failed", None, None)
    assert get_item("A1-1").status == status
    check_books()


def test_a_refund_that_was_returned_and_paid_again_has_succeeded_at_the_last_attempt(
    database: str, import_sheets: Import, admin: Actor
) -> None:
    failed = PAID | {"Transaction ID": "T-6", "Created Date": "2026-04-07", "Status": "failed"}
    import_sheets(sold("refunded", PAID_AGAIN, failed, RETURNED, PAID))
    refund, item = get_refund("A1-1"), get_item("A1-1")
    assert (refund.status, refund.attempt, refund.settled_at) == ("succeeded", 3, at(9))
    assert item.refunded_at == at(9)
    assert get_order("A1", actor=admin).refunded_minor == 3850
    check_books()


def test_a_return_in_the_same_second_as_its_payment_is_understood(
    database: str, import_sheets: Import
) -> None:
    day = {"Created Date": "2026-04-01"}
    import_sheets(sold("refunded", RETURNED | day, PAID_AGAIN | day, PAID | day))
    assert get_refund("A1-1").status == "succeeded"
    check_books()


def test_the_last_of_two_returned_refunds_is_the_one_that_the_item_waits_for(
    database: str, import_sheets: Import
) -> None:
    other = {"Refund ID": "R-0"}
    earlier = PAID_AGAIN | other, RETURNED | other | {"Created Date": "2026-04-10"}
    import_sheets(sold("refund_requested", PAID, RETURNED_AGAIN, *earlier))
    with db.reading() as session:
        rows = session.scalars(select(Refund).order_by(Refund.refund_id)).all()
    assert [row.failed_after_success_at for row in rows] == [None, at(12)]
    check_books()


def test_a_refund_by_balance_that_was_returned_leaves_the_balance_as_it_was(
    database: str, import_sheets: Import
) -> None:
    by_balance = {"Method": None}
    entries = [one | by_balance for one in (PAYMENT, PAID, RETURNED)]
    import_sheets(sold("refund_requested") | {"Transactions": entries})
    with db.reading() as session:
        assert session.get_one(Contract, "CT-1").balance_minor == -3850
    check_books()


def test_an_adjustment_without_a_refund_id_is_no_return(
    database: str, import_sheets: Import, admin: Actor
) -> None:
    import_sheets(sold("refunded", PAID, RETURNED | {"Refund ID": None}))
    assert get_refund("A1-1").status == "succeeded"
    assert get_order("A1", actor=admin).refunded_minor == 3850


REFUSED: dict[str, tuple[Sheets, str]] = {
    "unknown refund": (
        sold("not_used", RETURNED),
        "Refund ID: “R-1” is not a refund of item A1-1, here or in the files",
    ),
    "of another item": (
        sold("refunded", PAID, RETURNED | {"Order Item ID": "A1-2"})
        | {"Order Items": [ITEM | {"Status": "refunded"}, SECOND_ITEM]},
        "Refund ID: “R-1” is not a refund of item A1-2, here or in the files",
    ),
    "without an item": (
        sold("refund_requested", PAID, RETURNED | {"Order Item ID": None}),
        "Order Item ID: is missing; a refund needs it",
    ),
    "a part": (
        sold("refund_requested", PAID, RETURNED | {"Amount": "-10.00"}),
        "Amount: “-10.00” is not the amount of the refund with the opposite sign",
    ),
    "too much": (
        sold("refund_requested", PAID, RETURNED | {"Amount": "-38.51"}),
        "Amount: “-38.51” is not the amount of the refund with the opposite sign",
    ),
    "the same sign": (
        sold("refunded", PAID, RETURNED | {"Amount": "38.50"}),
        "Amount: “38.50” is not the amount of the refund with the opposite sign",
    ),
    "in parts": (
        sold("refund_requested", PAID, *[
            RETURNED | {"Transaction ID": f"T-{n}", "Amount": "-19.25"} for n in (8, 9)
        ]),
        "is not the amount of the refund with the opposite sign",
    ),
    "twice": (
        sold("refund_requested", PAID, RETURNED, RETURNED_AGAIN),
        "R-1” has no succeeded refund transaction that this adjustment could return",
    ),
    "of a failed refund": (
        sold("not_used", PAID | {"Status": "failed"}, RETURNED),
        "R-1” has no succeeded refund transaction that this adjustment could return",
    ),
    "before it was paid": (
        sold("refund_requested", PAID, RETURNED | {"Created Date": "2026-03-31"}),
        "R-1” has no succeeded refund transaction that this adjustment could return",
    ),
    "paid twice": (
        sold("refunded", PAID, PAID_AGAIN),
        "R-1” succeeded before, and no adjustment returned it in between",
    ),
    "paid twice before the return": (
        sold("refunded", PAID, PAID_AGAIN, RETURNED_AGAIN),
        "R-1” succeeded before, and no adjustment returned it in between",
    ),
    "another currency": (
        sold("refund_requested", PAID, RETURNED | {"Currency": "GBP"}),
        "Currency: “GBP” is not that of the refund, EUR",
    ),
    "another method": (
        sold("refund_requested", PAID, RETURNED | {"Method": "balance"}),
        "Method: “balance” is not that of the refund, card",
    ),
    "attempts by other methods": (
        sold("refunded", PAID | {"Method": "balance", "Status": "failed"}, PAID_AGAIN),
        "Method: “balance” is not that of the refund’s other transactions, card",
    ),
    "pending": (
        sold("refunded", PAID, RETURNED | {"Status": "pending"}),
        "Status: “pending” is a refund in progress",
    ),
    "failed": (
        sold("refunded", PAID, RETURNED | {"Status": "failed"}),
        "Status: “failed” of an adjustment that returns a refund has to be succeeded",
    ),
    "refunded": (
        sold("refunded", PAID, RETURNED),
        "Status: “refunded” does not fit its 0 succeeded refund transactions; those that an "
        "adjustment returned do not count",
    ),
    "in a refund that stands": (
        sold("refund_requested", PAID),
        "Status: “refund_requested” does not fit its 1 succeeded refund transactions",
    ),
    "in a refund that only failed": (
        sold("refund_requested", PAID | {"Status": "failed"}),
        "Status: “refund_requested” is a refund in progress",
    ),
    "in a refund that stands again": (
        sold("refund_requested", PAID, RETURNED, PAID_AGAIN),
        "Status: “refund_requested” does not fit its 1 succeeded refund transactions",
    ),
    "not used, though it was paid again": (
        sold("not_used", PAID, RETURNED, PAID_AGAIN),
        "Status: “not_used” does not fit its 1 succeeded refund transactions",
    ),
    "refunded at": (
        sold("refund_requested", PAID, RETURNED, **{"Refunded At": "2026-04-01 10:00"}),
        "Refunded At: is given, but the item is refund_requested",
    ),
    "of a payment": (
        sold("not_used", PAYMENT | {"Transaction ID": "T-9", "Refund ID": "R-1"}),
        "Refund ID: “R-1” does not belong to a payment",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("sheets", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_a_return_that_does_not_fit_its_refund_is_named_and_nothing_is_written(
    sqlite_database: str, import_sheets: Import, sheets: Sheets, said: str
) -> None:
    assert said in faults_of(import_sheets, sheets)
    with db.reading() as session:
        assert session.scalars(select(Transaction)).all() == []


# Refunds that are stored.


def test_the_return_of_a_stored_refund_is_recorded_as_one_that_was_found_here(
    database: str, import_sheets: Import, admin: Actor, tmp_path: Path
) -> None:
    import_sheets(sold("refunded", PAID))
    later = sold("refund_requested", PAID, RETURNED)
    write_workbook(tmp_path / "later.xlsx", later)
    check = check_files([tmp_path / "later.xlsx"], actor=admin)
    assert (check.faults, check.outcome.returned) == ((), ["A1-1"])
    assert get_item("A1-1").status == "refunded"
    outcome = import_sheets(later)
    assert (outcome.returned, outcome.kept) == (["A1-1"], [])
    assert outcome.added["transactions"] == 1
    assert "The bank returned the refund of these order items: A1-1." in outcome.in_words()
    refund, item = get_refund("A1-1"), get_item("A1-1")
    assert (refund.status, refund.failed_after_success_at) == ("failed", at(5))
    assert (item.status, item.refunded_at) == ("refund_requested", None)
    with db.reading() as session:
        event = session.scalars(select(AuditEvent).where(AuditEvent.entity == "refund")).one()
    assert (event.action, event.actor, event.entity_id) == ("refund.returned", admin.email, "R-1")
    check_books()
    again = import_sheets(later)
    assert (again.added, again.returned, again.kept) == ({}, [], [])


def test_an_adjustment_alone_returns_a_stored_refund(
    database: str, import_sheets: Import, admin: Actor
) -> None:
    import_sheets(sold("refunded", PAID))
    assert import_sheets({"Transactions": [RETURNED]}).returned == ["A1-1"]
    assert get_item("A1-1").status == "refund_requested"
    assert get_order("A1", actor=admin).refunded_minor == 0
    check_books()


def test_an_item_that_the_file_gives_back_waits_here_for_its_refund(
    database: str, import_sheets: Import
) -> None:
    """To give a voucher back its life is for a person here, not for a file."""
    import_sheets(sold("refunded", PAID))
    assert import_sheets(sold("not_used", PAID, RETURNED)).returned == ["A1-1"]
    assert get_item("A1-1").status == "refund_requested"
    check_books()


STORED: dict[str, tuple[Sheets, str]] = {
    "of another item": (
        {"Transactions": [RETURNED | {"Order Item ID": "A1-2"}]},
        "Order Item ID: “A1-2” is not that of the refund, A1-1",
    ),
    "a part": (
        {"Transactions": [RETURNED | {"Amount": "-10.00"}]},
        "Amount: “-10.00” is not the amount of the refund with the opposite sign",
    ),
    "another method": (
        {"Transactions": [RETURNED | {"Method": None}]},
        "Method: “balance” is not that of the refund, card",
    ),
    "another currency": (
        {"Transactions": [RETURNED | {"Currency": "GBP"}]},
        "Currency: “GBP” is not that of the refund, EUR",
    ),
    "before it was paid": (
        {"Transactions": [RETURNED | {"Created Date": "2026-03-31"}]},
        "Refund ID: “R-1” is a refund that succeeded after this adjustment",
    ),
    "twice": (
        {"Transactions": [RETURNED, RETURNED_AGAIN]},
        "Refund ID: “R-1” is not a succeeded refund here, so there is nothing to return",
    ),
    "pending": (
        {"Transactions": [RETURNED | {"Status": "pending"}]},
        "Status: “pending” of an adjustment that returns a refund has to be succeeded",
    ),
    "refunded in the file": (
        sold("refunded", PAID, RETURNED),
        "Order Item ID: “A1-1” is refunded in the files, but this adjustment returns the refund",
    ),
    "paid again": (
        sold("refunded", PAID, RETURNED, PAID_AGAIN),
        "Refund ID: “R-1” is a refund that is there already",
    ),
}


@pytest.mark.parametrize(("sheets", "said"), STORED.values(), ids=STORED.keys())
def test_a_return_that_does_not_fit_the_stored_refund_is_named_and_changes_nothing(
    sqlite_database: str, import_sheets: Import, sheets: Sheets, said: str
) -> None:
    stored = sold("refunded", PAID)
    stored["Order Items"].append(SECOND_ITEM)
    stored["Transactions"][0] = PAYMENT | {"Amount": "-77.00"}
    import_sheets(stored)
    if "Orders" in sheets:
        sheets = {**sheets, "Transactions": sheets["Transactions"][1:]}
    assert said in faults_of(import_sheets, sheets)
    assert get_item("A1-1").status == "refunded"
    assert get_refund("A1-1").status == "succeeded"
    check_books()


def test_a_refund_that_came_back_here_cannot_come_back_again_by_a_file(
    database: str, import_sheets: Import
) -> None:
    import_sheets(sold("refund_requested", PAID, RETURNED))
    said = faults_of(import_sheets, {"Transactions": [RETURNED_AGAIN]})
    assert "is not a succeeded refund here, so there is nothing to return" in said
    check_books()


def test_a_file_does_not_refund_an_item_whose_refund_came_back_here(
    database: str, import_sheets: Import
) -> None:
    import_sheets(sold("refund_requested", PAID, RETURNED))
    other = PAID_AGAIN | {"Refund ID": "R-2"}
    assert "has a refund here already" in faults_of(import_sheets, {"Transactions": [other]})


def test_an_older_file_leaves_the_item_that_came_back_here_as_it_is(
    database: str, import_sheets: Import
) -> None:
    import_sheets(sold("refund_requested", PAID, RETURNED))
    outcome = import_sheets(sold("refunded", PAID))
    assert (outcome.kept, outcome.returned) == (["A1-1"], [])
    with db.reading() as session:
        assert session.get_one(OrderItem, "A1-1").status == "refund_requested"
    check_books()
