"""The test data of the refund machine: the sold items, and unusual states of a payment."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import func, select

from core import storage
from core.storage import Contract, OrderItem, ProviderRefund, Refund, Transaction, is_unmatched
from tests.conftest import NOW
from tests.core.refunds.refund_rows import (
    AGENT,
    make_card_order,
    make_paid_order,
    make_refundable,
)
from tests.rows import make_transaction

AN_HOUR, A_DAY = timedelta(hours=1), timedelta(days=1)
DEADLINES = (NOW + AN_HOUR, NOW + A_DAY, NOW + timedelta(days=30))
PRICES = (3800, 1250, 990)
ITEMS = 2 * len(PRICES)  # half paid by balance, half by card
LIMITS = (None, 0, PRICES[0], sum(PRICES))
ODD_PAYMENTS = [
    {"currency": "JPY"},
    {"is_captured": False},
    {"amount_minor": 2_000},
]


def sell() -> list[str]:
    """Store an order paid by balance and one paid by card, with correct books."""
    paid = sum(PRICES)
    make_paid_order("BY-BALANCE", paid=paid, item_count=len(PRICES))
    make_card_order("BY-CARD", reference="pi_1", paid=paid, item_count=len(PRICES))
    make_transaction(type="top_up", amount_minor=paid)
    return [
        make_refundable(
            order,
            order_item_id=f"{order}-{number}",
            price_minor=price,
            refund_expire_at=deadline,
        )
        for order in ("BY-BALANCE", "BY-CARD")
        for number, (price, deadline) in enumerate(zip(PRICES, DEADLINES, strict=True))
    ]


BY_HAND = (100, PRICES[0])  # amounts of refunds made by hand at the provider
MOST_BY_HAND = 4


def sell_for_matching() -> dict[int, list[str]]:
    """Store items that match the refunds made by hand, by price."""
    count = MOST_BY_HAND * len(BY_HAND)
    make_card_order("BY-HAND", reference="pi_2", paid=MOST_BY_HAND * sum(BY_HAND), item_count=count)
    return {
        price: [make_refundable("BY-HAND", price_minor=price) for _ in range(MOST_BY_HAND)]
        for price in BY_HAND
    }


def entered(items: list[str]) -> dict[str, int]:
    """Return the amount per item that the ledger shows as paid back and not returned."""
    sums = select(Transaction.order_item_id, func.sum(Transaction.amount_minor)).where(
        Transaction.refund_id.is_not(None),
        Transaction.order_item_id.in_(items),
        Transaction.status == "succeeded",
    )
    with storage.reading() as session:
        rows = session.execute(sums.group_by(Transaction.order_item_id)).all()
    return dict.fromkeys(items, 0) | {str(item): int(total) for item, total in rows}


def read_items(items: list[str]) -> dict[str, OrderItem]:
    with storage.reading() as session:
        ours = select(OrderItem).where(OrderItem.order_item_id.in_(items))
        return {item.order_item_id: item for item in session.scalars(ours)}


def read_refunds(items: list[str]) -> dict[str, Refund]:
    """Read the refund of each item; a retry uses the same row, unless that one was declined."""
    with storage.reading() as session:
        ours = select(Refund).where(Refund.order_item_id.in_(items)).order_by(Refund.no)
        refunds = list(session.scalars(ours))
    declined = {one.order_item_id: one for one in refunds if one.status == "declined"}
    others = [one for one in refunds if one.status != "declined"]
    by_item = {one.order_item_id: one for one in others}
    assert len(by_item) == len(others)
    return declined | by_item


def limit_refunds(limit: int | None) -> None:
    """Set the limit of the contract, above which a second person approves refunds."""
    with storage.writing() as session:
        session.get_one(Contract, "CT-1").refund_limit_minor = limit


def sum_of_a_day(now: datetime, *, without: Collection[str]) -> int:
    """Add up what the agent requested within a day and what moved money or may, but for items."""
    with storage.reading() as session:
        refunds = session.scalars(select(Refund).where(Refund.requested_by == AGENT.email)).all()
    return sum(
        one.amount_minor
        for one in refunds
        if one.requested_at > now - A_DAY
        and one.status not in ("failed", "declined")
        and one.order_item_id not in without
    )


def read_to_match() -> list[ProviderRefund]:
    with storage.reading() as session:
        return list(session.scalars(select(ProviderRefund).where(is_unmatched())))
