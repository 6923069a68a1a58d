"""Excel files, read back: the file has what the screen shows."""

import io
import zipfile
from datetime import UTC, datetime
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select, text

import core.query
from core import access, excel, storage
from core.access import Actor
from core.excel import workbook
from core.excel.cells import clean
from core.query import rows
from core.storage import AuditEvent, CancelToken, QueryCancelled
from core.tables import ORDERS
from core.views import default_view, parse_view
from tests.conftest import NOW
from tests.core.read_back import rows_of_csv
from tests.rows import make_order

pytestmark = pytest.mark.both_databases


def _export(actor: Actor, **raw: Any) -> tuple[Any, bytes]:
    file = io.BytesIO()
    excel.export(parse_view(ORDERS, raw), file, actor=actor, now=NOW)
    return openpyxl.load_workbook(file), file.getvalue()


HOSTILE = [
    "=1+1", "=cmd|' /C calc'!A0", "{=1+1}", "+1", "-2+3", "@SUM(A1)", "#N/A", "http://x.example",
    "mailto:a@x.example", "'quoted", " both ends ", "😀 emoji", "line\nbreak", "0012", "1e5",
    "TRUE",
]  # fmt: skip


def test_hostile_values_are_written_as_text_unchanged(database: str, admin: Actor) -> None:
    ids = {make_order(author=value): value for value in HOSTILE}
    book, content = _export(admin)
    rows = {row[1].value: row[6] for row in book["Orders"].iter_rows(min_row=2)}
    for order_id, value in ids.items():
        assert rows[order_id].value == value
        assert rows[order_id].data_type == "s"
        assert rows[order_id].hyperlink is None
        looks_like_formula = value[0] in "=+-@{"
        assert bool(rows[order_id].quotePrefix) is looks_like_formula
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


def test_characters_that_xml_forbids_are_replaced(sqlite_database: str, admin: Actor) -> None:
    make_order(author="a\x01b\x0bc\ufffed")
    book, _ = _export(admin)
    assert book["Orders"]["G2"].value == "a\ufffdb\ufffdc\ufffdd"


def test_a_text_that_looks_like_an_escape_is_escaped() -> None:
    assert clean("_x0041_") == ("_x005F_x0041_", False)
    assert clean("_x0041") == ("_x0041", False)
    assert clean("a\rb") == ("a_x000D_b", False)


def test_a_text_longer_than_a_cell_is_cut_and_the_file_says_so(
    sqlite_database: str, admin: Actor
) -> None:
    make_order(author="x" * 40_000)
    make_order(author="😀" * 20_000)
    book, _ = _export(admin)
    lengths = {len(row[0]) for row in book["Orders"].iter_rows(2, None, 7, 7, values_only=True)}
    assert lengths == {32_767, 16_383}
    about = {row[0].value: row[1].value for row in book["About this export"].iter_rows()}
    assert about["Note"].startswith("2 texts are cut after 32,767 characters")


def test_dates_are_real_dates_in_the_zone_of_the_view(database: str, admin: Actor) -> None:
    make_order(created_at=datetime(2026, 7, 1, 22, 30, 15, tzinfo=UTC))
    book, _ = _export(admin, zone="Europe/Athens")
    sheet = book["Orders"]
    assert sheet["D1"].value == "Created Date (Europe/Athens)"
    assert sheet["D2"].value == datetime(2026, 7, 2, 1, 30, 15)  # noqa: DTZ001 - a cell has no zone
    assert sheet["D2"].number_format == "yyyy-mm-dd hh:mm:ss"
    assert isinstance(sheet["A2"].value, int)


def test_visible_columns_keep_their_order_with_a_frozen_header_and_a_filter(
    sqlite_database: str, admin: Actor
) -> None:
    make_order()
    make_order()
    book, _ = _export(admin, columns=["author", "order_id"])
    sheet = book["Orders"]
    assert [cell.value for cell in sheet[1]] == ["Author", "Order ID"]
    assert sheet["A1"].font.bold
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:B3"


def test_rows_that_do_not_fit_a_sheet_continue_on_the_next(
    sqlite_database: str, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "MAX_ROWS", 2)
    for _ in range(5):
        make_order()
    book, _ = _export(admin)
    assert book.sheetnames == ["Orders", "Orders (2)", "Orders (3)", "About this export"]
    numbers = [row[0] for name in book.sheetnames[:3] for row in book[name].values][0:]
    assert len([number for number in numbers if number != "No"]) == 5


def test_the_about_sheet_describes_the_export(sqlite_database: str, admin: Actor) -> None:
    make_order(author="ana")
    make_order(author="bob")
    filters = {"author": {"filterType": "text", "type": "contains", "filter": "AN"}}
    book, _ = _export(admin, filters=filters, zone="Asia/Tokyo")
    about = {row[0].value: row[1].value for row in book["About this export"].iter_rows()}
    assert about["Filters"] == "Author contains “AN”"
    assert about["Rows"] == "1 of 2 orders"
    assert about["Exported by"] == "analyst@local"
    assert about["Exported at"] == "2026-11-23 18:30:00 (Asia/Tokyo)"
    assert about["Page"].startswith("http://localhost:8501/orders?view=")
    assert "token" not in about["Page"]


