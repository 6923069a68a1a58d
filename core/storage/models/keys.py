"""The keys whose vouchers are genuine, for every process that shares the database."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from core.storage.types import Base


class VoucherKey(Base):
    """The public half of a key that signs vouchers. Private keys are never in the database."""

    __tablename__ = "voucher_keys"
    key_id: Mapped[str] = mapped_column(primary_key=True)
    public_key: Mapped[str]  # PEM
    added_at: Mapped[datetime]
