"""The audit trail, and facts about the database as a whole."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.types import Base, partial_index
from core.storage.written import Written, WrittenJson

IS_IMPORT = "action = 'orders.imported'"


class DatabaseFact(Base):
    """A fact about the whole database: *demo* marks one that is filled with sample data."""

    __tablename__ = "database_facts"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class AuditEvent(Base):
    """An audit event: who did what when, with the values before and after; append-only."""

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_at", "at", "event_id"),
        Index("ix_audit_events_order", "order_id"),
        Index("ix_audit_events_entity", "entity_id", "action"),
        Index("ix_audit_events_entity_folded", "entity_id_folded"),
        Index("ix_audit_events_actor", "actor_sort_key"),
        partial_index("ix_audit_events_imported", "at", where=IS_IMPORT),
    )
    event_id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[Written]
    action: Mapped[str]
    entity: Mapped[str]
    entity_id: Mapped[Written]
    order_id: Mapped[str | None]
    contract_id: Mapped[str | None]
    before: Mapped[WrittenJson | None]
    after: Mapped[WrittenJson | None]
    # What core.history tells of it, with the names of that moment: the trail is never changed.
    sentence: Mapped[Written] = mapped_column(server_default="")
