"""The table of e-mails."""

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select

from core.ground import Channel, DeliveryKind, DeliveryState, Permission
from core.storage import Delivery, DeliveryItem, Note, delivery_state
from core.tables.columns import CONTRACT, Column, Kind, Table
from core.tables.ready_made import having, recent


def _is_about(order_id: str) -> ColumnElement[bool]:
    """Restrict to e-mails about at least one item of an order, or about a note on it."""
    items = select(DeliveryItem.delivery_id).where(DeliveryItem.order_id == order_id)
    notes = select(Note.note_id).where(Note.order_id == order_id)
    return or_(Delivery.delivery_id.in_(items), Delivery.note_id.in_(notes))


def _is_only_about(orders: Select[str]) -> ColumnElement[bool]:
    """Restrict to e-mails about items of these orders only, or about a note on one of them."""
    others = exists().where(
        DeliveryItem.delivery_id == Delivery.delivery_id, DeliveryItem.order_id.not_in(orders)
    )
    return and_(~others, or_(Delivery.note_id.is_(None), Delivery.order_id.in_(orders)))


# fmt: off
EMAILS = Table(
    name="emails",
    title="E-mails",
    one="e-mail",
    many="e-mails",
    model=Delivery,
    key="delivery_id",
    newest="queued_at",
    ready_made=recent("queued_at")
    | {
        "Queued or sending": having("status", "queued", "sending"),
        "Failed or cancelled": having("status", "failed", "cancelled"),
    },
    seen_with=Permission.EMAILS,
    hint="Select order items on Order Items, or on an order's Products, and click *Send Voucher*.",
    hint_of_order="Select items under *Products* and click *Send Voucher*.",
    of_order=_is_about,
    only_of=_is_only_about,
    columns=(
        Column(
            "queued_at", "Queued At", Kind.INSTANT, "When the e-mail was queued.",
            is_shown=True, width=160
        ),
        Column(
            "recipient", "Recipient", Kind.TEXT, "The recipient's address.",
            is_shown=True, width=240
        ),
        Column(
            "status", "Status", Kind.CODE,
            "Queued, sending, sent, failed (the error says why) or cancelled. Saved to outbox: no "
            "mail server is set up, so nobody has received it. It is not Sent, and a filter for "
            "sent does not find it.",
            has_choices=True, is_shown=True, allowed=DeliveryState, derived=delivery_state,
            formerly_meant={"sent": (DeliveryState.SENT, DeliveryState.SAVED)}, width=135
        ),
        Column(
            "last_error", "Error", Kind.TEXT,
            "Why it was not sent, or a note about a sent e-mail.",
            is_shown=True, width=280
        ),
        Column("subject", "Subject", Kind.TEXT, "The subject line.", is_shown=True, width=280),
        Column(
            "kind", "Kind", Kind.CODE,
            "Voucher, notice that a voucher is void, mention in a note, or decision about refunds.",
            has_choices=True, is_shown=True, allowed=DeliveryKind, width=120
        ),
        Column(
            "order_id", "Order ID", Kind.CODE,
            "The order of its items; blank if there are several.",
            is_shown=True, is_shown_in_order=False, is_reference=True, opens_order=True, width=140
        ),
        Column(
            "item_count", "Items", Kind.NUMBER, "The number of order items in the e-mail.",
            is_shown=True, width=90
        ),
        Column(
            "contract_id", "Contract ID", Kind.CODE, "The contract of the order items.",
            has_choices=True, is_shown=True, width=140
        ),
        CONTRACT,
        Column(
            "sent_at", "Sent At", Kind.INSTANT,
            "When the mail server accepted it, or when it was saved to the outbox.",
            is_shown=True, width=160
        ),
        Column(
            "attempts", "Attempts", Kind.NUMBER, "How often sending was attempted.",
            is_shown=True, width=110
        ),
        Column(
            "channel", "Channel", Kind.CODE, "Mail server (SMTP), or outbox on disk.",
            has_choices=True, is_shown=True, allowed=Channel, width=110
        ),
        Column(
            "requested_by", "Sent By", Kind.TEXT, "The user who sent it.",
            has_choices=True, is_shown=True, width=200
        ),
        Column(
            "may_be_twice", "Possible Duplicate", Kind.FLAG,
            "Whether the e-mail may have arrived twice, because an attempt failed late.",
            has_choices=True, is_offered=True, width=130
        ),
        Column(
            "next_attempt_at", "Next Attempt", Kind.INSTANT,
            "The time of the next attempt, if the e-mail is queued.",
            is_offered=True, looks_ahead=True, is_deadline=True, width=160
        ),
        Column(
            "message", "Message", Kind.TEXT, "The sender's own text.",
            is_offered=True, width=280
        ),
        Column(
            "message_id", "Message ID", Kind.CODE,
            "The ID in the e-mail, the same in all attempts.", is_offered=True, width=280
        ),
        Column(
            "delivery_id", "Delivery ID", Kind.CODE, "The ID of the e-mail in Order Desk.",
            is_offered=True, is_reference=True, width=190
        ),
    ),
)
