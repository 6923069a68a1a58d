"""The stored tables, as in the data model: keys made here, amounts in minor units, instants UTC."""

import os
import time
import uuid
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ColumnElement,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SQLColumnExpression,
    Text,
    TypeDecorator,
    UniqueConstraint,
    case,
    literal_column,
    text,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeEngine

from core.ground import (
    FREQUENT_CURRENCIES,
    MOST_DECIMALS,
    UNUSUAL_DECIMALS,
    USUAL_DECIMALS,
    Channel,
    DeliveryKind,
    DeliveryStatus,
    ItemStatus,
    Method,
    PaxType,
    ProductType,
    RefundStatus,
    Role,
    TransactionStatus,
    TransactionType,
)


class Instant(TypeDecorator[datetime]):
    """A UTC instant to the second: timestamptz on PostgreSQL, epoch seconds on SQLite.

    SQLite drops the zone of a DateTime silently, so a naive value is refused: ValueError.
    """

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column type of the database."""
        return DateTime(timezone=True) if dialect.name == "postgresql" else BigInteger()

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Turn an aware datetime into what the database stores."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        value = value.astimezone(UTC).replace(microsecond=0)
        return value if dialect.name == "postgresql" else int(value.timestamp())

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Turn what the database stores into an aware UTC datetime."""
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        return datetime.fromtimestamp(value, UTC)


# Text sorts by code point on both databases (SQLite does so by itself).
Plain = Text().with_variant(Text(collation="C"), "postgresql")
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    """Build the CHECK that keeps a column to the members of its enumeration."""
    allowed = ", ".join(f"'{member.value}'" for member in values)
    return CheckConstraint(f"{column} IN ({allowed})", name=f"{column}_known")


def _partial(name: str, column: str, *, where: str, unique: bool = False) -> Index:
    """Build an index of those rows alone for which a condition holds."""
    condition = text(where)
    return Index(name, column, unique=unique, sqlite_where=condition, postgresql_where=condition)


def new_id() -> str:
    """Return a new key: a UUID of version 7 (RFC 9562), which sorts by the time it was made."""
    made = (time.time_ns() // 1_000_000).to_bytes(6, "big") + os.urandom(10)
    number = int.from_bytes(made, "big")
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=number))


def in_common_units(
    amount: SQLColumnExpression[int], currency: SQLColumnExpression[str]
) -> ColumnElement[int]:
    """Return an amount in units that every currency shares: ten-thousandths of a major one.

    Written without bound values, so that an index can have it.
    """

    def factor(decimals: int) -> ColumnElement[int]:
        return literal_column(str(10 ** (MOST_DECIMALS - decimals)))

    decimals = dict.fromkeys(FREQUENT_CURRENCIES, USUAL_DECIMALS) | UNUSUAL_DECIMALS
    factors: dict[Any, Any] = {
        literal_column(f"'{code}'"): factor(count) for code, count in decimals.items()
    }
    factored = amount * case(factors, value=currency, else_=factor(USUAL_DECIMALS))
    return type_coerce(factored, BigInteger)


class Base(DeclarativeBase):
    """The parent of every stored table; names of constraints are stable, for migrations."""

    metadata = MetaData(
        naming_convention={
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Plain,
        int: BigInteger,
        datetime: Instant,
        dict[str, Any]: Json,
    }


class DatabaseFact(Base):
    """What is true of this database as a whole: the fact *demo* marks one filled with demo data."""

    __tablename__ = "database_facts"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class Contract(Base):
    """A customer's contract, with its currency and balance."""

    __tablename__ = "contracts"
    contract_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    currency: Mapped[str]
    balance_minor: Mapped[int] = mapped_column(default=0)


class User(Base):
    """A person who may sign in."""

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("issuer", "subject"), one_of("role", Role))
    user_id: Mapped[str] = mapped_column(primary_key=True)
    issuer: Mapped[str | None]
    subject: Mapped[str | None]
    email: Mapped[str] = mapped_column(unique=True)  # folded: unique without regard to case
    name: Mapped[str]
    name_folded: Mapped[str]
    role: Mapped[str]
    sees_all_contracts: Mapped[bool] = mapped_column(default=False)
    only_own_orders: Mapped[bool] = mapped_column(default=False)
    is_active: Mapped[bool] = mapped_column(default=True)


