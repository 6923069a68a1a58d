"""The first schema: people, orders, order items, refunds, the ledger, audit events, saved views."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from core.storage import Instant
from core.storage.migrations.first_ledger import (
    PLAIN,
    create_transactions,
    guard_ledger_and_audit_trail,
)

revision = "0001"
down_revision = None

JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    """Create all tables, and the triggers that make the ledger and the audit trail append-only."""
    _create_people()
    _create_orders()
    _create_order_items()
    _create_refunds()
    create_transactions()
    _create_records()
    guard_ledger_and_audit_trail()


def _create_people() -> None:
    op.create_table(
        "contracts",
        sa.Column("contract_id", PLAIN, nullable=False),
        sa.Column("name", PLAIN, nullable=False),
        sa.Column("currency", PLAIN, nullable=False),
        sa.Column("balance_minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("contract_id", name=op.f("pk_contracts")),
    )
    op.create_table(
        "users",
        sa.Column("user_id", PLAIN, nullable=False),
        sa.Column("issuer", PLAIN, nullable=True),
        sa.Column("subject", PLAIN, nullable=True),
        sa.Column("email", PLAIN, nullable=False),
        sa.Column("name", PLAIN, nullable=False),
        sa.Column("role", PLAIN, nullable=False),
        sa.Column("sees_all_contracts", sa.Boolean(), nullable=False),
        sa.Column("only_own_orders", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "role IN ('viewer', 'agent', 'accountant', 'admin')", name=op.f("ck_users_role_known")
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_users_issuer_subject")),
    )
    op.create_table(
        "user_contracts",
        sa.Column("user_id", PLAIN, nullable=False),
        sa.Column("contract_id", PLAIN, nullable=False),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.contract_id"], name=op.f("fk_user_contracts_contract_id")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.user_id"], name=op.f("fk_user_contracts_user_id")
        ),
        sa.PrimaryKeyConstraint("user_id", "contract_id", name=op.f("pk_user_contracts")),
    )


def _create_orders() -> None:
    op.create_table(
        "orders",
        sa.Column("order_id", PLAIN, nullable=False),
        sa.Column("no", sa.BigInteger(), nullable=False),
        sa.Column("contract_id", PLAIN, nullable=False),
        sa.Column("widget_id", PLAIN, nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("author", PLAIN, nullable=False),
        sa.Column("author_folded", PLAIN, nullable=False),
        sa.Column("item_count", sa.Integer(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", PLAIN, nullable=False),
        sa.Column("contact_email", PLAIN, nullable=True),
        sa.CheckConstraint("item_count >= 1", name=op.f("ck_orders_item_count_positive")),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.contract_id"], name=op.f("fk_orders_contract_id")
        ),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_orders")),
    )
    op.create_index(
        "ix_orders_contract", "orders", ["contract_id", "created_at", "order_id"], unique=False
    )
    op.create_index(
        "ix_orders_created",
        "orders",
        ["created_at", "order_id", "contract_id", "widget_id"],
        unique=False,
    )
    op.create_index("ix_orders_no", "orders", ["no"], unique=True)
    op.create_index(
        "ix_orders_total", "orders", ["item_count", "created_at", "order_id"], unique=False
    )
    op.create_index(
        "ix_orders_widget", "orders", ["widget_id", "created_at", "order_id"], unique=False
    )


def _create_order_items() -> None:
    op.create_table(
        "order_items",
        sa.Column("order_item_id", PLAIN, nullable=False),
        sa.Column("no", sa.BigInteger(), nullable=False),
        sa.Column("order_id", PLAIN, nullable=False),
        sa.Column("contract_id", PLAIN, nullable=False),
        sa.Column("product_type", PLAIN, nullable=False),
        sa.Column("product", PLAIN, nullable=False),
        sa.Column("product_folded", PLAIN, nullable=False),
        sa.Column("airport_iata", PLAIN, nullable=False),
        sa.Column("airport_tz", PLAIN, nullable=False),
        sa.Column("terminal", PLAIN, nullable=True),
        sa.Column("pax_type", PLAIN, nullable=False),
        sa.Column("passenger_name", PLAIN, nullable=False),
        sa.Column("passenger_name_folded", PLAIN, nullable=False),
        sa.Column("passenger_email", PLAIN, nullable=True),
        sa.Column("service_at", Instant(), nullable=False),
        sa.Column("valid_from", Instant(), nullable=False),
        sa.Column("valid_until", Instant(), nullable=False),
        sa.Column("flight_number", PLAIN, nullable=True),
        sa.Column("voucher_code", PLAIN, nullable=False),
        sa.Column("voucher_serial", sa.LargeBinary(8), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", PLAIN, nullable=False),
        sa.Column("is_refundable", sa.Boolean(), nullable=False),
        sa.Column("refund_expire_at", Instant(), nullable=True),
        sa.Column("status", PLAIN, nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.Column("refunded_at", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.CheckConstraint(
            "pax_type IN ('adult', 'child', 'infant')", name=op.f("ck_order_items_pax_type_known")
        ),
        sa.CheckConstraint(
            "product_type IN ('lounge', 'fast_track', 'meet_and_assist', 'delay_care')",
            name=op.f("ck_order_items_product_type_known"),
        ),
        sa.CheckConstraint(
            "status IN ('not_used', 'used', 'refund_requested', 'refunded')",
            name=op.f("ck_order_items_status_known"),
        ),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_order_items_price_not_negative")),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.contract_id"], name=op.f("fk_order_items_contract_id")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.order_id"], name=op.f("fk_order_items_order_id")
        ),
        sa.PrimaryKeyConstraint("order_item_id", name=op.f("pk_order_items")),
    )
    op.create_index("ix_order_items_no", "order_items", ["no"], unique=True)
    op.create_index("ix_order_items_order", "order_items", ["order_id"], unique=False)
    op.create_index("ix_order_items_voucher_code", "order_items", ["voucher_code"], unique=True)
    op.create_index("ix_order_items_voucher_serial", "order_items", ["voucher_serial"], unique=True)


def _create_refunds() -> None:
    op.create_table(
        "refund_batches",
        sa.Column("batch_id", PLAIN, nullable=False),
        sa.Column("idempotency_key", PLAIN, nullable=False),
        sa.Column("request_hash", PLAIN, nullable=False),
        sa.Column("answer", JSON, nullable=False),
        sa.Column("requested_by", PLAIN, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_refund_batches")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_refund_batches_idempotency_key")),
    )
    op.create_table(
        "refunds",
        sa.Column("refund_id", PLAIN, nullable=False),
        sa.Column("batch_id", PLAIN, nullable=False),
        sa.Column("order_item_id", PLAIN, nullable=False),
        sa.Column("order_id", PLAIN, nullable=False),
        sa.Column("contract_id", PLAIN, nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", PLAIN, nullable=False),
        sa.Column("reason", PLAIN, nullable=False),
        sa.Column("note", PLAIN, nullable=True),
        sa.Column("gateway", PLAIN, nullable=False),
        sa.Column("status", PLAIN, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", Instant(), nullable=True),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("failure", PLAIN, nullable=True),
        sa.Column("external_reference", PLAIN, nullable=True),
        sa.Column("requested_by", PLAIN, nullable=False),
        sa.Column("requested_at", Instant(), nullable=False),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.CheckConstraint("gateway IN ('balance', 'card')", name=op.f("ck_refunds_gateway_known")),
        sa.CheckConstraint(
            "status IN ('requested', 'processing', 'succeeded', 'failed')",
            name=op.f("ck_refunds_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["refund_batches.batch_id"], name=op.f("fk_refunds_batch_id")
        ),
        sa.ForeignKeyConstraint(
            ["order_item_id"], ["order_items.order_item_id"], name=op.f("fk_refunds_order_item_id")
        ),
        sa.PrimaryKeyConstraint("refund_id", name=op.f("pk_refunds")),
    )
    op.create_index("ix_refunds_batch", "refunds", ["batch_id"], unique=False)
    op.create_index(
        "ix_refunds_one_per_item",
        "refunds",
        ["order_item_id"],
        unique=True,
        sqlite_where=sa.text("status <> 'failed'"),
        postgresql_where=sa.text("status <> 'failed'"),
    )


def _create_records() -> None:
    op.create_table(
        "database_facts",
        sa.Column("name", PLAIN, nullable=False),
        sa.Column("value", PLAIN, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_database_facts")),
    )
    op.create_table(
        "audit_events",
        sa.Column("event_id", PLAIN, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor", PLAIN, nullable=False),
        sa.Column("action", PLAIN, nullable=False),
        sa.Column("entity", PLAIN, nullable=False),
        sa.Column("entity_id", PLAIN, nullable=False),
        sa.Column("order_id", PLAIN, nullable=True),
        sa.Column("contract_id", PLAIN, nullable=True),
        sa.Column("before", JSON, nullable=True),
        sa.Column("after", JSON, nullable=True),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_audit_events")),
    )
    op.create_index("ix_audit_events_at", "audit_events", ["at", "event_id"], unique=False)
    op.create_index("ix_audit_events_order", "audit_events", ["order_id"], unique=False)
    op.create_table(
        "saved_views",
        sa.Column("view_id", PLAIN, nullable=False),
        sa.Column("table_name", PLAIN, nullable=False),
        sa.Column("owner", PLAIN, nullable=False),
        sa.Column("name", PLAIN, nullable=True),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("view", JSON, nullable=False),
        sa.PrimaryKeyConstraint("view_id", name=op.f("pk_saved_views")),
        sa.UniqueConstraint(
            "owner", "table_name", "name", name=op.f("uq_saved_views_owner_table_name_name")
        ),
    )
