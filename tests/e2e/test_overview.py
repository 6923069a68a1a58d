"""Overview in the browser: it comes first, and its figures and bars lead to their rows."""

import re

from playwright.sync_api import Locator, Page

from tests.e2e.conftest import OpenDesk
from tests.e2e.desk import ITEMS, ORDERS, Desk, Shown
from tests.e2e.servers import Server
from tests.e2e.waiting import expect

BARS = "svg [aria-roledescription=bar]"


def open_overview(desk: Desk, asked: str = "?period=All+time") -> Page:
    desk.page.goto(f"{desk.server}/overview{asked}", wait_until="commit")
    drawn = desk.page.get_by_test_id("stVegaLiteChart").filter(has=desk.page.locator(BARS))
    expect(drawn).to_have_count(11, timeout=20_000)
    desk.wait_for_run()
    return desk.page


def figure(page: Page, label: str) -> Locator:
    """The link of a headline figure."""
    return page.locator(".st-key-figures").get_by_role("link", name=re.compile(f"^{label}"))


def expect_rows(desk: Desk, table: Shown, count: int) -> None:
    """Wait until a table's page says that so many rows are shown."""
    desk.table = table
    desk.page.wait_for_url(re.compile(rf"{table.path}\?view="), wait_until="commit")
    noun = table.many.removesuffix("s")  # also of one row
    said = re.compile(rf"(?<!of )(?<![\d,]){count:,}( of [\d,]+)? {noun}")
    expect(desk.page.locator(".st-key-head")).to_contain_text(said, timeout=20_000)


def test_bare_address_leads_to_overview(open_tab: OpenDesk) -> None:
    page = open_tab().page
    page.goto(open_tab().server, wait_until="commit")
    expect(page).to_have_url(re.compile(r"/overview(\?.*)?$"))
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def test_figure_and_bar_lead_to_as_many_rows_and_back_returns(
    open_tab: OpenDesk, demo: Server
) -> None:
    desk = open_tab(fresh=True)
    page = open_overview(desk)
    refunded = demo.query(
        "SELECT count(*) FROM order_items WHERE currency = 'EUR' AND status = 'refunded'"
    )
    figure(page, "Refund rate").click()
    expect_rows(desk, ITEMS, refunded[0])
    page.go_back()
    expect(page.locator(BARS).first).to_be_visible()
    desk.wait_for_run()
    assert page.url.endswith("/overview?period=All+time")

    bar = page.locator(BARS).nth(10)
    said = re.search(r"([\d,]+) orders?$", bar.get_attribute("aria-label") or "")
    assert said is not None
    bar.click()
    expect_rows(desk, ORDERS, int(said[1].replace(",", "")))
    page.go_back()
    expect(page.locator(BARS).first).to_be_visible()
    assert page.url.endswith("/overview?period=All+time")


def test_keyboard_reaches_the_rows_of_every_bar(open_tab: OpenDesk, demo: Server) -> None:
    desk = open_tab(fresh=True)
    page = open_overview(desk)
    bars = page.locator(BARS).count()
    page.get_by_text("Tables", exact=True).click()
    plots = page.locator(".st-key-plots").get_by_role("table")
    expect(plots).to_have_count(11)
    expect(plots.get_by_role("link")).to_have_count(bars)
    assert "show=Tables" in page.url
    lounges = demo.query(
        "SELECT count(*) FROM order_items WHERE currency = 'EUR' AND product_type = 'lounge'"
    )
    types = page.get_by_role("region", name="Amount by product type")
    types.get_by_role("row", name="Lounge").get_by_role("link").focus()
    page.keyboard.press("Enter")
    expect_rows(desk, ITEMS, lounges[0])


def test_address_keeps_contract_currency_and_days(open_tab: OpenDesk) -> None:
    page = open_overview(open_tab(fresh=True), "")
    figures = page.locator(".st-key-figures")

    def choose(label: str, option: str) -> None:
        page.get_by_role("combobox", name=label).click()
        page.get_by_role("option", name=option).click()

    def expect_currency(code: str) -> None:
        amount = figures.get_by_role("link", name=re.compile(rf"^Amount.* {code}"))
        expect(amount).to_be_visible()
        page.reload(wait_until="commit")
        expect(amount).to_be_visible()

    choose("Contract", "CT-1002")  # most of whose orders are in pounds
    expect_currency("GBP")
    choose("Contract", "All contracts")
    expect_currency("EUR")
    choose("Period", "Custom range")
    page.wait_for_url(re.compile(r"from=\d{4}-\d\d-\d\d&to=\d{4}-\d\d-\d\d"))
    expect(page.get_by_test_id("stDateInput")).to_have_count(2)
