"""The tables, described once: what grid, filters, Excel, import and help are made from."""

from core.ground import (
    ItemStatus,
    Method,
    PaxType,
    Permission,
    ProductType,
    TransactionStatus,
    TransactionType,
)
from core.storage import (
    Order,
    OrderItem,
    Transaction,
    has_refundable_item,
    has_returned_refund,
    has_unmatched_refund,
    status,
    status_in_order,
)
from core.tables.audit_trail import AUDIT_EVENTS, USERS
from core.tables.columns import Column, Kind, Table
from core.tables.emails import EMAILS

TEXT, CODE, NUMBER, MONEY, INSTANT, FLAG, BYTES = Kind


# One line each for what it is, and one for what it does: ruff would give every word its own.
# fmt: off
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
            "order_id", "Order ID", CODE, "The order's reference.",
            is_shown=True, is_required=True, is_reference=True, opens_order=True, width=190
        ),
        Column(
            "widget_id", "Widget ID", CODE,
            "The partner's booking widget the order came through; blank for a direct order.",
            has_choices=True, is_shown=True, width=190
        ),
        Column(
            "created_at", "Created Date", INSTANT, "When the order was made.",
            is_shown=True, is_required=True, width=170
        ),
        Column(
            "item_count", "Total", NUMBER, "How many order items the order has (not money).",
            is_shown=True, width=100
        ),
        Column(
            "contract_id", "Contract ID", CODE, "The contract the order is under.",
            has_choices=True, is_shown=True, is_required=True, width=150
        ),
        Column(
            "author", "Author", TEXT, "Who made the order.",
            has_choices=True, is_shown=True, is_required=True, width=240
        ),
        Column(
            "amount_minor", "Amount", MONEY,
            "The sum of the prices of the order's items.",
            if_blank="Worked out when not given.",
            is_offered=True, currency="currency", width=120
        ),
        Column(
            "currency", "Currency", CODE,
            "The currency of Amount (ISO 4217).",
            if_blank="The items' currency when not given.",
            has_choices=True, is_offered=True, width=110
        ),
        Column(
            "contact_email", "Contact E-mail", CODE, "Where to write to about the order.",
            is_offered=True, width=240
        ),
        Column(
            "refundable", "Refundable", FLAG, "Whether an item of the order can be refunded now.",
            has_choices=True, is_offered=True, width=120, derived=has_refundable_item
        ),
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
            "order_item_id", "Order Item ID", CODE, "The order item's reference.",
            is_shown=True, is_required=True, is_reference=True, width=190
        ),
        Column(
            "order_id", "Order ID", CODE, "The order it belongs to.",
            is_shown=True, is_required=True, is_reference=True, opens_order=True, width=180
        ),
        Column(
            "contract_id", "Contract ID", CODE,
            "The contract of its order; the order's when not given.",
            has_choices=True, is_offered=True, width=150
        ),
        Column(
            "product_type", "Product Type", CODE, "What kind of service it is.",
            has_choices=True, is_shown=True, is_required=True, allowed=ProductType, width=150
        ),
        Column(
            "product", "Product", TEXT, "The service as it is sold.",
            is_shown=True, is_required=True, width=230
        ),
        Column(
            "airport_iata", "Airport", CODE, "The airport's IATA code.",
            has_choices=True, is_shown=True, is_required=True, width=110
        ),
        Column(
            "terminal", "Terminal", CODE, "The terminal, if it matters.",
            has_choices=True, is_shown=True, width=110
        ),
        Column(
            "passenger_name", "Passenger", TEXT, "Whom the service is for.",
            is_shown=True, is_required=True, width=200
        ),
        Column(
            "pax_type", "Pax Type", CODE, "Adult, child or infant.",
            if_blank="Adult when not given.",
            has_choices=True, is_shown=True, allowed=PaxType, width=110
        ),
        Column(
            "service_at", "Service Date", INSTANT,
            "When the service is taken, in the airport's time zone.",
            is_shown=True, is_required=True, place_zone="airport_tz", width=175
        ),
        Column(
            "airport_tz", "Airport Time Zone", CODE,
            "The airport's time zone (IANA).",
            if_blank="Known from the airport when not given.",
            has_choices=True, is_shown=True, width=180
        ),
        Column(
            "flight_number", "Flight No", CODE, "The flight, if known.", is_shown=True, width=120
        ),
        Column(
            "voucher_code", "Voucher Code", CODE,
            "The code printed on the voucher.", if_blank="Made when not given.",
            is_shown=True, is_reference=True, width=170
        ),
        Column(
            "price_minor", "Price", MONEY, "What the item cost.",
            is_shown=True, is_required=True, currency="currency", width=110
        ),
        Column(
            "currency", "Currency", CODE, "The currency of Price (ISO 4217).",
            has_choices=True, is_shown=True, is_required=True, width=110
        ),
        Column(
            "status", "Status", CODE,
            "Not used, used, refund requested, refunded; expired once its day is over.",
            if_blank="Not used when not given; expired reads as not used.",
            has_choices=True, is_shown=True, allowed=ItemStatus, derived=status,
            sorted_by=status_in_order, width=150
        ),
        Column(
            "is_refundable", "Refundable", FLAG,
            "Whether the voucher can be refunded at all.", if_blank="No when not given.",
            has_choices=True, is_shown=True, width=120
        ),
        Column(
            "refund_expire_at", "Refund Expire Date", INSTANT,
            "The instant until which the item can be refunded, inclusive.",
            is_shown=True, width=175
        ),
        Column(
            "refunded_at", "Refunded At", INSTANT, "When the refund succeeded.",
            is_shown=True, width=175
        ),
        Column(
            "created_at", "Created Date", INSTANT,
            "When the item was made.", if_blank="The order's Created Date when not given.",
            is_shown=True, width=175
        ),
        Column(
            "used_at", "Used At", INSTANT, "When the voucher was used.",
            is_offered=True, width=175
        ),
        Column(
            "passenger_email", "Passenger E-mail", CODE, "The passenger's own address.",
            is_offered=True, width=240
        ),
        Column(
            "refund_returned", "Refund Returned", FLAG,
            "Whether the bank returned the money of its refund: refund it again.",
            has_choices=True, is_offered=True, width=140, derived=has_returned_refund
        ),
        Column(
            "unmatched_refund", "Unmatched Refund", FLAG,
            "Whether the card provider has a refund of its order that Order Desk did not make.",
            has_choices=True, is_offered=True, width=150, derived=has_unmatched_refund
        ),
        Column(
            "valid_from", "Valid From", INSTANT,
            "First instant of the service day at the airport.",
            if_blank="Worked out when not given.",
            place_zone="airport_tz"
        ),
        Column(
            "valid_until", "Valid Until", INSTANT,
            "Last second of the service day at the airport.",
            if_blank="Worked out when not given.",
            place_zone="airport_tz"
        ),
        Column(
            "voucher_serial", "Voucher Serial", BYTES,
            "Eight random bytes of the signed code, as 16 hexadecimal digits.",
            if_blank="Made when not given."
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
    seen_with=Permission.TRANSACTIONS,
    seen_in_order_with=Permission.OVERVIEW,
    hint_of_order="Its payment comes with the import of transactions, its refunds by themselves.",
    columns=(
        _NO,
        Column(
            "transaction_id", "Transaction ID", CODE, "The transaction's reference.",
            is_shown=True, is_required=True, is_reference=True, width=190
        ),
        Column(
            "created_at", "Created Date", INSTANT, "When it was entered.",
            is_shown=True, is_required=True, width=175
        ),
        Column(
            "type", "Type", CODE, "Payment, refund, top-up or adjustment.",
            has_choices=True, is_shown=True, is_required=True, allowed=TransactionType, width=120
        ),
        Column(
            "status", "Status", CODE, "Pending, succeeded or failed.",
            if_blank="Succeeded when not given.",
            has_choices=True, is_shown=True, allowed=TransactionStatus, width=120
        ),
        Column(
            "order_id", "Order ID", CODE, "The order it belongs to; blank for a top-up.",
            is_shown=True, is_reference=True, opens_order=True, width=180
        ),
        Column(
            "order_item_id", "Order Item ID", CODE,
            "The item it belongs to; a refund needs it.",
            is_shown=True, is_reference=True, width=190
        ),
        Column(
            "refund_id", "Refund ID", CODE, "The refund it is of; an adjustment of one returns it.",
            if_blank="Made for a refund when not given."
        ),
        Column(
            "contract_id", "Contract ID", CODE,
            "The contract whose money moved.", if_blank="The order's when not given.",
            has_choices=True, is_shown=True, width=140
        ),
        Column(
            "amount_minor", "Amount", MONEY,
            "Signed from the contract's side: a payment is below zero, a refund above.",
            is_shown=True, is_required=True, currency="currency", width=120
        ),
        Column(
            "currency", "Currency", CODE, "The currency of Amount (ISO 4217).",
            has_choices=True, is_shown=True, is_required=True, width=110
        ),
        Column(
            "method", "Method", CODE, "Balance or card.",
            if_blank="Balance when not given.",
            has_choices=True, is_shown=True, allowed=Method, width=110
        ),
        Column(
            "reference", "Reference", CODE, "The payment provider's reference.",
            is_shown=True, width=170
        ),
        Column(
            "author", "Author", CODE, "Who caused it.",
            if_blank="The order's author when not given.",
            has_choices=True, is_shown=True, width=240
        ),
    ),
)

ORDER_TABS = {
    "order_items": "products",
    "transactions": "transactions",
    "emails": "emails",
    "audit_trail": "history",
}
BOOKS = (ORDERS, ORDER_ITEMS, TRANSACTIONS)  # what is imported and dumped
TABLES = {table.name: table for table in (*BOOKS, EMAILS, USERS, AUDIT_EVENTS)}
