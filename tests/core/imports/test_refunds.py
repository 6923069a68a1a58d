"""Files with refunds that the bank returned: only the net amount counts."""

import pytest
from sqlalchemy import select

from core import storage
from core.access import Actor
from core.query import get_order
from core.storage import Contract, Refund, Transaction
from tests.core.books import check_books
from tests.core.imports.imported import ITEM, Sheets
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
    with storage.reading() as session:
        rows = session.scalars(select(Refund).order_by(Refund.refund_id)).all()
    assert [row.failed_after_success_at for row in rows] == [None, at(12)]
    check_books()


def test_a_refund_by_balance_that_was_returned_leaves_the_balance_as_it_was(
    database: str, import_sheets: Import
) -> None:
    by_balance = {"Method": None}
    entries = [one | by_balance for one in (PAYMENT, PAID, RETURNED)]
    import_sheets(sold("refund_requested") | {"Transactions": entries})
    with storage.reading() as session:
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
        "R-1” has already succeeded, and no adjustment returned it in between",
    ),
    "paid twice before the return": (
        sold("refunded", PAID, PAID_AGAIN, RETURNED_AGAIN),
        "R-1” has already succeeded, and no adjustment returned it in between",
    ),
    "another currency": (
        sold("refund_requested", PAID, RETURNED | {"Currency": "GBP"}),
        "Currency: “GBP” differs from the refund: EUR",
    ),
    "another method": (
        sold("refund_requested", PAID, RETURNED | {"Method": "balance"}),
        "Method: “Balance” differs from the refund: Card",
    ),
    "attempts by other methods": (
        sold("refunded", PAID | {"Method": "balance", "Status": "failed"}, PAID_AGAIN),
        "Method: “Balance” differs from the refund’s other transactions: Card",
    ),
    "pending": (
        sold("refunded", PAID, RETURNED | {"Status": "pending"}),
        "Status: “Pending” is a refund in progress",
    ),
    "failed": (
        sold("refunded", PAID, RETURNED | {"Status": "failed"}),
        "Status: “Failed” of an adjustment that returns a refund must be Succeeded",
    ),
    "refunded": (
        sold("refunded", PAID, RETURNED),
        "Status: “Refunded” does not match its 0 succeeded refund transactions (without those "
        "that an adjustment returned)",
    ),
    "in a refund that stands": (
        sold("refund_requested", PAID),
        "Status: “Refund requested” does not match its 1 succeeded refund transactions",
    ),
    "in a refund that only failed": (
        sold("refund_requested", PAID | {"Status": "failed"}),
        "Status: “Refund requested” is a refund in progress",
    ),
    "in a refund that stands again": (
        sold("refund_requested", PAID, RETURNED, PAID_AGAIN),
        "Status: “Refund requested” does not match its 1 succeeded refund transactions",
    ),
    "not used, though it was paid again": (
        sold("not_used", PAID, RETURNED, PAID_AGAIN),
        "Status: “Not used” does not match its 1 succeeded refund transactions",
    ),
    "refunded at": (
        sold("refund_requested", PAID, RETURNED, **{"Refunded At": "2026-04-01 10:00"}),
        "Refunded At: is given, but Status is Refund requested",
    ),
    "of a payment": (
        sold("not_used", PAYMENT | {"Transaction ID": "T-9", "Refund ID": "R-1"}),
        "Refund ID: “R-1” is not allowed for type Payment",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("sheets", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_a_return_that_does_not_fit_its_refund_is_named_and_nothing_is_written(
    sqlite_database: str, import_sheets: Import, sheets: Sheets, said: str
) -> None:
    assert said in faults_of(import_sheets, sheets)
    with storage.reading() as session:
        assert session.scalars(select(Transaction)).all() == []
