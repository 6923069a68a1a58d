"""The table of refunds: who refunded what, why, and how it ended."""

from core.ground import Method, ProductType, RefundStatus, get_settings
from core.storage import Order, Refund
from core.tables.columns import CONTRACT, NO, Column, Kind, Table
from core.tables.ready_made import having, recent
from core.tables.related import Through

REFUND_PREFIX = "R-"  # before the number, in the reference that people say
TO_APPROVE = "Waiting for approval"  # the view of what a second person decides about

IN_ORDERS = Through(Order, by="order_id")

# One line for what a column is, and one for its options; ruff would put each argument on its own.
# fmt: off
REFUNDS = Table(
    name="refunds",
    title="Refunds",
    one="refund",
    many="refunds",
    model=Refund,
    key="refund_id",
    newest="requested_at",
    told_by=("passenger_name", "product"),
    author="requested_by",
    by_author="By me",
    is_indexed=True,
    ready_made={
        TO_APPROVE: having("status", "waiting")
        | {"sort": [{"colId": "requested_at", "sort": "asc"}]},
        "In progress": having("status", "requested", "processing")
        | {"sort": [{"colId": "requested_at", "sort": "asc"}]},
        "Failed": having("status", "failed"),
        "This month": recent("requested_at")["This month"],
    },
    hint="Select order items on Order Items, or on an order's Products, and click *Refund*.",
    hint_of_order="Select items under *Products* and click *Refund*.",
    columns=(
        NO,
        Column(
            "short_reference", "Reference", Kind.CODE,
            "A short name of the refund to say on the phone.",
            is_shown=True, is_reference=True, prefix=REFUND_PREFIX, width=95
        ),
        Column(
            "requested_at", "Requested Date", Kind.INSTANT,
            "When the refund was requested; after a failure, when it was requested again.",
            is_shown=True, width=145
        ),
        Column(
            "order_id", "Order ID", Kind.CODE, "The order of the refunded item.",
            is_shown=True, is_shown_in_order=False, is_reference=True, opens_order=True,
            searched_through=IN_ORDERS, width=145
        ),
        Column(
            "order_item_id", "Order Item ID", Kind.CODE, "The refunded order item.",
            is_shown=True, is_required=True, is_reference=True, opens_its_order=True, width=160
        ),
        Column(
            "product", "Product", Kind.TEXT, "The service as it was sold.",
            is_shown=True, width=210
        ),
        Column(
            "amount_minor", "Amount", Kind.MONEY, "The amount that is paid back.",
            is_shown=True, currency="currency", width=92
        ),
        Column(
            "currency", "Currency", Kind.CODE, "The currency of Amount (ISO 4217).",
            has_choices=True, is_shown=True, width=84
        ),
        Column(
            "status", "Status", Kind.CODE,
            "Waiting (for approval), declined, requested (approved, or no approval is needed), "
            "processing (asked for, no answer yet), succeeded or failed.",
            has_choices=True, is_shown=True, allowed=RefundStatus, width=115
        ),
        Column(
            "reason", "Reason", Kind.CODE, "Why it was refunded, as the person chose it.",
            if_blank="If not given: Imported.",
            has_choices=True, is_shown=True, wording=lambda: get_settings().reasons.known,
            width=165
        ),
        Column(
            "note", "Note", Kind.TEXT, "What the person wrote about it.",
            is_shown=True, width=200
        ),
        Column(
            "passenger_name", "Passenger", Kind.TEXT, "The passenger of the service.",
            is_shown=True, width=150
        ),
        Column(
            "requested_by", "Requested By", Kind.TEXT, "The user who requested it.",
            if_blank="If not given: the author of its transaction.",
            has_choices=True, is_shown=True, width=220
        ),
        Column(
            "decided_by", "Decided By", Kind.TEXT,
            "Who approved or declined it, or gave the item back; blank if nobody had to decide.",
            has_choices=True, is_shown=True, width=220
        ),
        Column(
            "decided_at", "Decided Date", Kind.INSTANT, "When that person decided.",
            is_shown=True, width=145
        ),
        Column(
            "failure", "Failure", Kind.TEXT,
            "Why it failed, or what is known while it is processing.",
            is_shown=True, width=280
        ),
        Column(
            "settled_at", "Settled Date", Kind.INSTANT,
            "When it succeeded or failed; blank while it is in progress.",
            is_shown=True, width=145
        ),
        Column(
            "gateway", "Method", Kind.CODE, "How it is paid back: balance or card.",
            has_choices=True, is_shown=True, allowed=Method, width=95
        ),
        Column(
            "attempt", "Attempts", Kind.NUMBER, "How often it was requested.",
            is_shown=True, width=95
        ),
        Column(
            "external_reference", "Provider Reference", Kind.TEXT,
            "The card provider's ID of the refund; blank for the balance.",
            is_shown=True, width=160
        ),
        Column(
            "contract_id", "Contract ID", Kind.CODE, "The contract of the order.",
            has_choices=True, is_shown=True, searched_through=IN_ORDERS, width=128
        ),
        CONTRACT,
        Column(
            "product_type", "Product Type", Kind.CODE, "What kind of service it is.",
            has_choices=True, is_shown=True, allowed=ProductType, width=125
        ),
        Column(
            "refund_id", "Refund ID", Kind.CODE, "The ID of the refund.",
            is_offered=True, is_required=True, is_reference=True, width=300
        ),
    ),
)
