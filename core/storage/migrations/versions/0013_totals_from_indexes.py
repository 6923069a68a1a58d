"""Indexes that hold the amounts by currency: totals and a sort by currency read them alone."""

from alembic import op

revision = "0013"
down_revision = "0012"

KEYS = {"orders": "order_id", "transactions": "transaction_id"}


def upgrade() -> None:
    """Replace the indexes of the currencies, as order items have theirs."""
    for table, key in KEYS.items():
        name = f"ix_{table}_currency"
        op.drop_index(name, table)
        op.create_index(name, table, ["currency", key, "amount_minor"])
