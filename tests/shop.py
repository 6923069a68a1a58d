"""A small shop: two orders of two contracts, whose every value a test can name."""

from datetime import timedelta

from tests.conftest import use_database
from tests.rows import CREATED, make_item, make_order, make_transaction

ANA, BEN = "ana@helios.example", "ben@blue.example"
PAYING = {"type": "payment", "amount_minor": -7600}
REFUND = {"type": "refund", "amount_minor": 3800}


def make_shop(url: str) -> str:
    """Store the shop in a new database; return its address."""
    use_database(url)
    make_order("OD-ONE", author=ANA, item_count=2, amount_minor=7600, widget_id="WGT-1")
    make_order(
        "OD-TWO",
        author=BEN,
        contract_id="CT-2",
        amount_minor=6900,
        currency="JPY",
        contact_email="ben@mail.example",
        created_at=CREATED + timedelta(days=1),
    )
    make_item("OD-ONE", order_item_id="OD-ONE-1", status="refunded", refunded_at=CREATED)
    make_item("OD-ONE", order_item_id="OD-ONE-2", product="Fast Track", passenger_name="Wei Li")
    yen = {"contract_id": "CT-2", "price_minor": 6900, "currency": "JPY"}
    make_item("OD-TWO", order_item_id="OD-TWO-1", **yen)
    make_transaction(transaction_id="TX-PAID", order_id="OD-ONE", **PAYING)
    refund = REFUND | {"order_item_id": "OD-ONE-1"}
    make_transaction(transaction_id="TX-BACK", order_id="OD-ONE", **refund)
    yen = {"contract_id": "CT-2", "amount_minor": -6900, "currency": "JPY"}
    make_transaction(transaction_id="TX-YEN", order_id="OD-TWO", **yen)
    return url
