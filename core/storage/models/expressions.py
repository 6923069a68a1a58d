"""What an order item is at an instant, in SQL: told by the clock and other tables, never stored."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, case, exists, select, text

from core.ground import EXPIRED, ItemStatus, TransactionStatus
from core.storage.models.orders import Order, OrderItem, ProviderRefund, Refund, Transaction


def _is_expired(now: datetime) -> ColumnElement[bool]:
    return and_(OrderItem.status == ItemStatus.NOT_USED, OrderItem.valid_until < now)


def status(now: datetime) -> SQLColumnExpression[Any]:
    """*Expired* is an unused item whose day is over: told by the clock, never stored."""
    return case((_is_expired(now), EXPIRED), else_=OrderItem.status)


def status_in_order(now: datetime) -> tuple[SQLColumnExpression[Any], ...]:
    """Sort as by the word, but by what is stored and so indexed: expired comes before not used."""
    return OrderItem.status, case((_is_expired(now), 0), else_=1)


def has_refundable_item(now: datetime) -> SQLColumnExpression[Any]:
    """Say whether an item of the order can be refunded now."""
    return exists().where(
        OrderItem.order_id == Order.order_id,
        OrderItem.status == ItemStatus.NOT_USED,
        OrderItem.valid_until >= now,  # or it is expired
        OrderItem.is_refundable,
        OrderItem.refund_expire_at >= now,
    )


def has_returned_refund(_now: datetime) -> SQLColumnExpression[Any]:
    """Say whether a refund of the item succeeded, and the bank returned the money."""
    returned = select(Refund.order_item_id).where(text(Refund.IS_RETURNED))
    return OrderItem.order_item_id.in_(returned)


def has_unmatched_refund(_now: datetime) -> SQLColumnExpression[Any]:
    """Say whether the card provider has a refund of the order that is to be matched."""
    return OrderItem.order_id.in_(select(ProviderRefund.order_id).where(is_to_match()))


def is_to_match() -> ColumnElement[bool]:
    """Leave the provider's refunds that no row of ours holds, and nobody has dismissed."""
    reference = ProviderRefund.reference
    is_refund = exists().where(Refund.external_reference == reference)
    is_entry = exists().where(
        text(Transaction.IS_REFUND_WITH_REFERENCE),
        Transaction.reference == reference,
        Transaction.status != TransactionStatus.FAILED,
    )
    return and_(ProviderRefund.dismissed_at.is_(None), ~is_refund, ~is_entry)
