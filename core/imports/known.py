"""The rows that new rows refer to, in the files or already stored."""

from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import pandas as pd

from core.ground import ItemStatus, RefundStatus, TransactionType, to_major, word_of
from core.imports.existing import Existing
from core.imports.faults import FILE, Fault, fault_at
from core.imports.refunds import GivenRefund, gather
from core.imports.rows import iterate
from core.imports.spoiled import Spoiled
from core.storage import Order, OrderItem, Refund
from core.tables import ORDER_ITEMS, TRANSACTIONS, Table

Row = dict[Any, Any]


class KnownOrder(NamedTuple):
    """An order that rows refer to; `created_at` in epoch seconds."""

    contract_id: str | None  # None if it has an import error; so are the others
    created_at: int
    author: str
    is_new: bool


class KnownItem(NamedTuple):
    """An order item that transactions or refunds refer to."""

    order_id: str | None
    status: str
    price_minor: int
    currency: str
    product_type: str
    product: str
    passenger_name: str
    is_new: bool
    is_spoiled: bool  # a value that its refund is compared with has an import error


class StoredRefund(NamedTuple):
    """A stored refund that transactions refer to; instants in epoch seconds."""

    order_item_id: str
    amount_minor: int
    currency: str
    gateway: str
    status: str
    attempt: int
    settled_at: int | None


class Return(NamedTuple):
    """The bank returned the money of a stored refund: which attempt, and when."""

    order_item_id: str
    attempt: int
    at: int  # epoch seconds


@dataclass(frozen=True)
class Totals:
    """The totals of the items of one order."""

    count: int
    amounts: dict[str, int]  # minor units, by currency
    is_spoiled: bool  # a price or currency has an import error

    @property
    def currency(self) -> str | None:
        """Return the items' currency; None if they have several."""
        return next(iter(self.amounts)) if len(self.amounts) == 1 else None


