"""What the new rows of an import refer to: in the files themselves, or stored already."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from core.import_existing import Existing
from core.import_rows import Fault, fault_at, iterate
from core.models import Order, OrderItem
from core.states import ItemStatus, TransactionStatus, TransactionType

Row = dict[Any, Any]


class KnownOrder(NamedTuple):
    """An order that rows refer to; `created_at` in epoch seconds."""

    contract_id: str
    created_at: int
    author: str
    is_new: bool


class KnownItem(NamedTuple):
    """An order item that transactions refer to."""

    order_id: str
    status: str
    price_minor: int
    currency: str


@dataclass(frozen=True)
class Totals:
    """What the items of one order add up to."""

    count: int
    amount: int
    currency: str | None  # None when they have several


class Known:
    """The fresh rows of every table, and what they refer to; collects the faults found."""

    def __init__(
        self, existing: Existing, fresh: dict[str, pd.DataFrame], faults: list[Fault]
    ) -> None:
        self.existing, self.faults = existing, faults
        self.unwritten: set[str] = set()  # keys of rows with a fault, and of what refers to them
        nothing = pd.DataFrame()
        self.order_rows = fresh.get("orders", nothing)
        self.item_rows = fresh.get("order_items", nothing)
        self.transaction_rows = fresh.get("transactions", nothing)
        self.items = self._known_items()
        self.orders = self._known_orders()
        self.totals = self._totals()
        self.refunds = self._refund_counts()

    def may_be_written(self, row: Row, key: str) -> bool:
        """Say whether all that the row refers to was written; only then can the row be, too."""
        parents = {row.get("order_id"), row.get("order_item_id"), row.get("refund_id")} - {key}
        return self.unwritten.isdisjoint(parents)

    def fault(self, row: Row, column: str, value: Any, problem: str) -> bool:
        """Add a fault; False, so that a check can end with it."""
        self.faults.append(fault_at(row, column, value, problem))
        return False

    @property
    def has_refunds(self) -> bool:
        """Say whether a refund row will be written."""
        return bool(
            len(self.transaction_rows)
            and (self.transaction_rows["type"] == TransactionType.REFUND).any()
        )

    def _known_items(self) -> dict[str, KnownItem]:
        """Return order, status, price and currency of every item that a transaction names."""
        if "order_item_id" not in self.transaction_rows:
            return {}
        wanted = set(self.transaction_rows["order_item_id"].dropna().unique())
        names = ["order_item_id", "order_id", "status", "price_minor", "currency"]
        found = list(self.existing.find(OrderItem.order_item_id, sorted(wanted), names))
        if len(self.item_rows):
            mine = self.item_rows[self.item_rows["order_item_id"].isin(list(wanted))]
            found += list(iterate(mine))
        return {
            row["order_item_id"]: KnownItem(
                row["order_id"],
                row.get("status") or ItemStatus.NOT_USED,
                row["price_minor"],
                row["currency"],
            )
            for row in found
        }

    def _known_orders(self) -> dict[str, KnownOrder]:
        """Return contract, created, author and whether it is new, of every order referred to."""
        names = ["order_id", "contract_id", "created_at", "author"]
        known = {
            row["order_id"]: KnownOrder(row["contract_id"], row["created_at"], row["author"], True)
            for row in (iterate(self.order_rows[names]) if len(self.order_rows) else ())
        }
        wanted = {
            order_id
            for frame in (self.item_rows, self.transaction_rows)
            if "order_id" in frame
            for order_id in frame["order_id"].dropna().unique()
            if order_id not in known
        }
        wanted |= {item.order_id for item in self.items.values()} - known.keys()
        for row in self.existing.find(Order.order_id, sorted(wanted), names):
            known[row["order_id"]] = KnownOrder(
                row["contract_id"], row["created_at"], row["author"], False
            )
        return known

    def _totals(self) -> dict[str, Totals]:
        if not len(self.item_rows):
            return {}
        grouped = self.item_rows.groupby("order_id", sort=False).agg(
            count=("order_id", "size"),
            amount=("price_minor", "sum"),
            currencies=("currency", "nunique"),
            currency=("currency", "first"),
        )
        return {
            str(order_id): Totals(int(count), int(amount), currency if currencies == 1 else None)
            for order_id, count, amount, currencies, currency in grouped.itertuples()
        }

    def _refund_counts(self) -> dict[str, int]:
        """Count the succeeded refund transactions of each item."""
        frame = self.transaction_rows
        if not len(frame) or "order_item_id" not in frame:
            return {}
        is_refund = frame["type"] == TransactionType.REFUND
        if "status" in frame:
            is_refund &= frame["status"].fillna("succeeded") == TransactionStatus.SUCCEEDED
        counts = frame[is_refund]["order_item_id"].value_counts()
        return {str(item_id): int(count) for item_id, count in counts.items()}
