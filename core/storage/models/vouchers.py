"""The attempts to verify vouchers, which are limited."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.types import Base


class VerificationAttempt(Base):
    """A code that a person verified within the last minute of theirs; older ones are deleted."""

    __tablename__ = "verification_attempts"
    __table_args__ = (Index("ix_verification_attempts_user", "user_id", "at"),)
    attempt_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str]
    at: Mapped[datetime]
