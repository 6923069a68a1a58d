"""Saved views whose owner has seen which words and IDs everyone can read in them.

Owners of views that were shared before are shown them once.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the column; no view that is shared has it yet."""
    column: sa.Column[bool] = sa.Column(
        "is_sharing_confirmed", sa.Boolean(), nullable=False, server_default=sa.false()
    )
    op.add_column("saved_views", column)
