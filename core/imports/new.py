"""Complete the new rows of an import: fill in missing values, check references."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from core import storage
from core.ground import (
    ItemStatus,
    Method,
    PaxType,
    airport_zones,
    next_day,
    start_of_day,
    word_of,
)
from core.imports.faults import SAME_ROW
from core.imports.known import Known, KnownOrder, Row, Totals
from core.imports.ledger import complete_transaction, make_refunds
from core.imports.notes import complete_note
from core.imports.numbers import choose_numbers, numbers_of_refunds
from core.imports.rows import iterate
from core.storage import Base, Contract, Note, Order, OrderItem, Refund, Transaction
from core.tables import NOTES, ORDER_ITEMS, ORDERS, REFUNDS, TRANSACTIONS, Table
from core.vouchers import new_code, new_serial


class NewRows:
    """The new rows of an import, completed one by one while they are written.

    Errors are added to `known`; if there is one, the caller must write nothing, or roll back.
    """

    def __init__(self, known: Known, *, batch_id: str, author: str) -> None:
        self.known, self.batch_id, self.author = known, batch_id, author
        self.refund_ids: dict[str, str] = {}  # by transaction
        self.currencies: dict[str, str] = {}  # by contract
        self._check_unique()

    def _check_unique(self) -> None:
        """Add an error for a code of an item, or of a provider's refund, that two rows have."""
        for table, frame, name in (
            (ORDER_ITEMS, self.known.item_rows, "voucher_code"),
            (ORDER_ITEMS, self.known.item_rows, "voucher_serial"),
            (REFUNDS, self.known.refund_rows, "external_reference"),
        ):
            if name not in frame:
                continue
            column = table.column(name)
            assert column is not None
            given = frame[frame[name].notna()]
            twice = given[given.duplicated(name, keep=False)]
            values = given[name].tolist()
            taken = self.known.existing.find(table.attribute(column), values, [name])
            here = given[given[name].isin([row[name] for row in taken])]
            for rows, problem in (
                (twice, "is in the files more than once"),
                (here, "is already in use"),
            ):
                for row in iterate(rows):
                    self.known.fault(row, column.header, row[name], problem)

    @property
    def touched_contracts(self) -> list[str]:
        """Return the contracts that have new transactions."""
        ids = {self._contract_of(row) for row in self._references(frozenset())}
        return sorted(contract_id for contract_id in ids if contract_id)

    def contracts(self) -> list[tuple[str, str]]:
        """Return the contracts that are not stored yet, each with its currency.

        The currency is that of its payments by balance, otherwise the most common one of its
        orders. A payment by balance in another currency is an error.
        """
        known = self.known
        balances: dict[str, str] = {}
        votes: dict[str, Counter[str]] = defaultdict(Counter)
        spoiled = frozenset({"contract_id", "currency", "method"})
        for row in iterate(known.spoiled.sound(known.order_rows, spoiled)):
            totals = known.totals.get(row["order_id"])
            currency = row.get("currency") or (totals.currency if totals else None)
            votes[row["contract_id"]][currency or "EUR"] += 1
        for row in self._references(spoiled):
            contract_id = self._contract_of(row)
            if contract_id:
                votes[contract_id][row["currency"]] += 0
                if (row.get("method") or Method.BALANCE) == Method.BALANCE:
                    balances.setdefault(contract_id, row["currency"])
        names = ["contract_id", "currency"]
        there = known.existing.find(Contract.contract_id, sorted(votes), names)
        stored = {row["contract_id"]: row["currency"] for row in there}
        new = {
            contract_id: balances.get(contract_id, votes[contract_id].most_common(1)[0][0])
            for contract_id in sorted(votes)
            if contract_id not in stored
        }
        self.currencies = stored | new
        return list(new.items())

    def _references(self, spoiled: frozenset[str]) -> Iterator[Row]:
        """Yield what transactions refer to, without those that have an error in a column."""
        names = [
            name
            for name in ("contract_id", "order_id", "currency", "method")
            if name in self.known.transaction_rows.columns
        ]
        sound = self.known.spoiled.sound(self.known.transaction_rows, spoiled)
        yield from iterate(sound[names].drop_duplicates())

    def _contract_of(self, row: Row) -> str | None:
        order = self.known.orders.get(row.get("order_id") or "")
        return row.get("contract_id") or (order.contract_id if order else None)

    def written(self) -> Iterator[tuple[type[Base], Iterator[tuple[Any, ...]]]]:
        """Yield each table's complete rows; a table comes after the tables it refers to."""
        yield Order, self._complete(ORDERS, self.known.order_rows, complete_order)
        yield OrderItem, self._complete(ORDER_ITEMS, self.known.item_rows, complete_item)
        numbers = numbers_of_refunds(self.known)
        refunds = make_refunds(self.known, self.batch_id, self.refund_ids, numbers)
        yield Refund, (_in_order(Refund, row) for row in refunds)
        yield (
            Transaction,
            self._complete(TRANSACTIONS, self.known.transaction_rows, self._transaction),
        )
        yield Note, self._complete(NOTES, self.known.note_rows, complete_note)

    def _transaction(self, known: Known, row: Row) -> bool:
        if not complete_transaction(known, row, self.refund_ids, self.author):
            return False
        currency = self.currencies.get(row["contract_id"])
        if row["method"] == Method.BALANCE and row["currency"] != currency:
            problem = f"differs from the balance of contract {row['contract_id']}: {currency}"
            return known.fault(row, "Currency", row["currency"], problem)
        return True

    def _complete(
        self, table: Table, frame: pd.DataFrame, complete: Callable[[Known, Row], bool]
    ) -> Iterator[tuple[Any, ...]]:
        # Query now, not while the rows are written: no query can run during a COPY.
        given: list[Any] = frame["no"].tolist() if "no" in frame else [None] * len(frame)
        numbers = choose_numbers(self.known.existing, table.model, given)

        def rows() -> Iterator[tuple[Any, ...]]:
            for row, number in zip(iterate(frame), numbers, strict=True):
                row["no"] = number
                if complete(self.known, row) and self.known.may_be_written(row, row[table.key]):
                    yield _in_order(table.model, row)
                else:
                    self.known.unwritten.add(row[table.key])

        return rows()


