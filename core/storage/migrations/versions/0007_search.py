"""Trigram indexes for the search, and column indexes for lists of values."""

import logging

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import DBAPIError

from core.storage.migrations.searched_columns import (
    index_on_postgresql,
    index_on_sqlite,
    keep_on_sqlite,
)

revision = "0007"
down_revision = "0006"

logger = logging.getLogger(__name__)

# Order IDs of order items and transactions are searched in the table of orders.
SEARCHED = {
    "orders": "order_id widget_id contract_id author_folded currency contact_email",
    "order_items": (
        "order_item_id product_folded airport_iata terminal passenger_name_folded airport_tz "
        "flight_number voucher_code currency passenger_email"
    ),
    "transactions": "transaction_id order_item_id contract_id currency reference author",
}
LISTED = {
    "ix_orders_author": ("orders", ["author", "created_at", "order_id"]),
    "ix_orders_currency": ("orders", ["currency"]),
    "ix_order_items_airport_tz": ("order_items", ["airport_tz"]),
    "ix_transactions_type": ("transactions", ["type"]),
    "ix_transactions_status": ("transactions", ["status"]),
    "ix_transactions_currency": ("transactions", ["currency"]),
    "ix_transactions_method": ("transactions", ["method"]),
    "ix_transactions_author": ("transactions", ["author"]),
    "ix_transactions_item": ("transactions", ["order_item_id"]),
}
SLOWER = "Until then, searches find the same rows but scan the whole table."


def upgrade() -> None:
    """Create the indexes, filled with the existing rows."""
    for name, (table, columns) in LISTED.items():
        op.create_index(name, table, columns)
    if op.get_bind().dialect.name == "sqlite":
        _search_sqlite()
    else:
        _search_postgresql()
    op.execute("ANALYZE")


def _search_sqlite() -> None:
    options = set(op.get_bind().scalars(sa.text("PRAGMA compile_options")))
    if "ENABLE_FTS5" not in options:
        logger.warning(
            "This SQLite has no FTS5, so the search has no index. Fix: use a Python whose SQLite "
            "has FTS5, and copy the database with it (python -m core copy). %s",
            SLOWER,
        )
        return
    for table, columns in SEARCHED.items():
        for column in columns.split():
            index_on_sqlite(table, column)
        keep_on_sqlite(table, columns.split())


def _search_postgresql() -> None:
    writer = op.get_bind()
    try:
        with writer.begin_nested():
            writer.execute(sa.text("CREATE EXTENSION IF NOT EXISTS pg_trgm"))
    except DBAPIError as error:
        logger.warning(
            "The PostgreSQL extension pg_trgm cannot be created, so the search has no index (%s). "
            "Fix: let a database admin run CREATE EXTENSION pg_trgm in an empty database, and "
            "copy this one to it (python -m core copy). %s",
            str(error.orig).strip().splitlines()[0],
            SLOWER,
        )
        return
    op.execute("SET LOCAL maintenance_work_mem = '256MB'")
    for table, columns in SEARCHED.items():
        index_on_postgresql(table, columns.split())
