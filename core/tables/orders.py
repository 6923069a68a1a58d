"""The table of orders."""

from typing import Any

from core.storage import (
    Note,
    Order,
    follow_up_by,
    follow_up_on,
    has_refundable_item,
    is_due_or_next,
    is_last,
    last_note,
    last_note_rank,
    note_count,
)
from core.tables.columns import CONTRACT, NO, AlsoFinds, Column, Kind, Table
from core.tables.notes import NOTES
from core.tables.order_items import ORDER_ITEMS
from core.tables.ready_made import NOT_BLANK, YES, recent
from core.tables.related import AnyOf

FOLLOW_UPS = "To follow up"  # the view of what is due for who looks


def _follow_ups_of(email: str) -> dict[str, Any]:
    """Return the view of the orders that a user has to follow up now."""
    is_mine = {"filterType": "text", "type": "equals", "filter": email}
    is_due = {"filterType": "date", "type": "untilToday"}
    first = ["order_id", "follow_up_on", "follow_up_by", "last_note", "created_at", "contract_id"]
    return {
        FOLLOW_UPS: {
            "filters": {"follow_up_by": is_mine, "follow_up_on": is_due},
            "sort": [{"colId": "follow_up_on", "sort": "asc"}],
            "columns": [*first, "author", "amount_minor", "currency"],
        }
    }


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
    also_finds=(
        AlsoFinds(
            ORDER_ITEMS, ("passenger_name", "voucher_code"),
            by="order_id", words="passengers · vouchers"
        ),
        AlsoFinds(NOTES, ("text",), by="order_id", words="notes"),
    ),
    personal=_follow_ups_of,
    ready_made=recent()
    | {
        "Via widget": {"filters": {"widget_id": NOT_BLANK}},
        "Refundable now": {"filters": {"refundable_now": YES}},
    },
    columns=(
        NO,
        Column(
            "order_id", "Order ID", Kind.CODE, "The ID of the order.",
            is_shown=True, is_required=True, is_reference=True, opens_order=True, width=145
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
            has_choices=True, is_shown=True, is_required=True, width=128
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
        Column(
            "note_count", "Notes", Kind.NUMBER, "How many notes the order has.",
            is_offered=True, width=80, derived=note_count
        ),
        Column(
            "last_note", "Last Note", Kind.TEXT, "The text of the newest note.",
            is_offered=True, width=280, derived=last_note, sorted_by=last_note_rank,
            any_of=AnyOf(Note.text, by="order_id", rows=is_last)
        ),
        Column(
            "follow_up_on", "Follow Up Date", Kind.DATE,
            "The first day on which somebody has to look at the order again.",
            is_offered=True, looks_ahead=True, width=120, derived=follow_up_on,
            any_of=AnyOf(Note.follow_up_on, by="order_id", rows=is_due_or_next)
        ),
        Column(
            "follow_up_by", "Follow Up By", Kind.CODE,
            "Who has to look at the order again: everybody who is due, or who is next.",
            is_offered=True, width=200, derived=follow_up_by,
            any_of=AnyOf(Note.follow_up_by, by="order_id", rows=is_due_or_next)
        ),
    ),
)
