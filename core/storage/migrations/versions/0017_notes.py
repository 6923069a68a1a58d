"""Notes on orders: append-only, with a search index; e-mails to those whom they mention."""

import sqlalchemy as sa
from alembic import op

from core.ground import DeliveryKind
from core.storage import Instant
from core.storage.checks import allow_values
from core.storage.migrations.searched_columns import (
    existing_on_sqlite,
    index_on_postgresql,
    index_on_sqlite,
    keep_on_sqlite,
)

revision = "0017"
down_revision = "0016"

PLAIN = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
IS_OPEN = sa.text("follow_up_on IS NOT NULL AND done_at IS NULL AND withdrawn_at IS NULL")
SEARCHED = "text_folded"
# What never changes.
FIXED = (
    *("note_id", "no", "order_id", "contract_id", "created_at", "author"),
    *("follow_up_on", "follow_up_by", "idempotency_key", "request_hash"),
)
# What happens to a note later, once.
ONCE = (("done_at", "done_by"), ("withdrawn_at", "withdrawn_by"))


def upgrade() -> None:
    """Create the table, its indexes, and the triggers that refuse to rewrite a note."""
    op.create_table(
        "notes",
        sa.Column("note_id", PLAIN, nullable=False),
        sa.Column("no", sa.BigInteger(), nullable=False),
        sa.Column("order_id", PLAIN, nullable=False),
        sa.Column("contract_id", PLAIN, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("author", PLAIN, nullable=False),
        sa.Column("text", PLAIN, nullable=True),
        sa.Column("follow_up_on", PLAIN, nullable=True),
        sa.Column("follow_up_by", PLAIN, nullable=True),
        sa.Column("done_at", Instant(), nullable=True),
        sa.Column("done_by", PLAIN, nullable=True),
        sa.Column("withdrawn_at", Instant(), nullable=True),
        sa.Column("withdrawn_by", PLAIN, nullable=True),
        sa.Column("idempotency_key", PLAIN, nullable=True),
        sa.Column("request_hash", PLAIN, nullable=True),
        sa.Column("author_folded", PLAIN, nullable=False),
        sa.Column("author_sort_key", PLAIN, nullable=False),
        sa.Column("text_folded", PLAIN, nullable=True),
        sa.Column("text_sort_key", PLAIN, nullable=True),
        sa.CheckConstraint(
            "(text IS NULL) = (withdrawn_at IS NOT NULL)",
            name=op.f("ck_notes_text_unless_withdrawn"),
        ),
        sa.CheckConstraint(
            "(follow_up_on IS NULL) = (follow_up_by IS NULL)",
            name=op.f("ck_notes_follow_up_complete"),
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.order_id"], name=op.f("fk_notes_order_id")),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.contract_id"], name=op.f("fk_notes_contract_id")
        ),
        sa.PrimaryKeyConstraint("note_id", name=op.f("pk_notes")),
    )
    op.create_index("ix_notes_no", "notes", ["no"], unique=True)
    op.create_index("ix_notes_created", "notes", ["created_at", "note_id"])
    op.create_index("ix_notes_contract", "notes", ["contract_id", "created_at", "note_id"])
    op.create_index("ix_notes_order", "notes", ["order_id", "created_at", "no"])
    op.create_index(
        "ix_notes_follow_up",
        "notes",
        ["follow_up_by", "follow_up_on", "order_id"],
        sqlite_where=IS_OPEN,
        postgresql_where=IS_OPEN,
    )
    op.create_index("ix_notes_key", "notes", ["idempotency_key"], unique=True)
    op.add_column("deliveries", sa.Column("note_id", PLAIN, nullable=True))
    op.create_index("ix_deliveries_note", "deliveries", ["note_id"])
    allow_values(op.get_bind(), "deliveries", "kind", DeliveryKind)
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
        if existing_on_sqlite("orders"):
            index_on_sqlite("notes", SEARCHED)
            keep_on_sqlite("notes", [SEARCHED])
    else:
        op.execute("CREATE SEQUENCE notes_no OWNED BY notes.no")
        _guard_postgresql()
        if op.get_bind().scalar(sa.text("SELECT to_regclass('ix_orders_search')")):
            index_on_postgresql("notes", [SEARCHED])


def _rewrites(differs: str) -> str:
    """Return the condition that an update does more than to close the follow-up or withdraw."""
    changed = [f"OLD.{name} {differs} NEW.{name}" for name in FIXED]
    for at, by in ONCE:
        again = f"OLD.{at} {differs} NEW.{at} OR OLD.{by} {differs} NEW.{by}"
        changed.append(f"OLD.{at} IS NOT NULL AND ({again})")
    erases = "NEW.text IS NULL AND OLD.withdrawn_at IS NULL AND NEW.withdrawn_at IS NOT NULL"
    changed.append(f"OLD.text {differs} NEW.text AND NOT ({erases})")
    return " OR ".join(f"({one})" for one in changed)


def _guard_sqlite() -> None:
    refuse = "BEGIN SELECT RAISE(ABORT, 'notes is append-only'); END"
    exists = " OR ".join(
        f"EXISTS (SELECT 1 FROM notes WHERE {name} = NEW.{name})"  # noqa: S608 - our own names
        for name in ("rowid", "note_id", "no")
    )
    op.execute(
        f"CREATE TRIGGER notes_no_update BEFORE UPDATE ON notes "
        f"WHEN NEW.rowid <> OLD.rowid OR {_rewrites('IS NOT')} {refuse}"
    )
    op.execute(f"CREATE TRIGGER notes_no_delete BEFORE DELETE ON notes {refuse}")
    # REPLACE fires no trigger against deleting: see 0010.
    op.execute(f"CREATE TRIGGER notes_no_replace BEFORE INSERT ON notes WHEN {exists} {refuse}")


def _guard_postgresql() -> None:
    refuse = "EXECUTE FUNCTION refuse_rewrite()"
    op.execute(
        "CREATE TRIGGER notes_no_update BEFORE UPDATE ON notes "
        f"FOR EACH ROW WHEN ({_rewrites('IS DISTINCT FROM')}) {refuse}"
    )
    op.execute(f"CREATE TRIGGER notes_no_delete BEFORE DELETE ON notes FOR EACH ROW {refuse}")
    op.execute(
        f"CREATE TRIGGER notes_no_truncate BEFORE TRUNCATE ON notes FOR EACH STATEMENT {refuse}"
    )
