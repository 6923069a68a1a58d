"""An index of the imports in the audit trail: the last ones are found without all events."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

IS_IMPORT = sa.text("action = 'orders.imported'")


def upgrade() -> None:
    """Create the index of the few events that are imports."""
    op.create_index(
        "ix_audit_events_imported",
        "audit_events",
        ["at"],
        sqlite_where=IS_IMPORT,
        postgresql_where=IS_IMPORT,
    )
