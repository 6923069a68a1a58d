"""Saved views: kept under a name, asked before one is replaced, shared, opened first, deleted."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator

from tests.e2e.axe import expect_no_fault
from tests.e2e.conftest import OpenDesk
from tests.e2e.desk import ITEMS, TRANSACTIONS, Desk, Shown
from tests.e2e.servers import Server
from tests.e2e.waiting import SLOW_PAGE, expect

EVERY = ["OD-TWO", "OD-ONE"]


@pytest.fixture
def desk(open_tab: OpenDesk, shop: Server) -> Iterator[Desk]:
    """Open the shop, which has no saved views before and after."""
    yield open_tab(shop).open()
    shop.execute("DELETE FROM saved_views")


def dialog_of(desk: Desk, button: str) -> Locator:
    """Open Views, and from there a dialog."""
    desk.open_popover("Views").get_by_role("button", name=button).click()
    dialog = desk.page.get_by_role("dialog").filter(has=desk.page.get_by_role("heading"))
    expect(dialog).to_be_visible()
    return dialog


def check(dialog: Locator, label: str) -> None:
    dialog.get_by_test_id("stCheckbox").get_by_text(label).click()
    expect(dialog.get_by_role("checkbox", name=label)).to_be_checked()


def save(desk: Desk, name: str, *labels: str) -> None:
    dialog = dialog_of(desk, "Save this view…")
    dialog.get_by_role("textbox", name="Name").fill(name)
    for label in labels:
        check(dialog, label)
    if labels:
        desk.wait_for_run()
        expect_no_fault(desk.page)
    dialog.get_by_role("button", name="Save").click()
    expect(desk.page.get_by_test_id("stToast")).to_contain_text(f"Saved as “{name}”.")
    expect(dialog).to_be_hidden()


def open_view(desk: Desk, name: str) -> None:
    desk.open_popover("Views").get_by_role("button", name=name).click()


def filter_author(desk: Desk, text: str) -> None:
    desk.box("Author").fill(text)
    desk.expect_words(f"Author contains “{text}”")


def test_saved_view_is_opened_by_its_name_and_by_its_link(desk: Desk, open_tab: OpenDesk) -> None:
    filter_author(desk, "ana")
    desk.header("Total").click()
    desk.expect_view(sort=[{"colId": "item_count", "sort": "asc"}])
    save(desk, "Ana’s orders", "Share with everyone", "Everyone may read them")
    desk.page.get_by_role("button", name="Clear all").click()
    desk.expect_column("order_id", ["OD-TWO", "OD-ONE"])
    open_view(desk, "Ana’s orders (shared by you)")
    desk.expect_words("Author contains “ana”")
    desk.expect_column("order_id", ["OD-ONE"])
    expect(desk.page).to_have_url(re.compile(r"/orders\?saved=[-0-9a-f]+$"))
    stranger = open_tab(fresh=True)
    stranger.page.goto(desk.page.url, wait_until="commit")
    stranger.expect_words("Author contains “ana”")
    stranger.expect_column("order_id", ["OD-ONE"])
    expect(stranger.grid.locator('[col-id="item_count"] .ag-sort-ascending-icon')).to_be_visible()


def test_what_older_views_disclose_is_listed_until_their_owner_has_read_it(
    desk: Desk, open_tab: OpenDesk, shop: Server
) -> None:
    filter_author(desk, "ana")
    save(desk, "Ours", "Share with everyone", "Everyone may read them")
    shop.execute("UPDATE saved_views SET is_sharing_confirmed = false")
    owner = open_tab(shop).open()
    listed = owner.page.locator(".st-key-shared_before")
    expect(listed).to_contain_text("Ours: Author “ana”")
    owner.wait_for_run()
    expect_no_fault(owner.page)
    owner.press(listed.get_by_role("button", name="OK"))
    expect(listed).to_have_count(0)


def test_views_are_saved_and_opened_without_a_mouse(desk: Desk) -> None:
    page, keyboard = desk.page, desk.page.keyboard
    filter_author(desk, "ana")
    views = page.locator(".st-key-views_orders").get_by_role("button")
    page.get_by_role("searchbox", name="Search orders").focus()
    desk.press(views)
    desk.press(page.get_by_role("button", name="Save this view…"))
    expect(desk.dialog).to_be_visible()
    desk.tab_to(desk.dialog.get_by_role("textbox", name="Name"))
    keyboard.type("Mine")
    desk.press(desk.dialog.get_by_role("button", name="Save"))
    expect(desk.dialog).to_have_count(0)
    desk.press(desk.words.get_by_role("button", name="Clear all"))
    desk.expect_column("order_id", EVERY)
    page.get_by_role("searchbox", name="Search orders").focus()
    desk.press(views)
    desk.press(page.get_by_test_id("stPopoverBody").get_by_role("button", name="Mine").last)
    desk.expect_words("Author contains “ana”")


def test_name_that_is_taken_is_asked_about_before_it_is_replaced(desk: Desk) -> None:
    filter_author(desk, "ana")
    save(desk, "Ours")
    desk.box("Author").fill("ben")
    desk.expect_words("Author contains “ben”")
    dialog = dialog_of(desk, "Save this view…")
    dialog.get_by_role("textbox", name="Name").fill("Ours")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("You already have a view “Ours”.")
    desk.wait_for_run()
    expect_no_fault(desk.page)
    dialog.get_by_role("textbox", name="Name").fill("Another")
    dialog.get_by_role("textbox", name="Name").press("Tab")
    expect(dialog.get_by_role("alert")).to_have_count(0)
    dialog.get_by_role("textbox", name="Name").fill("Ours")
    dialog.get_by_role("textbox", name="Name").press("Tab")
    dialog.get_by_role("button", name="Replace “Ours”").click()
    expect(dialog).to_be_hidden()
    desk.page.get_by_role("button", name="Clear all").click()
    desk.expect_words()
    open_view(desk, "Ours")
    desk.expect_words("Author contains “ben”")


def test_view_that_opens_first_is_what_the_bare_address_shows(
    desk: Desk, open_tab: OpenDesk, shop: Server
) -> None:
    filter_author(desk, "ana")
    save(desk, "First", "Open by default")
    first = open_tab(shop, fresh=True)
    first.page.goto(f"{shop.url}/orders", wait_until="commit")
    first.expect_words("Author contains “ana”")
    first.expect_column("order_id", ["OD-ONE"])
    open_view(first, "All orders")
    first.expect_words()
    first.expect_column("order_id", EVERY)
    first.page.reload(wait_until="commit")
    first.expect_column("order_id", EVERY)
    first.expect_words()


def test_view_is_changed_and_deleted(desk: Desk, open_tab: OpenDesk, shop: Server) -> None:
    filter_author(desk, "ana")
    save(desk, "Changing")
    open_view(desk, "Changing")
    desk.page.wait_for_url("**/orders?saved=*", wait_until="commit")
    link = desk.page.url
    filter_author(desk, "ben")
    dialog = dialog_of(desk, "Manage…")
    check(dialog, "Replace with the current view")
    desk.wait_for_run()
    expect_no_fault(desk.page)
    dialog.get_by_role("button", name="Save changes").click()
    expect(dialog).to_be_hidden()
    again = open_tab(shop)
    again.page.goto(link, wait_until="commit")
    again.expect_words("Author contains “ben”")
    dialog = dialog_of(desk, "Manage…")
    dialog.get_by_role("button", name="Delete").click()
    expect(desk.page.get_by_test_id("stToast").last).to_contain_text("“Changing” was deleted.")
    expect(dialog).to_be_hidden()
    popover = desk.open_popover("Views")
    expect(popover.get_by_role("button", name="All orders")).to_be_visible()
    expect(popover.get_by_role("button", name="Changing")).to_have_count(0)
    expect(popover.get_by_role("button", name="Manage…")).to_have_count(0)
    again.page.reload(wait_until="commit")
    expect(again.page.get_by_role("alert")).to_contain_text(
        "was not found, or you have no access to it"
    )
    again.expect_column("order_id", EVERY)


def test_view_of_a_column_that_is_gone_keeps_the_rest_and_says_so(
    desk: Desk, open_tab: OpenDesk, shop: Server
) -> None:
    filter_author(desk, "ana")
    save(desk, "Old")
    renamed = "replace(CAST(view AS TEXT), 'widget_id', 'former_id')"
    shop.execute(f"UPDATE saved_views SET view = {renamed}{'' if shop.is_sqlite else '::jsonb'}")
    open_view(desk, "Old")
    desk.page.wait_for_url("**/orders?saved=*", wait_until="commit")
    again = open_tab(shop)
    again.page.goto(desk.page.url, wait_until="commit")
    again.expect_words("Author contains “ana”")
    again.expect_column("order_id", ["OD-ONE"])
    again.wait_for_run()
    expect(again.page.get_by_role("alert")).to_contain_text("Orders has no column “former_id”.")
    expect(again.headers.filter(has_text="Widget ID")).to_have_count(0)


def test_open_view_is_named_updated_by_one_click_and_its_link_is_copied(
    desk: Desk, open_tab: OpenDesk
) -> None:
    filter_author(desk, "ana")
    save(desk, "Team")
    button = desk.page.locator(".st-key-views_orders").get_by_role("button")
    expect(button).to_contain_text("View: Team")
    filter_author(desk, "ben")
    expect(button).to_contain_text("View: Team · changed")
    desk.open_popover("Views").get_by_role("button", name="Copy link").click()
    expect(desk.grid.get_by_text("Link copied")).to_be_visible()
    link: str = desk.page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(rf"{re.escape(desk.server)}/orders\?saved=[0-9a-f]{{32}}", link)
    stranger = open_tab(fresh=True)
    stranger.page.goto(link, wait_until="commit")
    stranger.expect_words("Author contains “ben”")
    stranger.expect_column("order_id", ["OD-TWO"])
    desk.page.get_by_role("button", name="Update").click()
    expect(button).not_to_contain_text("changed")
    expect(desk.page).to_have_url(re.compile(r"/orders\?saved=[-0-9a-f]+$"))


def test_copied_link_is_that_of_the_rows_on_the_screen(desk: Desk, open_tab: OpenDesk) -> None:
    desk.open_popover("Views")
    desk.page.evaluate(SLOW_PAGE, 1_000)
    desk.box("Author").fill("ben")
    desk.expect_column("order_id", ["OD-TWO"])
    desk.page.get_by_role("button", name="Copy link").click()
    expect(desk.grid.get_by_text("Link copied")).to_be_visible()
    link: str = desk.page.evaluate("navigator.clipboard.readText()")
    stranger = open_tab(fresh=True)
    stranger.page.goto(link, wait_until="commit")
    stranger.expect_words("Author contains “ben”")


OF_REFUNDS = [
    *("Refund expires within 24 hours", "Refund expires within 7 days"),
    *("Refund returned by the bank", "Unmatched refund"),
]


@pytest.mark.parametrize(
    ("table", "names"),
    [
        (ITEMS, ["All order items", "Today", "This month", "Refundable now", *OF_REFUNDS]),
        (TRANSACTIONS, ["All transactions", "Today", "This month"]),
    ],
)
def test_every_table_has_ready_made_views(
    open_tab: OpenDesk, shop: Server, table: Shown, names: list[str]
) -> None:
    desk = open_tab(shop).open(table=table)
    links = desk.open_popover("Views").locator(".st-key-views").get_by_role("button")
    expect(links.locator("p")).to_have_text(names)
    links.filter(has_text="This month").click()
    desk.expect_words("Created Date this month")
    desk.expect_count(0, 3)
    expect(desk.overlay).to_contain_text(f"No {desk.table.many[:-1]} matches these filters.")


def test_ready_made_views_of_orders_show_their_rows(desk: Desk) -> None:
    open_view(desk, "Mine")
    desk.expect_words("Author is “analyst@local”")
    desk.expect_count(0, 2)
    open_view(desk, "Via widget")
    desk.expect_words("Widget ID is not blank")
    desk.expect_column("order_id", ["OD-ONE"])
    open_view(desk, "Refundable now")
    desk.expect_words("Refundable Now is Yes")
    desk.expect_count(0, 2)
    open_view(desk, "All orders")
    desk.expect_words()
    desk.expect_column("order_id", EVERY)
