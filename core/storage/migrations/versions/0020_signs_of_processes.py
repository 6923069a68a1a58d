"""A sign of life of each process of the application: its last successful write."""

import sqlalchemy as sa
from alembic import op

from core.storage import Instant

revision = "0020"
down_revision = "0019"

PLAIN = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "process_signs",
        sa.Column("process_id", PLAIN, nullable=False),
        sa.Column("name", PLAIN, nullable=False),
        sa.Column("signed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("process_id", name="pk_process_signs"),
    )
