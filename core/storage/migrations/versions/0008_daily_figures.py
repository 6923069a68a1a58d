"""The daily figures, the triggers that record changes, and indexes for users with limited access.

The next start counts the figures (core.overview): figures_made is still empty.
"""

import sqlalchemy as sa
from alembic import op

from core.storage import Day, Instant

revision = "0008"
down_revision = "0007"

PLAIN = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
# An update of these columns changes the figures; of *status*, only a change from or to *refunded*.
WATCHED = {
    "orders": ("created_at", "contract_id", "widget_id", "amount_minor", "currency"),
    "order_items": (
        *("created_at", "contract_id", "product_type", "airport_iata", "price_minor", "currency"),
        "status",
    ),
}
CAN_BE_REFUNDED = sa.text("status = 'not_used' AND is_refundable")
QUEUE = (
    "INSERT OR IGNORE INTO figure_changes (contract_id, hour, writer) "
    "VALUES (ROW.contract_id, ROW.created_at / 3600 * 3600, '');"
)


def upgrade() -> None:
    """Create the tables, indexes and triggers."""
    keys = ("dimension", "span", "day", "contract_id", "currency", "value")
    sums = ("row_count", "amount_minor", "refunded_count", "refunded_minor")
    op.create_table(
        "daily_figures",
        *(sa.Column(name, Day() if name == "day" else PLAIN, nullable=False) for name in keys),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in sums),
        sa.PrimaryKeyConstraint(*keys, name=op.f("pk_daily_figures")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "figure_changes",
        sa.Column("contract_id", PLAIN, nullable=False),
        sa.Column("hour", Instant(), nullable=False),
        sa.Column("writer", PLAIN, nullable=False),
        sa.PrimaryKeyConstraint("contract_id", "hour", "writer", name=op.f("pk_figure_changes")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "figures_made",
        sa.Column("row", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("zone", PLAIN, nullable=False),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_figures_made")),
    )
    op.create_index(
        "ix_orders_author_folded", "orders", ["author_folded", "created_at", "order_id"]
    )
    op.create_index("ix_order_items_contract", "order_items", ["contract_id", "order_item_id"])
    # Created again, with all columns of the value-at-risk query.
    op.drop_index("ix_order_items_refund_expire", "order_items")
    op.create_index(
        "ix_order_items_refund_expire",
        "order_items",
        [
            *("refund_expire_at", "valid_until", "currency", "contract_id", "price_minor"),
            *("status", "is_refundable"),
        ],
        sqlite_where=CAN_BE_REFUNDED,
        postgresql_where=CAN_BE_REFUNDED,
    )
    if op.get_bind().dialect.name == "sqlite":
        for table, columns in WATCHED.items():
            _watch_sqlite(table, columns)
    else:
        _watch_postgresql()
    op.execute("ANALYZE")


def _watch_sqlite(table: str, columns: tuple[str, ...]) -> None:
    """Queue changes row by row, once the figures exist; counting them reads all rows anyway."""
    is_made = "EXISTS (SELECT 1 FROM figures_made)"
    differs = " OR ".join(_differs(name) for name in columns)
    for when, rows, condition in (
        ("INSERT", ("NEW",), is_made),
        ("UPDATE", ("OLD", "NEW"), f"({differs}) AND {is_made}"),
        ("DELETE", ("OLD",), is_made),
    ):
        queue = " ".join(QUEUE.replace("ROW", row) for row in rows)
        op.execute(
            f"CREATE TRIGGER {table}_figures_{when.lower()} AFTER {when} ON {table} "
            f"WHEN {condition} BEGIN {queue} END"
        )


def _differs(name: str) -> str:
    if name == "status":
        return "(OLD.status = 'refunded') <> (NEW.status = 'refunded')"
    return f"OLD.{name} IS NOT NEW.{name}"


def _watch_postgresql() -> None:
    """Queue changes by statement, with the transaction's ID in the key, so that no writer waits.

    A transaction always queues, since it may begin before the figures exist and end after.
    """
    queue = (
        "INSERT INTO figure_changes SELECT DISTINCT contract_id, date_trunc('hour', created_at), "
        "pg_current_xact_id()::text FROM {} ON CONFLICT DO NOTHING;"
    )
    op.execute(
        "CREATE OR REPLACE FUNCTION queue_figures() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF TG_OP <> 'INSERT' THEN {queue.format('old_rows')} END IF; "
        f"IF TG_OP <> 'DELETE' THEN {queue.format('new_rows')} END IF; "
        "RETURN NULL; END $$"
    )
    for table in WATCHED:
        for when, rows in (
            ("INSERT", "NEW TABLE AS new_rows"),
            ("UPDATE", "OLD TABLE AS old_rows NEW TABLE AS new_rows"),
            ("DELETE", "OLD TABLE AS old_rows"),
        ):
            op.execute(
                f"CREATE TRIGGER {table}_figures_{when.lower()} AFTER {when} ON {table} "
                f"REFERENCING {rows} FOR EACH STATEMENT EXECUTE FUNCTION queue_figures()"
            )
