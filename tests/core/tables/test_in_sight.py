"""The default columns: those that decide stand first, and how wide they are."""

import pytest

from core.tables import ORDER_ITEMS, ORDERS, REFUNDS, TABLES, TRANSACTIONS, Table
from core.views import default_view

DECIDING = [
    *("No", "Order Item ID", "Product", "Passenger", "Service Date", "Status"),
    *("Refundable Now", "Refund Expire Date", "Price", "Currency"),
]
OF_THE_MANUAL = ["No", "Order ID", "Widget ID", "Created Date", "Total", "Contract ID", "Author"]
TICKS = 44
# The width of the grid in a window of 1440 and of 1280 pixels, without a scroll bar.
WIDE, NARROW = 1386 - 15, 1226 - 15


def headers_of(table: Table, order_id: str | None = None) -> list[str]:
    return [column.header for column in default_view(table, order_id=order_id).columns]


def width_of(table: Table, *headers: str) -> int:
    return TICKS + sum(column.width for column in table.columns if column.header in headers)


def test_what_decides_about_an_item_stands_first() -> None:
    assert headers_of(ORDER_ITEMS)[: len(DECIDING)] == DECIDING
    assert headers_of(ORDER_ITEMS, "OD-1")[: len(DECIDING)] == DECIDING


def test_what_decides_fits_the_usual_windows() -> None:
    assert width_of(ORDER_ITEMS, *DECIDING) <= WIDE
    assert width_of(ORDER_ITEMS, *DECIDING[1:-1]) <= NARROW
    assert width_of(ORDERS, *OF_THE_MANUAL, "Amount", "Currency") <= NARROW
    shown = headers_of(TRANSACTIONS)
    to_status = shown[: shown.index("Status") + 1]
    assert "Amount" in to_status
    assert width_of(TRANSACTIONS, *to_status) <= NARROW


def test_how_a_refund_ended_and_why_it_was_made_are_in_sight() -> None:
    shown = headers_of(REFUNDS)
    assert width_of(REFUNDS, *shown[: shown.index("Reason") + 1]) <= WIDE
    assert width_of(REFUNDS, *shown[: shown.index("Status") + 1]) <= NARROW
    assert shown.index("Decided By") == shown.index("Requested By") + 1


def test_no_hides_exactly_where_it_would_push_a_deciding_column_out() -> None:
    no = ORDER_ITEMS.columns[0]
    assert (no.name, no.yields_below) == ("no", width_of(ORDER_ITEMS, *DECIDING))


def test_orders_begin_with_the_columns_of_the_manual() -> None:
    assert headers_of(ORDERS) == [*OF_THE_MANUAL, "Amount", "Currency"]


def test_the_id_of_an_item_is_pinned_with_what_stands_before_it() -> None:
    view = default_view(ORDER_ITEMS)
    assert [name for name, layout in view.layout if layout.pinned == "left"] == [
        "no",
        "order_item_id",
    ]


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_no_table_of_an_order_shows_the_id_of_that_order_at_first(table: Table) -> None:
    assert "Order ID" not in headers_of(table, "OD-1") or table is ORDERS
    assert "Airport Time Zone" not in headers_of(table, "OD-1")
    assert set(headers_of(table)) >= set(headers_of(table, "OD-1"))
