"""Each audit event has its sentence, also the events of before.

Their sentences have the names and products of today. The facts that older versions did not store
with the event come from its refund and its order item.
"""

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from core.ground import fold, sort_key
from core.history import Event, sentence_of
from core.storage.triggers import without_triggers

revision = "0019"
down_revision = "0018"

PLAIN = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NAMES = ("sentence", "sentence_folded", "sentence_sort_key")
BATCH = 5_000  # events
EVENTS = sa.text(
    "SELECT e.event_id, e.actor, e.action, e.entity, e.entity_id, e.before, e.after, "
    "who.name AS actor_name, whom.name AS user_name, "
    "i.product, r.reason, r.note, r.gateway AS method FROM audit_events e "
    "LEFT JOIN users who ON who.email = e.actor "
    "LEFT JOIN users whom ON whom.email = e.entity_id "
    "LEFT JOIN refunds r ON r.refund_id = CASE WHEN e.entity = 'refund' THEN e.entity_id END "
    "LEFT JOIN order_items i ON i.order_item_id = CASE e.entity "
    "WHEN 'order_item' THEN e.entity_id WHEN 'refund' THEN r.order_item_id END "
    "WHERE e.event_id > :last ORDER BY e.event_id LIMIT :most"
)
LOOKED_UP = ("product", "reason", "note", "method")
INDEXES = (
    "SELECT pg_class.relname, pg_get_indexdef(indexrelid) FROM pg_index "
    "JOIN pg_class ON pg_class.oid = indexrelid WHERE indrelid = to_regclass('audit_events') "
    "AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid) ORDER BY 1"
)
Row = tuple[str, str, str, str]  # sentence, its twins, and the event's key


def upgrade() -> None:
    """Add the sentence and its twins, and fill them."""
    for name in NAMES:
        op.add_column(
            "audit_events", sa.Column(name, PLAIN, nullable=False, server_default=sa.text("''"))
        )
    bind = op.get_bind()
    with without_triggers(bind, ["audit_events"], "audit\\_events\\_no\\_%"):
        if bind.dialect.name == "sqlite":
            for rows in _told(bind):
                set_to = ", ".join(f"{name} = ?" for name in NAMES)
                bind.exec_driver_sql(
                    f"UPDATE audit_events SET {set_to} WHERE event_id = ?",  # noqa: S608
                    rows,
                )
        else:
            _fill_postgresql(bind)


def _fill_postgresql(bind: sa.Connection) -> None:
    """Copy the sentences to a table of their own, and join it: faster than row by row.

    The indexes are created again: an update of all rows would change each of them row by row.
    """
    indexes = bind.execute(sa.text(INDEXES)).all()
    columns = ", ".join((*NAMES, "event_id"))
    op.execute(f"CREATE TEMPORARY TABLE told AS SELECT {columns} FROM audit_events LIMIT 0")  # noqa: S608
    driver: Any = bind.connection.driver_connection
    for rows in _told(bind):
        with driver.cursor() as cursor, cursor.copy(f"COPY told ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    for name, _ in indexes:
        op.execute(f"DROP INDEX {name}")
    op.execute("ANALYZE told")
    made = ", ".join(f"{name} = told.{name}" for name in NAMES)
    op.execute(
        f"UPDATE audit_events SET {made} FROM told WHERE told.event_id = audit_events.event_id"  # noqa: S608
    )
    op.execute("DROP TABLE told")
    for _, definition in indexes:
        op.execute(definition)


def _told(bind: sa.Connection) -> Iterator[list[Row]]:
    """Yield the sentences of all events, batch by batch."""
    last = ""
    while batch := bind.execute(EVENTS, {"last": last, "most": BATCH}).all():
        yield [
            (said, fold(said), sort_key(said), row.event_id)
            for row in batch
            for said in [_tell(row)]
        ]
        last = batch[-1].event_id


def _tell(row: sa.Row[Any]) -> str:
    looked_up = {name: getattr(row, name) for name in LOOKED_UP if getattr(row, name) is not None}
    return sentence_of(
        Event(
            action=row.action,
            actor=row.actor,
            entity=row.entity,
            entity_id=row.entity_id,
            before=_facts(row.before),
            after=looked_up | (_facts(row.after) or {}),
            names={row.entity_id: row.user_name or "", row.actor: row.actor_name or ""},
        )
    )


def _facts(stored: Any) -> dict[str, Any] | None:
    """Return stored JSON, which SQLite has as text."""
    facts = json.loads(stored) if isinstance(stored, str) else stored
    return facts if isinstance(facts, dict) else None