def _in_order(model: type[Base], row: Row) -> tuple[Any, ...]:
    return tuple(map(row.get, storage.stored_names(model)))


def complete_order(known: Known, row: Row) -> bool:
    """Fill in missing values; return False, with all its import errors, if the row is invalid."""
    before, bad = len(known.faults), known.spoiled.of(row)
    totals = known.totals.get(row["order_id"])
    cause = SAME_ROW if bad else ""
    if totals is None:
        if "order_id" not in bad:
            cause = cause or known.doubt_of_items(row["order_id"], 1)
            known.fault(row, "Order ID", row["order_id"], "is an order without items", cause)
        return False
    if row.get("item_count") is None:  # not given, or with an error
        row["item_count"] = totals.count
    lacking = row["item_count"] - totals.count
    if lacking:
        problem = f"differs from the number of its items, {totals.count}"
        doubt = cause or known.doubt_of_items(row["order_id"], lacking)
        known.fault(row, "Total", row["item_count"], problem, doubt)
    if not {"currency", "amount_minor"} & bad:
        _check_amount(known, row, totals, cause or known.doubt_of_items(row["order_id"], lacking))
    return len(known.faults) == before and not bad


def _check_amount(known: Known, row: Row, totals: Totals, cause: str) -> None:
    row["currency"] = row.get("currency") or totals.currency
    if row["currency"] is None:
        problem = "is missing, and the items have several currencies"
        known.fault(row, "Currency", None, problem, cause)
        return
    amount = totals.amounts.get(row["currency"], 0)
    if row.get("amount_minor") is None:
        row["amount_minor"] = amount
    if row["amount_minor"] != amount:
        problem = f"differs from the prices of its items in {row['currency']}"
        known.fault(row, "Amount", row["amount_minor"], problem, cause)


