"""Refuse INSERT OR REPLACE over ledger entries and audit events in SQLite, by any program.

REPLACE deletes the row with the same unique value, and fires the trigger against deleting only on a
connection with `PRAGMA recursive_triggers=ON`, which other programs do not set. `rowid` is a unique
value too. PostgreSQL has no REPLACE.
"""

from alembic import op

revision = "0010"
down_revision = "0009"

UNIQUE = {
    "transactions": ("rowid", "transaction_id", "no"),
    "audit_events": ("rowid", "event_id"),
}


def upgrade() -> None:
    """Add the triggers."""
    if op.get_bind().dialect.name != "sqlite":
        return
    for table, names in UNIQUE.items():
        exists = " OR ".join(
            f"EXISTS (SELECT 1 FROM {table} WHERE {name} = NEW.{name})"  # noqa: S608 - our own names
            for name in names
        )
        refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {exists} {refuse}"
        )
        # A pending ledger entry may be updated, but not be moved into the place of another one.
        op.execute(
            f"CREATE TRIGGER {table}_no_move BEFORE UPDATE ON {table} "
            f"WHEN NEW.rowid <> OLD.rowid {refuse}"
        )
