"""Import, run without a browser: the texts before, during and after it, and who may import."""

import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from core import demo, storage
from core.access import Actor
from core.access.actors import LOCAL_USER_ID
from core.ground import Role, get_settings
from core.imports import State, background, kept_faults
from core.storage import AuditEvent, Order, User
from pages.shell import plain as plain_text
from tests.conftest import NOW
from tests.core.imports.imported import ITEM, ORDER, Sheets, count, plain, write_workbook
from tests.core.imports.imported_refunds import PAID, RETURNED, sold
from tests.pages.opened import open_page, texts

PATIENCE_SECONDS = 30


@pytest.fixture(autouse=True)
def nothing_runs(sqlite_database: str, admin: Actor) -> Iterator[None]:
    """End and forget every run after the test."""
    yield
    background.cancel_run(actor=admin)
    _wait()
    background.forget_run(actor=admin)


def _wait() -> None:
    for thread in threading.enumerate():
        if thread.name == "import":
            thread.join(PATIENCE_SECONDS)


def _bytes(tmp_path: Path, sheets: Sheets) -> bytes:
    write_workbook(tmp_path / "made.xlsx", sheets)
    return (tmp_path / "made.xlsx").read_bytes()


def _check(page: AppTest, content: bytes, name: str = "orders.xlsx") -> AppTest:
    """Upload a file, check it, and return the page when the check has ended."""
    page.file_uploader[0].set_value((name, content, "application/octet-stream"))
    page.run()
    page.button(key="import_check").click().run()
    assert not page.exception
    _wait()
    return page.run()


def test_without_files_there_is_nothing_to_check_and_the_page_says_what_it_needs() -> None:
    page = open_page("imports")
    assert not page.exception
    assert page.button(key="import_check").disabled
    assert "**Orders** needs Order ID, Created Date, Contract ID, Author." in texts(page)
    assert "None yet. A check alone is not listed: it stores nothing." in texts(page)
    assert [one.proto.label for one in page.get("download_button")] == ["Download Template"]


def test_files_are_checked_shown_and_imported(tmp_path: Path) -> None:
    page = _check(open_page("imports"), _bytes(tmp_path, plain() | {"Notes": [{"Milk": 2}]}))
    assert "no import errors" in texts(page)
    assert "Columns: Order ID, Created Date, Contract ID, Author" in texts(page)
    assert "Created Date is in the import's time zone (UTC)" in texts(page)
    assert "Service Date is in the airport's zone" in texts(page)
    assert "not one of the tables: Notes (orders.xlsx)" in texts(page)
    counts, orders, items = (table.value for table in page.table)
    assert counts["Will be added"].tolist() == ["1", "1"]
    assert orders["Created Date"].tolist() == [plain_text("2026-03-01 10:00:00 UTC")]
    assert items["Price"].tolist() == ["38.50"]
    assert count(Order) == 0
    page.button(key="import_now").click().run()
    _wait()
    page.run()
    assert not page.exception
    assert "Orders\\: 1 added, 0 already stored." in texts(page)
    assert "See them on Orders" in [one.proto.label for one in page.get("page_link")]
    assert count(Order) == 1
    (last,) = (table.value.to_dict("records") for table in page.table)
    assert (last[0]["User"], last[0]["Files"]) == ("analyst@local", "orders.xlsx")
    assert last[0]["Outcome"].startswith(plain_text("Orders: 1 added, 0 already stored."))


def test_rows_that_are_already_stored_are_not_offered_for_import(tmp_path: Path) -> None:
    page = _check(open_page("imports"), _bytes(tmp_path, plain()))
    page.button(key="import_now").click().run()
    _wait()
    page = _check(page.run(), _bytes(tmp_path, plain()))
    assert "There is nothing to import." in texts(page)
    assert not [button for button in page.button if button.key == "import_now"]
    page.button(key="import_forget").click().run()
    assert page.button(key="import_check").disabled


