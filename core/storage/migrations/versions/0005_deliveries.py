"""E-mails: requests to send, a delivery per recipient, and the order items of each delivery."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from core.storage import Instant

revision = "0005"
down_revision = "0004"

PLAIN = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
IS_OPEN = sa.text("status IN ('queued', 'sending')")


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "delivery_requests",
        sa.Column("idempotency_key", PLAIN, nullable=False),
        sa.Column("request_hash", PLAIN, nullable=False),
        sa.Column("answer", JSON, nullable=False),
        sa.Column("requested_by", PLAIN, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("idempotency_key", name=op.f("pk_delivery_requests")),
    )
    _create_deliveries()
    op.create_index("ix_deliveries_queued", "deliveries", ["queued_at", "delivery_id"])
    op.create_index("ix_deliveries_requested", "deliveries", ["requested_by", "queued_at"])
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["next_attempt_at"],
        sqlite_where=IS_OPEN,
        postgresql_where=IS_OPEN,
    )
    op.create_table(
        "delivery_items",
        sa.Column("delivery_id", PLAIN, nullable=False),
        sa.Column("order_item_id", PLAIN, nullable=False),
        sa.Column("order_id", PLAIN, nullable=False),
        sa.Column("contract_id", PLAIN, nullable=False),
        sa.Column("left_out", PLAIN, nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["deliveries.delivery_id"],
            name=op.f("fk_delivery_items_delivery_id"),
        ),
        sa.ForeignKeyConstraint(
            ["order_item_id"],
            ["order_items.order_item_id"],
            name=op.f("fk_delivery_items_order_item_id"),
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.order_id"], name=op.f("fk_delivery_items_order_id")
        ),
        sa.PrimaryKeyConstraint("delivery_id", "order_item_id", name=op.f("pk_delivery_items")),
    )
    op.create_index("ix_delivery_items_item", "delivery_items", ["order_item_id"])
    op.create_index("ix_delivery_items_order", "delivery_items", ["order_id"])


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("delivery_id", PLAIN, nullable=False),
        sa.Column("idempotency_key", PLAIN, nullable=False),
        sa.Column("recipient", PLAIN, nullable=False),
        sa.Column("contract_id", PLAIN, nullable=False),
        sa.Column("order_id", PLAIN, nullable=True),
        sa.Column("item_count", sa.Integer(), nullable=False),
        sa.Column("kind", PLAIN, nullable=False),
        sa.Column("channel", PLAIN, nullable=False),
        sa.Column("subject", PLAIN, nullable=False),
        sa.Column("subject_folded", PLAIN, nullable=False),
        sa.Column("message", PLAIN, nullable=True),
        sa.Column("status", PLAIN, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", Instant(), nullable=False),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("handed_over_at", Instant(), nullable=True),
        sa.Column("last_error", PLAIN, nullable=True),
        sa.Column("may_be_twice", sa.Boolean(), nullable=False),
        sa.Column("message_id", PLAIN, nullable=False),
        sa.Column("requested_by", PLAIN, nullable=False),
        sa.Column("queued_at", Instant(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('voucher', 'void_notice')", name=op.f("ck_deliveries_kind_known")
        ),
        sa.CheckConstraint(
            "channel IN ('smtp', 'outbox')", name=op.f("ck_deliveries_channel_known")
        ),
        sa.CheckConstraint(
            "status IN ('queued', 'sending', 'sent', 'failed', 'cancelled')",
            name=op.f("ck_deliveries_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.contract_id"], name=op.f("fk_deliveries_contract_id")
        ),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint(
            "idempotency_key",
            "recipient",
            "contract_id",
            name=op.f("uq_deliveries_idempotency_key_recipient_contract_id"),
        ),
    )
