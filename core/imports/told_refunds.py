"""What the sheet *Refunds* tells of refunds: who asked for them and why, and their number.

The transactions say what happened to the money, so the sheet must agree with them. A refund that
was declined has no transaction: its row alone makes it.
"""

from typing import Any

from core.ground import ItemStatus, Method, RefundStatus
from core.imports.faults import as_written, fault_at
from core.imports.known import Known, KnownItem, KnownOrder, Row
from core.tables import ORDER_ITEMS, REFUNDS, Column

IMPORTED = "imported"  # the reason if none is told
TOLD = frozenset({
    *("reason", "note", "requested_by", "requested_at", "decided_by", "decided_at"),
    *("failure", "external_reference"),
})  # fmt: skip
IN_PROGRESS = {RefundStatus.WAITING, RefundStatus.REQUESTED, RefundStatus.PROCESSING}


def row_of_item(refund_id: str, item_id: str | None, item: KnownItem, order: KnownOrder) -> Row:
    """Return what a refund has of its item and order."""
    return {
        "refund_id": refund_id,
        "order_item_id": item_id,
        "order_id": item.order_id,
        "contract_id": order.contract_id,
        "product_type": item.product_type,
        "product": item.product,
        "passenger_name": item.passenger_name,
        "amount_minor": item.price_minor,
        "currency": item.currency,
        "reason": IMPORTED,
        **dict.fromkeys(("note", "failure", "external_reference", "settled_at")),
        **dict.fromkeys(("decided_by", "decided_at")),
    }


def add_told(known: Known, refund: Row) -> bool:
    """Add what the sheet tells of a refund; return False, with import errors, if it differs."""
    row = known.told_refunds.get(refund["refund_id"])
    if row is None:
        return True
    if row.get("status") in IN_PROGRESS:
        return _is_in_progress(known, row)
    before, bad = len(known.faults), known.spoiled.of(row)
    for column in REFUNDS.stored:
        name, value = column.name, row.get(column.name)
        if value is None or name in bad or name not in refund:
            continue
        if name in TOLD or _can_be_told(name, value, refund):
            refund[name] = value
        elif value != refund[name]:
            _differ(known, row, column, refund[name])
    return len(known.faults) == before and not bad


def _can_be_told(name: str, value: Any, refund: Row) -> bool:
    """Return whether a value may differ from what the transactions say.

    An attempt that was declined has no transaction. A provider replays its answer to an attempt,
    so their number must never become lower.
    """
    if name == "attempt":
        return bool(value >= refund["attempt"])
    if name == "status" and value == RefundStatus.DECLINED:
        is_returned = refund.get("failed_after_success_at") is not None
        return refund["status"] == RefundStatus.FAILED and not is_returned
    return name == "settled_at" and refund["status"] != RefundStatus.SUCCEEDED


def _differ(known: Known, row: Row, column: Column, value: Any) -> None:
    given = as_written(column, row[column.name], row.get("currency"))
    here = as_written(column, value, row.get("currency"))
    problem = f"differs from its order item and transactions: {here}"
    cause = known.doubt_of_item(row["order_item_id"])
    known.faults.append(fault_at(row, column.header, given, problem, cause))


def _is_in_progress(known: Known, row: Row) -> bool:
    """Add the import error; without a transaction, it follows from that of the item."""
    item_id = row["order_item_id"]
    item = known.items.get(item_id)
    is_open = item is not None and item.is_new and item.status == ItemStatus.REFUND_REQUESTED
    cause = f"in order item {item_id}" if is_open and item_id not in known.refunds_of else ""
    problem = "is a refund in progress; import it after it has succeeded or failed"
    return known.fault(row, "Status", row["status"], problem, cause)


def make_declined(known: Known, row: Row) -> Row | None:
    """Return the refund that a row alone makes; None, with its import error, if it cannot."""
    if {"refund_id", "order_item_id", "status"} & known.spoiled.of(row):
        return None
    item_id, status = row["order_item_id"], row.get("status")
    item = known.items.get(item_id)
    order = known.orders.get(item.order_id or "") if item else None
    if item is None:
        cause = known.doubt(ORDER_ITEMS, "order_item_id")
        known.fault(row, "Order Item ID", item_id, "is an unknown item", cause)
    elif status in IN_PROGRESS:
        _is_in_progress(known, row)
    elif status != RefundStatus.DECLINED:
        cause = known.doubt_of_item(item_id)
        known.fault(row, "Refund ID", row["refund_id"], "has no refund transaction", cause)
    elif order is not None:
        return row_of_item(row["refund_id"], item_id, item, order) | {
            "gateway": row.get("gateway") or Method.BALANCE.value,
            "status": status,
            "attempt": 1,
            "requested_by": order.author,
            "requested_at": order.created_at,
        }
    return None