def test_a_file_of_headers_alone_is_said_to_have_no_rows(tmp_path: Path) -> None:
    page = _check(open_page("imports"), _bytes(tmp_path, {"Orders": [dict.fromkeys(ORDER)]}))
    assert "The files have headers, but no rows. There is nothing to import." in texts(page)
    assert not [button for button in page.button if button.key == "import_now"]


def test_what_may_follow_from_another_error_is_shown_and_not_counted(tmp_path: Path) -> None:
    sheets: Sheets = {"Orders": [ORDER | {"Order ID": None}], "Order Items": [ITEM]}
    page = _check(open_page("imports"), _bytes(tmp_path, sheets))
    assert "1 import error; nothing was imported." in texts(page)
    problems = page.table[0].value["Problem"].tolist()
    assert len(problems) == 2
    assert "This may follow from another import error" in problems[1]


def test_a_refund_that_the_bank_returned_is_shown_before_the_import(tmp_path: Path) -> None:
    page = _check(open_page("imports"), _bytes(tmp_path, sold("refunded", PAID)))
    page.button(key="import_now").click().run()
    _wait()
    page = _check(page.run(), _bytes(tmp_path, sold("refund_requested", PAID, RETURNED)))
    note = "The bank returned the refund of 1 order item. Refund it again."
    assert note in texts(page)
    page.button(key="import_now").click().run()
    _wait()
    done = plain_text("The bank returned the refund of these order items: A1-1.")
    assert done in texts(page.run())


def test_vouchers_that_will_be_marked_as_used_are_a_warning_before_the_import(
    tmp_path: Path,
) -> None:
    page = _check(open_page("imports"), _bytes(tmp_path, sold("not_used")))
    assert not page.warning
    page.button(key="import_now").click().run()
    _wait()
    page = _check(page.run(), _bytes(tmp_path, sold("used")))
    (warning,) = page.warning
    assert warning.value == (
        "1 order item will be marked as used. It is stored already. Its voucher can then no longer "
        "be sent or refunded."
    )


def test_faults_are_a_table_and_the_first_are_shown(tmp_path: Path) -> None:
    sheets: Sheets = {
        "Orders": [ORDER],
        "Order Items": [
            ITEM | {"Order Item ID": f"I{number}", "Price": "*a*"} for number in range(230)
        ],
    }
    page = _check(open_page("imports"), _bytes(tmp_path, sheets), "my_[orders].xlsx")
    assert "**my\\_\\[orders\\].xlsx**" in texts(page)
    assert "230 import errors; nothing was imported." in texts(page)
    assert "The first 200 of 230 import errors are shown. The Excel file has all" in texts(page)
    (table,) = page.table
    assert len(table.value) == 200
    assert table.value.iloc[0].to_dict() == {
        "Sheet": "Order Items",
        "Row": "2",
        "Column": "Price",
        "Value": "\\*a\\*",
        "Problem": "is not a number",
    }
    (link,) = page.get("link_button")
    assert link.proto.label == "Download Import Errors"
    assert link.proto.url.startswith("/export/import_faults?z")
    assert page.button(key="import_check").disabled


def test_where_not_all_errors_are_the_page_says_how_many_the_file_has(
    admin: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_faults, "IN_ROW", 210)
    items = [ITEM | {"Order Item ID": f"I{number}", "Price": "*a*"} for number in range(230)]
    page = open_page("imports")
    page = _check(page, _bytes(tmp_path, {"Orders": [ORDER], "Order Items": items}), "o.xlsx")
    assert "The first 200 of 230 import errors are shown. The Excel file has all" in texts(page)
    run = background.find_run(actor=admin)
    assert run is not None
    run.faults_file.unlink()  # the check was made on another machine
    said = "The Excel file has the first 210. Check again to list all of them."
    assert f"The first 200 of 230 import errors are shown. {said}" in texts(page.run())


def test_a_file_that_cannot_be_read_is_refused_in_a_sentence() -> None:
    page = _check(open_page("imports"), b"PK <b>damaged</b>", "a_b.xlsx")
    assert "the workbook is damaged" in texts(page)
    assert not page.get("link_button")


