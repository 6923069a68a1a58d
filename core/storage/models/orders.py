"""Contracts, orders and order items. Amounts are in minor units, instants in UTC."""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.ground import (
    ItemStatus,
    PaxType,
    ProductType,
)
from core.storage.types import Base, in_common_units, one_of
from core.storage.written import Written


class Contract(Base):
    """A customer's contract, with its currency and balance."""

    __tablename__ = "contracts"
    # Rows sorted by the names of their contracts are read contract by contract. SQLite reads them
    # in the order of the next column too, if it knows that no two contracts are the same.
    __table_args__ = (Index("ix_contracts_name", "name_sort_key", "contract_id", unique=True),)
    contract_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[Written]
    currency: Mapped[str]
    balance_minor: Mapped[int] = mapped_column(default=0)
    # What one person may refund within 24 hours; above it a second person approves. None: no limit.
    refund_limit_minor: Mapped[int | None]


class Order(Base):
    """An order. Its *Total* is item_count, the number of its order items."""

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint("item_count >= 1", name="item_count_positive"),
        Index("ix_orders_no", "no", unique=True),
        # With its last columns, a filter on them with few matches scans only the index.
        Index(
            "ix_orders_created",
            *("created_at", "order_id", "contract_id", "widget_id", "widget_id_folded"),
        ),
        Index("ix_orders_contract", "contract_id", "created_at", "order_id"),
        Index("ix_orders_widget", "widget_id_sort_key", "created_at", "order_id"),
        Index("ix_orders_author", "author_sort_key", "created_at", "order_id"),
        Index("ix_orders_currency", "currency", "order_id", "amount_minor"),
        Index("ix_orders_total", "item_count", "created_at", "order_id"),
        Index("ix_orders_author_folded", "author_folded", "created_at", "order_id"),
    )
    order_id: Mapped[str] = mapped_column(primary_key=True)
    no: Mapped[int]
    contract_id: Mapped[str] = mapped_column(ForeignKey("contracts.contract_id"))
    widget_id: Mapped[Written | None]
    created_at: Mapped[datetime]
    author: Mapped[Written]
    item_count: Mapped[int] = mapped_column(Integer)
    amount_minor: Mapped[int]
    currency: Mapped[str]
    contact_email: Mapped[Written | None]


# The condition of a partial index, whatever the time is. Only a query with the same words uses it.
MAY_BE_REFUNDED = "status = 'not_used' AND is_refundable"


class OrderItem(Base):
    """An order item: one service of an order, with its voucher."""

    __tablename__ = "order_items"
    __table_args__ = (
        one_of("product_type", ProductType),
        one_of("pax_type", PaxType),
        one_of("status", ItemStatus),
        CheckConstraint("price_minor >= 0", name="price_not_negative"),
        Index("ix_order_items_no", "no", unique=True),
        Index("ix_order_items_order", "order_id"),
        # The columns after the key let a filter on them read the index alone.
        Index(
            "ix_order_items_created",
            *("created_at", "order_item_id", "no", "order_id", "service_at", "airport_tz"),
            *("refund_expire_at", "refunded_at", "used_at"),
        ),
        Index("ix_order_items_service", "service_at", "order_item_id", "airport_tz"),
        Index(
            "ix_order_items_flight",
            *("flight_number_sort_key", "order_item_id", "flight_number_folded"),
        ),
        Index(
            "ix_order_items_passenger",
            *("passenger_name_sort_key", "order_item_id", "passenger_name_folded"),
        ),
        # Columns with few values end in the key, which orders the millions of rows that tie.
        Index("ix_order_items_contract", "contract_id", "order_item_id"),
        Index("ix_order_items_product_type", "product_type", "order_item_id"),
        Index("ix_order_items_product", *("product_sort_key", "order_item_id", "product_folded")),
        Index("ix_order_items_airport", "airport_iata", "order_item_id"),
        Index("ix_order_items_airport_tz", "airport_tz"),
        Index("ix_order_items_terminal", "terminal_sort_key", "order_item_id"),
        Index("ix_order_items_pax_type", "pax_type", "order_item_id"),
        Index("ix_order_items_currency", "currency", "order_item_id", "price_minor"),
        Index("ix_order_items_refundable", "is_refundable", "order_item_id"),
        Index("ix_order_items_status", "status", "order_item_id", "valid_until"),
        Index(
            "ix_order_items_refund_expire",
            *("refund_expire_at", "valid_until", "currency", "contract_id", "price_minor"),
            *("status", "is_refundable"),
            sqlite_where=text(MAY_BE_REFUNDED),
            postgresql_where=text(MAY_BE_REFUNDED),
        ),
        Index("ix_order_items_voucher_code", "voucher_code", unique=True),
        Index("ix_order_items_voucher_serial", "voucher_serial", unique=True),
    )
    order_item_id: Mapped[str] = mapped_column(primary_key=True)
    no: Mapped[int]
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.order_id"))
    contract_id: Mapped[str] = mapped_column(ForeignKey("contracts.contract_id"))
    product_type: Mapped[str]
    product: Mapped[Written]
    airport_iata: Mapped[str]
    airport_tz: Mapped[str]
    terminal: Mapped[Written | None]
    pax_type: Mapped[str]
    passenger_name: Mapped[Written]
    passenger_email: Mapped[Written | None]
    service_at: Mapped[datetime]
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime]
    flight_number: Mapped[Written | None]
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
