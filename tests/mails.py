"""Mails for tests: each field can be given."""

from datetime import UTC, datetime, timedelta
from typing import Any

from core.ground import DeliveryKind
from core.mail.compose.body import Mail, MailItem
from core.mail.compose.letters import make_message_id
from tests.vouchers import SERVICE_AT

SENDER = "Order Desk <vouchers@orderdesk.example>"


def make_mail_item(**fields: Any) -> MailItem:
    """Return an item of a lounge at Heathrow, but for the fields that are given."""
    defaults: dict[str, Any] = {
        "order_item_id": "B0001234-2",
        "order_id": "B0001234",
        "number": "2 of 3",
        "product": "Aspire Lounge, 3 hours",
        "passenger_name": "Olivia van Dijk",
        "airport_iata": "LHR",
        "airport_name": "London Heathrow Airport",
        "terminal": "5",
        "service_at": SERVICE_AT,
        "airport_tz": "Europe/London",
        "flight_number": "BA 286",
        "voucher_code": "7QXM-22KD-9WTA",
        "valid_until": SERVICE_AT + timedelta(hours=9, minutes=29, seconds=59),
        "refunded_at": None,
        "price": "38.00 EUR",
    }
    return MailItem(**(defaults | fields))


def make_mail(*items: MailItem, **fields: Any) -> Mail:
    """Return a mail with one voucher, but for the items and fields that are given."""
    defaults: dict[str, Any] = {
        "kind": DeliveryKind.VOUCHER,
        "message_id": make_message_id("0190f7e2-7b3c-7def-8123-456789abcdef", SENDER),
        "recipient": "olivia@mail.example",
        "subject": "Your voucher",
        "message": None,
        "items": items or (make_mail_item(),),
        "written_at": datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
    }
    return Mail(**(defaults | fields))
