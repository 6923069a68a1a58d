"""SQL of what is derived and never stored: of an item at an instant, a contract, a delivery."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    SQLColumnExpression,
    and_,
    case,
    exists,
    func,
    select,
    text,
)
from sqlalchemy.orm import InstrumentedAttribute

from core.ground import (
    EXPIRED,
    Channel,
    DeliveryState,
    DeliveryStatus,
    ItemStatus,
    TransactionStatus,
)
from core.storage.engine import is_sqlite
from core.storage.models.mail import Delivery
from core.storage.models.orders import Contract, Order, OrderItem
from core.storage.models.refunds import ProviderRefund, Refund, Transaction


def _is_expired(now: datetime) -> ColumnElement[bool]:
    return and_(OrderItem.status == ItemStatus.NOT_USED, OrderItem.valid_until < now)


def status(now: datetime) -> SQLColumnExpression[Any]:
    """Return the status at an instant. *Expired* is a not-used item whose day is over."""
    return case((_is_expired(now), EXPIRED), else_=OrderItem.status)


def status_in_order(now: datetime) -> tuple[SQLColumnExpression[Any], ...]:
    """Return terms that sort like `status` but use the index: expired comes before not used."""
    return OrderItem.status, case((_is_expired(now), 0), else_=1)


def is_refundable_now(now: datetime) -> tuple[SQLColumnExpression[bool], ...]:
    """Return the conditions that an order item's status and terms allow a refund at `now`.

    The twin of the rule in core.refunds, which also looks at the payment and the actor.
    """
    return (
        OrderItem.status == ItemStatus.NOT_USED,
        OrderItem.is_refundable,
        OrderItem.refund_expire_at >= now,
        OrderItem.valid_until >= now,
    )


def refundable_now(now: datetime) -> SQLColumnExpression[Any]:
    """Return whether the item can be refunded now; never null, so that *No* finds the others."""
    return and_(OrderItem.refund_expire_at.is_not(None), *is_refundable_now(now))


def has_refundable_item(now: datetime) -> SQLColumnExpression[Any]:
    """Return whether an item of the order can be refunded now."""
    found = exists().where(OrderItem.order_id == Order.order_id, *is_refundable_now(now))
    if is_sqlite():
        return found
    # Always true. Without a second condition on both tables, PostgreSQL reads the refundable items
    # of all orders to show those of 200, because it takes them for a few hundred.
    return found.where(func.coalesce(OrderItem.order_id, Order.order_id).is_not(None))


def has_returned_refund(_now: datetime) -> SQLColumnExpression[Any]:
    """Return whether a refund of the item succeeded and the bank returned the money."""
    returned = select(Refund.order_item_id).where(text(Refund.IS_RETURNED))
    return OrderItem.order_item_id.in_(returned)


def has_unmatched_refund(_now: datetime) -> SQLColumnExpression[Any]:
    """Return whether the card provider has a refund of the order that is not matched yet."""
    return OrderItem.order_id.in_(select(ProviderRefund.order_id).where(is_unmatched()))


def is_unmatched() -> ColumnElement[bool]:
    """Restrict to refunds of the provider that are neither stored here nor dismissed."""
    reference = ProviderRefund.reference
    is_refund = exists().where(Refund.external_reference == reference)
    is_entry = exists().where(
        text(Transaction.IS_REFUND_WITH_REFERENCE),
        Transaction.reference == reference,
        Transaction.status != TransactionStatus.FAILED,
    )
    return and_(ProviderRefund.dismissed_at.is_(None), ~is_refund, ~is_entry)


def contract_name(of: InstrumentedAttribute[Any]) -> ScalarSelect[str]:
    """Return the name of the contract whose ID an attribute holds."""
    named = select(Contract.name).where(Contract.contract_id == of)
    return named.correlate(of.class_).scalar_subquery()


def delivery_state(_now: datetime | None = None) -> SQLColumnExpression[Any]:
    """Return what people see of a delivery; the twin of `core.ground.delivery_state`."""
    is_sent = Delivery.status == DeliveryStatus.SENT
    is_saved = and_(is_sent, Delivery.channel == Channel.OUTBOX)
    shown = (is_saved, DeliveryState.SAVED.value), (is_sent, DeliveryState.SENT.value)
    return case(*shown, else_=Delivery.status)
