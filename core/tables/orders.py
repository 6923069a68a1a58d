"""The table of orders."""

from core.storage import Order, has_refundable_item
from core.tables.columns import CONTRACT, NO, AlsoFinds, Column, Kind, Table
from core.tables.order_items import ORDER_ITEMS
from core.tables.ready_made import NOT_BLANK, YES, recent

# One line for what a column is, and one for its options; ruff would put each argument on its own.
# fmt: off
ORDERS = Table(
    name="orders",
    title="Orders",
    one="order",
    many="orders",
    model=Order,
    key="order_id",
    author="author",
    is_indexed=True,
    also_finds=AlsoFinds(
        ORDER_ITEMS, ("passenger_name", "voucher_code"),
        by="order_id", words="passengers · vouchers"
    ),
    ready_made=recent()
    | {
        "Via widget": {"filters": {"widget_id": NOT_BLANK}},
        "Refundable now": {"filters": {"refundable_now": YES}},
    },
    columns=(
        NO,
        Column(
            "order_id", "Order ID", Kind.CODE, "The ID of the order.",
            is_shown=True, is_required=True, is_reference=True, opens_order=True, width=140
        ),
        Column(
            "widget_id", "Widget ID", Kind.TEXT,
            "The partner's booking widget that the order came from; blank for a direct order.",
            has_choices=True, is_shown=True, width=186
        ),
        Column(
            "created_at", "Created Date", Kind.INSTANT, "When the order was created.",
            is_shown=True, is_required=True, width=145
        ),
        Column(
            "item_count", "Total", Kind.NUMBER,
            "How many order items the order has; not an amount.",
            is_shown=True, width=72
        ),
        Column(
            "contract_id", "Contract ID", Kind.CODE, "The contract of the order.",
            has_choices=True, is_shown=True, is_required=True, width=105
        ),
        CONTRACT,
        Column(
            "author", "Author", Kind.TEXT, "Who created the order.",
            has_choices=True, is_shown=True, is_required=True, width=240
        ),
        Column(
            "amount_minor", "Amount", Kind.MONEY,
            "The sum of the prices of the order's items.",
            if_blank="If not given: calculated.",
            is_shown=True, currency="currency", width=92
        ),
        Column(
            "currency", "Currency", Kind.CODE,
            "The currency of Amount (ISO 4217).",
            if_blank="If not given: the currency of the items.",
            has_choices=True, is_shown=True, width=84
        ),
        Column(
            "contact_email", "Contact E-mail", Kind.TEXT,
            "The address for e-mails about the order.",
            is_offered=True, width=240
        ),
        Column(
            "refundable_now", "Refundable Now", Kind.FLAG,
            "Whether an item of the order can be refunded now.",
            has_choices=True, is_offered=True, width=110, derived=has_refundable_item,
            formerly=("refundable", "is_refundable")
        ),
    ),
)
