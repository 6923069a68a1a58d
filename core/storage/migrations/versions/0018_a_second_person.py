"""The limit of a contract, above which a second person approves refunds; their decisions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from core.storage import Instant

revision = "0018"
down_revision = "0017"

JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
PLAIN = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the limit (none at first), the index of waiting refunds and the table of decisions."""
    op.add_column("contracts", sa.Column("refund_limit_minor", sa.BigInteger(), nullable=True))
    is_waiting = sa.text("status = 'waiting'")
    op.create_index(
        "ix_refunds_waiting",
        "refunds",
        ["requested_at"],
        sqlite_where=is_waiting,
        postgresql_where=is_waiting,
    )
    op.create_table(
        "refund_decisions",
        sa.Column("decision_id", PLAIN, nullable=False),
        sa.Column("idempotency_key", PLAIN, nullable=False),
        sa.Column("request_hash", PLAIN, nullable=False),
        sa.Column("answer", JSON, nullable=False),
        sa.Column("decided_by", PLAIN, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("decision_id", name="pk_refund_decisions"),
        sa.UniqueConstraint("idempotency_key", name="uq_refund_decisions_idempotency_key"),
    )
