"""The check or import that each user began last, as every process sees it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from core.storage import Instant

revision = "0023"
down_revision = "0022"

JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
PLAIN = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
IS_RUNNING = sa.text("state IN ('checking', 'importing')")


def upgrade() -> None:
    """Create the table, and the index that admits one running row."""
    op.create_table(
        "import_runs",
        sa.Column("user_id", PLAIN, nullable=False),
        sa.Column("run_id", PLAIN, nullable=False),
        sa.Column("email", PLAIN, nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("state", PLAIN, nullable=False),
        sa.Column("phase", PLAIN, nullable=False),
        sa.Column("share", sa.BigInteger(), nullable=False),
        sa.Column("is_cancelled", sa.Boolean(), nullable=False),
        sa.Column("failure", PLAIN, nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.Column("one", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_import_runs"),
    )
    op.create_index(
        "ix_import_runs_running",
        "import_runs",
        ["one"],
        unique=True,
        sqlite_where=IS_RUNNING,
        postgresql_where=IS_RUNNING,
    )
