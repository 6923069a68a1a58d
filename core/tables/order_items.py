"""The table of order items. What decides about a refund stands first, in sight on most screens."""

from dataclasses import replace

from core.ground import ItemStatus, PaxType, ProductType, airport_zones, get_settings
from core.storage import (
    Order,
    OrderItem,
    Refund,
    has_returned_refund,
    has_unmatched_refund,
    refundable_now,
    status,
    status_in_order,
)
from core.tables.columns import CONTRACT, NO, Column, Kind, Table
from core.tables.ready_made import YES, recent, refund_expiring
from core.tables.related import PlaceFrom, Through, Via

IN_ORDERS = Through(Order, by="order_id")
REFUND = Via(Refund, by="order_item_id", counts=Refund.IS_COUNTED)

# One line for what a column is, and one for its options; ruff would put each argument on its own.
# fmt: off
ORDER_ITEMS = Table(
    name="order_items",
    title="Order Items",
    one="order item",
    many="order items",
    model=OrderItem,
    key="order_item_id",
    sorted_in_order_by="no",
    told_by=("passenger_name", "product"),
    is_indexed=True,
    ready_made=recent()
    | {
        "Refundable now": refund_expiring("fromNow"),
        "Refund expires within 24 hours": refund_expiring("next24Hours"),
        "Refund expires within 7 days": refund_expiring("next7Days"),
        "Refund returned by the bank": {"filters": {"refund_returned": YES}},
        "Unmatched refund": {"filters": {"unmatched_refund": YES}},
    },
    columns=(
        replace(NO, is_pinned=True, yields_below=1_367, width=72),
        Column(
            "order_item_id", "Order Item ID", Kind.CODE, "The ID of the order item.",
            is_shown=True, is_pinned=True, is_required=True, is_reference=True,
            opens_its_order=True, width=160
        ),
        Column(
            "product", "Product", Kind.TEXT, "The service as it is sold.",
            is_shown=True, is_required=True, width=217
        ),
        Column(
            "passenger_name", "Passenger", Kind.TEXT, "The passenger who uses the service.",
            is_shown=True, is_required=True, width=158
        ),
        Column(
            "service_at", "Service Date", Kind.INSTANT,
            "When the service takes place, in the airport's time zone.",
            is_shown=True, is_required=True, looks_ahead=True, place_zone="airport_tz",
            width=145
        ),
        Column(
            "status", "Status", Kind.CODE,
            "Not used, used, refund requested or refunded; expired if not used in time.",
            if_blank="If not given: Not used. Expired is read as Not used.",
            has_choices=True, is_shown=True, allowed=ItemStatus, derived=status,
            sorted_by=status_in_order, width=140
        ),
        Column(
            "refundable_now", "Refundable Now", Kind.FLAG,
            "Whether the item can be refunded now: it is refundable and not used, and neither its "
            "service day nor its Refund Expire Date is over. Refund also looks at the payment.",
            has_choices=True, is_shown=True, width=110, derived=refundable_now
        ),
        Column(
            "refund_expire_at", "Refund Expire Date", Kind.INSTANT,
            "Refundable up to and including this time. The table shows it in the time zone that is "
            "named above it, the refund dialog also in airport time.",
            is_shown=True, looks_ahead=True, is_deadline=True, imported_in="airport_tz",
            totals_as="Value at risk", width=145
        ),
        Column(
            "price_minor", "Price", Kind.MONEY, "The price of the item.",
            is_shown=True, is_required=True, currency="currency", width=92
        ),
        Column(
            "currency", "Currency", Kind.CODE, "The currency of Price (ISO 4217).",
            has_choices=True, is_shown=True, is_required=True, width=84
        ),
        Column(
            "order_id", "Order ID", Kind.CODE, "The order that the item belongs to.",
            is_shown=True, is_shown_in_order=False, is_required=True, is_reference=True,
            opens_order=True, searched_through=IN_ORDERS, width=145
        ),
        Column(
            "product_type", "Product Type", Kind.CODE, "What kind of service it is.",
            has_choices=True, is_shown=True, is_required=True, allowed=ProductType, width=125
        ),
        Column(
            "airport_iata", "Airport", Kind.CODE, "The airport's IATA code.",
            has_choices=True, is_shown=True, is_required=True, width=85
        ),
        Column(
            "airport_tz", "Airport Time Zone", Kind.CODE,
            "The airport's time zone (IANA).",
            if_blank="If not given: taken from the airport.",
            has_choices=True, is_shown=True, is_shown_in_order=False,
            place_from=PlaceFrom("airport_iata", airport_zones), width=165
        ),
        Column(
            "terminal", "Terminal", Kind.TEXT, "The terminal, if it matters.",
            has_choices=True, is_shown=True, width=90
        ),
        Column(
            "flight_number", "Flight No", Kind.TEXT, "The flight, if known.",
            is_shown=True, width=95
        ),
        Column(
            "pax_type", "Pax Type", Kind.CODE, "Adult, child or infant.",
            if_blank="If not given: Adult.",
            has_choices=True, is_shown=True, allowed=PaxType, width=95
        ),
        Column(
            "voucher_code", "Voucher Code", Kind.CODE,
            "The code printed on the voucher.", if_blank="If not given: generated.",
            is_shown=True, is_reference=True, width=165
        ),
        Column(
            "refunded_at", "Refunded At", Kind.INSTANT, "When the refund succeeded.",
            is_shown=True, width=145
        ),
        Column(
            "created_at", "Created Date", Kind.INSTANT,
            "When the item was created.", if_blank="If not given: the order's Created Date.",
            is_shown=True, width=145
        ),
        Column(
            "is_refundable", "Refundable", Kind.FLAG,
            "Whether the product can be refunded at all.",
            if_blank="If not given: Yes if there is a Refund Expire Date.",
            has_choices=True, is_offered=True, width=110
        ),
        Column(
            "contract_id", "Contract ID", Kind.CODE,
            "The contract of the order.", if_blank="If not given: the order's contract.",
            has_choices=True, is_offered=True, searched_through=IN_ORDERS, width=128
        ),
        CONTRACT,
        Column(
            "used_at", "Used At", Kind.INSTANT, "When the voucher was used.",
            is_offered=True, width=145
        ),
        Column(
            "passenger_email", "Passenger E-mail", Kind.TEXT, "The passenger's e-mail address.",
            is_offered=True, width=220
        ),
        Column(
            "refund_returned", "Refund Returned", Kind.FLAG,
            "Whether the bank returned the refund. If so, refund the item again.",
            has_choices=True, is_offered=True, width=140, derived=has_returned_refund
        ),
        Column(
            "refund_reason", "Refund Reason", Kind.CODE,
            "Why the item is being refunded or was refunded; blank without a refund.",
            is_offered=True, wording=lambda: get_settings().reasons.known,
            via=REFUND, via_name="reason", width=165
        ),
        Column(
            "refunded_by", "Refunded By", Kind.CODE, "Who requested the item's refund.",
            is_offered=True, via=REFUND, via_name="requested_by", width=220
        ),
        Column(
            "unmatched_refund", "Unmatched Refund", Kind.FLAG,
            "Whether the card provider has a refund of the order that Order Desk did not make.",
            has_choices=True, is_offered=True, width=150, derived=has_unmatched_refund
        ),
        Column(
            "valid_from", "Valid From", Kind.INSTANT,
            "The first second of the service day at the airport.",
            if_blank="If not given: calculated.",
            place_zone="airport_tz"
        ),
        Column(
            "valid_until", "Valid Until", Kind.INSTANT,
            "The last second of the service day at the airport.",
            if_blank="If not given: calculated.",
            place_zone="airport_tz"
        ),
        Column(
            "voucher_serial", "Voucher Serial", Kind.BYTES,
            "The eight random bytes of the signed code, as 16 hexadecimal digits.",
            if_blank="If not given: generated."
        ),
    ),
)
