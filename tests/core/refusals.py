"""What is left of a refused try: its audit event, and nothing else."""

from typing import Any

from sqlalchemy import select

from core import storage
from core.storage import AuditEvent, Base


def refusals() -> list[tuple[str, str]]:
    """Return who was refused what, in order."""
    events = select(AuditEvent.action, AuditEvent.actor).order_by(AuditEvent.event_id)
    with storage.reading() as session:
        rows = session.execute(events.where(AuditEvent.action.endswith(".refused")))
        return [(action, who) for action, who in rows]


def everything_stored() -> list[Any]:
    """Read every row of every table but the audit trail, so that two readings can be compared."""
    tables = [table for table in Base.metadata.sorted_tables if table.name != "audit_events"]
    with storage.reading() as session:
        return [sorted(map(tuple, session.execute(select(*table.c))), key=repr) for table in tables]
