"""The description of all tables. Grid, filters, Excel, import and help are made from it."""

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

# One line for what a column is, and one for its options; ruff would put each argument on its own.
# fmt: off
_NO = Column(
    "no", "No", Kind.NUMBER, "Row number. Quote the ID instead.", is_shown=True, width=100
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
            "order_id", "Order ID", Kind.CODE, "The ID of the order.",
            is_shown=True, is_required=True, is_reference=True, opens_order=True, width=190
        ),
        Column(
            "widget_id", "Widget ID", Kind.CODE,
            "The partner's booking widget that the order came from; blank for a direct order.",
            has_choices=True, is_shown=True, width=190
        ),
        Column(
            "created_at", "Created Date", Kind.INSTANT, "When the order was created.",
            is_shown=True, is_required=True, width=170
        ),
        Column(
            "item_count", "Total", Kind.NUMBER,
            "The number of order items in the order (not money).",
            is_shown=True, width=100
        ),
        Column(
            "contract_id", "Contract ID", Kind.CODE, "The contract of the order.",
            has_choices=True, is_shown=True, is_required=True, width=150
        ),
        Column(
            "author", "Author", Kind.TEXT, "Who created the order.",
            has_choices=True, is_shown=True, is_required=True, width=240
        ),
        Column(
            "amount_minor", "Amount", Kind.MONEY,
            "The sum of the prices of the order's items.",
            if_blank="Calculated if not given.",
            is_offered=True, currency="currency", width=120
        ),
        Column(
            "currency", "Currency", Kind.CODE,
            "The currency of Amount (ISO 4217).",
            if_blank="The currency of the items if not given.",
            has_choices=True, is_offered=True, width=110
        ),
        Column(
            "contact_email", "Contact E-mail", Kind.CODE,
            "The address for e-mails about the order.",
            is_offered=True, width=240
        ),
        Column(
            "refundable", "Refundable", Kind.FLAG,
            "Whether an item of the order can be refunded now.",
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
            "order_item_id", "Order Item ID", Kind.CODE, "The ID of the order item.",
            is_shown=True, is_required=True, is_reference=True, width=190
        ),
        Column(
            "order_id", "Order ID", Kind.CODE, "The order that the item belongs to.",
            is_shown=True, is_required=True, is_reference=True, opens_order=True, width=180
        ),
        Column(
            "contract_id", "Contract ID", Kind.CODE,
            "The contract of the order.", if_blank="The order's if not given.",
            has_choices=True, is_offered=True, width=150
        ),
        Column(
            "product_type", "Product Type", Kind.CODE, "What kind of service it is.",
            has_choices=True, is_shown=True, is_required=True, allowed=ProductType, width=150
        ),
        Column(
            "product", "Product", Kind.TEXT, "The service as it is sold.",
            is_shown=True, is_required=True, width=230
        ),
        Column(
            "airport_iata", "Airport", Kind.CODE, "The airport's IATA code.",
            has_choices=True, is_shown=True, is_required=True, width=110
        ),
        Column(
            "terminal", "Terminal", Kind.CODE, "The terminal, if it matters.",
            has_choices=True, is_shown=True, width=110
        ),
        Column(
            "passenger_name", "Passenger", Kind.TEXT, "The passenger who uses the service.",
            is_shown=True, is_required=True, width=200
        ),
        Column(
            "pax_type", "Pax Type", Kind.CODE, "Adult, child or infant.",
            if_blank="Adult if not given.",
            has_choices=True, is_shown=True, allowed=PaxType, width=110
        ),
        Column(
            "service_at", "Service Date", Kind.INSTANT,
            "When the service takes place, in the airport's time zone.",
            is_shown=True, is_required=True, place_zone="airport_tz", width=175
        ),
        Column(
            "airport_tz", "Airport Time Zone", Kind.CODE,
            "The airport's time zone (IANA).",
            if_blank="Taken from the airport if not given.",
            has_choices=True, is_shown=True, width=180
        ),
        Column(
            "flight_number", "Flight No", Kind.CODE, "The flight, if known.",
            is_shown=True, width=120
        ),
        Column(
            "voucher_code", "Voucher Code", Kind.CODE,
            "The code printed on the voucher.", if_blank="Generated if not given.",
            is_shown=True, is_reference=True, width=170
        ),
        Column(
            "price_minor", "Price", Kind.MONEY, "The price of the item.",
            is_shown=True, is_required=True, currency="currency", width=110
        ),
        Column(
            "currency", "Currency", Kind.CODE, "The currency of Price (ISO 4217).",
            has_choices=True, is_shown=True, is_required=True, width=110
        ),
        Column(
            "status", "Status", Kind.CODE,
            "Not used, used, refund requested or refunded; expired if not used in time.",
            if_blank="Not used if not given; expired is read as not used.",
            has_choices=True, is_shown=True, allowed=ItemStatus, derived=status,
            sorted_by=status_in_order, width=150
        ),
        Column(
            "is_refundable", "Refundable", Kind.FLAG,
            "Whether the voucher is refundable at all.", if_blank="No if not given.",
            has_choices=True, is_shown=True, width=120
        ),
        Column(
            "refund_expire_at", "Refund Expire Date", Kind.INSTANT,
            "Refundable up to and including this time.",
            is_shown=True, width=175
        ),
        Column(
            "refunded_at", "Refunded At", Kind.INSTANT, "When the refund succeeded.",
            is_shown=True, width=175
        ),
        Column(
            "created_at", "Created Date", Kind.INSTANT,
            "When the item was created.", if_blank="The order's Created Date if not given.",
            is_shown=True, width=175
        ),
        Column(
            "used_at", "Used At", Kind.INSTANT, "When the voucher was used.",
            is_offered=True, width=175
        ),
        Column(
            "passenger_email", "Passenger E-mail", Kind.CODE, "The passenger's e-mail address.",
            is_offered=True, width=240
        ),
        Column(
            "refund_returned", "Refund Returned", Kind.FLAG,
            "Whether the bank returned the refund. If so, refund the item again.",
            has_choices=True, is_offered=True, width=140, derived=has_returned_refund
        ),
        Column(
            "unmatched_refund", "Unmatched Refund", Kind.FLAG,
            "Whether the card provider has a refund of the order that Order Desk did not make.",
            has_choices=True, is_offered=True, width=150, derived=has_unmatched_refund
        ),
        Column(
            "valid_from", "Valid From", Kind.INSTANT,
            "The first second of the service day at the airport.",
            if_blank="Calculated if not given.",
            place_zone="airport_tz"
        ),
        Column(
            "valid_until", "Valid Until", Kind.INSTANT,
            "The last second of the service day at the airport.",
            if_blank="Calculated if not given.",
            place_zone="airport_tz"
        ),
        Column(
            "voucher_serial", "Voucher Serial", Kind.BYTES,
            "The eight random bytes of the signed code, as 16 hexadecimal digits.",
            if_blank="Generated if not given."
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
    hint_of_order="Payments appear when transactions are imported, refunds when they are made.",
    columns=(
        _NO,
        Column(
            "transaction_id", "Transaction ID", Kind.CODE, "The ID of the transaction.",
            is_shown=True, is_required=True, is_reference=True, width=190
        ),
        Column(
            "created_at", "Created Date", Kind.INSTANT, "When the transaction was recorded.",
            is_shown=True, is_required=True, width=175
        ),
        Column(
            "type", "Type", Kind.CODE, "Payment, refund, top-up or adjustment.",
            has_choices=True, is_shown=True, is_required=True, allowed=TransactionType, width=120
        ),
        Column(
            "status", "Status", Kind.CODE, "Pending, succeeded or failed.",
            if_blank="Succeeded if not given.",
            has_choices=True, is_shown=True, allowed=TransactionStatus, width=120
        ),
        Column(
            "order_id", "Order ID", Kind.CODE, "The order of the transaction; blank for a top-up.",
            is_shown=True, is_reference=True, opens_order=True, width=180
        ),
        Column(
            "order_item_id", "Order Item ID", Kind.CODE,
            "The order item of the transaction; required for a refund.",
            is_shown=True, is_reference=True, width=190
        ),
        Column(
            "refund_id", "Refund ID", Kind.CODE,
            "The refund it belongs to; an adjustment with it means the bank returned the refund.",
            if_blank="Generated for a refund if not given."
        ),
        Column(
            "contract_id", "Contract ID", Kind.CODE,
            "The contract whose money moved.", if_blank="The order's if not given.",
            has_choices=True, is_shown=True, width=140
        ),
        Column(
            "amount_minor", "Amount", Kind.MONEY,
            "Signed from the contract's side: payments are negative, refunds positive.",
            is_shown=True, is_required=True, currency="currency", width=120
        ),
        Column(
            "currency", "Currency", Kind.CODE, "The currency of Amount (ISO 4217).",
            has_choices=True, is_shown=True, is_required=True, width=110
        ),
        Column(
            "method", "Method", Kind.CODE, "Balance or card.",
            if_blank="Balance if not given.",
            has_choices=True, is_shown=True, allowed=Method, width=110
        ),
        Column(
            "reference", "Reference", Kind.CODE, "The payment provider's ID.",
            is_shown=True, width=170
        ),
        Column(
            "author", "Author", Kind.CODE, "Who caused the transaction.",
            if_blank="The order's author if not given.",
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
BOOKS = (ORDERS, ORDER_ITEMS, TRANSACTIONS)  # the tables that are imported and dumped
TABLES = {table.name: table for table in (*BOOKS, EMAILS, USERS, AUDIT_EVENTS)}
