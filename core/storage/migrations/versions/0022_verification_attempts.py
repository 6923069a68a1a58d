"""The attempts to verify vouchers: all processes count them together."""

import sqlalchemy as sa
from alembic import op

from core.storage import Instant

revision = "0022"
down_revision = "0021"

PLAIN = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "verification_attempts",
        sa.Column("attempt_id", PLAIN, nullable=False),
        sa.Column("user_id", PLAIN, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("attempt_id", name="pk_verification_attempts"),
    )
    op.create_index("ix_verification_attempts_user", "verification_attempts", ["user_id", "at"])