class Known:
    """The new rows of every table and the rows they refer to; collects import errors."""

    def __init__(
        self,
        existing: Existing,
        fresh: dict[str, pd.DataFrame],
        faults: list[Fault],
        spoiled: Spoiled,
        used: set[str],
        refunded: set[str],
    ) -> None:
        self.existing, self.faults, self.spoiled = existing, faults, spoiled
        # Stored items that the files mark as used; and those refunded both in the files and here.
        self.used, self.refunded = used, refunded
        self.unwritten: set[str] = set()  # keys of rows with an error, and of their dependents
        nothing = pd.DataFrame()
        self.order_rows = fresh.get("orders", nothing)
        self.item_rows = fresh.get("order_items", nothing)
        self.transaction_rows = fresh.get("transactions", nothing)
        self.note_rows = fresh.get("notes", nothing)
        self.refund_rows = fresh.get("refunds", nothing)
        # What the sheet Refunds tells of refunds that are not stored, by ID.
        self.told_refunds = {row["refund_id"]: row for row in iterate(self.refund_rows)}
        self.items = self._known_items()
        self.orders = self._known_orders()
        self.totals = self._totals()
        # Items whose Order ID has an error.
        self.astray = int(self.item_rows["order_id"].isna().sum()) if len(self.item_rows) else 0
        self.refunds, self.spoiled_refunds = gather(self.transaction_rows, spoiled)
        self.refunds_of: dict[str, list[GivenRefund]] = {}  # by order item
        for refund in self.refunds.values():
            self.refunds_of.setdefault(refund.order_item_id or "", []).append(refund)
        self.stored_refunds = self._stored_refunds()
        self.refunded_before = self._refunded_before()
        self.returns: dict[str, Return] = {}  # of stored refunds, by ID; filled while checking

    def may_be_written(self, row: Row, key: str) -> bool:
        """Return whether the row can be written: only if everything it refers to is written."""
        parents = {row.get("order_id"), row.get("order_item_id"), row.get("refund_id")} - {key}
        return self.unwritten.isdisjoint(parents)

    def fault(self, row: Row, column: str, value: Any, problem: str, cause: str = "") -> bool:
        """Add an import error; return False, so that a check can return it.

        `cause` is another import error that this one may follow from.
        """
        if column in ("Amount", "Price") and row.get("currency") is not None:
            value = to_major(value, row["currency"])
        elif column in ("Status", "Method"):
            value = word_of(value)
        self.faults.append(fault_at(row, column, value, problem, cause))
        return False

    def doubt(self, table: Table, *names: str) -> str:
        """Return the cause if one of these columns has an error in any row of the files."""
        for name in names:
            column = table.column(name)
            if column is not None and self.spoiled.has(table, name):
                return f"in {column.header} of a row of {table.title}"
        return ""

    def doubt_of_items(self, order_id: str, lacking: int) -> str:
        """Return the cause if an error in items may explain that an order lacks some, or amounts.

        Its items may be among those whose Order ID has an error.
        """
        totals = self.totals.get(order_id)
        if totals is not None and totals.is_spoiled:
            return f"in the items of order {order_id}"
        if 0 < lacking <= self.astray:
            return self.doubt(ORDER_ITEMS, "order_id")
        return ""

    def doubt_of_item(self, item_id: str | None) -> str:
        """Return the cause if an item or one of its refund transactions has an error."""
        item = self.items.get(item_id or "")
        if item_id in self.spoiled_refunds or (item is not None and item.is_spoiled):
            return f"in order item {item_id}, or in one of its transactions"
        return self.doubt(TRANSACTIONS, "order_item_id")

    @property
    def has_refunds(self) -> bool:
        """Return whether the import writes a refund."""
        rows = self.transaction_rows
        is_paid = len(rows) and (rows["type"] == TransactionType.REFUND).any()
        return bool(is_paid or self.told_refunds)

    def _known_items(self) -> dict[str, KnownItem]:
        """Return the items that transactions and refunds refer to, by ID."""
        wanted = {
            item_id
            for frame in (self.transaction_rows, self.refund_rows)
            if "order_item_id" in frame
            for item_id in frame["order_item_id"].dropna().unique()
        }
        if not wanted:
            return {}
        shown = ["product_type", "product", "passenger_name"]
        names = ["order_item_id", "order_id", "status", "price_minor", "currency", *shown]
        found = list(self.existing.find(OrderItem.order_item_id, sorted(wanted), names))
        if len(self.item_rows):
            mine = self.item_rows[self.item_rows["order_item_id"].isin(list(wanted))]
            found += list(iterate(mine))
        compared = {"order_id", "status", "price_minor", "currency"}
        return {
            row["order_item_id"]: KnownItem(
                row["order_id"],
                self._status_of(row),
                row["price_minor"],
                row["currency"],
                row["product_type"],
                row["product"],
                row["passenger_name"],
                FILE in row,
                FILE in row and not compared.isdisjoint(self.spoiled.of(row)),
            )
            for row in found
        }

    def _status_of(self, row: Row) -> str:
        if row["order_item_id"] in self.used:
            return ItemStatus.USED
        return row.get("status") or ItemStatus.NOT_USED

    def _known_orders(self) -> dict[str, KnownOrder]:
        """Return the orders that rows refer to, by ID."""
        names = ["order_id", "contract_id", "created_at", "author"]
        known = {
            row["order_id"]: KnownOrder(row["contract_id"], row["created_at"], row["author"], True)
            for row in (iterate(self.order_rows[names]) if len(self.order_rows) else ())
        }
        wanted = {
            order_id
            for frame in (self.item_rows, self.transaction_rows, self.note_rows)
            if "order_id" in frame
            for order_id in frame["order_id"].dropna().unique()
            if order_id not in known
        }
        wanted |= {item.order_id for item in self.items.values() if item.order_id} - known.keys()
        for row in self.existing.find(Order.order_id, sorted(wanted), names):
            known[row["order_id"]] = KnownOrder(
                row["contract_id"], row["created_at"], row["author"], False
            )
        return known

    def _totals(self) -> dict[str, Totals]:
        if not len(self.item_rows):
            return {}
        sums = self.item_rows.groupby(["order_id", "currency"], sort=False)["price_minor"]
        amounts: dict[str, dict[str, int]] = {}
        for key, amount in sums.sum().items():
            order_id, currency = cast(tuple[str, str], key)
            amounts.setdefault(str(order_id), {})[str(currency)] = int(amount)
        sound = self.spoiled.sound(self.item_rows, frozenset({"price_minor", "currency"}))
        spoiled = set(self.item_rows["order_id"].drop(sound.index).dropna())
        counts = self.item_rows["order_id"].value_counts()
        return {
            str(order_id): Totals(int(count), amounts.get(str(order_id), {}), order_id in spoiled)
            for order_id, count in counts.items()
        }

    def _stored_refunds(self) -> dict[str, StoredRefund]:
        """Return the stored refunds that transactions refer to, by ID."""
        ids = sorted({refund.refund_id for refund in self.refunds.values()})
        names = ["refund_id", *StoredRefund._fields]
        rows = self.existing.find(Refund.refund_id, ids, names)
        return {row.pop("refund_id"): StoredRefund(**row) for row in rows}

    def _refunded_before(self) -> set[str]:
        """Return the items with a stored refund that is open, paid, or returned by the bank."""
        if not self.refunds:
            return set()
        names = ["order_item_id", "status", "failed_after_success_at"]
        rows = self.existing.find(Refund.order_item_id, list(self.items), names)
        ended = {RefundStatus.FAILED, RefundStatus.DECLINED}
        return {
            row["order_item_id"]
            for row in rows
            if row["status"] not in ended or row["failed_after_success_at"] is not None
        }
