"""Order Desk under a path of a site: alone, and as a team that signs people in, behind two proxies.

The team is two processes behind haproxy, which is behind nginx.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pypdf
import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.conftest import free_port
from tests.core.imports.imported import plain, write_workbook
from tests.e2e.conftest import ZONE, Watch, new_context
from tests.e2e.desk import ITEMS, Desk
from tests.e2e.nginx import proxying
from tests.e2e.provider import expect_form, providing, sign_in
from tests.e2e.servers import Server, serving
from tests.e2e.waiting import expect
from tests.rows import make_item, make_transaction
from tests.shop import make_shop
from tests.team.haproxy import balancing

BASE = "/desk"
UNDER: dict[str, Any] = {"STREAMLIT_SERVER_BASE_URL_PATH": BASE}
SOON = datetime.now(UTC) + timedelta(days=9)
ANA: dict[str, Any] = {"email": "ana@helios.example", "email_verified": True, "name": "Ana"}


def _fill(url: str) -> str:
    """Store the shop, and an item whose voucher is valid."""
    make_shop(url)
    make_item("OD-ONE", order_item_id="OD-ONE-3", valid_until=SOON, service_at=SOON)
    make_transaction(transaction_id="TX-3", order_id="OD-ONE", amount_minor=-3800)
    return url


@pytest.fixture(scope="module")
def plain_server(
    make_database: Callable[[str], str], kind: str, data_dir: Path
) -> Iterator[Server]:
    """Run a server in local mode under a path."""
    with serving(_fill(make_database(kind)), data_dir, **UNDER) as server:
        yield server


@pytest.fixture(scope="module")
def site(make_database: Callable[[str], str], kind: str, data_dir: Path) -> Iterator[Server]:
    """Run two servers behind two proxies, where people sign in; the address is that of nginx."""
    with ExitStack() as stack:
        provider = stack.enter_context(providing(data_dir))
        provider.knows("Ana", **ANA)
        port, inner = free_port(), free_port()
        # The address of the site, without the path: it is added.
        given = provider.settings | {"PUBLIC_URL": f"https://localhost:{port}"}
        given |= UNDER | {"FIRST_ADMIN_EMAIL": ANA["email"]}
        database = _fill(make_database(kind))
        servers = [stack.enter_context(serving(database, data_dir, **given)) for _ in range(2)]
        ports = [one.port for one in servers]
        stack.enter_context(balancing(data_dir, ports, port=inner, base=BASE))
        outer = proxying(data_dir, [inner], port=port, base=BASE, is_proxy=True)
        url = stack.enter_context(outer)
        yield replace(servers[0], url=f"{url}{BASE}")


@pytest.fixture(scope="module")
def trusting(browser: Browser, watch: Watch) -> Iterator[BrowserContext]:
    """Keep a browser that takes the site's certificate."""
    context = new_context(browser, ZONE, ignore_https_errors=True)
    watch.follow_console(context)
    yield context
    context.close()


@pytest.fixture
def person(trusting: BrowserContext) -> Iterator[BrowserContext]:
    """Give a test a browser in which nobody has signed in."""
    yield trusting
    for page in trusting.pages:
        page.close()
    trusting.clear_cookies()


@pytest.fixture(params=["plain_server", "site"])
def desk(request: pytest.FixtureRequest, person: BrowserContext) -> Desk:
    """Come in, where that is asked for, on the way to Orders."""
    server: Server = request.getfixturevalue(request.param)
    page = person.new_page()
    desk = Desk(page, server.url)
    if request.param == "site":
        page.goto(f"{server.url}/orders?search=OD-ONE", wait_until="commit")
        expect_form(page, "Sign in to see your orders.")
        sign_in(page, "Ana")
        expect(page.locator(".st-key-account")).to_contain_text(ANA["email"], timeout=20_000)
        assert page.url == f"{server.url}/orders?search=OD-ONE"  # where they wanted to go
    return desk


def stray(page: Page) -> list[str]:
    """Note what a page asks for beside the path."""
    noted: list[str] = []

    def note(what: Any) -> None:
        parts = urlsplit(what.url)
        if parts.hostname and parts.path != BASE and not parts.path.startswith(f"{BASE}/"):
            noted.append(what.url)

    page.on("request", note)
    page.on("websocket", note)
    return noted


def count_voucher_pages(desk: Desk, item_id: str, folder: Path) -> int:
    """Download the voucher of an item; return how many pages it has."""
    desk.open(table=ITEMS)
    desk.search(item_id)
    desk.expect_column("order_item_id", [item_id])
    desk.box_of(0).click()
    link = desk.page.get_by_role("link", name="Download Voucher")
    with desk.page.expect_download() as waiting:
        link.click()
    waiting.value.save_as(folder / "voucher.pdf")
    return len(pypdf.PdfReader(folder / "voucher.pdf").pages)