class SignIn(Base):
    """One sign-in with the provider, in one browser; without a user, of somebody not let in."""

    __tablename__ = "sign_ins"
    __table_args__ = (Index("ix_sign_ins_expires", "expires_at"),)
    sign_in_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.user_id"))
    began_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class UserContract(Base):
    """A contract that a user sees."""

    __tablename__ = "user_contracts"
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"), primary_key=True)
    contract_id: Mapped[str] = mapped_column(ForeignKey("contracts.contract_id"), primary_key=True)


class Order(Base):
    """An order: *Total* is item_count, the number of its order items."""

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint("item_count >= 1", name="item_count_positive"),
        Index("ix_orders_no", "no", unique=True),
        # The last two let a filter on them that finds little walk the index alone.
        Index("ix_orders_created", "created_at", "order_id", "contract_id", "widget_id"),
        Index("ix_orders_contract", "contract_id", "created_at", "order_id"),
        Index("ix_orders_widget", "widget_id", "created_at", "order_id"),
        Index("ix_orders_author", "author", "created_at", "order_id"),
        Index("ix_orders_currency", "currency"),
        Index("ix_orders_total", "item_count", "created_at", "order_id"),
        Index("ix_orders_author_folded", "author_folded", "created_at", "order_id"),
    )
    order_id: Mapped[str] = mapped_column(primary_key=True)
    no: Mapped[int]
    contract_id: Mapped[str] = mapped_column(ForeignKey("contracts.contract_id"))
    widget_id: Mapped[str | None]
    created_at: Mapped[datetime]
    author: Mapped[str]
    author_folded: Mapped[str]
    item_count: Mapped[int] = mapped_column(Integer)
    amount_minor: Mapped[int]
    currency: Mapped[str]
    contact_email: Mapped[str | None]


class OrderItem(Base):
    """One bought service of an order, with the voucher that stands for it."""

    __tablename__ = "order_items"
    __table_args__ = (
        one_of("product_type", ProductType),
        one_of("pax_type", PaxType),
        one_of("status", ItemStatus),
        CheckConstraint("price_minor >= 0", name="price_not_negative"),
        Index("ix_order_items_no", "no", unique=True),
        Index("ix_order_items_order", "order_id"),
        # In these, what comes after the key lets a filter on it read the index alone.
        Index(
            "ix_order_items_created",
            *("created_at", "order_item_id", "no", "order_id", "service_at", "airport_tz"),
            *("refund_expire_at", "refunded_at", "used_at"),
        ),
        Index("ix_order_items_service", "service_at", "order_item_id", "airport_tz"),
        Index("ix_order_items_flight", "flight_number", "order_item_id"),
        Index(
            "ix_order_items_passenger",
            *("passenger_name", "order_item_id", "passenger_name_folded"),
        ),
        # Of columns with few values: a sort by one has millions of rows that tie.
        Index("ix_order_items_contract", "contract_id", "order_item_id"),
        Index("ix_order_items_product_type", "product_type", "order_item_id"),
        Index("ix_order_items_product", "product", "order_item_id", "product_folded"),
        Index("ix_order_items_airport", "airport_iata", "order_item_id"),
        Index("ix_order_items_airport_tz", "airport_tz"),
        Index("ix_order_items_terminal", "terminal", "order_item_id"),
        Index("ix_order_items_pax_type", "pax_type", "order_item_id"),
        Index("ix_order_items_currency", "currency", "order_item_id", "price_minor"),
        Index("ix_order_items_refundable", "is_refundable", "order_item_id"),
        Index("ix_order_items_status", "status", "order_item_id", "valid_until"),
        Index(
            "ix_order_items_refund_expire",
            *("refund_expire_at", "valid_until", "currency", "contract_id", "price_minor"),
            *("status", "is_refundable"),
            sqlite_where=text("status = 'not_used' AND is_refundable"),
            postgresql_where=text("status = 'not_used' AND is_refundable"),
        ),
        Index("ix_order_items_voucher_code", "voucher_code", unique=True),
        Index("ix_order_items_voucher_serial", "voucher_serial", unique=True),
    )
    order_item_id: Mapped[str] = mapped_column(primary_key=True)
    no: Mapped[int]
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.order_id"))
    contract_id: Mapped[str] = mapped_column(ForeignKey("contracts.contract_id"))
    product_type: Mapped[str]
    product: Mapped[str]
    product_folded: Mapped[str]
    airport_iata: Mapped[str]
    airport_tz: Mapped[str]
    terminal: Mapped[str | None]
    pax_type: Mapped[str]
    passenger_name: Mapped[str]
    passenger_name_folded: Mapped[str]
    passenger_email: Mapped[str | None]
    service_at: Mapped[datetime]
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime]
    flight_number: Mapped[str | None]
    voucher_code: Mapped[str]
    voucher_serial: Mapped[bytes] = mapped_column(LargeBinary(8))
    price_minor: Mapped[int]
    currency: Mapped[str]
    is_refundable: Mapped[bool]
    refund_expire_at: Mapped[datetime | None]
    status: Mapped[str]
    used_at: Mapped[datetime | None]
    refunded_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


