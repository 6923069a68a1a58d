"""Refunds are searched and sorted by who decided about them."""

import sqlalchemy as sa
from alembic import op

from core.ground import fold, sort_key
from core.storage.migrations.searched_columns import (
    existing_on_sqlite,
    index_on_postgresql,
    index_on_sqlite,
    keep_on_sqlite,
)

revision = "0024"
down_revision = "0023"

PLAIN = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SEARCHED = (
    "order_item_id product_folded passenger_name_folded currency note_folded failure_folded "
    "external_reference_folded requested_by_folded decided_by_folded refund_id"
)


def upgrade() -> None:
    """Add and fill the columns to search in and to sort by, and index the former."""
    for name in ("decided_by_folded", "decided_by_sort_key"):
        op.add_column("refunds", sa.Column(name, PLAIN, nullable=True))
    bind = op.get_bind()
    people = bind.scalars(sa.text("SELECT DISTINCT decided_by FROM refunds")).all()
    fill = sa.text(
        "UPDATE refunds SET decided_by_folded = :folded, decided_by_sort_key = :sort_key "
        "WHERE decided_by = :who"
    )
    for who in filter(None, people):
        bind.execute(fill, {"who": who, "folded": fold(who), "sort_key": sort_key(who)})
    op.create_index(
        "ix_refunds_decider", "refunds", ["decided_by_sort_key", "requested_at", "refund_id"]
    )
    if bind.dialect.name == "sqlite":
        _search_sqlite()
    elif bind.scalar(sa.text("SELECT to_regclass('ix_refunds_search')")) is not None:
        op.execute("DROP INDEX ix_refunds_search")
        index_on_postgresql("refunds", SEARCHED.split())


def _search_sqlite() -> None:
    """Add the search table of who decided, and let the triggers keep it too."""
    searched = existing_on_sqlite("refunds")
    if not searched:
        return
    for when in ("insert", "delete", *(f"update_{name}" for name in searched)):
        op.execute(f"DROP TRIGGER refunds_search_{when}")
    index_on_sqlite("refunds", "decided_by_folded")
    keep_on_sqlite("refunds", SEARCHED.split())
