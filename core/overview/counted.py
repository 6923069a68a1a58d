"""What the daily figures count: the rows of each dimension, and the day that each one is of.

Orders and order items are of the day when they were created, refunds of the day when they
succeeded.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, case, false, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.ground import ItemStatus, RefundStatus
from core.overview.days import bounds, day_expression
from core.storage import DAILY_FIGURES, Channel, Dimension, Order, OrderItem, Refund
from core.tables import ORDER_ITEMS, ORDERS, REFUNDS, Table

KEYS = ("contract_id", "currency", "value")
SUMS = ("row_count", "amount_minor", "refunded_count", "refunded_minor")


@dataclass(frozen=True)
class Counted:
    """The rows of a dimension: their table, their instant, their amount, and which ones count."""

    table: Table
    model: type[Order] | type[OrderItem] | type[Refund]
    at: InstrumentedAttribute[Any]
    amount: InstrumentedAttribute[int]
    counts: tuple[ColumnElement[bool], ...] = ()
    is_refunded: ColumnElement[bool] = false()  # noqa: RUF009 - never changed


_ITEMS = Counted(
    *(ORDER_ITEMS, OrderItem, OrderItem.created_at, OrderItem.price_minor),
    is_refunded=OrderItem.status == ItemStatus.REFUNDED,
)
COUNTED: dict[Dimension, Counted] = {
    Dimension.CHANNEL: Counted(ORDERS, Order, Order.created_at, Order.amount_minor),
    Dimension.PRODUCT_TYPE: _ITEMS,
    Dimension.AIRPORT: _ITEMS,
    Dimension.REASON: Counted(
        *(REFUNDS, Refund, Refund.settled_at, Refund.amount_minor),
        counts=(Refund.status == RefundStatus.SUCCEEDED,),
    ),
}


def select_counts(
    session: Session,
    dimension: Dimension,
    zone: ZoneInfo,
    days: tuple[date, date],
    conditions: Sequence[ColumnElement[bool]] = (),
    *,
    contracts: Collection[str] = (),
) -> Select[Any]:
    """Return the SELECT that counts a dimension from the rows: day, KEYS and SUMS.

    `days` are the first and the last day, both included. Only this statement defines the figures:
    the stored figures use it, and so do the figures of a person who sees only their own orders.
    """
    one, value = COUNTED[dimension], _value(dimension)
    since, before = bounds(zone, *days)
    if contracts:
        conditions = [*conditions, one.model.contract_id.in_(sorted(contracts))]
    rows = (
        select(
            day_expression(session, one.at, zone, days).label("day"),
            one.model.contract_id.label("contract_id"),
            one.model.currency.label("currency"),
            value.label("value"),
            one.amount.label("amount"),
            case((one.is_refunded, 1), else_=0).label("refunded"),
        )
        .where(one.at >= since, one.at < before, *one.counts, *conditions)
        .subquery()
    )
    keys = [rows.c[name] for name in ("day", *KEYS)]
    return select(
        *keys,
        func.count().label("row_count"),
        whole(rows.c.amount, "amount_minor"),
        whole(rows.c.refunded, "refunded_count"),
        whole(rows.c.amount * rows.c.refunded, "refunded_minor"),
    ).group_by(*keys)


def find_earliest(
    session: Session, dimension: Dimension, since: datetime | None
) -> datetime | None:
    """Return the instant of the first row of a dimension that counts, at all or since then."""
    one = COUNTED[dimension]
    later = one.at.is_not(None) if since is None else one.at >= since
    return session.scalar(select(one.at).where(later, *one.counts).order_by(one.at).limit(1))


def whole(amount: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    """Add up as an integer; PostgreSQL's sum of large integers is a decimal."""
    return func.sum(amount).cast(DAILY_FIGURES.c[name].type).label(name)


def _value(dimension: Dimension) -> ColumnElement[str]:
    if dimension is Dimension.CHANNEL:
        return case((Order.widget_id.is_(None), Channel.DIRECT.value), else_=Channel.WIDGET.value)
    attribute: InstrumentedAttribute[str] = getattr(COUNTED[dimension].model, dimension.value)
    return attribute.expression