def test_a_warning_names_the_demo_before_the_import(tmp_path: Path, admin: Actor) -> None:
    demo.fill(5, actor=admin, now=NOW)
    page = _check(open_page("imports"), _bytes(tmp_path, plain()))
    assert "They stay next to yours" in texts(page)
    assert page.button(key="import_now")


def test_a_run_is_shown_with_a_cancel_button_and_found_again(
    tmp_path: Path, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()
    check = background._check

    def held(*given: Any) -> dict[str, object]:
        go.wait(PATIENCE_SECONDS)
        return check(*given)

    monkeypatch.setattr(background, "_check", held)
    file = io.BytesIO(_bytes(tmp_path, plain()))
    background.begin_check([("orders.xlsx", file)], actor=admin, now=NOW)
    for _ in range(2):  # also when the page is opened again
        page = open_page("imports")
        assert "Checking **orders.xlsx**" in texts(page)
        assert not page.get("file_uploader")
    page.button(key="import_cancel").click().run()
    assert page.button(key="import_cancel").disabled
    go.set()
    _wait()
    run = background.find_run(actor=admin)
    assert run is not None
    assert run.state is State.FAILED
    assert "Cancelled; nothing was imported." in texts(page.run())


def test_a_second_tab_is_told_that_one_is_running(
    tmp_path: Path, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = _check(open_page("imports"), _bytes(tmp_path, plain()))
    second = open_page("imports")
    go = threading.Event()
    held = background._import

    def wait(*given: Any) -> dict[str, object]:
        go.wait(PATIENCE_SECONDS)
        return held(*given)

    monkeypatch.setattr(background, "_import", wait)
    page.button(key="import_now").click().run()
    second.button(key="import_now").click().run()
    assert "An import by analyst@local has been running since" in texts(second)
    assert "Importing **orders.xlsx**" in texts(second)
    go.set()
    _wait()
    with storage.reading() as session:
        assert session.scalars(select(AuditEvent.action)).all() == ["orders.imported"]


def test_a_click_without_the_permission_imports_nothing(tmp_path: Path) -> None:
    page = _check(open_page("imports"), _bytes(tmp_path, plain()))
    with storage.writing() as session:
        session.get_one(User, LOCAL_USER_ID).role = Role.VIEWER
    page.button(key="import_now").click().run()
    assert "cannot import" in texts(page)
    assert count(Order) == 0
    with storage.writing() as session:
        session.get_one(User, LOCAL_USER_ID).role = Role.ADMIN


def test_an_empty_table_links_to_import_with_the_permission() -> None:
    page = open_page("orders")
    assert "Import your own orders" in [one.proto.label for one in page.get("page_link")]
    with storage.writing() as session:
        session.get_one(User, LOCAL_USER_ID).role = Role.VIEWER
    page = open_page("orders")
    assert "Import your own orders" not in [one.proto.label for one in page.get("page_link")]
    with storage.writing() as session:
        session.get_one(User, LOCAL_USER_ID).role = Role.ADMIN


def test_the_upload_limit_is_the_smaller_of_import_and_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = int(st.get_option("server.maxUploadSize"))
    assert server <= get_settings().import_max_mb
    for setting, shown in (("7", 7), (str(server + 1), server)):
        monkeypatch.setenv("IMPORT_MAX_MB", setting)
        get_settings.cache_clear()
        assert open_page("imports").file_uploader[0].proto.max_upload_size_mb == shown
    get_settings.cache_clear()


def test_a_refusal_before_the_check_stays_on_the_page(tmp_path: Path) -> None:
    page = open_page("imports")
    page.file_uploader[0].set_value([(f"{number}.csv", b"x", "text/csv") for number in range(21)])
    page.run()
    page.button(key="import_check").click().run()
    assert [error.value for error in page.error] == ["Upload 1 to 20 files."]