Index(
    "ix_order_items_price",
    in_common_units(OrderItem.price_minor, OrderItem.currency),
    OrderItem.order_item_id,
)


class RefundBatch(Base):
    """One request to refund: its key makes a replay return the first answer."""

    __tablename__ = "refund_batches"
    batch_id: Mapped[str] = mapped_column(primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    request_hash: Mapped[str]
    answer: Mapped[dict[str, Any]]
    requested_by: Mapped[str]
    created_at: Mapped[datetime]


class Refund(Base):
    """The refund of one order item; an item has at most one that counts (see IS_COUNTED)."""

    __tablename__ = "refunds"
    # A failed one counts if it had succeeded: the bank returned the money, the voucher stays void.
    IS_COUNTED = "status NOT IN ('failed', 'declined') OR failed_after_success_at IS NOT NULL"
    IS_RETURNED = "status = 'failed' AND failed_after_success_at IS NOT NULL"
    IS_OPEN = "status IN ('requested', 'processing')"
    __table_args__ = (
        one_of("status", RefundStatus),
        one_of("gateway", Method),
        _partial("ix_refunds_one_per_item", "order_item_id", where=IS_COUNTED, unique=True),
        Index("ix_refunds_batch", "batch_id"),
        Index("ix_refunds_item", "order_item_id"),
        Index("ix_refunds_requested", "requested_by", "requested_at"),
        Index("ix_refunds_reference", "external_reference", unique=True),
        _partial("ix_refunds_due", "next_attempt_at", where=IS_OPEN),
        _partial("ix_refunds_look", "next_look_at", where="next_look_at IS NOT NULL"),
        _partial("ix_refunds_returned", "order_item_id", where=IS_RETURNED),
    )
    refund_id: Mapped[str] = mapped_column(primary_key=True)
    batch_id: Mapped[str] = mapped_column(ForeignKey("refund_batches.batch_id"))
    order_item_id: Mapped[str] = mapped_column(ForeignKey("order_items.order_item_id"))
    order_id: Mapped[str]
    contract_id: Mapped[str]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    reason: Mapped[str]
    note: Mapped[str | None]
    gateway: Mapped[str]
    payment_reference: Mapped[str | None]  # of the payment that is refunded, at its provider
    status: Mapped[str]
    attempt: Mapped[int] = mapped_column(Integer, default=1)
    next_attempt_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    failure: Mapped[str | None]
    external_reference: Mapped[str | None]  # of the refund, at its provider
    requested_by: Mapped[str]
    requested_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]  # of this attempt: from then on it may have been paid
    stopped_by: Mapped[str | None]  # a refund at the provider that its last look-up stopped at
    failed_after_success_at: Mapped[datetime | None]
    next_look_at: Mapped[datetime | None]  # when the provider is asked whether it still stands
    decided_by: Mapped[str | None]  # who approved, declined, or gave a returned one's item back
    decided_at: Mapped[datetime | None]
    decision_note: Mapped[str | None]


