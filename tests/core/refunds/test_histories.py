"""Import every short history of a refund with every item status: only matching ones pass."""

from itertools import product
from pathlib import Path
from typing import Any

from sqlalchemy import select

from core import storage
from core.access import Actor
from core.ground import ItemStatus
from core.imports import import_files
from core.imports.run import check_files
from core.storage import OrderItem, Refund
from tests.conftest import NOW
from tests.core.books import check_books
from tests.core.imports.imported import ITEM, ORDER, Sheets, write_workbook
from tests.core.imports.imported_refunds import PAID, PAYMENT, RETURNED

LONGEST = 4
STEPS = {"paid": PAID, "returned": RETURNED, "failed": PAID | {"Status": "failed"}}
History = tuple[str, ...]
HISTORIES: list[tuple[History, ItemStatus]] = [
    (history, status)
    for length in range(LONGEST + 1)
    for history in product(STEPS, repeat=length)
    for status in ItemStatus
]


def is_paid_after(history: History) -> bool | None:
    """Follow the money; None if the history is impossible: paid twice, or returned unpaid."""
    is_paid = False
    for step in history:
        if step != "failed":
            if is_paid == (step == "paid"):
                return None
            is_paid = not is_paid
    return is_paid


def fits(history: History, status: ItemStatus) -> bool:
    """Whether an item can have this status after this history."""
    is_paid = is_paid_after(history)
    if is_paid is None:
        return False
    if status is ItemStatus.REFUND_REQUESTED:
        return not is_paid and "returned" in history
    return is_paid == (status is ItemStatus.REFUNDED)


def rows_of(numbers: list[int]) -> tuple[Sheets, dict[tuple[str, int], int]]:
    """Return sheets with one order per history, and the history of each row."""
    sheets: Sheets = {"Orders": [], "Order Items": [], "Transactions": []}
    places: dict[tuple[str, int], int] = {}

    def add(title: str, number: int, row: dict[str, Any]) -> None:
        sheets[title].append(row | {"Order ID": f"O{number}"})
        places[title, len(sheets[title]) + 1] = number

    for number in numbers:
        history, status = HISTORIES[number]
        item = {"Order Item ID": f"I{number}"}
        add("Orders", number, ORDER)
        add("Order Items", number, ITEM | item | {"Status": status.value})
        add("Transactions", number, PAYMENT | {"Transaction ID": f"P{number}"})
        for day, step in enumerate(history, 1):
            entry = {
                "Transaction ID": f"T{number}-{day}",
                "Created Date": f"2026-04-{day:02}",
                "Refund ID": f"R{number}",
            }
            add("Transactions", number, STEPS[step] | item | entry)
    return sheets, places


def test_a_history_is_imported_exactly_if_money_and_item_agree(
    database: str, admin: Actor, tmp_path: Path
) -> None:
    path, everything = tmp_path / "orders.xlsx", list(range(len(HISTORIES)))
    sheets, places = rows_of(everything)
    write_workbook(path, sheets)
    faults = check_files([path], actor=admin).faults
    refused = {places[fault.sheet, fault.row] for fault in faults}
    fitting = [number for number in everything if fits(*HISTORIES[number])]
    assert sorted(refused) == sorted(set(everything) - set(fitting))

    write_workbook(path, rows_of(fitting)[0])
    import_files([path], actor=admin, now=NOW)
    check_books()
    with storage.reading() as session:
        refunds = {one.refund_id: one for one in session.scalars(select(Refund))}
        states = {one.order_item_id: one.status for one in session.scalars(select(OrderItem))}
    for number in fitting:
        history, status = HISTORIES[number]
        assert states[f"I{number}"] == status
        refund = refunds.get(f"R{number}")
        assert (refund is None) == (not history)
        if refund is not None:
            check_refund(refund, history, status)


def check_refund(refund: Refund, history: History, status: ItemStatus) -> None:
    assert refund.status == ("succeeded" if is_paid_after(history) else "failed")
    assert refund.attempt == len(history) - history.count("returned")
    # The return is known while the item is still in the refund.
    is_in_it = status in (ItemStatus.REFUND_REQUESTED, ItemStatus.REFUNDED)
    came_back = refund.failed_after_success_at is not None
    assert came_back == ("returned" in history and is_in_it)