def test_the_about_sheet_says_which_days_relative_dates_mean(
    sqlite_database: str, admin: Actor
) -> None:
    make_order()
    asked = {
        "filterType": "date",
        "operator": "OR",
        "conditions": [
            {"filterType": "date", "type": "today"},
            {"filterType": "date", "type": "lastDays", "filter": 30},
        ],
    }
    book, _ = _export(admin, filters={"created_at": asked}, zone="Asia/Tokyo")
    rows = [tuple(cell.value for cell in row) for row in book["About this export"].iter_rows()]
    first = rows.index(("Days", "Created Date: 2026-11-23"))
    assert rows[first + 1] == (None, "Created Date: 2026-10-25 to 2026-11-23")
    fixed = {"type": "lessThan", "dateFrom": "2026-12-01 00:00:00"}
    book, _ = _export(admin, filters={"created_at": fixed})
    assert "Days" not in [row[0].value for row in book["About this export"].iter_rows()]


def test_an_export_and_its_filters_are_audited(database: str, admin: Actor) -> None:
    make_order()
    _export(admin, filters={"no": {"type": "greaterThan", "filter": 0}})
    with storage.reading() as session:
        event = session.scalars(select(AuditEvent)).one()
        assert (event.action, event.actor, event.at) == ("orders.exported", "analyst@local", NOW)
        assert event.after is not None
        assert event.after["rows"] == 1
        assert event.after["view"]["filters"]["no"]["filter"] == 0
        assert event.after["file"] == "xlsx"


def test_a_csv_file_has_the_rows_and_columns_of_the_excel_file_and_is_audited(
    database: str, admin: Actor
) -> None:
    for value in HOSTILE:
        make_order(author=value)
    view = parse_view(ORDERS, {"columns": ["no", "author", "created_at"], "zone": "Asia/Tokyo"})
    file, book = io.BytesIO(), io.BytesIO()
    csv = excel.FileFormat.CSV
    assert excel.export(view, file, actor=admin, now=NOW, file_format=csv) == len(HOSTILE)
    excel.export(view, book, actor=admin, now=NOW)
    header, *rows = openpyxl.load_workbook(book)["Orders"].values
    found = rows_of_csv(file)
    assert found[0] == list(header)
    assert found[1] == [
        [str(no), f"'{author}" if str(author)[0] in "=+-@" else author, str(made)]
        for no, author, made in rows
    ]
    with storage.reading() as session:
        events = session.scalars(select(AuditEvent)).all()
        kinds = sorted((event.action, (event.after or {})["file"]) for event in events)
        assert kinds == [("orders.exported", "csv"), ("orders.exported", "xlsx")]
        assert len({str((event.after or {})["rows"]) for event in events}) == 1


@pytest.mark.parametrize("file_format", excel.FileFormat)
def test_a_cancelled_export_ends_and_leaves_no_file_and_no_query(
    database: str,
    admin: Actor,
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
    file_format: excel.FileFormat,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(rows, "CHUNK_ROWS", 2)
    monkeypatch.setattr(rows, "READ_ROWS", 2)
    for _ in range(9):
        make_order()
    cancel = CancelToken()

    class Leaving(io.BytesIO):
        def write(self, part: Any) -> int:
            cancel.set()  # after the first bytes of the file
            return super().write(part)

    with pytest.raises(QueryCancelled):
        excel.export(
            default_view(ORDERS),
            Leaving(),
            actor=admin,
            now=NOW,
            file_format=file_format,
            cancel=cancel,
        )
    assert list(tmp_path.iterdir()) == []
    pool: Any = storage.get_engine().pool
    assert pool.checkedout() == 0
    with storage.reading() as session:
        assert session.scalars(select(AuditEvent)).all() == []
        if not storage.is_sqlite():
            others = "SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle' AND datname = "
            others += "current_database() AND pid <> pg_backend_pid()"
            assert session.scalar(text(others)) == 0


def test_an_export_comes_from_one_snapshot(
    database: str, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_order()
    make_order()

    def count_and_change(*arguments: Any, **options: Any) -> int:
        counted = count_in(*arguments, **options)
        make_order(author="latecomer")
        return counted

    count_in = core.query.count_in
    monkeypatch.setattr(core.query, "count_in", count_and_change)
    book, _ = _export(admin)
    about = {row[0].value: row[1].value for row in book["About this export"].iter_rows()}
    assert about["Rows"] == "2 of 2 orders"
    assert book["Orders"].max_row == 3


def test_audit_events_and_ledger_cannot_be_rewritten(database: str, admin: Actor) -> None:
    from sqlalchemy.exc import DBAPIError

    from tests.rows import make_transaction

    make_order("OD-1")
    pending = make_transaction(order_id="OD-1", status="pending")
    done = make_transaction(order_id="OD-1")
    with storage.writing() as session:
        access.record_event(session, "a.b", actor=admin, entity="x", entity_id="1", now=NOW)
    forbidden = [
        "UPDATE audit_events SET actor = 'me'",
        "DELETE FROM audit_events",
        "DELETE FROM transactions",
        f"UPDATE transactions SET amount_minor = -1 WHERE transaction_id = '{done}'",
        f"UPDATE transactions SET status = 'failed' WHERE transaction_id = '{done}'",
        "UPDATE transactions SET status = 'failed', amount_minor = -1 "
        f"WHERE transaction_id = '{pending}'",
    ]
    for statement in forbidden:
        with pytest.raises(DBAPIError, match="append-only"), storage.writing() as session:
            session.execute(text(statement))
    with storage.writing() as session:
        settle = f"UPDATE transactions SET status = 'succeeded' WHERE transaction_id = '{pending}'"
        session.execute(text(settle))
