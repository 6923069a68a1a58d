"""The sheet Refunds tells why a refund was made, by whom, and its number; money it never tells."""

from typing import Any

import pytest
from sqlalchemy import select

from core import storage
from core.ground import Method
from core.refunds import settle_due
from core.refunds.gateway import Succeeded, Unknown
from core.storage import Refund, Transaction
from tests.conftest import NOW
from tests.core.books import check_books
from tests.core.imports.imported import Sheets
from tests.core.imports.imported_refunds import (
    PAID,
    PAID_AGAIN,
    RETURNED,
    SECOND_ITEM,
    Import,
    faults_of,
    sold,
)
from tests.core.refunds.refund_rows import (
    FakeGateway,
    get_refund,
    make_paid_order,
    make_refundable,
    request,
)

TOLD: dict[str, Any] = {
    "No": 7,
    "Refund ID": "R-1",
    "Order Item ID": "A1-1",
    "Requested Date": "2026-03-30 09:00",
    "Requested By": "ana@helios.example",
    "Reason": "Flight cancelled",
    "Note": "Gate closed\n=1+1",
    "Provider Reference": "re_1",
}
DECLINED = TOLD | {
    "Status": "Declined",
    "Method": "Card",
    "Failure": "Not agreed",
    "Settled Date": "2026-03-31 09:00",
    "Provider Reference": None,
    "Decided By": "Zoë@helios.example",
    "Decided Date": "2026-03-31 09:00",
}


def told(*entries: dict[str, Any], status: str = "refunded", **values: Any) -> Sheets:
    """Return a sold item with the entries of its refund, and what is told of the refund."""
    return sold(status, *(entries or [PAID])) | {"Refunds": [TOLD | values]}


def test_a_row_gives_a_refund_its_reason_note_person_and_number(
    sqlite_database: str, import_sheets: Import
) -> None:
    outcome = import_sheets(told())
    refund = get_refund("A1-1")
    assert (refund.no, refund.reason, refund.note) == (7, "flight_cancelled", "Gate closed\n=1+1")
    assert (refund.requested_by, refund.external_reference) == ("ana@helios.example", "re_1")
    assert (refund.requested_at.day, refund.status, refund.attempt) == (30, "succeeded", 1)
    assert "Refunds: 1 added, 0 already stored." in outcome.in_words()
    again = import_sheets(told())
    assert (again.added, again.unchanged["refunds"]) == ({}, 1)
    check_books()


def test_without_the_sheet_a_refund_is_as_its_transactions_say(
    sqlite_database: str, import_sheets: Import
) -> None:
    outcome = import_sheets(sold("refunded", PAID))
    refund = get_refund("A1-1")
    assert (refund.no, refund.reason, refund.note) == (1, "imported", None)
    assert "Refunds" not in outcome.in_words()


@pytest.mark.both_databases
def test_a_number_that_is_in_use_or_reserved_is_never_taken(
    database: str, import_sheets: Import
) -> None:
    """A refund that waits for its outcome holds one number, and its ledger entry another."""
    make_paid_order("OD-1")
    item = make_refundable("OD-1")
    request(item, gateways={Method.BALANCE: FakeGateway(Unknown("?"))})
    mine = get_refund(item)
    sheets = told(PAID | {"No": mine.ledger_no}, No=mine.no)
    import_sheets(sheets)
    imported = get_refund("A1-1")
    with storage.reading() as session:
        entry = session.get_one(Transaction, PAID["Transaction ID"])
    assert imported.no == mine.no + 1
    assert entry.no != mine.ledger_no
    gateways = {Method.BALANCE: FakeGateway(Succeeded())}
    assert settle_due(now=NOW.replace(year=NOW.year + 1), gateways=gateways) == 1
    assert get_refund(item).status == "succeeded"


def test_a_declined_refund_needs_no_transaction(
    sqlite_database: str, import_sheets: Import
) -> None:
    import_sheets(sold("not_used") | {"Refunds": [DECLINED]})
    refund = get_refund("A1-1")
    assert (refund.status, refund.failure, refund.gateway) == ("declined", "Not agreed", "card")
    assert (refund.no, refund.amount_minor, refund.attempt) == (7, 3_850, 1)
    twin = storage.folded(Refund.decided_by).key
    assert refund.decided_by == "Zoë@helios.example"
    assert getattr(refund, twin) == "zoë@helios.example"
    assert refund.decided_at == refund.settled_at
    check_books()


