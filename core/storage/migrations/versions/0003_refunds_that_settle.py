"""The payment that a refund belongs to, and the indexes to find and count open refunds."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

PLAIN = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
IS_OPEN = sa.text("status IN ('requested', 'processing')")


def upgrade() -> None:
    """Add the payment's reference, the indexes, and the sequence of transaction numbers."""
    op.add_column("refunds", sa.Column("payment_reference", PLAIN, nullable=True))
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE transactions_no OWNED BY transactions.no")
    op.create_index("ix_refunds_item", "refunds", ["order_item_id"])
    op.create_index("ix_refunds_requested", "refunds", ["requested_by", "requested_at"])
    op.create_index(
        "ix_refunds_due",
        "refunds",
        ["next_attempt_at"],
        sqlite_where=IS_OPEN,
        postgresql_where=IS_OPEN,
    )
