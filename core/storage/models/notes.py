"""Notes that people write on orders."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.numbers import Numbers
from core.storage.types import Base
from core.storage.written import Written


class Note(Base):
    """A note on an order; triggers make it append-only.

    Only two things happen to it later, once each: its follow-up is done, and it is withdrawn, which
    erases the text. `follow_up_on` is a day (2026-12-03), without a time zone.
    """

    __tablename__ = "notes"
    IS_OPEN = "follow_up_on IS NOT NULL AND done_at IS NULL AND withdrawn_at IS NULL"
    __table_args__ = (
        CheckConstraint(
            "(text IS NULL) = (withdrawn_at IS NOT NULL)", name="text_unless_withdrawn"
        ),
        CheckConstraint(
            "(follow_up_on IS NULL) = (follow_up_by IS NULL)", name="follow_up_complete"
        ),
        Index("ix_notes_no", "no", unique=True),
        Index("ix_notes_created", "created_at", "note_id"),
        Index("ix_notes_contract", "contract_id", "created_at", "note_id"),
        Index("ix_notes_order", "order_id", "created_at", "no"),
        Index(
            "ix_notes_follow_up",
            *("follow_up_by", "follow_up_on", "order_id"),
            sqlite_where=sql(IS_OPEN),
            postgresql_where=sql(IS_OPEN),
        ),
        Index("ix_notes_key", "idempotency_key", unique=True),
    )
    note_id: Mapped[str] = mapped_column(primary_key=True)
    no: Mapped[int]
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.order_id"))
    contract_id: Mapped[str] = mapped_column(ForeignKey("contracts.contract_id"))
    created_at: Mapped[datetime]
    author: Mapped[Written]
    text: Mapped[Written | None]
    follow_up_on: Mapped[str | None]
    follow_up_by: Mapped[str | None]  # an e-mail address
    done_at: Mapped[datetime | None]
    done_by: Mapped[str | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[str | None]
    idempotency_key: Mapped[str | None]  # None if it was imported
    request_hash: Mapped[str | None]


NOTE_NUMBERS = Numbers("notes_no", (Note.no,))