def complete_item(known: Known, row: Row) -> bool:
    """Fill in missing values; return False, with all its import errors, if the row is invalid."""
    before, bad = len(known.faults), known.spoiled.of(row)
    order = known.orders.get(row["order_id"] or "")
    if "order_id" not in bad:
        _check_order(known, row, order)
    if (row["price_minor"] or 0) < 0:
        known.fault(row, "Price", row["price_minor"], "is below zero")
    if not {"airport_iata", "airport_tz"} & bad:
        row["airport_tz"] = row.get("airport_tz") or airport_zones().get(row["airport_iata"])
        if row["airport_tz"] is None:
            problem = "is an unknown airport; add its Airport Time Zone"
            known.fault(row, "Airport", row["airport_iata"], problem)
    _check_fate(known, row, bad)
    if order is not None and row.get("airport_tz") and not bad:
        _fill_item(row, order)
    first, last = row.get("valid_from"), row.get("valid_until")
    if first is not None and last is not None and last < first:
        known.fault(row, "Valid Until", None, "is before Valid From")
    return len(known.faults) == before and not bad


def _check_order(known: Known, row: Row, order: KnownOrder | None) -> None:
    """Check that an item's order is a new one, of the same contract."""
    if order is None:
        cause = known.doubt(ORDERS, "order_id")
        known.fault(row, "Order ID", row["order_id"], "is an unknown order", cause)
    elif not order.is_new:
        problem = "is an order that is already stored; its Total would change"
        known.fault(row, "Order ID", row["order_id"], problem)
    elif order.contract_id and (row.get("contract_id") or order.contract_id) != order.contract_id:
        problem = f"differs from its order: {order.contract_id}"
        known.fault(row, "Contract ID", row["contract_id"], problem)


def _fill_item(row: Row, order: KnownOrder) -> None:
    zone = ZoneInfo(row["airport_tz"])
    day = datetime.fromtimestamp(row["service_at"], UTC).astimezone(zone).date()
    usual: Row = {
        "pax_type": PaxType.ADULT.value,
        "status": ItemStatus.NOT_USED.value,
        "is_refundable": row.get("refund_expire_at") is not None,
        "created_at": order.created_at,
        "valid_from": int(start_of_day(day, zone).timestamp()),
        "valid_until": int(start_of_day(next_day(day), zone).timestamp()) - 1,
    }
    for name, value in usual.items():
        if row.get(name) is None:
            row[name] = value
    row["voucher_code"] = row.get("voucher_code") or new_code()
    row["voucher_serial"] = row.get("voucher_serial") or new_serial()
    row["contract_id"] = order.contract_id


def _check_fate(known: Known, row: Row, bad: frozenset[str]) -> None:
    """Check that an item is refunded exactly if it has one paid refund.

    Refund requested is only accepted after the bank returned a refund: open refunds cannot be
    imported.
    """
    if "status" in bad:
        return
    given = known.refunds_of.get(row["order_item_id"], [])
    paid = [refund for refund in given if refund.is_paid]
    is_returned = any(refund.is_returned for refund in given)
    status = row.get("status") or ItemStatus.NOT_USED.value
    cause = SAME_ROW if bad else known.doubt_of_item(row["order_item_id"])
    if status == ItemStatus.REFUND_REQUESTED and not paid and not is_returned:
        problem = "is a refund in progress; import it after it has succeeded or failed"
        known.fault(row, "Status", status, problem, cause)
    elif len(paid) != (status == ItemStatus.REFUNDED):
        problem = f"does not match its {len(paid)} succeeded refund transactions"
        returned = " (without those that an adjustment returned)" if is_returned else ""
        known.fault(row, "Status", status, f"{problem}{returned}", cause)
    for header, name, needed in (
        ("Used At", "used_at", ItemStatus.USED),
        ("Refunded At", "refunded_at", ItemStatus.REFUNDED),
    ):
        if status != needed and row.get(name) is not None:
            known.fault(row, header, None, f"is given, but Status is {word_of(status)}")
    if status == ItemStatus.REFUNDED and row.get("refunded_at") is None and paid:
        row["refunded_at"] = paid[0].settled_at
