"""The index of the audit trail that finds who has a copy of a voucher."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_audit_events_entity", "audit_events", ["entity_id", "action"])
