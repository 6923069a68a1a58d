"""Each column that people write has a twin to search in, and one to sort by."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

from core.ground import fold, sort_key
from core.storage.migrations.searched_columns import (
    existing_on_sqlite,
    index_on_sqlite,
    keep_on_sqlite,
)

revision = "0012"
down_revision = "0011"

PLAIN = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
# The columns that people write, and that a search of the table includes.
WRITTEN = {
    "orders": "widget_id author contact_email",
    "order_items": "product passenger_name passenger_email terminal flight_number",
    "transactions": "reference author",
    "deliveries": "recipient subject message last_error requested_by",
    "users": "email name",
    "audit_events": "actor entity_id before after",
}
JSON = {"before", "after"}  # nobody sorts by them
Twins = dict[str, tuple[str, Callable[[str], str]]]  # by name: the column, and what makes it
INDEXES = {
    "ix_orders_created": (
        *("created_at", "order_id", "contract_id", "widget_id", "widget_id_folded"),
    ),
    "ix_orders_widget": ("widget_id_sort_key", "created_at", "order_id"),
    "ix_orders_author": ("author_sort_key", "created_at", "order_id"),
    "ix_order_items_passenger": (
        *("passenger_name_sort_key", "order_item_id", "passenger_name_folded"),
    ),
    "ix_order_items_product": ("product_sort_key", "order_item_id", "product_folded"),
    "ix_order_items_terminal": ("terminal_sort_key", "order_item_id"),
    "ix_order_items_flight": ("flight_number_sort_key", "order_item_id", "flight_number_folded"),
    "ix_transactions_author": ("author_sort_key",),
}
INDEXES_OF = (
    "SELECT pg_class.relname, pg_get_indexdef(indexrelid) FROM pg_index "
    "JOIN pg_class ON pg_class.oid = indexrelid WHERE indrelid = to_regclass(:t) "
    "AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid) ORDER BY 1"
)
NEW_INDEXES = {
    "ix_deliveries_requested_by": ("requested_by_sort_key",),
    "ix_audit_events_entity_folded": ("entity_id_folded",),
    "ix_audit_events_actor": ("actor_sort_key",),
}
BATCH = 20_000  # rows


def upgrade() -> None:
    """Add and fill the twins, and let the indexes have them instead of the texts."""
    change = _change_sqlite if op.get_bind().dialect.name == "sqlite" else _change_postgresql
    for name in INDEXES:
        op.drop_index(name)
    for table, columns in WRITTEN.items():
        change(table, columns.split())
    for name, keys in (INDEXES | NEW_INDEXES).items():
        table = next(one for one in WRITTEN if name.startswith(f"ix_{one}_"))
        op.create_index(name, table, list(keys))
    op.execute("ANALYZE")


def _add_twins(table: str, columns: list[str]) -> Twins:
    """Add those that are missing."""
    stored = {one["name"]: one for one in sa.inspect(op.get_bind()).get_columns(table)}
    twins: Twins = {}
    for name in columns:
        makers = {"folded": fold} if name in JSON else {"folded": fold, "sort_key": sort_key}
        can_be_blank = bool(stored[name]["nullable"])
        for end, make in makers.items():
            if f"{name}_{end}" not in stored:
                twins[f"{name}_{end}"] = (name, make)
                default = None if can_be_blank else ""
                added = sa.Column(
                    f"{name}_{end}", PLAIN, nullable=can_be_blank, server_default=default
                )
                op.add_column(table, added)
    return twins


def _change_sqlite(table: str, columns: list[str]) -> None:
    """Let SQLite call our functions. The triggers, which also refuse changes, wait."""
    bind = op.get_bind()
    driver: Any = bind.connection.driver_connection
    found = sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :t")
    triggers = bind.execute(found, {"t": table}).all()
    searched = existing_on_sqlite(table)
    for name, _ in triggers:
        op.execute(f"DROP TRIGGER {name}")
    twins = _add_twins(table, columns)
    for function in (fold, sort_key):
        driver.create_function(function.__name__, 1, _unless_blank(function), deterministic=True)
    made = (f"{twin} = {make.__name__}({name})" for twin, (name, make) in twins.items())
    op.execute(f"UPDATE {table} SET {', '.join(made)}")  # noqa: S608 - our own names
    if searched:
        _search_sqlite(table, searched, columns)
    for name, definition in triggers:
        if not name.startswith(f"{table}_search_"):
            op.execute(definition)


def _unless_blank(function: Callable[[str], str]) -> Callable[[str | None], str | None]:
    return lambda value: None if value is None else function(value)


def _search_sqlite(table: str, searched: list[str], columns: list[str]) -> None:
    twins = [f"{one}_folded" if one in columns else one for one in searched]
    for old, new in zip(searched, twins, strict=True):
        if old != new:
            op.execute(f"DROP TABLE {table}_search_{old}")
            index_on_sqlite(table, new)
    keep_on_sqlite(table, twins)


def _change_postgresql(table: str, columns: list[str]) -> None:
    """Make the twins here, batch by batch, and join them. The triggers wait, as on SQLite.

    The indexes are created again: an update of all rows would change each of them row by row.
    """
    bind = op.get_bind()
    twins = _add_twins(table, columns)
    (key,) = sa.inspect(bind).get_pk_constraint(table)["constrained_columns"]
    indexes = bind.execute(sa.text(INDEXES_OF), {"t": table}).all()
    for name, _ in indexes:
        op.execute(f"DROP INDEX {name}")
    op.execute(
        f"CREATE TEMPORARY TABLE twins AS SELECT {key}, {', '.join(twins)} FROM {table} LIMIT 0"  # noqa: S608
    )
    _copy_twins(table, key, twins)
    op.execute("ANALYZE twins")
    op.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    made = ", ".join(f"{twin} = twins.{twin}" for twin in twins)
    op.execute(f"UPDATE {table} SET {made} FROM twins WHERE twins.{key} = {table}.{key}")  # noqa: S608
    op.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    op.execute("DROP TABLE twins")
    op.execute("SET LOCAL maintenance_work_mem = '256MB'")
    for name, definition in indexes:
        if name == f"ix_{table}_search":
            for column in columns:
                definition = definition.replace(f"lower({column})", f"{column}_folded")
        op.execute(definition)


def _copy_twins(table: str, key: str, twins: Twins) -> None:
    driver: Any = op.get_bind().connection.driver_connection
    sources = list(dict.fromkeys(name for name, _ in twins.values()))
    makers = [(sources.index(name) + 1, make) for name, make in twins.values()]
    texts = ", ".join(f"{name}::text" for name in sources)
    with driver.cursor(name="written") as rows, driver.cursor() as writer:
        rows.execute(f"SELECT {key}, {texts} FROM {table}")  # noqa: S608
        while batch := rows.fetchmany(BATCH):
            with writer.copy(f"COPY twins ({key}, {', '.join(twins)}) FROM STDIN") as copy:
                for row in batch:
                    made = (None if row[at] is None else make(row[at]) for at, make in makers)
                    copy.write_row((row[0], *made))
