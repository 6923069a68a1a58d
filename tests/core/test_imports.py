"""Importing orders: all or nothing, every fault with its place, and nothing twice."""

import csv
import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import func, select, text

from core import db, demo, excel, imports
from core.errors import AppError, InvalidInput, NotPermitted
from core.imports import Faulty, Outcome, import_files
from core.models import AuditEvent, Base, Contract, Order, OrderItem, Refund, Transaction
from core.settings import get_settings
from core.states import Role
from core.users import Actor
from tests.conftest import NOW, use_database
from tests.core.test_db import BROKEN_BOOKS

ORDER = {
    "Order ID": "A1",
    "Created Date": "2026-03-01 10:00",
    "Contract ID": "CT-1",
    "Author": "Ana",
}
ITEM = {
    "Order Item ID": "A1-1",
    "Order ID": "A1",
    "Product Type": "lounge",
    "Product": "Aspire Lounge",
    "Airport": "LHR",
    "Passenger": "Zoë Müller",
    "Service Date": "2026-07-01 12:00",
    "Price": "38.50",
    "Currency": "EUR",
}
REFUND = {
    "Transaction ID": "T-2",
    "Created Date": "2026-04-01 10:00",
    "Type": "refund",
    "Order ID": "A1",
    "Order Item ID": "A1-1",
    "Amount": "38.50",
    "Currency": "EUR",
}
Sheets = dict[str, list[dict[str, Any]]]


def _plain() -> Sheets:
    return {"Orders": [dict(ORDER)], "Order Items": [dict(ITEM)]}


@pytest.fixture
def import_sheets(tmp_path: Path, admin: Actor) -> Callable[[Sheets], Outcome]:
    """Return what writes sheets of dicts to a workbook and imports it."""

    def run(sheets: Sheets) -> Outcome:
        path = tmp_path / "orders.xlsx"
        write_workbook(path, sheets)
        return import_files([path], actor=admin, now=NOW)

    return run


