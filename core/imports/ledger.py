"""Check new transactions of an import, and make the refunds they belong to."""

from collections.abc import Iterator, Mapping
from itertools import chain

from core.ground import (
    ItemStatus,
    Method,
    RefundStatus,
    TransactionStatus,
    TransactionType,
    word_of,
)
from core.imports.known import Known, KnownItem, KnownOrder, Return, Row
from core.imports.refunds import NEEDED, Entry, GivenRefund, entry_of
from core.imports.told_refunds import add_told, make_declined, row_of_item
from core.refunds import WAS_RETURNED
from core.tables import ORDER_ITEMS, ORDERS


def make_refunds(
    known: Known, batch_id: str, refund_ids: dict[str, str], numbers: Mapping[str, int]
) -> Iterator[Row]:
    """Yield the row of each new refund, with its number in `numbers`.

    Fill `refund_ids` with the refund of each transaction.
    """
    for row in chain(_make_paid(known, refund_ids), _make_declined(known)):
        if add_told(known, row) and known.may_be_written(row, row["refund_id"]):
            yield row | {"batch_id": batch_id, "no": numbers[row["refund_id"]]}
        else:
            known.unwritten.add(row["refund_id"])


def _make_declined(known: Known) -> Iterator[Row]:
    """Yield the refunds that have no transaction in the files."""
    given = {refund.refund_id for refund in known.refunds.values() if refund.attempts}
    rows = (row for key, row in known.told_refunds.items() if key not in given)
    yield from filter(None, (make_declined(known, row) for row in rows))


def _make_paid(known: Known, refund_ids: dict[str, str]) -> Iterator[Row]:
    made: set[str] = set()
    for refund in known.refunds.values():
        item = known.items.get(refund.order_item_id or "")
        order = known.orders.get(item.order_id or "") if item else None
        if not refund.attempts or item is None or order is None:
            continue  # a stored refund, or an error that is found with the transaction itself
        is_new = refund.refund_id not in made and refund.refund_id not in known.stored_refunds
        made.add(refund.refund_id)
        if not _check_refund(known, refund, item, is_new=is_new):
            continue
        for one in refund.entries:
            refund_ids[one.transaction_id] = refund.refund_id
        yield _refund_row(known, refund, item, order)


def _refund_row(known: Known, refund: GivenRefund, item: KnownItem, order: KnownOrder) -> Row:
    came_back = _came_back_at(known, refund, item)
    return row_of_item(refund.refund_id, refund.order_item_id, item, order) | {
        "gateway": refund.last.method,
        "status": (RefundStatus.SUCCEEDED if refund.is_paid else RefundStatus.FAILED).value,
        "attempt": len(refund.attempts),
        "failure": WAS_RETURNED if came_back and not refund.is_paid else None,
        "requested_by": refund.last.author or order.author,
        "requested_at": refund.last.created_at,
        "settled_at": refund.settled_at,
        "failed_after_success_at": came_back,
    }


def _came_back_at(known: Known, refund: GivenRefund, item: KnownItem) -> int | None:
    """Return when the bank returned the money of a refund; None if it no longer affects its item.

    An item that an admin gave back has no such refund, and can be refunded again.
    """
    if not refund.returned:
        return None
    item_id = refund.order_item_id or ""
    others = [one for one in known.refunds_of[item_id] if one.is_returned]
    is_waited_for = (
        item.status == ItemStatus.REFUND_REQUESTED
        and item_id not in known.refunded_before
        and refund is max(others, key=lambda one: one.settled_at, default=None)
    )
    return refund.returned[-1].created_at if refund.is_paid or is_waited_for else None


def _check_refund(known: Known, refund: GivenRefund, item: KnownItem, *, is_new: bool) -> bool:
    """Check the transactions of a refund; return whether they have no errors."""
    before, cause = len(known.faults), known.doubt_of_item(refund.order_item_id)
    for one in refund.entries:
        if not is_new and one.type == TransactionType.REFUND:
            problem = "is a refund that is already stored"
            known.fault(one.row, "Refund ID", refund.refund_id, problem)
        else:
            _check_entry(known, refund, item, one)
    for one, problem in refund.out_of_turn():
        known.fault(one.row, "Refund ID", refund.refund_id, problem, cause)
    if refund.is_paid and is_new:
        item_id, row = refund.order_item_id, refund.last.row
        if item_id in known.refunded_before:
            known.fault(row, "Order Item ID", item_id, "already has a refund")
        elif item.status != ItemStatus.REFUNDED and not item.is_new:
            problem = f"is refunded by this transaction, but its Status is {word_of(item.status)}"
            known.fault(row, "Order Item ID", item_id, problem, cause)
    return len(known.faults) == before and not cause


def _check_entry(known: Known, refund: GivenRefund, item: KnownItem, one: Entry) -> None:
    cause = f"in order item {refund.order_item_id}" if item.is_spoiled else ""
    if one.status == TransactionStatus.PENDING:
        problem = "is a refund in progress; import it after it has succeeded or failed"
        known.fault(one.row, "Status", one.status, problem)
    elif one.type == TransactionType.ADJUSTMENT:
        paid = item.price_minor, item.currency, refund.last.method
        _check_adjustment(known, one, *paid, cause)
    elif (one.amount_minor, one.currency) != (item.price_minor, item.currency):
        problem = "is not the price of the refunded item"
        known.fault(one.row, "Amount", one.amount_minor, problem, cause)
    elif one.method != refund.last.method:
        problem = f"differs from the refund’s other transactions: {word_of(refund.last.method)}"
        known.fault(one.row, "Method", one.method, problem)