def test_a_declined_attempt_after_a_failed_one_counts(
    sqlite_database: str, import_sheets: Import
) -> None:
    """A provider replays its answer to an attempt, so the next one needs a new number."""
    failed = PAID | {"Status": "failed"}
    import_sheets(sold("not_used", failed) | {"Refunds": [DECLINED | {"Attempts": 2}]})
    assert (get_refund("A1-1").status, get_refund("A1-1").attempt) == ("declined", 2)


def test_a_reason_is_its_words_or_its_code_also_one_that_is_not_offered_any_more(
    sqlite_database: str, import_sheets: Import
) -> None:
    import_sheets(told(Reason="closed_for_snow"))
    assert get_refund("A1-1").reason == "closed_for_snow"


def test_a_refund_that_moved_on_here_is_not_changed_by_an_older_file(
    sqlite_database: str, import_sheets: Import
) -> None:
    import_sheets(told(PAID, RETURNED, status="refund_requested"))
    before = get_refund("A1-1")
    older = told(PAID, Status="Succeeded", Reason="Goodwill", status="refunded")
    outcome = import_sheets(older)
    assert (outcome.added, outcome.unchanged["refunds"]) == ({}, 1)
    assert get_refund("A1-1").reason == before.reason == "flight_cancelled"


REFUSED: dict[str, tuple[Sheets, str]] = {
    "unknown item": (
        told(**{"Refund ID": "R-9", "Order Item ID": "X"}),
        "Order Item ID: “X” is an unknown item",
    ),
    "without transactions": (
        told(**{"Refund ID": "R-9"}),
        "Refund ID: “R-9” has no refund transaction",
    ),
    "of another item": (
        told(**{"Order Item ID": "A1-2"})
        | {"Order Items": [*sold("refunded")["Order Items"], SECOND_ITEM]},
        "Order Item ID: “A1-2” differs from its order item and transactions: A1-1",
    ),
    "in progress": (
        sold("not_used") | {"Refunds": [DECLINED | {"Status": "Processing"}]},
        "Status: “Processing” is a refund in progress",
    ),
    "failed, though it was paid": (
        told(Status="Failed"),
        "Status: “Failed” differs from its order item and transactions: Succeeded",
    ),
    "declined, though it was paid": (
        told(Status="Declined"),
        "Status: “Declined” differs from its order item and transactions: Succeeded",
    ),
    "another amount": (
        told(Amount="1.00", Currency="EUR"),
        "Amount: “1.00” differs from its order item and transactions: 38.50",
    ),
    "another method": (
        told(Method="Balance"),
        "Method: “Balance” differs from its order item and transactions: Card",
    ),
    "fewer attempts": (
        told(PAID | {"Status": "failed"}, PAID_AGAIN, Attempts=1),
        "Attempts: “1” differs from its order item and transactions: 2",
    ),
    "settled at another time": (
        told(**{"Settled Date": "2026-04-02 10:00"}),
        "Settled Date: “2026-04-02 10:00:00 UTC” differs from its order item and transactions",
    ),
    "an unknown reason": (
        told(Reason="Snow, and more snow"),
        "Reason: “Snow, and more snow” is not one of Imported, Matched, Passenger cancelled",
    ),
    "a long note": (told(Note="x" * 1_001), "Note: “xxxx"),
    "without an ID": (told(**dict[str, Any]({"Refund ID": None})), "Refund ID: is missing"),
}


@pytest.mark.parametrize(("sheets", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_a_row_that_does_not_fit_is_named_and_nothing_is_written(
    sqlite_database: str, import_sheets: Import, sheets: Sheets, said: str
) -> None:
    assert said in faults_of(import_sheets, sheets)
    with storage.reading() as session:
        assert session.scalars(select(Refund)).all() == []


def test_a_reference_of_the_provider_belongs_to_one_refund(
    sqlite_database: str, import_sheets: Import
) -> None:
    import_sheets(told())
    again = sold("refunded", PAID | {"Refund ID": "R-2"}) | {
        "Refunds": [TOLD | {"Refund ID": "R-2"}]
    }
    others = {title: [_other(row) for row in rows] for title, rows in again.items()}
    problem = faults_of(import_sheets, others)
    assert "Provider Reference: “re_1” is already in use" in problem


def _other(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with IDs of its own, of the same contract."""
    own = {name: f"B{row[name]}" for name in row if name.endswith(" ID") and name != "Contract ID"}
    return row | own
