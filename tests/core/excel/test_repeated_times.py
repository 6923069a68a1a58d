"""Times that happen twice, when clocks go back: files say which of the two it was."""

import io
from datetime import UTC, datetime, timedelta

from core import excel
from core.access import Actor
from core.tables import ORDER_ITEMS, ORDERS
from core.views import parse_view
from tests.conftest import NOW
from tests.core.read_back import open_book, rows_of_sheet, said_in
from tests.rows import make_item, make_order

# In London, summer time ends on 2026-10-25 at 01:00 UTC.
TWICE = [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1)]
ORDER = [{"colId": "no", "sort": "asc"}]


def test_a_repeated_time_is_text_with_its_offset_and_all_others_are_dates(
    database: str, admin: Actor
) -> None:
    for moment in (*TWICE, TWICE[1] + timedelta(minutes=30), None):
        make_order(created_at=moment or NOW)
    file = io.BytesIO()
    raw = {"zone": "Europe/London", "columns": ["created_at"], "sort": ORDER}
    excel.export(parse_view(ORDERS, raw), file, actor=admin, now=NOW)
    book = open_book(file)
    assert rows_of_sheet(book["Orders"]) == (
        ["Created Date (Europe/London)"],
        [
            ("2026-10-25 01:30:00+01:00",),
            ("2026-10-25 01:30:00+00:00",),
            (datetime(2026, 10, 25, 2, 0),),  # noqa: DTZ001 - a cell has no zone
            (NOW.replace(tzinfo=None),),
        ],
    )
    assert said_in(book["About this export"])["Note"] == [
        "Times that happen twice, because clocks go back, are text with their offset from UTC: "
        "2 cells."
    ]


def test_a_file_without_repeated_times_says_nothing_of_them(
    sqlite_database: str, admin: Actor
) -> None:
    make_order(created_at=TWICE[0])
    file = io.BytesIO()
    excel.export(parse_view(ORDERS, {"zone": "Asia/Tokyo"}), file, actor=admin, now=NOW)
    assert "Note" not in said_in(open_book(file)["About this export"])


def test_a_service_date_repeats_by_the_clocks_of_its_airport(database: str, admin: Actor) -> None:
    make_order("OD-1")
    for zone in ("Europe/London", "Asia/Tokyo"):
        make_item("OD-1", airport_tz=zone, service_at=TWICE[1], created_at=TWICE[1])
    file = io.BytesIO()
    raw = {"zone": "Asia/Tokyo", "columns": ["service_at", "created_at"], "sort": ORDER}
    excel.export(parse_view(ORDER_ITEMS, raw), file, actor=admin, now=NOW)
    _, rows = rows_of_sheet(open_book(file)["Order Items"])
    tokyo = datetime(2026, 10, 25, 10, 30)  # noqa: DTZ001 - a cell has no zone
    assert rows == [("2026-10-25 01:30:00+00:00", tokyo), (tokyo, tokyo)]


def test_the_workbook_of_an_order_says_it_too(sqlite_database: str, admin: Actor) -> None:
    make_order("OD-1")
    make_item("OD-1", created_at=TWICE[0])
    file = io.BytesIO()
    excel.export_order("OD-1", file, actor=admin, now=NOW, zone="Europe/London")
    book = open_book(file)
    assert said_in(book["Order"])["Order ID"] == ["OD-1"]
    (note,) = said_in(book["Order"])["Products"]
    assert note.endswith("with their offset from UTC: 1 cell.")
    assert "Transactions" not in said_in(book["Order"])
