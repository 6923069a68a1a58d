"""Refunds are a table on the screen: numbered, with what their item is, searched and sorted."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from core.ground import fold, sort_key
from core.storage.migrations.searched_columns import (
    existing_on_sqlite,
    index_on_postgresql,
    index_on_sqlite,
    keep_on_sqlite,
)

revision = "0016"
down_revision = "0015"

PLAIN = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
OF_ITEM = ("product_type", "product", "passenger_name")
# The columns that people write, each with whether it can be blank.
WRITTEN = {
    "product": False,
    "passenger_name": False,
    "note": True,
    "failure": True,
    "external_reference": True,
    "requested_by": False,
}
TWINS = {"folded": fold, "sort_key": sort_key}
INDEXES = {
    "ix_refunds_created": "requested_at refund_id",
    "ix_refunds_contract": "contract_id requested_at refund_id",
    "ix_refunds_currency": "currency refund_id amount_minor",
    "ix_refunds_status": "status requested_at refund_id",
    "ix_refunds_reason": "reason requested_at refund_id",
    "ix_refunds_settled": "settled_at refund_id",
    "ix_refunds_order": "order_id",
    "ix_refunds_requester": "requested_by_sort_key requested_at refund_id",
}
# Order IDs and contracts are searched in the table of orders.
SEARCHED = (
    "order_item_id product_folded passenger_name_folded currency note_folded failure_folded "
    "external_reference_folded requested_by_folded refund_id"
)
# Overview counts refunds by the hour in which they succeeded; a change of these columns matters.
COUNTED = ("contract_id", "currency", "amount_minor", "reason", "status", "settled_at")
BATCH = 10_000  # rows


def upgrade() -> None:
    """Add and fill the columns: the oldest refund is number 1."""
    added: list[sa.Column[Any]] = [
        sa.Column("no", sa.BigInteger(), nullable=False, server_default="0")
    ]
    added += [sa.Column("ledger_no", sa.BigInteger(), nullable=True)]
    added += [sa.Column(name, PLAIN, nullable=False, server_default="") for name in OF_ITEM]
    added += [
        sa.Column(
            f"{name}_{end}", PLAIN, nullable=is_blank, server_default=None if is_blank else ""
        )
        for name, is_blank in WRITTEN.items()
        for end in TWINS
    ]
    for column in added:
        op.add_column("refunds", column)
    of_item = ", ".join(f"{name} = found.{name}" for name in OF_ITEM)
    op.execute(
        f"UPDATE refunds SET no = found.number, {of_item} FROM (SELECT refund_id, "  # noqa: S608 - our own names
        "row_number() OVER (ORDER BY requested_at, refund_id) AS number, "
        f"{', '.join(f'order_items.{name}' for name in OF_ITEM)} FROM refunds "
        "JOIN order_items ON order_items.order_item_id = refunds.order_item_id) AS found "
        "WHERE found.refund_id = refunds.refund_id"
    )
    _fill_twins()
    op.create_index("ix_refunds_no", "refunds", ["no"], unique=True)
    op.create_index("ix_refunds_ledger_no", "refunds", ["ledger_no"], unique=True)
    for name, columns in INDEXES.items():
        op.create_index(name, "refunds", columns.split())
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE refunds_no OWNED BY refunds.no")
    _index_texts(SEARCHED.split())
    if op.get_bind().dialect.name == "sqlite":
        _watch_sqlite()
    else:
        _watch_postgresql()
    op.execute("DELETE FROM figures_made")  # the next reader counts all of them
    op.execute("ANALYZE refunds")


def _watch_sqlite() -> None:
    """Queue the hours that change, as for orders and order items."""
    is_made = "EXISTS (SELECT 1 FROM figures_made)"
    differs = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in COUNTED)
    for when, rows, condition in (
        ("INSERT", ("NEW",), is_made),
        ("UPDATE", ("OLD", "NEW"), f"({differs}) AND {is_made}"),
        ("DELETE", ("OLD",), is_made),
    ):
        queue = " ".join(
            "INSERT OR IGNORE INTO figure_changes (contract_id, hour, writer) "
            f"SELECT {row}.contract_id, {row}.settled_at / 3600 * 3600, '' "
            f"WHERE {row}.status = 'succeeded' AND {row}.settled_at IS NOT NULL;"
            for row in rows
        )
        op.execute(
            f"CREATE TRIGGER refunds_figures_{when.lower()} AFTER {when} ON refunds "
            f"WHEN {condition} BEGIN {queue} END"
        )


def _watch_postgresql() -> None:
    queue = (
        "INSERT INTO figure_changes SELECT DISTINCT contract_id, date_trunc('hour', settled_at), "
        "pg_current_xact_id()::text FROM {} WHERE status = 'succeeded' "
        "AND settled_at IS NOT NULL ON CONFLICT DO NOTHING;"
    )
    op.execute(
        "CREATE OR REPLACE FUNCTION queue_refund_figures() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN IF TG_OP <> 'INSERT' THEN {queue.format('old_rows')} END IF; "
        f"IF TG_OP <> 'DELETE' THEN {queue.format('new_rows')} END IF; RETURN NULL; END $$"
    )
    for when, rows in (
        ("INSERT", "NEW TABLE AS new_rows"),
        ("UPDATE", "OLD TABLE AS old_rows NEW TABLE AS new_rows"),
        ("DELETE", "OLD TABLE AS old_rows"),
    ):
        op.execute(
            f"CREATE TRIGGER refunds_figures_{when.lower()} AFTER {when} ON refunds "
            f"REFERENCING {rows} FOR EACH STATEMENT EXECUTE FUNCTION queue_refund_figures()"
        )


def _index_texts(columns: list[str]) -> None:
    """Create the search indexes, if the other tables have theirs."""
    if op.get_bind().dialect.name == "sqlite":
        if existing_on_sqlite("orders"):
            for column in columns:
                index_on_sqlite("refunds", column)
            keep_on_sqlite("refunds", columns)
    elif op.get_bind().scalar(sa.text("SELECT to_regclass('ix_orders_search')")) is not None:
        index_on_postgresql("refunds", columns)


def _fill_twins() -> None:
    bind, names = op.get_bind(), ", ".join(WRITTEN)
    rows = bind.execute(sa.text(f"SELECT refund_id, {names} FROM refunds")).mappings().all()  # noqa: S608
    sets = ", ".join(f"{name}_{end} = :{name}_{end}" for name in WRITTEN for end in TWINS)
    fill = sa.text(f"UPDATE refunds SET {sets} WHERE refund_id = :refund_id")  # noqa: S608
    for first in range(0, len(rows), BATCH):
        bind.execute(fill, [_twins_of(row) for row in rows[first : first + BATCH]])


def _twins_of(row: Any) -> dict[str, Any]:
    made = {
        f"{name}_{end}": None if row[name] is None else make(row[name])
        for name in WRITTEN
        for end, make in TWINS.items()
    }
    return made | {"refund_id": row["refund_id"]}
