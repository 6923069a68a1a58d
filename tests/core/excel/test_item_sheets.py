"""Excel files of order items and transactions: local times, amounts, words, and tabs of orders."""

import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from core import excel, storage
from core.access import Actor
from core.storage import AuditEvent
from core.tables import ORDER_ITEMS, ORDERS, TRANSACTIONS, Table
from core.views import parse_view
from tests.conftest import NOW
from tests.core.read_back import open_book, rows_of_sheet, said_in
from tests.rows import make_item, make_order, make_transaction

IN_KEY_ORDER = [{"colId": "no", "sort": "asc"}]


def _export(
    actor: Actor, table: Table = ORDER_ITEMS, order_id: str | None = None, **raw: Any
) -> Any:
    file = io.BytesIO()
    view = parse_view(table, {"sort": IN_KEY_ORDER} | raw, order_id=order_id)
    excel.export(view, file, actor=actor, now=NOW)
    return open_book(file)


def _local(*moment: int) -> datetime:
    return datetime(*moment)  # type: ignore[arg-type]  # noqa: DTZ001 - a cell has no zone


def test_a_service_date_is_the_local_time_of_its_airport(database: str, admin: Actor) -> None:
    make_order("OD-1")
    moment = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    for zone in ("Europe/London", "Asia/Tokyo", "America/New_York", "Europe/London"):
        make_item("OD-1", airport_tz=zone, service_at=moment, created_at=moment)
    columns = ["service_at", "created_at", "airport_tz"]
    book = _export(admin, columns=columns, zone="Europe/Athens")
    header, rows = rows_of_sheet(book["Order Items"])
    assert header == ["Service Date", "Created Date (Europe/Athens)", "Airport Time Zone"]
    created = _local(2026, 7, 2, 1, 30)
    assert rows == [
        (_local(2026, 7, 1, 23, 30), created, "Europe/London"),
        (_local(2026, 7, 2, 7, 30), created, "Asia/Tokyo"),
        (_local(2026, 7, 1, 18, 30), created, "America/New_York"),
        (_local(2026, 7, 1, 23, 30), created, "Europe/London"),
    ]


def test_a_service_date_is_local_also_when_its_zone_is_hidden(database: str, admin: Actor) -> None:
    make_order("OD-1")
    moment = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    make_item("OD-1", airport_tz="Asia/Tokyo", service_at=moment)
    header, rows = rows_of_sheet(_export(admin, columns=["service_at"])["Order Items"])
    assert (header, rows) == (["Service Date"], [(_local(2026, 7, 2, 7, 30),)])


@pytest.mark.parametrize("columns", [["price_minor"], ["price_minor", "currency"]])
def test_amounts_have_the_decimals_of_their_currency(
    database: str, admin: Actor, columns: list[str]
) -> None:
    make_order("OD-1")
    for currency in ("EUR", "JPY", "KWD", "EUR"):
        make_item("OD-1", price_minor=1_234_500, currency=currency)
    sheet = _export(admin, columns=columns)["Order Items"]
    cells = [row[0] for row in sheet.iter_rows(min_row=2)]
    assert [Decimal(str(cell.value)) for cell in cells] == [
        Decimal("12345.00"), Decimal(1_234_500), Decimal("1234.500"), Decimal("12345.00"),
    ]  # fmt: skip
    formats = ["#,##0.00", "#,##0", "#,##0.000", "#,##0.00"]
    assert [cell.number_format for cell in cells] == formats


def test_totals_are_written_per_currency(database: str, admin: Actor) -> None:
    make_order("OD-1")
    for price, currency in ((1_250, "EUR"), (1_000_000, "EUR"), (500, "JPY"), (1_500, "KWD")):
        make_item("OD-1", price_minor=price, currency=currency)
    said = said_in(_export(admin)["About this export"])
    assert said["Total Price"] == ["10,012.50 EUR", "500 JPY", "1.500 KWD"]


def test_statuses_are_written_as_words_and_expired_is_one(database: str, admin: Actor) -> None:
    make_order("OD-1")
    for status in ("not_used", "refund_requested", "used"):
        make_item("OD-1", status=status, valid_until=NOW, product_type="meet_and_assist")
    make_item("OD-1", status="not_used", valid_until=NOW - timedelta(seconds=1))
    columns = ["status", "product_type", "pax_type", "is_refundable"]
    header, rows = rows_of_sheet(_export(admin, columns=columns)["Order Items"])
    assert header == ["Status", "Product Type", "Pax Type", "Refundable"]
    assert [row[0] for row in rows] == ["Not used", "Refund requested", "Used", "Expired"]
    assert rows[0][1:] == ("Meet & assist", "Adult", "Yes")


def test_amounts_of_the_ledger_keep_their_sign(database: str, admin: Actor) -> None:
    make_order("OD-1")
    make_transaction(order_id="OD-1", amount_minor=-3800)
    make_transaction(type="top_up", amount_minor=5_000)
    book = _export(admin, TRANSACTIONS, columns=["type", "amount_minor", "order_id"])
    _, rows = rows_of_sheet(book["Transactions"])
    assert rows == [("Payment", -38, "OD-1"), ("Top-up", 50, None)]
    assert said_in(book["About this export"])["Total Amount"] == ["12.00 EUR"]


def test_the_file_of_an_order_tab_names_its_order_and_links_to_it(
    database: str, admin: Actor
) -> None:
    for order_id in ("OD 1&2", "OD-2"):
        make_order(order_id)
        make_item(order_id, order_item_id=f"I-{order_id}")
    book = _export(admin, order_id="OD 1&2", columns=["order_item_id"])
    assert rows_of_sheet(book["Order Items"])[1] == [("I-OD 1&2",)]
    said = said_in(book["About this export"])
    assert said["Order ID"] == ["OD 1&2"]
    assert said["Rows"] == ["1 of 1 order items"]
    page = said["Page"][0]
    assert page.startswith("http://localhost:8501/order?order=OD+1%262&products=")
    with storage.reading() as session:
        event = session.scalars(select(AuditEvent)).one()
        assert event.action == "order_items.exported"
        assert event.after is not None
        assert event.after["order_id"] == "OD 1&2"


def test_search_and_pasted_ids_are_written_in_the_file(sqlite_database: str, admin: Actor) -> None:
    ids = [make_order(author="ana") for _ in range(4)]
    book = _export(admin, ORDERS, search=" ANA  od ", ids=ids)
    said = said_in(book["About this export"])
    assert said["Filters"] == ["Search “ANA od”", "4 pasted IDs"]
    assert said["Rows"] == ["4 of 4 orders"]
