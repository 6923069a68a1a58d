"""The measured filters of Orders: every column, with frequent, rare and absent values."""

from datetime import UTC, datetime

from tests.bench.expected import NO_ROW, containing, equal_to, starting_with
from tests.bench.filters import Listed, Picked, Typed
from tests.bench.samples import FREQUENT, RARE, Sample

NOT_THERE = "zzzz"


def order_cases(orders: Sample) -> list[Typed]:
    """Choose filter values from the orders: from the middle, frequent, rare, absent."""
    return [
        *_on_numbers(orders),
        *_on_order_id(orders),
        *_on_listed(orders, "Widget ID", "widget_id"),
        *_on_listed(orders, "Contract ID", "contract_id"),
        *_on_listed(orders, "Author", "author"),
        *_on_day(orders),
    ]


def _on_numbers(orders: Sample) -> list[Typed]:
    number = str(orders.middle("no")[0])
    totals = [str(orders.value("item_count", by)) for by in (FREQUENT, RARE)]
    return [
        Typed("No", number, equal_to("no", number)),
        Typed("No", "99999999", NO_ROW),
        *(Typed("Total", total, equal_to("item_count", total)) for total in totals),
        Typed("Total", "99", NO_ROW),
    ]


def _on_order_id(orders: Sample) -> list[Typed]:
    month, number = orders.middle("order_id")[0].split("-")
    return [
        Typed("Order ID", month, starting_with("order_id", month)),
        Typed("Order ID", number, containing("order_id", number)),
        Typed("Order ID", NOT_THERE, NO_ROW),
    ]


def _on_listed(orders: Sample, header: str, column: str) -> list[Typed]:
    """Type the second half of the most frequent value, and tick it and the rarest in the list."""
    frequent, rare = (orders.value(column, by) for by in (FREQUENT, RARE))
    part = frequent[len(frequent) // 2 :].lower()
    return [
        Typed(header, part, containing(column, part)),
        Typed(header, NOT_THERE, NO_ROW),
        Listed(header, frequent, equal_to(column, frequent)),
        Listed(header, rare, equal_to(column, rare)),
    ]


def _on_day(orders: Sample) -> list[Typed]:
    (oldest,) = orders.connection.execute("SELECT min(created_at) FROM orders").fetchone()
    days = [
        f"{datetime.fromtimestamp(created, UTC):%Y-%m-%d}"
        for created in (orders.middle("created_at")[0], oldest)
    ]
    return [
        *(Picked("Created Date", day, starting_with("created_at", day)) for day in days),
        Picked("Created Date", "1999-01-01", NO_ROW),
    ]