def write_workbook(path: Path, sheets: Sheets) -> None:
    """Write sheets of dicts, the keys of all rows being the header."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        header = list(dict.fromkeys(key for row in rows for key in row))
        sheet.append(header)
        for row in rows:
            sheet.append([row.get(key) for key in header])
    book.save(path)


def _write_csv(path: Path, rows: list[dict[str, Any]], **style: Any) -> Path:
    encoding = style.pop("encoding", "utf-8")
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), **style)
        writer.writeheader()
        writer.writerows(rows)
    return path


def _count(model: type[Base]) -> int:
    with db.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_a_small_workbook_becomes_an_order_with_all_that_follows(
    database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    import_sheets(_plain())
    with db.reading() as session:
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


def test_importing_again_changes_nothing(
    database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    import_sheets(_plain())
    outcome = import_sheets(_plain())
    assert outcome.added == {}
    assert outcome.unchanged == {"orders": 1, "order_items": 1}
    assert _count(Order) == 1


def test_a_dump_imported_elsewhere_and_dumped_again_has_the_same_rows(
    make_database: Callable[[str], str], database: str, admin: Actor, tmp_path: Path
) -> None:
    demo.fill(150, actor=admin, now=NOW)
    with db.writing() as session:
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
    with db.reading() as session:
        assert session.scalar(select(Order.author).where(Order.no == 3)) == odd
        for statement in BROKEN_BOOKS:
            assert session.execute(text(statement)).all() == [], statement
    one, other = (
        [list(sheet.values) for sheet in openpyxl.load_workbook(path)] for path in (first, second)
    )
    assert one == other


def test_csv_files_with_the_same_headers_are_one_import(
    database: str, admin: Actor, tmp_path: Path
) -> None:
    orders = _write_csv(tmp_path / "o.csv", [ORDER], encoding="utf-8-sig", delimiter=";")
    items = _write_csv(
        tmp_path / "i.csv", [ITEM | {"Price": "1.038,50"}], encoding="utf-16", delimiter="\t"
    )
    import_files([items, orders], actor=admin, now=NOW)
    with db.reading() as session:
        assert session.get_one(OrderItem, "A1-1").price_minor == 103850
        assert session.get_one(OrderItem, "A1-1").passenger_name == "Zoë Müller"


def test_every_dumped_sheet_is_known_by_its_headers_as_csv(
    database: str, admin: Actor, tmp_path: Path, make_database: Callable[[str], str]
) -> None:
    demo.fill(40, actor=admin, now=NOW)
    file = io.BytesIO()
    excel.dump(file, actor=admin, now=NOW)
    use_database(make_database("sqlite"))
    paths = []
    for sheet in openpyxl.load_workbook(file):
        header, *rows = sheet.values
        rows = [dict(zip(header, row, strict=True)) for row in rows]
        paths.append(_write_csv(tmp_path / f"{sheet.title}.csv", rows))
    outcome = import_files(paths, actor=admin, now=NOW)
    assert outcome.added["orders"] == 40
    assert set(outcome.added) == {"orders", "order_items", "refunds", "transactions"}


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
    with db.reading() as session:
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
    import_sheets(_plain())
    get_settings.cache_clear()
    with db.reading() as session:
        created = session.get_one(Order, "A1").created_at
    assert created == datetime(2026, 3, 1, 1, tzinfo=UTC)


def test_a_refunded_item_gets_its_refund_row(
    database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    sheets = _plain() | {"Transactions": [dict(REFUND)]}
    sheets["Order Items"][0]["Status"] = "Refunded"
    import_sheets(sheets)
    with db.reading() as session:
        refund = session.scalars(select(Refund)).one()
        assert (refund.order_item_id, refund.status, refund.amount_minor) == (
            "A1-1", "succeeded", 3850,
        )  # fmt: skip
        assert session.get_one(Transaction, "T-2").refund_id == refund.refund_id
        assert session.get_one(OrderItem, "A1-1").refunded_at == refund.settled_at
        assert session.get_one(Contract, "CT-1").balance_minor == 3850


def test_an_item_that_is_now_used_is_updated_and_audited(
    database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    import_sheets(_plain())
    sheets = _plain()
    sheets["Order Items"][0] |= {"Status": "used", "Used At": "2026-07-01 11:30"}
    outcome = import_sheets(sheets)
    assert outcome.used == ["A1-1"]
    with db.reading() as session:
        item = session.get_one(OrderItem, "A1-1")
        assert (item.status, item.used_at) == ("used", datetime(2026, 7, 1, 11, 30, tzinfo=UTC))
        actions = session.scalars(select(AuditEvent.action)).all()
        assert "order_item.used" in actions
    assert import_sheets(sheets).used == []


def test_a_refund_made_here_wins_over_an_older_file_and_is_listed(
    database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    import_sheets(_plain())
    with db.writing() as session:
        session.get_one(OrderItem, "A1-1").status = "refund_requested"
    sheets = _plain()
    sheets["Order Items"][0]["Status"] = "not used"
    outcome = import_sheets(sheets)
    assert outcome.kept == ["A1-1"]
    assert "Kept" in outcome.in_words()
    with db.reading() as session:
        assert session.get_one(OrderItem, "A1-1").status == "refund_requested"


def test_expired_reads_as_not_used_and_a_number_is_kept_where_it_is_free(
    database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    sheets = _plain()
    sheets["Order Items"][0]["Status"] = "Expired"
    sheets["Orders"][0]["No"] = 77
    import_sheets(sheets)
    other = {
        "Orders": [ORDER | {"Order ID": "B1", "No": 77}],
        "Order Items": [ITEM | {"Order ID": "B1", "Order Item ID": "B1-1"}],
    }
    import_sheets(other)
    with db.reading() as session:
        assert session.get_one(OrderItem, "A1-1").status == "not_used"
        assert session.get_one(Order, "A1").no == 77
        assert session.get_one(Order, "B1").no == 78


def _with(sheet: str, **values: Any) -> Sheets:
    sheets = _plain()
    if sheet == "Transactions":
        sheets[sheet] = [REFUND | values]
    else:
        sheets[sheet][0] |= values
    return sheets


FAULTY: dict[str, tuple[Sheets, str]] = {
    "price": (
        _with("Order Items", Price="abc"),
        "Order Items, row 2, Price: “abc” is not a number",
    ),
    "missing": (_with("Orders", Author=" "), "Orders, row 2, Author:"),
    "date": (
        _with("Orders", **{"Created Date": "03/04/2026"}),
        "Created Date: “03/04/2026” is not a date; expected such as 2026-03-01 14:30",
    ),
    "choice": (
        _with("Order Items", **{"Product Type": "spa"}),
        "Product Type: “spa” is not one of lounge, fast_track, meet_and_assist, delay_care",
    ),
    "currency": (_with("Order Items", Currency="XXZ"), "“XXZ” is not a currency such as EUR"),
    "airport": (_with("Order Items", Airport="QQQ"), "Airport: “QQQ” is not an airport we know"),
    "clock change": (
        _with("Order Items", **{"Service Date": "2026-10-25 01:30"}),
        "happens twice in Europe/London",
    ),
    "column": (_with("Orders", Surprise=1), "row 1, Surprise: is not a column of Orders"),
    "total": (_with("Orders", Total=3), "Total: “3” differs from the number of its items, 1"),
    "no items": (
        {"Orders": [ORDER, ORDER | {"Order ID": "A2"}], "Order Items": [ITEM]},
        "row 3, Order ID: “A2” is an order without items",
    ),
    "unknown order": (
        {"Orders": [ORDER], "Order Items": [ITEM, ITEM | {"Order Item ID": "x", "Order ID": "Z"}]},
        "row 3, Order ID: “Z” is an order that is not known",
    ),
    "twice": (
        {"Orders": [ORDER, ORDER | {"Author": "Bob"}], "Order Items": [ITEM]},
        "Order ID: “A1” stands more than once, with different values",
    ),
    "refunded without": (
        _with("Order Items", Status="refunded"),
        "does not fit its 0 succeeded refund transactions",
    ),
    "refund of an unused": (_with("Transactions"), "does not fit its 1 succeeded refund"),
    "refund amount": (
        {
            "Orders": [ORDER],
            "Order Items": [ITEM | {"Status": "refunded"}],
            "Transactions": [REFUND | {"Amount": 10}],
        },
        "Amount: “10.00” is not the price of the refunded item",
    ),
    "sign": (
        _with("Transactions", Type="payment", **{"Order Item ID": None}),
        "of a payment has to be below zero",
    ),
    "in progress": (_with("Order Items", Status="refund_requested"), "is a refund in progress"),
    "negative": (_with("Order Items", Price=-1), "is below zero"),
    "voucher code twice": (
        {
            "Orders": [ORDER],
            "Order Items": [
                ITEM | {"Voucher Code": "AAAA"},
                ITEM | {"Order Item ID": "A1-2", "Voucher Code": "AAAA"},
            ],
        },
        "Voucher Code: “AAAA” stands more than once",
    ),
    "amount without currency": (
        _with("Orders", Amount=38.5),
        "Orders, row 2, Amount: “38.5” needs its Currency beside it",
    ),
    "amount": (
        _with("Orders", Amount=99, Currency="EUR"),
        "Amount: “99.00” differs from the prices of its items in EUR",
    ),
    "balance in another currency": (
        {
            "Orders": [ORDER],
            "Order Items": [ITEM],
            "Transactions": [
                REFUND | {"Type": "top_up", "Order Item ID": None},
                REFUND
                | {"Transaction ID": "T-3", "Type": "top_up", "Order Item ID": None}
                | {"Currency": "JPY", "Amount": 10},
            ],
        },
        "Currency: “JPY” is not that of the balance of contract CT-1, EUR",
    ),
    "one refund id twice": (
        {
            "Orders": [ORDER],
            "Order Items": [
                ITEM | {"Status": "refunded"},
                ITEM | {"Order Item ID": "A1-2", "Status": "refunded"},
            ],
            "Transactions": [
                REFUND | {"Refund ID": "R"},
                REFUND | {"Transaction ID": "T-3", "Order Item ID": "A1-2", "Refund ID": "R"},
            ],
        },
        "Refund ID: “R” is a refund that is there already",
    ),
    "under no header": (
        {"Orders": [ORDER], "Order Items": [ITEM | {"": "lost"}]},
        "row 2: “lost” stands in column 10, which has no header",
    ),
    "long code": (_with("Orders", **{"Widget ID": "W" * 201}), "is longer than 200 characters"),
    "error cell": (
        _with("Orders", **{"Widget ID": "#REF!"}),
        "row 2, Widget ID: holds an error, or a formula without its result",
    ),
    "bare formula": (
        _with("Order Items", **{"Refund Expire Date": "=NOW()"}),
        "Refund Expire Date: holds an error, or a formula without its result",
    ),
    "zone": (
        _with("Order Items", **{"Airport Time Zone": "Mars"}),
        "“Mars” is not a time zone such as Europe/London (IANA)",
    ),
}


@pytest.mark.parametrize(("sheets", "said"), FAULTY.values(), ids=FAULTY.keys())
def test_a_fault_is_named_with_its_place_and_nothing_is_written(
    sqlite_database: str,
    import_sheets: Callable[[Sheets], Outcome],
    sheets: Sheets,
    said: str,
) -> None:
    with pytest.raises(Faulty) as refusal:
        import_sheets(sheets)
    assert said in refusal.value.report()
    assert "orders.xlsx" in refusal.value.report()
    assert [_count(model) for model in (Order, OrderItem, Transaction, Contract)] == [0] * 4


def test_every_fault_is_listed_not_the_first_alone(
    database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    sheets = _plain()
    sheets["Orders"] += [ORDER | {"Order ID": None}, ORDER | {"Order ID": "A3", "No": "x"}]
    sheets["Order Items"][0] |= {"Price": "abc", "Airport": "12"}
    with pytest.raises(Faulty) as refusal:
        import_sheets(sheets)
    assert len(refusal.value.faults) == 4
    assert refusal.value.report().endswith("4 faults; nothing was imported.")


def test_a_difference_from_what_is_stored_is_a_fault(
    database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    import_sheets(_plain())
    with pytest.raises(Faulty, match="1 fault;") as refusal:
        import_sheets(_with("Order Items", Passenger="Somebody Else"))
    assert "differs from what is stored: “Zoë Müller”" in refusal.value.report()


def test_a_difference_is_said_as_people_write_it(
    database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    import_sheets(_plain())
    sheets = _with("Order Items", Price=40)
    sheets["Orders"][0]["Created Date"] = "2026-03-02 10:00"
    with pytest.raises(Faulty) as refusal:
        import_sheets(sheets)
    report = refusal.value.report()
    assert "Price: “40.00” differs from what is stored: “38.50”" in report
    assert (
        "“2026-03-02 10:00:00 UTC” differs from what is stored: “2026-03-01 10:00:00 UTC”" in report
    )


def test_a_second_refund_of_a_stored_item_is_a_fault(
    database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    sheets = _plain() | {"Transactions": [dict(REFUND)]}
    sheets["Order Items"][0]["Status"] = "refunded"
    import_sheets(sheets)
    with pytest.raises(Faulty) as refusal:
        import_sheets({"Transactions": [REFUND | {"Transaction ID": "T-9"}]})
    assert "has a refund here already" in refusal.value.report()


def test_a_dump_of_more_rows_than_a_sheet_holds_comes_back_whole(
    sqlite_database: str,
    admin: Actor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make_database: Callable[[str], str],
) -> None:
    demo.fill(21, actor=admin, now=NOW)
    items = _count(OrderItem)
    monkeypatch.setattr("core.sheets.MAX_ROWS", 5)
    path = tmp_path / "dump.xlsx"
    with path.open("wb") as file:
        excel.dump(file, actor=admin, now=NOW)
    use_database(make_database("sqlite"))
    import_files([path], actor=admin, now=NOW)
    assert (_count(Order), _count(OrderItem)) == (21, items)


def test_rows_of_blanks_are_no_rows(
    database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    sheets = _plain()
    sheets["Orders"].append(dict.fromkeys(ORDER, "  "))
    assert import_sheets(sheets).added["orders"] == 1


def test_the_items_of_an_order_may_have_several_currencies(
    database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    sheets = {
        "Orders": [ORDER | {"Currency": "EUR"}],
        "Order Items": [ITEM, ITEM | {"Order Item ID": "A1-2", "Price": 1000, "Currency": "JPY"}],
    }
    import_sheets(sheets)
    with db.reading() as session:
        assert session.get_one(Order, "A1").amount_minor == 3850


def test_a_new_item_of_a_stored_order_is_a_fault(
    database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    import_sheets(_plain())
    with pytest.raises(Faulty) as refusal:
        import_sheets({"Order Items": [ITEM | {"Order Item ID": "A1-9"}]})
    assert "its Total would differ" in refusal.value.report()


def _make_protected(path: Path) -> None:
    path.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 2_000)


def _make_bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"")
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 3_000_000)


def _make_truncated(path: Path) -> None:
    whole = io.BytesIO()
    book = openpyxl.Workbook()
    book.save(whole)
    path.write_bytes(whole.getvalue()[:-200])


UNREADABLE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "empty.xlsx": (lambda path: path.write_bytes(b""), "the file is empty"),
    "protected.xlsx": (_make_protected, "protected by a password"),
    "truncated.xlsx": (_make_truncated, "damaged"),
    "text.xlsx": (lambda path: path.write_text("hello"), "not a workbook"),
    "other.xlsx": (lambda path: write_workbook(path, {"Sheet1": [{"x": 1}]}), "none of the sheets"),
    "other.csv": (lambda path: path.write_text("x;y\n1;2\n"), "none of the sheets"),
    "latin1.csv": (lambda path: path.write_bytes("Ordér ID;é\n".encode("latin-1")), "UTF-8"),
    "quotes.csv": (lambda path: path.write_text(",".join(ORDER) + '\n"x,y\n'), "line 2"),
    "bomb.xlsx": (_make_bomb, "over the limit of 1 MB"),
    "folder.xlsx": (lambda path: path.mkdir(), "no such file"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_file_that_cannot_be_read_is_refused_with_its_name_and_reason(
    sqlite_database: str, admin: Actor, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPORT_MAX_MB", "1")
    get_settings.cache_clear()
    make, said = UNREADABLE[name]
    path = tmp_path / name
    make(path)
    with pytest.raises(InvalidInput) as refusal:
        import_files([path], actor=admin, now=NOW)
    assert said in str(refusal.value)
    assert name in str(refusal.value)
    assert _count(Order) == 0
    get_settings.cache_clear()


def test_rows_are_counted_as_the_workbook_shows_them(
    sqlite_database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    sheets = _plain()
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
    assert "no longer marked as demo" in import_sheets(_plain()).in_words()
    with pytest.raises(AppError, match="not demo data"):
        demo.fill(10, actor=admin, now=NOW)
    assert _count(Order) == 11


def test_the_template_is_understood_and_explains_every_column(
    sqlite_database: str, admin: Actor, tmp_path: Path
) -> None:
    path = tmp_path / "template.xlsx"
    with path.open("wb") as file:
        excel.write_template(file)
    assert import_files([path], actor=admin, now=NOW).in_words() == "There were no rows to import."
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["Orders", "Order Items", "Transactions", "Columns"]
    explained = {(row[0], row[1]) for row in book["Columns"].values}
    for title in book.sheetnames[:3]:
        for cell in book[title][1]:
            assert (title, cell.value.split(" (")[0]) in explained


def test_the_template_of_the_documentation_is_the_newest(tmp_path: Path) -> None:
    kept = Path(__file__).parents[2] / "docs" / "import-template.xlsx"
    with (tmp_path / "new.xlsx").open("wb") as file:
        excel.write_template(file)
    one, other = (openpyxl.load_workbook(path) for path in (kept, tmp_path / "new.xlsx"))
    assert {s.title: list(s.values) for s in one} == {s.title: list(s.values) for s in other}


def test_a_dump_of_a_text_that_no_cell_holds_is_refused(
    sqlite_database: str, admin: Actor, import_sheets: Callable[[Sheets], Outcome], tmp_path: Path
) -> None:
    path = _write_csv(tmp_path / "o.csv", [ORDER | {"Author": "x" * 40_000}])
    items = _write_csv(tmp_path / "i.csv", [ITEM])
    imports.import_files([path, items], actor=admin, now=NOW)
    with pytest.raises(InvalidInput, match="40,000 characters"):
        excel.dump(io.BytesIO(), actor=admin, now=NOW)
