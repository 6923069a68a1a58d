"""What became of a request to refund: every item with its result, as a frame and as Excel."""

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
    amount_in_words,
    in_place,
    is_storable,
)
from core.query import scope, to_frame
from core.storage import OrderItem, Refund, RefundBatch
from core.tables import ORDER_ITEMS, Column, Kind

REFUNDED, IN_PROGRESS, NOT_REFUNDED = "refunded", "in progress", "not refunded"
_RESULTS = {
    RefundStatus.WAITING: IN_PROGRESS,
    RefundStatus.DECLINED: NOT_REFUNDED,
    RefundStatus.REQUESTED: IN_PROGRESS,
    RefundStatus.PROCESSING: IN_PROGRESS,
    RefundStatus.SUCCEEDED: REFUNDED,
    RefundStatus.FAILED: NOT_REFUNDED,
}
_ORDER = (REFUNDED, IN_PROGRESS, NOT_REFUNDED)
_ITEM = "order_item_id"
# One line each: what stands in the frame, and in the columns of the Excel file.
# fmt: off
COLUMNS = (
    Column(_ITEM, "Order Item ID", Kind.CODE, "The order item's reference.", width=190),
    Column("order_id", "Order ID", Kind.CODE, "The order it belongs to.", width=180),
    Column("product", "Product", Kind.TEXT, "The service as it is sold.", width=230),
    Column("passenger_name", "Passenger", Kind.TEXT, "Whom the service is for.", width=200),
    Column("amount_minor", "Amount", Kind.MONEY, "What is refunded.", currency="currency"),
    Column("currency", "Currency", Kind.CODE, "The currency of Amount (ISO 4217).", width=110),
    Column("result", "Result", Kind.CODE, "Refunded, in progress or not refunded.", width=130),
    Column("why", "Why", Kind.TEXT, "The reason, where there is one.", width=500),
    Column("settled_at", "Settled At", Kind.INSTANT, "When it succeeded or failed.", width=175),
)
# fmt: on


@dataclass(frozen=True)
class Results:
    """Every item of a request, in a frame of COLUMNS, as it is by now."""

    requested_by: str
    requested_at: datetime
    frame: pd.DataFrame

    def having(self, result: str) -> pd.DataFrame:
        """Return the lines with one result."""
        return self.frame[self.frame["result"] == result]

    def totals(self, result: str) -> dict[str, int]:
        """Add up the amounts of one result: minor units by currency."""
        lines = self.having(result)
        sums = lines.groupby("currency")["amount_minor"].sum()
        return {str(code): int(minor) for code, minor in sums.items()}


def get_results(batch_id: str, *, actor: Actor) -> Results:
    """Return what became of a request; refunds in progress change, refusals do not.

    Raises NotFound unless it is the actor's own, or the actor an admin.
    """
    with storage.reading() as session:
        batch = session.get(RefundBatch, batch_id) if is_storable(batch_id) else None
        is_theirs = batch is not None and (
            batch.requested_by == actor.email or actor.role is Role.ADMIN
        )
        if batch is None or not is_theirs:
            raise NotFound(f"There is no request to refund “{batch_id[:60]}” that you may see.")
        outcomes = batch.answer.get("outcomes", [])
        ids = [one[_ITEM] for one in outcomes]
        facts = (OrderItem.order_id, OrderItem.product, OrderItem.passenger_name)
        # A line that was refused may name an item that is not the actor's to see.
        is_seen = OrderItem.order_item_id.in_(ids), scope(ORDER_ITEMS, actor)
        statement = select(OrderItem.order_item_id, *facts).where(*is_seen)
        items = {row[0]: row[1:] for row in session.execute(statement)}
        refund_ids = [one["refund_id"] for one in outcomes if one["refund_id"]]
        rows = session.scalars(select(Refund).where(Refund.refund_id.in_(refund_ids)))
        refunds = {refund.refund_id: refund for refund in rows}
        if batch.requested_by != actor.email:  # an admin's look at somebody else's
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
    """Write the result of every item as Excel, with whose request it was; audit it.

    Raises NotFound as `get_results` does, TooManyRows over the hourly limit, and as
    core.access.rights.handing_out does.
    """
    results = get_results(batch_id, actor=actor)
    with storage.reading() as session:
        check_limit(session, lambda: len(results.frame), actor=actor, now=now)
    with StreamedWorkbook(file) as workbook:
        workbook.add_table("Refunds", COLUMNS, zone, [results.frame])
        workbook.add_lines("About this export", _about(results, actor, now, zone))
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
        ("Requested at", in_place(results.requested_at, zone, seconds=True)),
    ]
    for result in _ORDER:
        sums = " · ".join(
            f"{amount_in_words(minor, code)} {code}"
            for code, minor in results.totals(result).items()
        )
        count = len(results.having(result))
        sums = "" if result == NOT_REFUNDED else sums  # refused items have no amount here
        lines.append((result.capitalize(), f"{count:,}{f': {sums}' if sums else ''}"))
    return [
        *lines,
        ("Exported by", actor.email),
        ("Exported at", in_place(now, zone, seconds=True)),
    ]
