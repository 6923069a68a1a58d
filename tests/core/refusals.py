"""The effect of a refused attempt: its audit event, and nothing more."""

from typing import Any

from sqlalchemy import select

from core import storage
from core.storage import AuditEvent, Base


def refusals() -> list[tuple[str, str]]:
    """Return the refused permissions and their actors, in order."""
    events = select(AuditEvent.action, AuditEvent.actor).order_by(AuditEvent.event_id)
    with storage.reading() as session:
        rows = session.execute(events.where(AuditEvent.action.endswith(".refused")))
        return [(action, who) for action, who in rows]


def everything_stored() -> list[Any]:
    """Read all rows of all tables but the audit trail, to compare two states."""
    tables = [table for table in Base.metadata.sorted_tables if table.name != "audit_events"]
    with storage.reading() as session:
        return [sorted(map(tuple, session.execute(select(*table.c))), key=repr) for table in tables]