class ProviderRefund(Base):
    """A refund that the card provider has of a payment, and that Order Desk did not make.

    It is to be matched with an order item, unless a row of ours holds its reference by now, or a
    person has dismissed it: it is of no order item.
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
    """An entry of the ledger, signed from the contract's side; append-only by trigger."""

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
        Index("ix_transactions_currency", "currency"),
        Index("ix_transactions_method", "method"),
        Index("ix_transactions_author", "author"),
        _partial(
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
    reference: Mapped[str | None]
    author: Mapped[str]


class DeliveryRequest(Base):
    """One request to send mail: its key makes a replay return the first answer."""

    __tablename__ = "delivery_requests"
    idempotency_key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    answer: Mapped[dict[str, Any]]
    requested_by: Mapped[str]
    created_at: Mapped[datetime]


class Delivery(Base):
    """One e-mail to one recipient, about order items of one contract."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("idempotency_key", "recipient", "contract_id"),
        one_of("kind", DeliveryKind),
        one_of("channel", Channel),
        one_of("status", DeliveryStatus),
        Index("ix_deliveries_queued", "queued_at", "delivery_id"),
        Index("ix_deliveries_requested", "requested_by", "queued_at"),
        Index(
            "ix_deliveries_due",
            "next_attempt_at",
            sqlite_where=text("status IN ('queued', 'sending')"),
            postgresql_where=text("status IN ('queued', 'sending')"),
        ),
    )
    delivery_id: Mapped[str] = mapped_column(primary_key=True)
    idempotency_key: Mapped[str]
    recipient: Mapped[str]
    contract_id: Mapped[str] = mapped_column(ForeignKey("contracts.contract_id"))
    order_id: Mapped[str | None]  # where all of its items are of one order
    item_count: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str]
    channel: Mapped[str]
    subject: Mapped[str]
    subject_folded: Mapped[str]
    message: Mapped[str | None]
    status: Mapped[str]
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    next_attempt_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    handed_over_at: Mapped[datetime | None]  # from then on the recipient may have it
    last_error: Mapped[str | None]
    may_be_twice: Mapped[bool] = mapped_column(default=False)
    message_id: Mapped[str]
    requested_by: Mapped[str]
    queued_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class DeliveryItem(Base):
    """An order item that an e-mail is about; `left_out` says why the mail went without it."""

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


class AuditEvent(Base):
    """Who did what, when, with what before and after; append-only by trigger."""

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_at", "at", "event_id"),
        Index("ix_audit_events_order", "order_id"),
        Index("ix_audit_events_entity", "entity_id", "action"),
    )
    event_id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    entity: Mapped[str]
    entity_id: Mapped[str]
    order_id: Mapped[str | None]
    contract_id: Mapped[str | None]
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]


class SavedView(Base):
    """A view that is kept: a named one, or an unnamed one too long for an address."""

    __tablename__ = "saved_views"
    __table_args__ = (UniqueConstraint("owner", "table_name", "name"),)
    view_id: Mapped[str] = mapped_column(primary_key=True)
    table_name: Mapped[str]
    owner: Mapped[str]
    name: Mapped[str | None]
    is_shared: Mapped[bool] = mapped_column(default=False)
    is_default: Mapped[bool] = mapped_column(default=False)
    view: Mapped[dict[str, Any]]
