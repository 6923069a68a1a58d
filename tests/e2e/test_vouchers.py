"""Vouchers in the browser: downloaded while valid, void once refunded, verified by their code."""

import io
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pypdf
import pytest

from tests.conftest import use_database
from tests.e2e.axe import expect_no_fault
from tests.e2e.conftest import OpenDesk
from tests.e2e.desk import Desk, confirm_refund
from tests.e2e.servers import Server, serving
from tests.e2e.waiting import expect
from tests.rows import make_item, make_order, make_transaction

NOW = datetime.now(UTC).replace(microsecond=0)
SOON, PAST = NOW + timedelta(days=9), NOW - timedelta(days=2)
LABEL = "Download Voucher"
NAME = "Ömer Yılmaz"


@pytest.fixture(scope="module")
def server(make_database: Callable[[str], str], kind: str, data_dir: Path) -> Iterator[Server]:
    """Run a server with an order of three valid items and a used one."""
    url = make_database(kind)
    use_database(url)
    make_order("OD-V", item_count=4)
    make_transaction(order_id="OD-V", amount_minor=-15200)
    given = {"refund_expire_at": SOON, "valid_until": SOON, "passenger_name": NAME}
    for number in range(1, 4):
        make_item("OD-V", order_item_id=f"OD-V-{number}", **given)
    used = {"status": "used", "used_at": PAST}
    make_item("OD-V", order_item_id="OD-V-4", **(given | used))
    with serving(url, data_dir) as running:
        yield running


@pytest.fixture
def desk(open_tab: OpenDesk, server: Server) -> Desk:
    """Open the order; its last item is the used one."""
    desk = open_tab(server).open_order("OD-V")
    desk.expect_column("order_item_id", [f"OD-V-{number}" for number in (1, 2, 3, 4)])
    return desk


def tick(desk: Desk, *rows: int) -> None:
    for row in rows:
        desk.box_of(row).click()
    desk.expect_selected(f"{len(rows)} selected")


def download(desk: Desk, name: str) -> tuple[str, bytes]:
    """Click a link and return the file's name and content."""
    with desk.page.expect_download() as waiting:
        desk.page.get_by_role("link", name=name).click()
    return waiting.value.suggested_filename, waiting.value.path().read_bytes()


def pages_of(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


def test_one_ticked_item_is_one_pdf(desk: Desk, server: Server) -> None:
    tick(desk, 2)
    name, pdf = download(desk, LABEL)
    assert name == "voucher-OD-V-3.pdf"
    (text,) = pages_of(pdf)
    code = server.query("SELECT voucher_code FROM order_items WHERE order_item_id = 'OD-V-3'")[0]
    assert NAME in text
    assert code in text
    said = "SELECT count(*) FROM audit_events WHERE action = 'voucher.downloaded'"
    assert server.query(f"{said} AND entity_id = 'OD-V-3'") == [1]


def test_of_several_the_valid_ones_come_and_the_others_are_named(desk: Desk) -> None:
    tick(desk, 1, 2, 3)
    name, pdf = download(desk, LABEL)
    assert name == "vouchers-OD-V.pdf"
    assert len(pages_of(pdf)) == 2
    popover = desk.open_popover("2 of 3 valid")
    expect(popover.get_by_role("cell").filter(has_text="It has been used.")).to_be_visible()
    expect(popover.get_by_role("cell").filter(has_text="OD-V-4")).to_be_visible()
    name, archive = download(desk, "Download separate PDFs (ZIP)")
    assert name == "vouchers-OD-V.zip"
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.namelist() == ["voucher-OD-V-2.pdf", "voucher-OD-V-3.pdf"]


def test_with_none_valid_a_dialog_says_why(desk: Desk) -> None:
    expect(desk.page.get_by_role("button", name=LABEL)).to_be_disabled()
    tick(desk, 3)
    expect(desk.page.get_by_role("link", name=LABEL)).to_have_count(0)
    desk.page.get_by_role("button", name=LABEL).click()
    dialog = desk.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Nothing you selected can be downloaded.")


def test_voucher_is_downloaded_and_verified_without_a_mouse(desk: Desk, server: Server) -> None:
    page, keyboard = desk.page, desk.page.keyboard
    desk.cell(2, "product").focus()
    keyboard.press("Space")
    desk.expect_selected("1 selected")
    page.get_by_role("tab", name="Products").focus()
    with page.expect_download():
        desk.press(page.get_by_role("link", name=LABEL))
    code = server.query("SELECT voucher_code FROM order_items WHERE order_item_id = 'OD-V-3'")[0]
    keyboard.press("Control+k")
    keyboard.type("verify")
    expect(page.get_by_role("option", name="Verify")).to_be_visible()
    keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Verify")).to_be_visible()
    desk.tab_to(page.get_by_role("textbox", name="Code"))
    keyboard.type(code.lower())
    keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Valid.")).to_be_visible()
    expect(page.locator(".st-key-recent_checks").get_by_role("cell").nth(2)).to_have_text(code)


def test_old_link_and_old_code_are_void_once_refunded(
    desk: Desk, open_tab: OpenDesk, server: Server
) -> None:
    tick(desk, 0)
    download(desk, LABEL)
    old = desk.page.get_by_role("link", name=LABEL).get_attribute("href") or ""
    desk.page.get_by_role("button", name="Refund", exact=True).click()
    dialog = desk.page.get_by_role("dialog")
    copies = dialog.locator(".st-key-refund_copies")
    expect(copies.get_by_role("cell").filter(has_text="downloaded by")).to_be_visible()
    confirm_refund(dialog)
    expect(dialog.get_by_text("1 item refunded")).to_be_visible()
    dialog.get_by_role("button", name="Done").click()

    answer = desk.page.request.get(f"{server.url}{urlsplit(old).path}?{urlsplit(old).query}")
    assert answer.status == 409
    assert "It was refunded on" in answer.text()
    assert open_tab(fresh=True).page.request.get(f"{server.url}{old}").status == 401
    assert desk.page.request.get(f"{server.url}/vouchers?form=pdf").status == 401

    code = server.query("SELECT voucher_code FROM order_items WHERE order_item_id = 'OD-V-1'")[0]
    desk.page.goto(f"{server.url}/verify", wait_until="commit")
    desk.page.get_by_role("textbox", name="Code").fill(code)
    desk.page.get_by_role("button", name="Verify").click()
    expect(desk.page.get_by_text("Refunded. It was refunded on")).to_be_visible()
    expect(desk.page.get_by_text(NAME)).to_be_visible()
    expect_no_fault(desk.page)
