"""The public keys of vouchers, which every process that shares the database accepts."""

import sqlalchemy as sa
from alembic import op

from core.storage import Instant

revision = "0021"
down_revision = "0020"

PLAIN = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table. The next start fills it with the keys that are in use."""
    op.create_table(
        "voucher_keys",
        sa.Column("key_id", PLAIN, nullable=False),
        sa.Column("public_key", PLAIN, nullable=False),
        sa.Column("added_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name="pk_voucher_keys"),
    )
