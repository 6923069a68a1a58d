"""The measured filters and sorts of Order Items and Transactions."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from tests.bench.expected import NO_ROW, Expected, containing, equal_to, starting_with
from tests.bench.filters import Above, Listed, Picked, Typed
from tests.bench.samples import FREQUENT, RARE, Sample

NOT_THERE, LONG_AGO = "zzzz", "1999-01-01"
NO_CODE = "0101"  # voucher codes have neither 0 nor 1
FROM_A_HUNDRED = Expected("price_minor", r"^\d{3}|,")
# The sort order of amounts in the sample data: 2 decimals, JPY and ISK none, KWD three.
IN_ONE_UNIT = (
    "price_minor * CASE currency WHEN 'JPY' THEN 1000 WHEN 'ISK' THEN 1000 "
    "WHEN 'KWD' THEN 1 ELSE 10 END"
)
WITH_EXPIRED = (
    "CASE WHEN status = 'not_used' AND valid_until < unixepoch() THEN 'expired' ELSE status END"
)
SORTS = {
    "Created Date": "created_at",
    "Service Date": "service_at",
    "Passenger": "passenger_name_sort_key",
    "Price": IN_ONE_UNIT,
    "Status": WITH_EXPIRED,
    "Order ID": "order_id",
}


def item_cases(items: Sample) -> list[Typed]:
    """Choose filter values from the items: from the middle, frequent, rare, absent."""
    return [
        *_on_texts(items),
        *_on_codes(items),
        *_on_lists(items),
        *_on_prices(),
        *_on_days(items),
    ]


def sort_cases(items: Sample) -> list[tuple[str, str, Expected]]:
    """Sort by each column in both directions: header, direction, first row."""
    return [
        (header, direction, items.first(by, direction))
        for header, by in SORTS.items()
        for direction in ("ASC", "DESC")
    ]


def transaction_cases(transactions: Sample) -> list[Typed]:
    """Filters that match many transactions, few, and none."""
    (item,) = transactions.connection.execute(
        "SELECT order_item_id FROM transactions WHERE type = 'refund' ORDER BY no LIMIT 1"
    ).fetchone()
    kind = transactions.value("type", FREQUENT)
    return [
        Listed("Type", kind, equal_to("type", kind)),
        Typed("Order Item ID", item, equal_to("order_item_id", item)),
        Typed("Provider Reference", NOT_THERE, NO_ROW),
    ]


def _on_texts(items: Sample) -> list[Typed]:
    (name,) = items.newest("passenger_name_folded")
    letter = next(letter for letter in "aeinorst" if letter not in name)
    (passenger,) = items.middle("passenger_name")
    product = items.value("product", FREQUENT)
    return [
        Typed("Passenger", letter, containing("passenger_name", letter)),
        Typed("Passenger", passenger, equal_to("passenger_name", passenger)),
        Typed("Passenger", NOT_THERE, NO_ROW),
        Typed("Product", product, containing("product", product)),
        Typed("Product", NOT_THERE, NO_ROW),
    ]


def _on_codes(items: Sample) -> list[Typed]:
    flight = items.value("flight_number", RARE)
    order_id, voucher = items.middle("order_id, voucher_code")
    (oldest,) = items.connection.execute("SELECT min(order_id) FROM order_items").fetchone()
    months = [order_id.split("-")[0], oldest.split("-")[0]]
    return [
        *(Typed("Order ID", month, starting_with("order_id", month)) for month in months),
        Typed("Order ID", order_id, equal_to("order_id", order_id)),
        Typed("Order ID", NOT_THERE, NO_ROW),
        Typed("Flight No", flight[:2], starting_with("flight_number", flight[:2])),
        Typed("Flight No", flight, containing("flight_number", flight)),
        Typed("Flight No", NOT_THERE, NO_ROW),
        Typed("Voucher Code", voucher[:4], containing("voucher_code", voucher[:4])),
        Typed("Voucher Code", NO_CODE, NO_ROW),
    ]


def _on_lists(items: Sample) -> list[Typed]:
    statuses = ["used", "refunded"]
    airports = [items.value("airport_iata", by) for by in (FREQUENT, RARE)]
    return [
        *(Listed("Status", status, equal_to("status", status)) for status in statuses),
        *(Listed("Airport", airport, equal_to("airport_iata", airport)) for airport in airports),
    ]


def _on_prices() -> list[Typed]:
    return [Above("Price", "99.99", FROM_A_HUNDRED), Above("Price", "9999999", NO_ROW)]


def _on_days(items: Sample) -> list[Typed]:
    service, zone, created = items.middle("service_at, airport_tz, created_at")
    served = f"{datetime.fromtimestamp(service, ZoneInfo(zone)):%Y-%m-%d}"
    made = f"{datetime.fromtimestamp(created, UTC):%Y-%m-%d}"
    return [
        Picked("Service Date", served, starting_with("service_at", served)),
        Picked("Service Date", LONG_AGO, NO_ROW),
        Picked("Created Date", made, starting_with("created_at", made)),
        Picked("Created Date", LONG_AGO, NO_ROW),
    ]
