"""New transactions of an import, and the refund rows that refund transactions stand for."""

from collections.abc import Iterator

from core.import_known import Known, KnownItem, Row
from core.import_rows import iterate
from core.models import new_id
from core.states import (
    ItemStatus,
    Method,
    RefundStatus,
    TransactionStatus,
    TransactionType,
)

REASON = "imported"


def make_refunds(known: Known, batch_id: str, refund_ids: dict[str, str]) -> Iterator[Row]:
    """Make the refund row of each refund transaction; `refund_ids` learns it by transaction."""
    if not known.has_refunds:
        return
    made: dict[str, str] = {}  # the items of the refunds that the file names
    for row in _refund_rows(known):
        item = known.items.get(row.get("order_item_id") or "")
        order = known.orders.get(item.order_id) if item else None
        refund_id = row.get("refund_id") or new_id()
        is_failed = row.get("status") == TransactionStatus.FAILED
        if is_failed and made.get(refund_id, "") == row.get("order_item_id"):
            refund_ids[row["transaction_id"]] = refund_id  # it was tried more than once
            continue
        if item is None or order is None or not _check_refund(known, row, item):
            continue  # a fault, found here or when the transaction itself comes
        refund_ids[row["transaction_id"]] = refund_id
        if row.get("refund_id"):
            made[refund_id] = row["order_item_id"]
        known.stored_refund_ids.add(refund_id)
        if not known.may_be_written(row, refund_id):
            known.unwritten.add(refund_id)
            continue
        yield {
            "refund_id": refund_id,
            "batch_id": batch_id,
            "order_item_id": row["order_item_id"],
            "order_id": item.order_id,
            "contract_id": order.contract_id,
            "amount_minor": row["amount_minor"],
            "currency": row["currency"],
            "reason": REASON,
            "gateway": row.get("method") or Method.BALANCE.value,
            "status": row.get("status") or RefundStatus.SUCCEEDED.value,
            "attempt": 1,
            "requested_by": row.get("author") or order.author,
            "requested_at": row["created_at"],
            "settled_at": row["created_at"],
        }


def _refund_rows(known: Known) -> Iterator[Row]:
    """Iterate over the refund transactions, those that failed last: a later try decides."""
    frame = known.transaction_rows
    frame = frame[frame["type"] == TransactionType.REFUND]
    if "status" not in frame:
        yield from iterate(frame)
        return
    is_failed = frame["status"] == TransactionStatus.FAILED
    yield from iterate(frame[~is_failed])
    yield from iterate(frame[is_failed])


def _check_refund(known: Known, row: Row, item: KnownItem) -> bool:
    refund_id, item_id = row.get("refund_id"), row["order_item_id"]
    if refund_id in known.stored_refund_ids:
        return known.fault(row, "Refund ID", refund_id, "is a refund that is there already")
    is_done = (row.get("status") or "succeeded") == TransactionStatus.SUCCEEDED
    if is_done and item_id in known.refunded_before:
        return known.fault(row, "Order Item ID", item_id, "has a refund here already")
    if row.get("status") == TransactionStatus.PENDING:
        problem = "is a refund in progress; import it when it has succeeded or failed"
        return known.fault(row, "Status", row["status"], problem)
    if (row["amount_minor"], row["currency"]) != (item.price_minor, item.currency):
        problem = "is not the price of the refunded item"
        return known.fault(row, "Amount", row["amount_minor"], problem)
    if is_done and item.status != ItemStatus.REFUNDED:
        problem = f"is refunded by this transaction, but its Status is {item.status}"
        return known.fault(row, "Order Item ID", row["order_item_id"], problem)
    return True


def complete_transaction(known: Known, row: Row, refund_ids: dict[str, str], author: str) -> bool:
    """Work out what the file left out; False, with a fault, when the row cannot stand."""
    order_id = row.get("order_id")
    order = known.orders.get(order_id or "")
    if order_id and order is None:
        return known.fault(row, "Order ID", order_id, "is an order that is not known")
    item_id = row.get("order_item_id")
    item = known.items.get(item_id or "")
    if item_id and item is None:
        return known.fault(row, "Order Item ID", item_id, "is an item that is not known")
    if item and order_id and item.order_id != order_id:
        return known.fault(row, "Order Item ID", item_id, f"belongs to order {item.order_id}")
    if item and not order_id:
        row["order_id"], order = item.order_id, known.orders.get(item.order_id)
    contract_id = row.get("contract_id") or (order.contract_id if order else None)
    if contract_id is None:
        return known.fault(row, "Contract ID", None, "is missing, and no order tells it")
    if order and contract_id != order.contract_id:
        return known.fault(
            row, "Contract ID", contract_id, f"is not the order's, {order.contract_id}"
        )
    row["contract_id"] = contract_id
    row["author"] = row.get("author") or (order.author if order else author)
    row["status"] = row.get("status") or TransactionStatus.SUCCEEDED.value
    row["method"] = row.get("method") or Method.BALANCE.value
    return _check_sign(known, row, refund_ids)


def _check_sign(known: Known, row: Row, refund_ids: dict[str, str]) -> bool:
    amount, kind = row["amount_minor"], row["type"]
    if kind == TransactionType.PAYMENT and amount >= 0:
        return known.fault(row, "Amount", amount, "of a payment has to be below zero")
    if kind in (TransactionType.REFUND, TransactionType.TOP_UP) and amount <= 0:
        return known.fault(row, "Amount", amount, f"of a {kind} has to be above zero")
    if amount == 0:
        return known.fault(row, "Amount", amount, "is zero")
    if kind == TransactionType.REFUND:
        if row.get("order_item_id") is None:
            return known.fault(row, "Order Item ID", None, "is missing; a refund needs it")
        row["refund_id"] = refund_ids.get(row["transaction_id"])
        return row["refund_id"] is not None
    if row.get("refund_id") is not None:
        return known.fault(row, "Refund ID", row["refund_id"], f"does not belong to a {kind}")
    return True
