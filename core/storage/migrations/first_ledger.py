"""The ledger of the first schema, and the triggers that make it and the audit trail append-only."""

import sqlalchemy as sa
from alembic import op

from core.storage import Instant

PLAIN = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

# The columns of a ledger entry that never change. Its status can change once, from pending to
# succeeded or failed.
LEDGER_COLUMNS = [
    "transaction_id",
    "no",
    "created_at",
    "contract_id",
    "order_id",
    "order_item_id",
    "refund_id",
    "type",
    "method",
    "amount_minor",
    "currency",
    "reference",
    "author",
]


def create_transactions() -> None:
    """Create the table of ledger entries and its indexes."""
    op.create_table(
        "transactions",
        sa.Column("transaction_id", PLAIN, nullable=False),
        sa.Column("no", sa.BigInteger(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("contract_id", PLAIN, nullable=False),
        sa.Column("order_id", PLAIN, nullable=True),
        sa.Column("order_item_id", PLAIN, nullable=True),
        sa.Column("refund_id", PLAIN, nullable=True),
        sa.Column("type", PLAIN, nullable=False),
        sa.Column("method", PLAIN, nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", PLAIN, nullable=False),
        sa.Column("status", PLAIN, nullable=False),
        sa.Column("reference", PLAIN, nullable=True),
        sa.Column("author", PLAIN, nullable=False),
        sa.CheckConstraint(
            "CASE type WHEN 'payment' THEN amount_minor < 0 WHEN 'adjustment' THEN "
            "amount_minor <> 0 ELSE amount_minor > 0 END",
            name=op.f("ck_transactions_amount_sign"),
        ),
        sa.CheckConstraint(
            "method IN ('balance', 'card')", name=op.f("ck_transactions_method_known")
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'succeeded', 'failed')",
            name=op.f("ck_transactions_status_known"),
        ),
        sa.CheckConstraint(
            "type IN ('payment', 'refund', 'top_up', 'adjustment')",
            name=op.f("ck_transactions_type_known"),
        ),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.contract_id"], name=op.f("fk_transactions_contract_id")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.order_id"], name=op.f("fk_transactions_order_id")
        ),
        sa.ForeignKeyConstraint(
            ["order_item_id"],
            ["order_items.order_item_id"],
            name=op.f("fk_transactions_order_item_id"),
        ),
        sa.ForeignKeyConstraint(
            ["refund_id"], ["refunds.refund_id"], name=op.f("fk_transactions_refund_id")
        ),
        sa.PrimaryKeyConstraint("transaction_id", name=op.f("pk_transactions")),
    )
    op.create_index(
        "ix_transactions_contract",
        "transactions",
        ["contract_id", "created_at", "transaction_id"],
        unique=False,
    )
    op.create_index("ix_transactions_no", "transactions", ["no"], unique=True)
    op.create_index("ix_transactions_order", "transactions", ["order_id"], unique=False)


def guard_ledger_and_audit_trail() -> None:
    """Refuse to change or delete their rows, but let a pending ledger entry settle once."""
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite("transactions", _ledger_rewrite("IS NOT"))
        _guard_sqlite("audit_events", "1")
    else:
        op.execute(
            "CREATE OR REPLACE FUNCTION refuse_rewrite() RETURNS trigger LANGUAGE plpgsql AS $$ "
            "BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
        )
        _guard_postgresql("transactions", _ledger_rewrite("IS DISTINCT FROM"))
        _guard_postgresql("audit_events", "true")


def _ledger_rewrite(differs: str) -> str:
    changed = " OR ".join(f"OLD.{name} {differs} NEW.{name}" for name in LEDGER_COLUMNS)
    settles = "OLD.status = 'pending' AND NEW.status IN ('succeeded', 'failed')"
    return f"NOT ({settles}) OR {changed}"


def _guard_sqlite(table: str, rewrites: str) -> None:
    refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    op.execute(
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} WHEN {rewrites} {refuse}"
    )
    op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refuse}")


def _guard_postgresql(table: str, rewrites: str) -> None:
    refuse = "EXECUTE FUNCTION refuse_rewrite()"
    op.execute(
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} "
        f"FOR EACH ROW WHEN ({rewrites}) {refuse}"
    )
    op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW {refuse}")
    op.execute(
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {refuse}"
    )
