"""The tables, described once: what grid, filters, Excel, import and help are made from."""

from core.columns import Column, Kind, Table
from core.models import Order, OrderItem, Transaction
from core.states import (
    ItemStatus,
    Method,
    PaxType,
    ProductType,
    TransactionStatus,
    TransactionType,
)

TEXT, CODE, NUMBER, MONEY, INSTANT, FLAG, BYTES = Kind

_NO = Column(
    "no", "No", NUMBER, "Running number of the row, never a reference.", is_shown=True, width=100
)

ORDERS = Table(
    name="orders",
    title="Orders",
    one="order",
    many="orders",
    model=Order,
    key="order_id",
    columns=(
        _NO,
        Column(
            "order_id",
            "Order ID",
            CODE,
            "The order's reference.",
            is_shown=True,
            is_required=True,
            width=190,
        ),
        Column(
            "widget_id",
            "Widget ID",
            CODE,
            "The partner's booking widget the order came through; blank for a direct order.",
            has_choices=True,
            is_shown=True,
            width=170,
        ),
        Column(
            "created_at",
            "Created Date",
            INSTANT,
            "When the order was made.",
            is_shown=True,
            is_required=True,
            width=180,
        ),
        Column(
            "item_count",
            "Total",
            NUMBER,
            "How many order items the order has (not money).",
            is_shown=True,
            width=100,
        ),
        Column(
            "contract_id",
            "Contract ID",
            CODE,
            "The contract the order is under.",
            has_choices=True,
            is_shown=True,
            is_required=True,
            width=170,
        ),
        Column(
            "author",
            "Author",
            TEXT,
            "Who made the order.",
            has_choices=True,
            is_shown=True,
            is_required=True,
            width=260,
        ),
        Column(
            "amount_minor",
            "Amount",
            MONEY,
            "The sum of the prices of the order's items; worked out when not given.",
            currency="currency",
        ),
        Column(
            "currency",
            "Currency",
            CODE,
            "The currency of Amount (ISO 4217); the items' currency when not given.",
        ),
        Column("contact_email", "Contact E-mail", CODE, "Where to write to about the order."),
    ),
)

ORDER_ITEMS = Table(
    name="order_items",
    title="Order Items",
    one="order item",
    many="order items",
    model=OrderItem,
    key="order_item_id",
    columns=(
        _NO,
        Column(
            "order_item_id", "Order Item ID", CODE, "The order item's reference.", is_required=True
        ),
        Column("order_id", "Order ID", CODE, "The order it belongs to.", is_required=True),
        Column(
            "product_type",
            "Product Type",
            CODE,
            "What kind of service it is.",
            allowed=ProductType,
            is_required=True,
        ),
        Column("product", "Product", TEXT, "The service as it is sold.", is_required=True),
        Column("airport_iata", "Airport", CODE, "The airport's IATA code.", is_required=True),
        Column(
            "airport_tz",
            "Airport Time Zone",
            CODE,
            "The airport's time zone (IANA); known from the airport when not given.",
        ),
        Column("terminal", "Terminal", CODE, "The terminal, if it matters."),
        Column("passenger_name", "Passenger", TEXT, "Whom the service is for.", is_required=True),
        Column(
            "pax_type",
            "Pax Type",
            CODE,
            "Adult, child or infant; adult when not given.",
            allowed=PaxType,
        ),
        Column("passenger_email", "Passenger E-mail", CODE, "The passenger's own address."),
        Column(
            "service_at",
            "Service Date",
            INSTANT,
            "When the service is taken, in the airport's time zone.",
            place_zone="airport_tz",
            is_required=True,
        ),
        Column(
            "valid_from",
            "Valid From",
            INSTANT,
            "First instant of the service day at the airport; worked out when not given.",
            place_zone="airport_tz",
        ),
        Column(
            "valid_until",
            "Valid Until",
            INSTANT,
            "Last second of the service day at the airport; worked out when not given.",
            place_zone="airport_tz",
        ),
        Column("flight_number", "Flight No", CODE, "The flight, if known."),
        Column(
            "voucher_code",
            "Voucher Code",
            CODE,
            "The code printed on the voucher; made when not given.",
        ),
        Column(
            "voucher_serial",
            "Voucher Serial",
            BYTES,
            "Eight random bytes of the signed code, as 16 hexadecimal digits; made when not given.",
        ),
        Column(
            "price_minor",
            "Price",
            MONEY,
            "What the item cost.",
            currency="currency",
            is_required=True,
        ),
        Column("currency", "Currency", CODE, "The currency of Price (ISO 4217).", is_required=True),
        Column(
            "status",
            "Status",
            CODE,
            "Not used, used or refunded; not used when not given. Expired reads as not used.",
            allowed=ItemStatus,
        ),
        Column(
            "is_refundable",
            "Refundable",
            FLAG,
            "Whether the voucher can be refunded at all; no when not given.",
        ),
        Column(
            "refund_expire_at",
            "Refund Expire Date",
            INSTANT,
            "The instant until which the item can be refunded, inclusive.",
        ),
        Column("used_at", "Used At", INSTANT, "When the voucher was used."),
        Column("refunded_at", "Refunded At", INSTANT, "When the refund succeeded."),
        Column(
            "created_at",
            "Created Date",
            INSTANT,
            "When the item was made; the order's Created Date when not given.",
        ),
    ),
)

TRANSACTIONS = Table(
    name="transactions",
    title="Transactions",
    one="transaction",
    many="transactions",
    model=Transaction,
    key="transaction_id",
    columns=(
        _NO,
        Column(
            "transaction_id",
            "Transaction ID",
            CODE,
            "The transaction's reference.",
            is_required=True,
        ),
        Column("created_at", "Created Date", INSTANT, "When it was entered.", is_required=True),
        Column(
            "type",
            "Type",
            CODE,
            "Payment, refund, top-up or adjustment.",
            allowed=TransactionType,
            is_required=True,
        ),
        Column(
            "status",
            "Status",
            CODE,
            "Pending, succeeded or failed; succeeded when not given.",
            allowed=TransactionStatus,
        ),
        Column("order_id", "Order ID", CODE, "The order it belongs to; blank for a top-up."),
        Column(
            "order_item_id", "Order Item ID", CODE, "The item it belongs to; a refund needs it."
        ),
        Column("refund_id", "Refund ID", CODE, "The refund that made it; made when not given."),
        Column(
            "contract_id",
            "Contract ID",
            CODE,
            "The contract whose money moved; the order's when not given.",
        ),
        Column(
            "amount_minor",
            "Amount",
            MONEY,
            "Signed from the contract's side: a payment is below zero, a refund above.",
            currency="currency",
            is_required=True,
        ),
        Column(
            "currency", "Currency", CODE, "The currency of Amount (ISO 4217).", is_required=True
        ),
        Column(
            "method", "Method", CODE, "Balance or card; balance when not given.", allowed=Method
        ),
        Column("reference", "Reference", CODE, "The payment provider's reference."),
        Column("author", "Author", CODE, "Who caused it; the order's author when not given."),
    ),
)

TABLES = {table.name: table for table in (ORDERS, ORDER_ITEMS, TRANSACTIONS)}