def check_upload(desk: Desk, folder: Path) -> None:
    """Upload a workbook, and wait until it is checked."""
    write_workbook(folder / "orders.xlsx", plain())
    desk.page.goto(f"{desk.server}/imports", wait_until="commit")
    desk.page.locator("input[type=file]").set_input_files(folder / "orders.xlsx")
    desk.page.get_by_role("button", name="Check files").click()
    expect(desk.page.get_by_role("heading", name="What the files contain")).to_be_visible()


def test_a_table_loads_filters_and_downloads(desk: Desk, tmp_path: Path) -> None:
    strayed = stray(desk.page)
    desk.open()
    desk.expect_column("order_id", ["OD-TWO", "OD-ONE"])
    desk.box("Author").fill("ana")
    desk.expect_column("order_id", ["OD-ONE"])
    desk.expect_words("Author contains “ana”")
    desk.wait_for_run()  # the link follows the rows
    assert desk.download(tmp_path).column("Order ID") == ["OD-ONE"]
    desk.open_list("Contract ID")
    expect(desk.list_rows).to_have_count(1)
    assert strayed == []


def test_an_order_opens_by_a_click_and_by_its_address(desk: Desk) -> None:
    desk.open()
    desk.cell(0, "order_id").click()
    expect(desk.page).to_have_url(re.compile(rf"{BASE}/order\?order=OD-TWO"))
    desk.open_order("OD-ONE")
    desk.expect_column("order_item_id", ["OD-ONE-1", "OD-ONE-2", "OD-ONE-3"])


def test_a_voucher_is_downloaded_and_a_refusal_leads_back(desk: Desk, tmp_path: Path) -> None:
    assert count_voucher_pages(desk, "OD-ONE-3", tmp_path) == 1
    for path_of in ("/vouchers?form=pdf", "/export/orders", "/messages/x"):
        desk.page.goto(f"{desk.server}{path_of}")
        desk.page.get_by_role("link", name="Back to Order Desk").click()
        expect(desk.page).to_have_url(f"{desk.server}/overview")


def test_import_uploads(desk: Desk, tmp_path: Path) -> None:
    check_upload(desk, tmp_path)
    desk.page.get_by_role("button", name="Choose other files").click()
    expect(desk.page.get_by_role("button", name="Check files")).to_be_disabled()


def test_the_cookies_are_for_the_path_alone(desk: Desk) -> None:
    desk.open()
    paths = {one.get("name"): one.get("path") for one in desk.page.context.cookies()}
    assert paths["order_desk_browser"] == BASE
    assert paths.get("_streamlit_user", BASE) == BASE


@pytest.mark.parametrize("name", ["plain_server", "site"])
def test_readyz_answers_below_the_path_as_json(name: str, request: pytest.FixtureRequest) -> None:
    server: Server = request.getfixturevalue(name)
    answer = httpx.get(f"{server.url}/readyz", verify=False)
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})
    assert httpx.get(f"{server.url}/_stcore/health", verify=False).text == "ok"
    refused = httpx.post(f"{server.url}/rows/orders", content=b"{}", verify=False)
    assert (refused.status_code, list(refused.json())) == (401, ["error"])
    foreign = {"Origin": "https://evil.example"}
    refused = httpx.post(f"{server.url}/rows/orders", headers=foreign, verify=False)
    assert refused.status_code == 403


def test_the_path_without_its_slash_leads_below_whatever_the_host_says(
    plain_server: Server,
) -> None:
    answer = httpx.get(f"{plain_server.url}?order=OD-1")
    assert (answer.status_code, answer.headers["location"]) == (307, "/desk/?order=OD-1")


def test_the_file_names_the_address_with_the_path(desk: Desk, tmp_path: Path) -> None:
    file = desk.open().download(tmp_path)
    assert any(text.startswith(f"{desk.server}/orders?view=") for _label, text in file.about)


@pytest.mark.parametrize("desk", ["site"], indirect=True)
def test_signing_out_ends_at_the_form_and_the_link_leads_through_it_again(desk: Desk) -> None:
    desk.open()
    strayed = stray(desk.page)
    desk.page.locator(".st-key-account").get_by_role("button").click()
    desk.page.get_by_role("button", name="Sign out").click()
    desk.page.get_by_role("button", name="End session").click()
    expect_form(desk.page, "Sign in to see your orders.")
    desk.page.goto(f"{desk.server}/order?order=OD-ONE", wait_until="commit")
    expect_form(desk.page, "Sign in to see your orders.")
    sign_in(desk.page, "Ana")
    desk.expect_column("order_item_id", ["OD-ONE-1", "OD-ONE-2", "OD-ONE-3"])
    assert desk.page.url == f"{desk.server}/order?order=OD-ONE"
    assert [one for one in strayed if one.startswith(desk.server.removesuffix(BASE))] == []
