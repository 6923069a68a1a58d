"""E-mails to send, and what each is about."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ForeignKey,
    Index,
    Integer,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.ground import (
    Channel,
    DeliveryKind,
    DeliveryStatus,
)
from core.storage.types import Base, one_of, partial_index
from core.storage.written import Written


class DeliveryRequest(Base):
    """A request to send e-mails. Its key makes a repeated request return the first answer."""

    __tablename__ = "delivery_requests"
    idempotency_key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    answer: Mapped[dict[str, Any]]
    requested_by: Mapped[str]
    created_at: Mapped[datetime]


class Delivery(Base):
    """The delivery of one e-mail to one recipient, about order items of one contract, or a note."""

    __tablename__ = "deliveries"
    IS_OPEN = "status IN ('queued', 'sending')"
    __table_args__ = (
        UniqueConstraint("idempotency_key", "recipient", "contract_id"),
        one_of("kind", DeliveryKind),
        one_of("channel", Channel),
        one_of("status", DeliveryStatus),
        Index("ix_deliveries_queued", "queued_at", "delivery_id"),
        Index("ix_deliveries_note", "note_id"),
        Index("ix_deliveries_requested", "requested_by", "queued_at"),
        Index("ix_deliveries_requested_by", "requested_by_sort_key"),
        partial_index("ix_deliveries_due", "next_attempt_at", where=IS_OPEN),
    )
    delivery_id: Mapped[str] = mapped_column(primary_key=True)
    idempotency_key: Mapped[str]
    recipient: Mapped[Written]
    contract_id: Mapped[str] = mapped_column(ForeignKey("contracts.contract_id"))
    order_id: Mapped[str | None]  # if all its items belong to one order
    note_id: Mapped[str | None]  # that mentions the recipient
    item_count: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str]
    channel: Mapped[str]
    subject: Mapped[Written]
    message: Mapped[Written | None]
    status: Mapped[str]
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    next_attempt_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    handed_over_at: Mapped[datetime | None]  # the recipient may have it from then on
    last_error: Mapped[Written | None]
    may_be_twice: Mapped[bool] = mapped_column(default=False)
    message_id: Mapped[str]
    requested_by: Mapped[Written]
    queued_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class DeliveryItem(Base):
    """An order item that an e-mail is about; `left_out` says why the e-mail does not include it."""

    __tablename__ = "delivery_items"
    __table_args__ = (
        Index("ix_delivery_items_item", "order_item_id"),
        Index("ix_delivery_items_order", "order_id"),
    )
    delivery_id: Mapped[str] = mapped_column(ForeignKey("deliveries.delivery_id"), primary_key=True)
    order_item_id: Mapped[str] = mapped_column(
        ForeignKey("order_items.order_item_id"), primary_key=True
    )
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.order_id"))
    contract_id: Mapped[str]
    left_out: Mapped[str | None]
