"""Complete the new notes of an import: each belongs to an order, in the files or already stored."""

from core.imports.known import Known, Row
from core.tables import ORDERS

# What is given together, or not at all.
PAIRS = (
    ("Follow Up Date", "follow_up_on", "Follow Up By", "follow_up_by"),
    ("Done At", "done_at", "Done By", "done_by"),
    ("Withdrawn At", "withdrawn_at", "Withdrawn By", "withdrawn_by"),
)


def complete_note(known: Known, row: Row) -> bool:
    """Fill in missing values; return False, with all its import errors, if the row is invalid."""
    before, bad = len(known.faults), known.spoiled.of(row)
    if "order_id" not in bad:
        _check_order(known, row)
    for header, name, other, needed in PAIRS:
        if not {name, needed} & bad and (row.get(name) is None) != (row.get(needed) is None):
            missing, given = (header, other) if row.get(name) is None else (other, header)
            known.fault(row, missing, None, f"is missing, but {given} is given")
    is_done_alone = row.get("done_at") is not None and row.get("follow_up_on") is None
    if is_done_alone and not {"done_at", "follow_up_on"} & bad:
        known.fault(row, "Done At", None, "is given, but there is no Follow Up Date")
    if not {"text", "withdrawn_at"} & bad:
        _check_text(known, row)
    return len(known.faults) == before and not bad


def _check_order(known: Known, row: Row) -> None:
    order = known.orders.get(row["order_id"] or "")
    if order is None:
        cause = known.doubt(ORDERS, "order_id")
        known.fault(row, "Order ID", row["order_id"], "is an unknown order", cause)
        return
    if order.contract_id and (row.get("contract_id") or order.contract_id) != order.contract_id:
        problem = f"differs from its order: {order.contract_id}"
        known.fault(row, "Contract ID", row["contract_id"], problem)
    row["contract_id"] = order.contract_id


def _check_text(known: Known, row: Row) -> None:
    is_withdrawn = row.get("withdrawn_at") is not None
    if row.get("text") is None and not is_withdrawn:
        known.fault(row, "Note", None, "is missing; only a withdrawn note has no text")
    elif row.get("text") is not None and is_withdrawn:
        known.fault(row, "Note", row["text"], "is given, but the note was withdrawn")
