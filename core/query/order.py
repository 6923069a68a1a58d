"""One order: the details at the top of its page and workbook."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, or_, select

from core import storage
from core.access import Actor
from core.ground import NotFound, TransactionStatus, TransactionType
from core.query.scoping import scope
from core.storage import Contract, Order, Transaction
from core.tables import ORDERS


@dataclass(frozen=True)
class OrderDetails:
    """An order with its contract and its refunded amount; amounts are in minor units."""

    order_id: str
    no: int
    created_at: datetime
    contract_id: str
    contract_name: str
    contract_balance_minor: int
    contract_currency: str
    widget_id: str | None
    author: str
    item_count: int
    amount_minor: int
    refunded_minor: int
    currency: str
    contact_email: str | None


def get_order(order_id: str, *, actor: Actor) -> OrderDetails:
    """Return an order; raises NotFound if it does not exist or the actor cannot see it."""
    refunded = (
        select(func.coalesce(func.sum(Transaction.amount_minor), 0))
        .where(
            Transaction.order_id == Order.order_id,
            Transaction.currency == Order.currency,
            # An adjustment of a refund takes back money that the bank returned.
            or_(
                Transaction.type == TransactionType.REFUND,
                and_(
                    Transaction.type == TransactionType.ADJUSTMENT,
                    Transaction.refund_id.is_not(None),
                ),
            ),
            Transaction.status == TransactionStatus.SUCCEEDED,
        )
        .scalar_subquery()
    )
    statement = (
        select(Order, Contract, refunded)
        .join(Contract, Contract.contract_id == Order.contract_id)
        .where(Order.order_id == order_id, scope(ORDERS, actor))
    )
    with storage.reading() as session:
        found = session.execute(statement).first() if "\x00" not in order_id else None
        if found is None:
            raise NotFound(f"Order “{order_id[:100]}” was not found, or you have no access to it.")
        order, contract, refunded_minor = found
        return OrderDetails(
            order_id=order.order_id,
            no=order.no,
            created_at=order.created_at,
            contract_id=order.contract_id,
            contract_name=contract.name,
            contract_balance_minor=contract.balance_minor,
            contract_currency=contract.currency,
            widget_id=order.widget_id,
            author=order.author,
            item_count=order.item_count,
            amount_minor=order.amount_minor,
            refunded_minor=int(refunded_minor),
            currency=order.currency,
            contact_email=order.contact_email,
        )
