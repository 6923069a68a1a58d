"""Indexes to filter and sort millions of order items and transactions."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# Columns with few values. Their indexes end in the key, which orders the rows that tie.
FEW_VALUES = {
    "product_type": "product_type",
    "airport": "airport_iata",
    "terminal": "terminal",
    "pax_type": "pax_type",
    "refundable": "is_refundable",
}
PRICE_IN_COMMON_UNITS = (
    "price_minor * CASE currency "
    + "".join(
        f"WHEN '{code}' THEN {factor} "
        for codes, factor in (
            ("EUR USD GBP CHF TRY PLN ILS INR", 100),
            ("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF", 10000),
            ("BHD IQD JOD KWD LYD OMR TND", 10),
            ("CLF UYW", 1),
        )
        for code in codes.split()
    )
    + "ELSE 100 END"
)
CAN_BE_REFUNDED = sa.text("status = 'not_used' AND is_refundable")


def upgrade() -> None:
    """Create the indexes, and update the statistics of the query planner."""
    op.create_index(
        "ix_order_items_created",
        "order_items",
        [
            *("created_at", "order_item_id", "no", "order_id", "service_at", "airport_tz"),
            *("refund_expire_at", "refunded_at", "used_at"),
        ],
    )
    op.create_index(
        "ix_order_items_service", "order_items", ["service_at", "order_item_id", "airport_tz"]
    )
    op.create_index(
        "ix_order_items_passenger",
        "order_items",
        ["passenger_name", "order_item_id", "passenger_name_folded"],
    )
    op.create_index(
        "ix_order_items_product", "order_items", ["product", "order_item_id", "product_folded"]
    )
    op.create_index("ix_order_items_flight", "order_items", ["flight_number", "order_item_id"])
    for name, column in FEW_VALUES.items():
        op.create_index(f"ix_order_items_{name}", "order_items", [column, "order_item_id"])
    op.create_index(
        "ix_order_items_currency", "order_items", ["currency", "order_item_id", "price_minor"]
    )
    op.create_index(
        "ix_order_items_status", "order_items", ["status", "order_item_id", "valid_until"]
    )
    price = sa.text(f"({PRICE_IN_COMMON_UNITS})")
    op.create_index("ix_order_items_price", "order_items", [price, "order_item_id"])
    op.create_index(
        "ix_order_items_refund_expire",
        "order_items",
        ["refund_expire_at"],
        sqlite_where=CAN_BE_REFUNDED,
        postgresql_where=CAN_BE_REFUNDED,
    )
    op.create_index("ix_transactions_created", "transactions", ["created_at", "transaction_id"])
    op.execute("ANALYZE")
