"""Importing orders: all or nothing, every error with its place, and nothing twice."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import select, text

from core import demo, excel, storage
from core.access import Actor
from core.ground import AppError, InvalidInput, NotPermitted, Role, get_settings
from core.imports import import_files
from core.imports.faults import Faulty
from core.imports.outcome import Outcome
from core.storage import AuditEvent, Contract, Order, OrderItem, Refund, Transaction
from tests.conftest import NOW, use_database
from tests.core.books import check_books
from tests.core.imports.imported import ITEM, ORDER, REFUND, Sheets, count, plain


@pytest.mark.both_databases
def test_a_small_workbook_becomes_an_order_with_all_that_follows(
    database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    import_sheets(plain())
    with storage.reading() as session:
        order = session.get_one(Order, "A1")
        assert (order.no, order.item_count, order.amount_minor, order.currency) == (
            1,
            1,
            3850,
            "EUR",
        )
        assert order.created_at == datetime(2026, 3, 1, 10, tzinfo=UTC)
        item = session.get_one(OrderItem, "A1-1")
        # Local at the airport: London is an hour ahead of UTC in July.
        assert item.service_at == datetime(2026, 7, 1, 11, tzinfo=UTC)
        assert item.valid_from == datetime(2026, 6, 30, 23, tzinfo=UTC)
        assert item.valid_until == datetime(2026, 7, 1, 22, 59, 59, tzinfo=UTC)
        assert (item.airport_tz, item.status, item.pax_type) == (
            "Europe/London",
            "not_used",
            "adult",
        )
        assert (item.is_refundable, item.created_at) == (False, order.created_at)
        assert len(item.voucher_code) == 14
        assert len(item.voucher_serial) == 8
        assert session.get_one(Contract, "CT-1").currency == "EUR"
        event = session.scalars(select(AuditEvent)).one()
        assert event.action == "orders.imported"
        assert event.after == {
            "added": {"orders": 1, "order_items": 1},
            "unchanged": {"orders": 0, "order_items": 0},
            "used": 0,
            "kept": [],
        }


@pytest.mark.both_databases
def test_importing_again_changes_nothing(
    database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    import_sheets(plain())
    outcome = import_sheets(plain())
    assert outcome.added == {}
    assert outcome.unchanged == {"orders": 1, "order_items": 1}
    assert count(Order) == 1


@pytest.mark.both_databases
def test_a_dump_imported_elsewhere_and_dumped_again_has_the_same_rows(
    make_database: Callable[[str], str], database: str, admin: Actor, tmp_path: Path
) -> None:
    demo.fill(150, actor=admin, now=NOW)
    with storage.writing() as session:
        odd = "=odd\x01 _x0041_ \t“x”\nü"
        change = text("UPDATE orders SET author = :a, author_folded = :a WHERE no = 3")
        session.execute(change, {"a": odd})
    first, second = tmp_path / "first.xlsx", tmp_path / "second.xlsx"
    with first.open("wb") as file:
        excel.dump(file, actor=admin, now=NOW)
    use_database(make_database("sqlite" if database.startswith("sqlite") else "postgresql"))
    import_files([first], actor=admin, now=NOW)
    with second.open("wb") as file:
        excel.dump(file, actor=admin, now=NOW)
    with storage.reading() as session:
        assert session.scalar(select(Order.author).where(Order.no == 3)) == odd
    check_books()
    one, other = (
        [list(sheet.values) for sheet in openpyxl.load_workbook(path)] for path in (first, second)
    )
    assert one == other


def test_headers_may_come_in_any_order_and_case_with_blanks_and_a_zone(
    database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    order = {
        " AUTHOR ": "Ana  ",
        "created date (America/New_York)": datetime(2026, 3, 1, 10),  # noqa: DTZ001 - a cell
        "contract_id": "CT-1",
        "order-id": "A1",
        "": None,
    }
    import_sheets({"  ORDERS": [order], "order items": [ITEM]})
    with storage.reading() as session:
        order_stored = session.get_one(Order, "A1")
        assert order_stored.created_at == datetime(2026, 3, 1, 15, tzinfo=UTC)
        assert order_stored.author == "Ana"


def test_the_setting_says_which_zone_a_file_is_in(
    sqlite_database: str,
    import_sheets: Callable[[Sheets], Outcome],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("IMPORT_ZONE", "Asia/Tokyo")
    get_settings.cache_clear()
    import_sheets(plain())
    get_settings.cache_clear()
    with storage.reading() as session:
        created = session.get_one(Order, "A1").created_at
    assert created == datetime(2026, 3, 1, 1, tzinfo=UTC)


NOON = "2026-06-30 12:00"
DEADLINES: list[tuple[str, object, int]] = [  # and its hour in UTC
    ("Refund Expire Date", NOON, 3),
    ("Refund Expire Date", datetime(2026, 6, 30, 12), 3),  # noqa: DTZ001 - a cell
    ("Refund Expire Date", f"{NOON}Z", 12),
    ("Refund Expire Date", f"{NOON}+02:00", 10),
    ("Refund Expire Date (Europe/Paris)", NOON, 10),
]


@pytest.mark.parametrize(("header", "value", "hour"), DEADLINES)
def test_a_deadline_without_a_zone_is_in_the_zone_of_the_airport(
    sqlite_database: str,
    import_sheets: Callable[[Sheets], Outcome],
    monkeypatch: pytest.MonkeyPatch,
    header: str,
    value: object,
    hour: int,
) -> None:
    monkeypatch.setenv("IMPORT_ZONE", "America/New_York")
    get_settings.cache_clear()
    import_sheets({"Orders": [ORDER], "Order Items": [ITEM | {"Airport": "NRT", header: value}]})
    get_settings.cache_clear()
    with storage.reading() as session:
        deadline = session.get_one(OrderItem, "A1-1").refund_expire_at
    assert deadline == datetime(2026, 6, 30, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "zone"),
    [({}, "Europe/London"), ({"Airport Time Zone": "Europe/Lisbon"}, "Europe/Lisbon")],
)
def test_a_deadline_that_the_airports_clock_shows_twice_is_an_error_with_both_readings(
    sqlite_database: str,
    import_sheets: Callable[[Sheets], Outcome],
    given: dict[str, str],
    zone: str,
) -> None:
    item = ITEM | given | {"Refund Expire Date": "2026-10-25 01:30"}
    with pytest.raises(Faulty) as refusal:
        import_sheets({"Orders": [ORDER], "Order Items": [item]})
    assert refusal.value.report().startswith(
        f"orders.xlsx, Order Items, row 2, Refund Expire Date: “2026-10-25 01:30” happens twice in "
        f"{zone} (clock change): 2026-10-25 00:30:00 UTC or 2026-10-25 01:30:00 UTC"
    )
    item["Refund Expire Date"] = "2026-10-25 01:30+00:00"
    import_sheets({"Orders": [ORDER], "Order Items": [item]})


@pytest.mark.both_databases
def test_a_refunded_item_gets_its_refund_row(
    database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    sheets = plain() | {"Transactions": [dict(REFUND)]}
    sheets["Order Items"][0]["Status"] = "Refunded"
    import_sheets(sheets)
    with storage.reading() as session:
        refund = session.scalars(select(Refund)).one()
        assert (refund.order_item_id, refund.status, refund.amount_minor) == (
            "A1-1", "succeeded", 3850,
        )  # fmt: skip
        assert session.get_one(Transaction, "T-2").refund_id == refund.refund_id
        assert session.get_one(OrderItem, "A1-1").refunded_at == refund.settled_at
        assert session.get_one(Contract, "CT-1").balance_minor == 3850


def test_a_refund_that_was_tried_twice_is_one_refund_with_two_transactions(
    database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    failed = REFUND | {"Refund ID": "R-1", "Status": "failed"}
    done = REFUND | {"Refund ID": "R-1", "Status": "succeeded", "Transaction ID": "T-4"}
    tries = [failed, failed | {"Transaction ID": "T-3"}, done]
    sheets = plain() | {"Transactions": tries}
    sheets["Order Items"][0]["Status"] = "refunded"
    assert import_sheets(sheets).added["refunds"] == 1
    with storage.reading() as session:
        assert session.scalars(select(Refund)).one().status == "succeeded"
        assert set(session.scalars(select(Transaction.refund_id))) == {"R-1"}
        assert session.get_one(Contract, "CT-1").balance_minor == 3850
    assert import_sheets(sheets).unchanged["transactions"] == 3


def test_a_dump_of_more_rows_than_a_sheet_holds_comes_back_whole(
    sqlite_database: str,
    admin: Actor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make_database: Callable[[str], str],
) -> None:
    demo.fill(21, actor=admin, now=NOW)
    items = count(OrderItem)
    monkeypatch.setattr("core.excel.workbook.MAX_ROWS", 5)
    path = tmp_path / "dump.xlsx"
    with path.open("wb") as file:
        excel.dump(file, actor=admin, now=NOW)
    use_database(make_database("sqlite"))
    import_files([path], actor=admin, now=NOW)
    assert (count(Order), count(OrderItem)) == (21, items)


def test_rows_of_blanks_are_no_rows(
    database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    sheets = plain()
    sheets["Orders"].append(dict.fromkeys(ORDER, "  "))
    assert import_sheets(sheets).added["orders"] == 1


def test_the_items_of_an_order_may_have_several_currencies(
    database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    sheets: Sheets = {
        "Orders": [ORDER | {"Currency": "EUR"}],
        "Order Items": [ITEM, ITEM | {"Order Item ID": "A1-2", "Price": 1000, "Currency": "JPY"}],
    }
    import_sheets(sheets)
    with storage.reading() as session:
        assert session.get_one(Order, "A1").amount_minor == 3850


def test_rows_are_counted_as_the_workbook_shows_them(
    sqlite_database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    sheets = plain()
    sheets["Orders"] += [{}, {}, ORDER | {"Order ID": "A2", "Created Date": "x"}]
    with pytest.raises(Faulty) as refusal:
        import_sheets(sheets)
    assert [fault.row for fault in refusal.value.faults] == [5]


def test_only_an_admin_imports(sqlite_database: str, admin: Actor, tmp_path: Path) -> None:
    for role in (Role.VIEWER, Role.AGENT, Role.ACCOUNTANT):
        with pytest.raises(NotPermitted):
            import_files([tmp_path / "x.xlsx"], actor=replace(admin, role=role), now=NOW)


def test_importing_into_a_demo_database_ends_its_being_demo(
    sqlite_database: str, admin: Actor, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    demo.fill(10, actor=admin, now=NOW)
    assert "no longer marked as demo" in import_sheets(plain()).in_words()
    with pytest.raises(AppError, match="not demo data"):
        demo.fill(10, actor=admin, now=NOW)
    assert count(Order) == 11


def test_the_template_is_understood_and_explains_every_column(
    sqlite_database: str, admin: Actor, tmp_path: Path
) -> None:
    path = tmp_path / "template.xlsx"
    with path.open("wb") as file:
        excel.write_template(file)
    assert import_files([path], actor=admin, now=NOW).in_words() == "There were no rows to import."
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == [
        "Orders",
        "Order Items",
        "Transactions",
        "Notes",
        "Refunds",
        "Columns",
    ]
    explained = {(row[0], row[1]) for row in book["Columns"].values}
    for title in book.sheetnames[:5]:
        for cell in book[title][1]:
            assert (title, str(cell.value).split(" (")[0]) in explained


def test_the_template_of_the_documentation_is_the_newest(tmp_path: Path) -> None:
    kept = Path(__file__).parents[3] / "docs" / "import-template.xlsx"
    with (tmp_path / "new.xlsx").open("wb") as file:
        excel.write_template(file)
    one, other = (openpyxl.load_workbook(path) for path in (kept, tmp_path / "new.xlsx"))
    assert {s.title: list(s.values) for s in one} == {s.title: list(s.values) for s in other}


@pytest.mark.on_postgresql
@pytest.mark.parametrize("header", ["Product", "Passenger"])
def test_a_text_too_long_for_an_index_is_invalid_and_nothing_is_imported(
    database: str, import_sheets: Callable[[Sheets], Outcome], header: str
) -> None:
    drawn = random.Random(1)
    sheets = plain()
    sheets["Order Items"][0][header] = "".join(
        chr(drawn.randrange(0x4E00, 0x9FFF)) for _ in "x" * 3_000
    )
    with pytest.raises(InvalidInput, match="too long for an index of PostgreSQL"):
        import_sheets(sheets)
    assert count(Order) == 0
