"""Sign-ins, and the case-folded names of users for the search."""

import sqlalchemy as sa
from alembic import op

from core.ground import fold
from core.storage import Instant

revision = "0006"
down_revision = "0005"

PLAIN = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table, and fold the names of the existing users."""
    op.create_table(
        "sign_ins",
        sa.Column("sign_in_id", PLAIN, nullable=False),
        sa.Column("user_id", PLAIN, nullable=True),
        sa.Column("began_at", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_sign_ins_user_id")),
        sa.PrimaryKeyConstraint("sign_in_id", name=op.f("pk_sign_ins")),
    )
    op.create_index("ix_sign_ins_expires", "sign_ins", ["expires_at"])
    op.add_column("users", sa.Column("name_folded", PLAIN, nullable=False, server_default=""))
    users = sa.table("users", *map(sa.column, ("user_id", "name", "name_folded")))
    for user_id, name in op.get_bind().execute(sa.select(users.c.user_id, users.c.name)).all():
        changed = sa.update(users).where(users.c.user_id == user_id)
        op.execute(changed.values(name_folded=fold(name)))
