"""Refunds that wait for approval, are declined or returned by the bank; unmatched refunds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

from core.storage import Instant

revision = "0009"
down_revision = "0008"

PLAIN = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
STATES = "status IN ('waiting', 'declined', 'requested', 'processing', 'succeeded', 'failed')"
COUNTED = "status NOT IN ('failed', 'declined') OR failed_after_success_at IS NOT NULL"
NEW = (
    *("asked_at", "stopped_by", "failed_after_success_at", "next_look_at"),
    *("decided_by", "decided_at", "decision_note"),
)
INDEXES: dict[str, tuple[str, dict[str, Any]]] = {
    "ix_refunds_one_per_item": ("order_item_id", {"unique": True, "where": COUNTED}),
    "ix_refunds_batch": ("batch_id", {}),
    "ix_refunds_item": ("order_item_id", {}),
    "ix_refunds_requested": ("requested_by, requested_at", {}),
    "ix_refunds_reference": ("external_reference", {"unique": True}),
    "ix_refunds_due": ("next_attempt_at", {"where": "status IN ('requested', 'processing')"}),
    "ix_refunds_look": ("next_look_at", {"where": "next_look_at IS NOT NULL"}),
    "ix_refunds_returned": (
        "order_item_id",
        {"where": "status = 'failed' AND failed_after_success_at IS NOT NULL"},
    ),
}
LOOKED_AT_FOR = timedelta(days=35)


def upgrade() -> None:
    """Change the refunds, create the table of unmatched ones, schedule a look at recent ones."""
    if op.get_bind().dialect.name == "sqlite":
        _change_sqlite()
    else:
        _change_postgresql()
    for name, (columns, given) in INDEXES.items():
        where = sa.text(given["where"]) if "where" in given else None
        op.create_index(
            name,
            "refunds",
            columns.split(", "),
            unique=given.get("unique", False),
            sqlite_where=where,
            postgresql_where=where,
        )
    op.create_table(
        "provider_refunds",
        sa.Column("reference", PLAIN, nullable=False),
        sa.Column("payment_reference", PLAIN, nullable=False),
        sa.Column("order_id", PLAIN, nullable=False),
        sa.Column("contract_id", PLAIN, nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", PLAIN, nullable=False),
        sa.Column("found_at", Instant(), nullable=False),
        sa.Column("dismissed_by", PLAIN, nullable=True),
        sa.Column("dismissed_at", Instant(), nullable=True),
        sa.Column("note", PLAIN, nullable=True),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.order_id"], name=op.f("fk_provider_refunds_order_id")
        ),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.contract_id"], name=op.f("fk_provider_refunds_contract_id")
        ),
        sa.PrimaryKeyConstraint("reference", name=op.f("pk_provider_refunds")),
    )
    op.create_index("ix_provider_refunds_order", "provider_refunds", ["order_id"])
    has_reference = sa.text("type = 'refund' AND reference IS NOT NULL")
    op.create_index(
        "ix_transactions_refund_reference",
        "transactions",
        ["reference"],
        sqlite_where=has_reference,
        postgresql_where=has_reference,
    )
    _schedule_looks()


def _new_columns() -> list[sa.Column[Any]]:
    return [sa.Column(one, Instant() if one.endswith("_at") else PLAIN) for one in NEW]


def _change_postgresql() -> None:
    for column in _new_columns():
        op.add_column("refunds", column)
    op.drop_constraint(op.f("ck_refunds_status_known"), "refunds")
    op.create_check_constraint(op.f("ck_refunds_status_known"), "refunds", STATES)
    for name in ("one_per_item", "batch", "item", "requested", "due"):
        op.drop_index(f"ix_refunds_{name}", "refunds")


def _change_sqlite() -> None:
    """Recreate the table: SQLite cannot change a CHECK (https://sqlite.org/lang_altertable.html).

    core.storage.schema.migrate has turned foreign keys off.
    """
    refunds = sa.Table("refunds", sa.MetaData(), autoload_with=op.get_bind(), resolve_fks=False)
    recreated = op.create_table(
        "refunds_new",
        *(
            sa.Column(column.name, column.type, nullable=column.nullable)
            for column in refunds.columns
        ),
        *_new_columns(),
        sa.CheckConstraint("gateway IN ('balance', 'card')", name=op.f("ck_refunds_gateway_known")),
        sa.CheckConstraint(STATES, name=op.f("ck_refunds_status_known")),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["refund_batches.batch_id"], name=op.f("fk_refunds_batch_id")
        ),
        sa.ForeignKeyConstraint(
            ["order_item_id"], ["order_items.order_item_id"], name=op.f("fk_refunds_order_item_id")
        ),
        sa.PrimaryKeyConstraint("refund_id", name=op.f("pk_refunds")),
    )
    op.execute(recreated.insert().from_select(refunds.columns.keys(), refunds.select()))
    op.drop_table("refunds")
    op.rename_table("refunds_new", "refunds")


def _schedule_looks() -> None:
    """Schedule a look at the card refunds of recent weeks: the bank may have returned one.

    Refunds in progress may have been sent to the provider.
    """
    refunds = sa.table(
        "refunds",
        sa.column("gateway", PLAIN),
        sa.column("status", PLAIN),
        sa.column("external_reference", PLAIN),
        sa.column("requested_at", Instant()),
        sa.column("asked_at", Instant()),
        sa.column("settled_at", Instant()),
        sa.column("next_look_at", Instant()),
    )
    was_asked = refunds.update().where(refunds.c.status == "processing")
    op.execute(was_asked.values(asked_at=refunds.c.requested_at))
    now = datetime.now(UTC)
    op.execute(
        refunds.update()
        .where(
            refunds.c.gateway == "card",
            refunds.c.status == "succeeded",
            refunds.c.external_reference.is_not(None),
            refunds.c.settled_at > now - LOOKED_AT_FOR,
        )
        .values(next_look_at=now)
    )
