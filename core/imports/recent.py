"""The last imports, as the audit trail has them, with their outcome in words."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, text

from core import storage
from core.access import Actor, require
from core.ground import Permission
from core.imports.outcome import counts_in_words
from core.storage import IS_IMPORT, AuditEvent

MAX_RECENT = 5


@dataclass(frozen=True)
class PastImport:
    """An import: when, by whom, the names of its files, and its outcome."""

    at: datetime
    actor: str
    files: str
    outcome: str


def find_recent(*, actor: Actor) -> list[PastImport]:
    """Return the last imports of everyone, the newest first; raises NotPermitted."""
    require(actor, Permission.IMPORT)
    columns = AuditEvent.at, AuditEvent.actor, AuditEvent.entity_id, AuditEvent.after
    newest = AuditEvent.at.desc(), AuditEvent.event_id.desc()
    statement = select(*columns).where(text(IS_IMPORT)).order_by(*newest).limit(MAX_RECENT)
    with storage.reading() as session:
        found = session.execute(statement).all()
    return [PastImport(at, who, files, _in_words(after or {})) for at, who, files, after in found]


def _in_words(after: dict[str, Any]) -> str:
    counts = after.get("added", {}), after.get("unchanged", {}), after.get("used", 0)
    return " ".join(counts_in_words(*counts)) or "There was nothing to import."
