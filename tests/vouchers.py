"""Make vouchers for tests and benchmarks."""

from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.ground.settings import DEFAULT_TERMS, Settings
from core.vouchers import Voucher, signed_code
from core.vouchers.pdf.page import Branding

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SERVICE_AT = datetime(2026, 12, 1, 14, 30, tzinfo=UTC)
BRANDING = Branding(
    name="Order Desk",
    logo=Settings.model_fields["logo"].default,
    colour="#0f766e",
    support="help@orderdesk.example  ·  +44 20 7946 0000",
    terms=DEFAULT_TERMS,
)


def make_voucher(**fields: Any) -> Voucher:
    """Return a voucher of a lounge at Heathrow; the arguments replace its fields."""
    defaults: dict[str, Any] = {
        "order_item_id": "B0001234-2",
        "order_id": "B0001234",
        "number": "2 of 3",
        "product": "Aspire Lounge, 3 hours",
        "product_type": "lounge",
        "airport_iata": "LHR",
        "airport_name": "London Heathrow Airport",
        "terminal": "5",
        "airport_tz": "Europe/London",
        "service_at": SERVICE_AT,
        "flight_number": "BA 286",
        "valid_until": SERVICE_AT + timedelta(hours=9, minutes=29, seconds=59),
        "pax_type": "adult",
        "passenger_name": "Olivia van Dijk",
        "voucher_code": "7QXM-22KD-9WTA",
        "refund_expire_at": SERVICE_AT - timedelta(days=1),
        "issued_at": datetime(2026, 11, 2, 9, 12, tzinfo=UTC),
    }
    fields = defaults | fields
    if "signed_code" not in fields:
        fields["signed_code"] = signed_code.sign(
            serial=bytes(range(8)),
            valid_from=fields["service_at"],
            valid_until=fields["valid_until"],
            pax_type=fields["pax_type"],
            key=KEY,
        )
    return Voucher(**fields)


_PRODUCTS = [
    ("Aspire Lounge, 3 hours", "lounge"),
    ("Fast Track Security", "fast_track"),
    ("Meet & Assist Departure", "meet_and_assist"),
    ("Delay Care, Lounge from 1 hour", "delay_care"),
]
_NAMES = ["Olivia Smith", "Léa Fernández", "Иван Шевченко", "Γιώργος Νικολάου", "Ayşe Yılmaz"]


def make_vouchers(count: int, *, first: int = 0) -> list[Voucher]:
    """Return vouchers of four products, for passengers with many kinds of names."""
    made = []
    for number in range(first, first + count):
        product, product_type = _PRODUCTS[number % 4]
        made.append(
            make_voucher(
                order_item_id=f"B{number // 3:07d}-{number % 3 + 1}",
                order_id=f"B{number // 3:07d}",
                number=f"{number % 3 + 1} of 3",
                product=product,
                product_type=product_type,
                passenger_name=f"{_NAMES[number % 5]} {number}",
                service_at=SERVICE_AT + timedelta(minutes=17 * number),
            )
        )
    return made
