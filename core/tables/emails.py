"""The tables of what Order Desk itself does, described as those of core.tables are."""

from sqlalchemy import ColumnElement, Select, exists

from core.ground import Channel, DeliveryKind, DeliveryStatus, Permission
from core.storage import Delivery, DeliveryItem
from core.tables.columns import Column, Kind, Table

TEXT, CODE, NUMBER, MONEY, INSTANT, FLAG, BYTES = Kind


def _is_about(order_id: str) -> ColumnElement[bool]:
    """Leave the e-mails that are about some item of an order."""
    return exists().where(
        DeliveryItem.delivery_id == Delivery.delivery_id, DeliveryItem.order_id == order_id
    )


def _is_only_about(orders: Select[str]) -> ColumnElement[bool]:
    """Leave the e-mails that are about items of these orders and of no others."""
    return ~exists().where(
        DeliveryItem.delivery_id == Delivery.delivery_id, DeliveryItem.order_id.not_in(orders)
    )


# fmt: off
EMAILS = Table(
    name="emails",
    title="E-mails",
    one="e-mail",
    many="e-mails",
    model=Delivery,
    key="delivery_id",
    newest="queued_at",
    seen_with=Permission.EMAILS,
    hint="Tick order items on Order Items, or on an order's Products, and click *Send Voucher*.",
    hint_of_order="Tick items under *Products* and click *Send Voucher*.",
    of_order=_is_about,
    only_of=_is_only_about,
    columns=(
        Column(
            "queued_at", "Queued At", INSTANT, "When somebody sent it off.",
            is_shown=True, width=160
        ),
        Column("recipient", "Recipient", CODE, "Whom it goes to.", is_shown=True, width=240),
        Column(
            "status", "Status", CODE,
            "Queued, sending, sent, failed (the error says why) or cancelled.",
            has_choices=True, is_shown=True, allowed=DeliveryStatus, width=115
        ),
        Column(
            "last_error", "Error", CODE,
            "Why it was not sent, or what is to be known of a sent one.",
            is_shown=True, width=280
        ),
        Column("subject", "Subject", TEXT, "What it is about.", is_shown=True, width=280),
        Column(
            "kind", "Kind", CODE, "A voucher, or the notice that one is void.",
            has_choices=True, is_shown=True, allowed=DeliveryKind, width=120
        ),
        Column(
            "order_id", "Order ID", CODE, "The order it is about; blank for several.",
            is_shown=True, is_reference=True, opens_order=True, width=180
        ),
        Column(
            "item_count", "Items", NUMBER, "How many order items it is about.",
            is_shown=True, width=90
        ),
        Column(
            "contract_id", "Contract ID", CODE, "The contract of its items.",
            has_choices=True, is_shown=True, width=140
        ),
        Column(
            "sent_at", "Sent At", INSTANT, "When the mail server took it.", is_shown=True, width=160
        ),
        Column(
            "attempts", "Attempts", NUMBER, "How often it was tried.", is_shown=True, width=110
        ),
        Column(
            "channel", "Channel", CODE, "By a mail server (smtp), or into the outbox on disk.",
            has_choices=True, is_shown=True, allowed=Channel, width=110
        ),
        Column(
            "requested_by", "Sent By", CODE, "Who sent it off.",
            has_choices=True, is_shown=True, width=200
        ),
        Column(
            "may_be_twice", "Maybe Twice", FLAG,
            "Whether a try broke off so late that the mail may have arrived twice.",
            has_choices=True, is_offered=True, width=130
        ),
        Column(
            "next_attempt_at", "Next Attempt", INSTANT,
            "When it is tried next, while it is queued.",
            is_offered=True, width=160
        ),
        Column("message", "Message", CODE, "The words of the sender.", is_offered=True, width=280),
        Column(
            "message_id", "Message ID", CODE, "The same on every try.", is_offered=True, width=280
        ),
        Column(
            "delivery_id", "Delivery ID", CODE, "The e-mail's reference.",
            is_offered=True, is_reference=True, width=190
        ),
    ),
)
