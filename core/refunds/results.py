"""The results of a refund request: every item with its result, as a frame and as Excel."""

from dataclasses import dataclass
from datetime import datetime
from typing import IO

import pandas as pd
from sqlalchemy import select

from core import storage
from core.access import Actor
from core.excel import StreamedWorkbook, check_limit, record_export
from core.ground import (
    NotFound,
    Permission,
    RefundStatus,
    Role,
    format_money,
    in_zone,
    is_storable,
)
from core.query import scope, to_frame
from core.storage import OrderItem, Refund, RefundBatch
from core.tables import ORDER_ITEMS, Column, Kind

REFUNDED, IN_PROGRESS, NOT_REFUNDED = "Refunded", "In progress", "Not refunded"
WAITING = "Waiting for approval"
_RESULTS = {
    RefundStatus.WAITING: WAITING,
    RefundStatus.DECLINED: NOT_REFUNDED,
    RefundStatus.REQUESTED: IN_PROGRESS,
    RefundStatus.PROCESSING: IN_PROGRESS,
    RefundStatus.SUCCEEDED: REFUNDED,
    RefundStatus.FAILED: NOT_REFUNDED,
}
_ORDER = (REFUNDED, IN_PROGRESS, WAITING, NOT_REFUNDED)
_ITEM = "order_item_id"
# The columns of the frame and of the Excel file.
# fmt: off
COLUMNS = (
    Column(_ITEM, "Order Item ID", Kind.CODE, "The ID of the order item.", width=190),
    Column("order_id", "Order ID", Kind.CODE, "The ID of its order.", width=180),
    Column("product", "Product", Kind.TEXT, "The service as it was sold.", width=230),
    Column("passenger_name", "Passenger", Kind.TEXT, "The passenger of the service.", width=200),
    Column("amount_minor", "Amount", Kind.MONEY, "The refunded amount.", currency="currency"),
    Column("currency", "Currency", Kind.CODE, "The currency of Amount (ISO 4217).", width=110),
    Column("result", "Result", Kind.CODE, "What came of it: Refunded, or why not yet.", width=190),
    Column("why", "Why", Kind.TEXT, "The reason, if there is one.", width=500),
    Column("settled_at", "Settled At", Kind.INSTANT, "When it succeeded or failed.", width=175),
)
# fmt: on


@dataclass(frozen=True)
class Results:
    """Every item of a refund request as it is now, in a frame with COLUMNS."""

    requested_by: str
    requested_at: datetime
    frame: pd.DataFrame

    def having(self, result: str) -> pd.DataFrame:
        """Return the lines with this result."""
        return self.frame[self.frame["result"] == result]

    def totals(self, result: str) -> dict[str, int]:
        """Add up the amounts of the lines with this result: minor units by currency."""
        lines = self.having(result)
        sums = lines.groupby("currency")["amount_minor"].sum()
        return {str(code): int(minor) for code, minor in sums.items()}


def get_results(batch_id: str, *, actor: Actor) -> Results:
    """Return the results of a request; they change while refunds are in progress.

    Raises NotFound unless the actor made the request or is an admin.
    """
    with storage.reading() as session:
        batch = session.get(RefundBatch, batch_id) if is_storable(batch_id) else None
        is_theirs = batch is not None and (
            batch.requested_by == actor.email or actor.role is Role.ADMIN
        )
        if batch is None or not is_theirs:
            raise NotFound(
                f"Refund request “{batch_id[:60]}” was not found, or you have no access to it."
            )
        outcomes = batch.answer.get("outcomes", [])
        ids = [one[_ITEM] for one in outcomes]
        facts = (OrderItem.order_id, OrderItem.product, OrderItem.passenger_name)
        # A refused line may name an item that the actor cannot see.
        is_seen = OrderItem.order_item_id.in_(ids), scope(ORDER_ITEMS, actor)
        statement = select(OrderItem.order_item_id, *facts).where(*is_seen)
        items = {row[0]: row[1:] for row in session.execute(statement)}
        refund_ids = [one["refund_id"] for one in outcomes if one["refund_id"]]
        rows = session.scalars(select(Refund).where(Refund.refund_id.in_(refund_ids)))
        refunds = {refund.refund_id: refund for refund in rows}
        if batch.requested_by != actor.email:  # an admin opens the request of another person
            outcomes = [one for one in outcomes if one[_ITEM] in items]
        lines = [
            (one[_ITEM], *items.get(one[_ITEM], (None, None, None)), *_result(one, refunds))
            for one in outcomes
        ]
        lines.sort(key=lambda line: _ORDER.index(line[-3]))
        return Results(batch.requested_by, batch.created_at, to_frame(COLUMNS, lines))


def _result(one: dict[str, object], refunds: dict[str, Refund]) -> tuple[object, ...]:
    refund = refunds.get(str(one["refund_id"]))
    if refund is None:
        return one["amount_minor"], one["currency"], NOT_REFUNDED, one["why"], None
    result = _RESULTS[RefundStatus(refund.status)]
    return refund.amount_minor, refund.currency, result, refund.failure, refund.settled_at


def export_results(
    batch_id: str, file: IO[bytes], *, actor: Actor, now: datetime, zone: str
) -> None:
    """Write the result of every item to an Excel file, with the requester, and audit it.

    Raises NotFound like `get_results`, TooManyRows over the hourly limit, and what
    access.handing_out raises.
    """
    results = get_results(batch_id, actor=actor)
    with storage.reading() as session:
        check_limit(session, lambda: len(results.frame), actor=actor, now=now)
    with StreamedWorkbook(file) as workbook:
        written = workbook.add_table("Refunds", COLUMNS, zone, [results.frame])
        about = [*_about(results, actor, now, zone), *written.notes]
        workbook.add_lines("About this export", about)
    record_export(
        file,
        "refunds.exported",
        Permission.ORDERS,
        rows=len(results.frame),
        actor=actor,
        entity="refund_batch",
        entity_id=batch_id,
        now=now,
    )


def _about(results: Results, actor: Actor, now: datetime, zone: str) -> list[tuple[str, str]]:
    lines = [
        ("Table", "Refunds of one request"),
        ("Requested by", results.requested_by),
        ("Requested at", in_zone(results.requested_at, zone, seconds=True)),
    ]
    for result in _ORDER:
        sums = " · ".join(
            format_money(minor, code) for code, minor in results.totals(result).items()
        )
        count = len(results.having(result))
        sums = "" if result == NOT_REFUNDED else sums  # refused items have no amount here
        lines.append((result, f"{count:,}{f': {sums}' if sums else ''}"))
    return [
        *lines,
        ("Exported by", actor.email),
        ("Exported at", in_zone(now, zone, seconds=True)),
    ]
