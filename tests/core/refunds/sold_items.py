"""Store many refundable items with correct books in one transaction."""

from datetime import datetime, timedelta
from itertools import count

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import storage
from core.ground import Method
from core.storage import TRANSACTION_NUMBERS, Contract, Order, OrderItem, Transaction
from core.vouchers import new_code, new_serial
from tests.conftest import NOW

CONTRACTS, ITEMS_AN_ORDER = 4, 3
AUTHOR, PRODUCT, PASSENGER = "ana@helios.example", "Aspire Lounge", "Zoë Müller"
FAR_AWAY = NOW + timedelta(days=10_000)


def sell(items: int, *, method: Method = Method.BALANCE) -> list[str]:
    """Store a number of items in paid orders of a few contracts; return their IDs.

    By balance an order has several items; by card each has a payment of its own.
    """
    size = ITEMS_AN_ORDER if method is Method.BALANCE else 1
    counts = [min(size, items - first) for first in range(0, items, size)]
    rows: list[OrderItem] = []
    paid = dict.fromkeys((f"SOLD-{number}" for number in range(CONTRACTS)), 0)
    with storage.writing() as session:
        for contract_id in paid:
            if session.get(Contract, contract_id) is None:
                session.add(Contract(contract_id=contract_id, name=contract_id, currency="EUR"))
        numbers = count(1 + _highest_number(session))
        for number, each in enumerate(counts):
            contract_id = f"SOLD-{number % CONTRACTS}"
            order = _order(next(numbers), contract_id, each)
            rows += (sold := [_item(next(numbers), order) for _ in range(each)])
            order.amount_minor = sum(item.price_minor for item in sold)
            session.add(order)
            session.add_all(sold)
            session.add(_payment(next(numbers), order, method))
            if method is Method.BALANCE:
                paid[contract_id] -= order.amount_minor
        for contract_id, amount in paid.items():
            session.get_one(Contract, contract_id).balance_minor += amount
        return [item.order_item_id for item in rows]


def _highest_number(session: Session) -> int:
    numbers = (Order.no, OrderItem.no, *TRANSACTION_NUMBERS.columns)
    return max(session.scalar(select(func.max(one))) or 0 for one in numbers)


def _order(no: int, contract_id: str, item_count: int) -> Order:
    return Order(
        order_id=f"SOLD-{no}",
        no=no,
        contract_id=contract_id,
        created_at=NOW,
        author=AUTHOR,
        item_count=item_count,
        amount_minor=0,
        currency="EUR",
    )


def _item(no: int, order: Order) -> OrderItem:
    return OrderItem(
        order_item_id=f"{order.order_id}-{no}",
        no=no,
        order_id=order.order_id,
        contract_id=order.contract_id,
        product_type="lounge",
        product=PRODUCT,
        airport_iata="LHR",
        airport_tz="Europe/London",
        pax_type="adult",
        passenger_name=PASSENGER,
        **_times(NOW, FAR_AWAY),
        voucher_code=new_code(),
        voucher_serial=new_serial(),
        price_minor=1_000 + no % 97,
        currency="EUR",
        is_refundable=True,
        status="not_used",
    )


def _times(made: datetime, ends: datetime) -> dict[str, datetime]:
    return {
        "created_at": made,
        "service_at": made,
        "valid_from": made,
        "valid_until": ends,
        "refund_expire_at": ends,
    }


def _payment(no: int, order: Order, method: Method) -> Transaction:
    return Transaction(
        transaction_id=f"SOLD-{no}",
        no=no,
        created_at=NOW,
        contract_id=order.contract_id,
        order_id=order.order_id,
        type="payment",
        method=method,
        amount_minor=-order.amount_minor,
        currency="EUR",
        status="succeeded",
        reference=f"pi_{no}" if method is Method.CARD else None,
        author=AUTHOR,
    )
