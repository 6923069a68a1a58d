"""What tests of imported refunds share: an order paid by card, and the entries of its refund."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from core.imports.faults import Faulty
from core.imports.outcome import Outcome
from tests.core.imports.imported import ITEM, ORDER, REFUND, Sheets

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
