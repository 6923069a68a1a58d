"""Files with adjustments by which the bank returned stored refunds."""

from pathlib import Path

import pytest
from sqlalchemy import select

from core import storage
from core.access import Actor
from core.ground import Refused
from core.imports import run
from core.imports.known import Return
from core.imports.run import check_files
from core.query import get_order
from core.storage import AuditEvent, OrderItem
from tests.conftest import NOW
from tests.core.books import check_books
from tests.core.imports.imported import Sheets, write_workbook
from tests.core.imports.imported_refunds import (
    PAID,
    PAID_AGAIN,
    PAYMENT,
    RETURNED,
    RETURNED_AGAIN,
    SECOND_ITEM,
    Import,
    at,
    faults_of,
    sold,
)
from tests.core.refunds.refund_rows import get_item, get_refund


@pytest.mark.both_databases
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
    with storage.reading() as session:
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
    """Only a person can make a voucher valid again, not a file."""
    import_sheets(sold("refunded", PAID))
    assert import_sheets(sold("not_used", PAID, RETURNED)).returned == ["A1-1"]
    assert get_item("A1-1").status == "refund_requested"
    check_books()


STORED: dict[str, tuple[Sheets, str]] = {
    "of another item": (
        {"Transactions": [RETURNED | {"Order Item ID": "A1-2"}]},
        "Order Item ID: “A1-2” differs from the refund: A1-1",
    ),
    "a part": (
        {"Transactions": [RETURNED | {"Amount": "-10.00"}]},
        "Amount: “-10.00” is not the amount of the refund with the opposite sign",
    ),
    "another method": (
        {"Transactions": [RETURNED | {"Method": None}]},
        "Method: “Balance” differs from the refund: Card",
    ),
    "another currency": (
        {"Transactions": [RETURNED | {"Currency": "GBP"}]},
        "Currency: “GBP” differs from the refund: EUR",
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
        "Status: “Pending” of an adjustment that returns a refund must be Succeeded",
    ),
    "refunded in the file": (
        sold("refunded", PAID, RETURNED),
        "Order Item ID: “A1-1” is refunded in the files, but this adjustment returns the refund",
    ),
    "paid again": (
        sold("refunded", PAID, RETURNED, PAID_AGAIN),
        "Refund ID: “R-1” is a refund that is already stored",
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
    assert "already has a refund" in faults_of(import_sheets, {"Transactions": [other]})


def test_an_older_file_leaves_the_item_that_came_back_here_as_it_is(
    database: str, import_sheets: Import
) -> None:
    import_sheets(sold("refund_requested", PAID, RETURNED))
    outcome = import_sheets(sold("refunded", PAID))
    assert (outcome.kept, outcome.returned) == (["A1-1"], [])
    with storage.reading() as session:
        assert session.get_one(OrderItem, "A1-1").status == "refund_requested"
    check_books()


@pytest.mark.both_databases
def test_a_refund_that_changes_before_its_return_is_written_stops_the_import(
    database: str, import_sheets: Import, admin: Actor
) -> None:
    import_sheets(sold("refunded", PAID))
    attempt = get_refund("A1-1").attempt
    moment = int(at(5).timestamp())
    late = {"R-1": Return("A1-1", attempt + 1, moment)}
    with pytest.raises(Refused, match="R-1 has just changed here"), storage.writing() as session:
        run._return(session, late, admin, NOW)
    assert get_item("A1-1").status == "refunded"
    in_time = {"R-1": Return("A1-1", attempt, moment)}
    with storage.writing() as session:
        run._return(session, in_time, admin, NOW)
    assert get_item("A1-1").status == "refund_requested"