def _check_adjustment(
    known: Known, one: Entry, amount: int, currency: str, method: str, cause: str = ""
) -> bool:
    """Check that an adjustment returns exactly what the refund paid."""
    before = len(known.faults)
    if one.status != TransactionStatus.SUCCEEDED:
        problem = "of an adjustment that returns a refund must be Succeeded"
        known.fault(one.row, "Status", one.status, problem)
    if one.currency != currency:
        problem = f"differs from the refund: {currency}"
        known.fault(one.row, "Currency", one.currency, problem, cause)
    elif one.amount_minor != -amount:
        problem = "is not the amount of the refund with the opposite sign"
        known.fault(one.row, "Amount", one.amount_minor, problem, cause)
    if one.method != method:
        problem = f"differs from the refund: {word_of(method)}"
        known.fault(one.row, "Method", one.method, problem)
    return len(known.faults) == before


def complete_transaction(known: Known, row: Row, refund_ids: dict[str, str], author: str) -> bool:
    """Fill in missing values; return False, with its import errors, if the row is invalid."""
    before, bad = len(known.faults), known.spoiled.of(row)
    order = _check_parents(known, row, bad)
    contract_id = row.get("contract_id") or (order.contract_id if order else None)
    if contract_id is None and len(known.faults) == before and not bad:
        cause = known.doubt(ORDERS, "contract_id")
        known.fault(row, "Contract ID", None, "is missing, and no order gives it", cause)
    if order and order.contract_id and contract_id not in (None, order.contract_id):
        problem = f"differs from the order: {order.contract_id}"
        known.fault(row, "Contract ID", contract_id, problem)
    row["contract_id"] = contract_id
    row["author"] = row.get("author") or (order.author if order else author)
    row["status"] = row.get("status") or TransactionStatus.SUCCEEDED.value
    row["method"] = row.get("method") or Method.BALANCE.value
    if row["type"] is not None:
        _check_sign(known, row)
        if NEEDED.isdisjoint(bad) and not _check_part(known, row, refund_ids):
            return False
    return len(known.faults) == before and not bad


def _check_parents(known: Known, row: Row, bad: frozenset[str]) -> KnownOrder | None:
    """Check that the order and the item of a transaction exist, and return its order."""
    order_id, item_id = row.get("order_id"), row.get("order_item_id")
    order, item = known.orders.get(order_id or ""), known.items.get(item_id or "")
    if order_id and order is None:
        cause = known.doubt(ORDERS, "order_id")
        known.fault(row, "Order ID", order_id, "is an unknown order", cause)
    if item_id and item is None:
        cause = known.doubt(ORDER_ITEMS, "order_item_id")
        known.fault(row, "Order Item ID", item_id, "is an unknown item", cause)
    if item and item.order_id and order_id and item.order_id != order_id:
        known.fault(row, "Order Item ID", item_id, f"belongs to order {item.order_id}")
    if item and not order_id and "order_id" not in bad:
        row["order_id"], order = item.order_id, known.orders.get(item.order_id or "")
    return order


def _check_sign(known: Known, row: Row) -> None:
    amount, kind = row["amount_minor"], row["type"]
    if amount is None:
        return
    if kind == TransactionType.PAYMENT and amount >= 0:
        known.fault(row, "Amount", amount, "must be below zero for type Payment")
    elif kind in (TransactionType.REFUND, TransactionType.TOP_UP) and amount <= 0:
        known.fault(row, "Amount", amount, f"must be above zero for type {word_of(kind)}")
    elif amount == 0:
        known.fault(row, "Amount", amount, "is zero")


def _check_part(known: Known, row: Row, refund_ids: dict[str, str]) -> bool:
    """Check that a transaction of a refund belongs to one, in the files or already stored."""
    item_id, refund_id, kind = row.get("order_item_id"), row.get("refund_id"), row["type"]
    is_return = kind == TransactionType.ADJUSTMENT and refund_id is not None
    if kind != TransactionType.REFUND and not is_return:
        if refund_id is None:
            return True
        problem = f"is not allowed for type {word_of(kind)}"
        return known.fault(row, "Refund ID", refund_id, problem)
    if item_id is None:
        return known.fault(row, "Order Item ID", None, "is missing; a refund needs it")
    if item_id not in known.items:
        return False
    made = refund_ids.get(row["transaction_id"])
    if made is not None:
        row["refund_id"] = made
        return True
    if kind == TransactionType.REFUND or known.refunds[str(refund_id), item_id].attempts:
        return False  # the error was found with the refund, or with its item
    return _check_return(known, row)


def _check_return(known: Known, row: Row) -> bool:
    """Check an adjustment of a stored refund, and note that the bank returned its money."""
    refund_id, item_id = row["refund_id"], row["order_item_id"]
    refund = known.stored_refunds.get(refund_id)
    if refund is None:
        problem = f"is not a refund of item {item_id}, here or in the files"
        return known.fault(row, "Refund ID", refund_id, problem)
    if refund.order_item_id != item_id:
        problem = f"differs from the refund: {refund.order_item_id}"
        return known.fault(row, "Order Item ID", item_id, problem)
    if refund.status != RefundStatus.SUCCEEDED or refund_id in known.returns:
        problem = "is not a succeeded refund here, so there is nothing to return"
        return known.fault(row, "Refund ID", refund_id, problem)
    paid = refund.amount_minor, refund.currency, refund.gateway
    if not _check_adjustment(known, entry_of(row), *paid):
        return False
    if refund.settled_at is not None and row["created_at"] < refund.settled_at:
        problem = "is a refund that succeeded after this adjustment"
        return known.fault(row, "Refund ID", refund_id, problem)
    if item_id in known.refunded:
        problem = "is refunded in the files, but this adjustment returns the refund"
        return known.fault(row, "Order Item ID", item_id, problem)
    known.returns[refund_id] = Return(item_id, refund.attempt, row["created_at"])
    return True
