"""Refunds, their batches, the refunds of the card provider, and the ledger."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.ground import (
    Method,
    RefundStatus,
    TransactionStatus,
    TransactionType,
)
from core.storage.numbers import Numbers
from core.storage.types import Base, one_of, partial_index
from core.storage.written import Written


class RefundBatch(Base):
    """A request to refund. Its idempotency key makes a repeated request return the first answer."""

    __tablename__ = "refund_batches"
    batch_id: Mapped[str] = mapped_column(primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    request_hash: Mapped[str]
    answer: Mapped[dict[str, Any]]
    requested_by: Mapped[str]
    created_at: Mapped[datetime]


class Refund(Base):
    """The refund of one order item. An item has at most one that counts (see IS_COUNTED)."""

    __tablename__ = "refunds"
    # A refund that failed after it succeeded counts: the bank returned it, the voucher stays void.
    IS_COUNTED = "status NOT IN ('failed', 'declined') OR failed_after_success_at IS NOT NULL"
    IS_RETURNED = "status = 'failed' AND failed_after_success_at IS NOT NULL"
    IS_WAITING = "status = 'waiting'"
    IS_OPEN = "status IN ('requested', 'processing')"
    __table_args__ = (
        one_of("status", RefundStatus),
        one_of("gateway", Method),
        partial_index("ix_refunds_one_per_item", "order_item_id", where=IS_COUNTED, unique=True),
        Index("ix_refunds_no", "no", unique=True),
        Index("ix_refunds_ledger_no", "ledger_no", unique=True),
        Index("ix_refunds_created", "requested_at", "refund_id"),
        Index("ix_refunds_contract", "contract_id", "requested_at", "refund_id"),
        Index("ix_refunds_currency", "currency", "refund_id", "amount_minor"),
        Index("ix_refunds_status", "status", "requested_at", "refund_id"),
        Index("ix_refunds_reason", "reason", "requested_at", "refund_id"),
        Index("ix_refunds_settled", "settled_at", "refund_id"),
        Index("ix_refunds_order", "order_id"),
        Index("ix_refunds_requester", "requested_by_sort_key", "requested_at", "refund_id"),
        Index("ix_refunds_decider", "decided_by_sort_key", "requested_at", "refund_id"),
        Index("ix_refunds_batch", "batch_id"),
        Index("ix_refunds_item", "order_item_id"),
        Index("ix_refunds_requested", "requested_by", "requested_at"),
        Index("ix_refunds_reference", "external_reference", unique=True),
        partial_index("ix_refunds_due", "next_attempt_at", where=IS_OPEN),
        partial_index("ix_refunds_waiting", "requested_at", where=IS_WAITING),
        partial_index("ix_refunds_look", "next_look_at", where="next_look_at IS NOT NULL"),
        partial_index("ix_refunds_returned", "order_item_id", where=IS_RETURNED),
    )
    refund_id: Mapped[str] = mapped_column(primary_key=True)
    no: Mapped[int]
    batch_id: Mapped[str] = mapped_column(ForeignKey("refund_batches.batch_id"))
    order_item_id: Mapped[str] = mapped_column(ForeignKey("order_items.order_item_id"))
    order_id: Mapped[str]
    contract_id: Mapped[str]
    # Of the item, which never changes them: the table of refunds is searched and sorted by them.
    product_type: Mapped[str]
    product: Mapped[Written]
    passenger_name: Mapped[Written]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    reason: Mapped[str]
    note: Mapped[Written | None]
    gateway: Mapped[str]
    payment_reference: Mapped[str | None]  # the provider's ID of the payment
    status: Mapped[str]
    attempt: Mapped[int] = mapped_column(Integer, default=1)
    next_attempt_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    failure: Mapped[Written | None]
    external_reference: Mapped[Written | None]  # the provider's ID of the refund
    requested_by: Mapped[Written]
    requested_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]  # when this attempt was sent: it may have been paid
    stopped_by: Mapped[str | None]  # the provider's refund that stopped the last look-up
    failed_after_success_at: Mapped[datetime | None]
    next_look_at: Mapped[datetime | None]  # when to ask the provider if it still stands
    decided_by: Mapped[Written | None]  # who approved, declined, or gave back the item
    decided_at: Mapped[datetime | None]
    decision_note: Mapped[str | None]
    ledger_no: Mapped[int | None]  # reserved for the entry of this attempt's outcome


class RefundDecision(Base):
    """An approval or refusal of waiting refunds. Its key makes a repeat return the first answer."""

    __tablename__ = "refund_decisions"
    decision_id: Mapped[str] = mapped_column(primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    request_hash: Mapped[str]
    answer: Mapped[dict[str, Any]]
    decided_by: Mapped[str]
    created_at: Mapped[datetime]


class ProviderRefund(Base):
    """A refund at the card provider that Order Desk did not make.

    It has to be matched with an order item, unless a refund or transaction has its reference or a
    user has dismissed it (it belongs to no order item).
    """

    __tablename__ = "provider_refunds"
    __table_args__ = (Index("ix_provider_refunds_order", "order_id"),)
    reference: Mapped[str] = mapped_column(primary_key=True)
    payment_reference: Mapped[str]
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.order_id"))
    contract_id: Mapped[str] = mapped_column(ForeignKey("contracts.contract_id"))
    amount_minor: Mapped[int]
    currency: Mapped[str]
    found_at: Mapped[datetime]
    dismissed_by: Mapped[str | None]
    dismissed_at: Mapped[datetime | None]
    note: Mapped[str | None]


class Transaction(Base):
    """A ledger entry, signed from the contract's side; triggers make it append-only."""

    __tablename__ = "transactions"
    IS_REFUND_WITH_REFERENCE = "transactions.type = 'refund' AND transactions.reference IS NOT NULL"
    __table_args__ = (
        one_of("type", TransactionType),
        one_of("method", Method),
        one_of("status", TransactionStatus),
        CheckConstraint(
            "CASE type WHEN 'payment' THEN amount_minor < 0 WHEN 'adjustment' THEN "
            "amount_minor <> 0 ELSE amount_minor > 0 END",
            name="amount_sign",
        ),
        Index("ix_transactions_no", "no", unique=True),
        Index("ix_transactions_order", "order_id"),
        Index("ix_transactions_created", "created_at", "transaction_id"),
        Index("ix_transactions_contract", "contract_id", "created_at", "transaction_id"),
        Index("ix_transactions_item", "order_item_id"),
        Index("ix_transactions_type", "type"),
        Index("ix_transactions_status", "status"),
        Index("ix_transactions_currency", "currency", "transaction_id", "amount_minor"),
        Index("ix_transactions_method", "method"),
        Index("ix_transactions_author", "author_sort_key"),
        partial_index(
            "ix_transactions_refund_reference",
            "reference",
            where="type = 'refund' AND reference IS NOT NULL",
        ),
    )
    transaction_id: Mapped[str] = mapped_column(primary_key=True)
    no: Mapped[int]
    created_at: Mapped[datetime]
    contract_id: Mapped[str] = mapped_column(ForeignKey("contracts.contract_id"))
    order_id: Mapped[str | None] = mapped_column(ForeignKey("orders.order_id"))
    order_item_id: Mapped[str | None] = mapped_column(ForeignKey("order_items.order_item_id"))
    refund_id: Mapped[str | None] = mapped_column(ForeignKey("refunds.refund_id"))
    type: Mapped[str]
    method: Mapped[str]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    status: Mapped[str]
    reference: Mapped[Written | None]
    author: Mapped[Written]


REFUND_NUMBERS = Numbers("refunds_no", (Refund.no,))
# Those of entries that are not written yet are in use too.
TRANSACTION_NUMBERS = Numbers("transactions_no", (Transaction.no, Refund.ledger_no))
