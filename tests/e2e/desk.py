"""A table's page in one browser tab, with a person's hands: what tests do and look at."""

import base64
import csv
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page

from tests.e2e.waiting import expect
from tests.e2e.workbook import Workbook


@dataclass(frozen=True)
class Shown:
    """What a table is called on the screen, and the column that tells its rows apart."""

    title: str
    many: str
    path: str
    key: str


ORDERS = Shown("Orders", "orders", "/orders", "order_id")
ITEMS = Shown("Order Items", "order items", "/order_items", "order_item_id")
TRANSACTIONS = Shown("Transactions", "transactions", "/transactions", "transaction_id")
REFUNDS = Shown("Refunds", "refunds", "/refunds", "refund_id")
EMAILS = Shown("E-mails", "e-mails", "/emails", "delivery_id")
USERS = Shown("Users", "users", "/users", "user_id")
CONTRACTS = Shown("Contracts", "contracts", "/contracts", "contract_id")
AUDIT = Shown("Audit Trail", "events", "/audit_trail", "event_id")
# History is a timeline, and a table if the address has a view of it.
TABS = {
    "Products": (ITEMS, "products"),
    "Transactions": (TRANSACTIONS, "transactions"),
    "Refunds": (REFUNDS, "refunds"),
    "E-mails": (EMAILS, "emails"),
    "History": (AUDIT, "history"),
}

# The columns of Orders, as they stand at first.
COLUMNS = {
    "No": "no",
    "Order ID": "order_id",
    "Widget ID": "widget_id",
    "Created Date": "created_at",
    "Total": "item_count",
    "Contract ID": "contract_id",
    "Author": "author",
    "Amount": "amount_minor",
    "Currency": "currency",
}
HEADERS, NAMES = list(COLUMNS), list(COLUMNS.values())
ROW_HEIGHT = 36
MOST_TABS = 150
HAS_FOCUS = "one => one.matches(':focus, :focus-within')"

READ_ROWS = """rows => rows
  .map(row => [+row.getAttribute("row-index"),
               row.querySelector('[col-id="%s"]')?.textContent.trim() ?? ""])
  .filter(([index, text]) => text !== "" || %s)"""


def _address(path: str | None, view: dict[str, Any] | None, table: Shown) -> str:
    query = "" if view is None else f"?view={address_of(view)}"
    return f"{path or table.path}{query}"


def _address_of_order(order_id: str, tab: str) -> str:
    as_table = f"&history={address_of({})}" if tab == "History" else ""
    return f"/order?order={quote(order_id)}&tab={tab}{as_table}"


def address_of(view: dict[str, Any]) -> str:
    """Return the text of ?view= for a view in AG Grid's words."""
    text = json.dumps(view).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def view_in(url: str, parameter: str = "view") -> dict[str, Any]:
    """Read the view that an address names; empty when it names none."""
    found = parse_qs(urlsplit(url).query).get(parameter)
    if found is None:
        return {}
    text = found[0]
    view: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return view


class Desk:
    """One tab of one browser, with a table in it."""

    def __init__(self, page: Page, server: str, table: Shown = ORDERS) -> None:
        self.page = page
        self.server = server
        self.table = table
        self.parameter = "view"  # of the address, which holds the view
        self.frames = page.locator('iframe[title^="st_aggrid"]:visible')
        self.grid = self.frames.content_frame
        self.words = page.locator(".st-key-words")
        self.below = page.locator(".st-key-below")
        self.download_link = page.get_by_role("link", name="Download Excel")

    def open(
        self, path: str | None = None, view: dict[str, Any] | None = None, *, table: Shown = ORDERS
    ) -> "Desk":
        """Load a table's page, with a view in its address, and wait for the first row."""
        self.table = table
        self.page.goto(f"{self.server}{_address(path, view, table)}", wait_until="commit")
        self.wait_for_rows()
        return self

    def go_to(
        self, path: str | None = None, view: dict[str, Any] | None = None, *, table: Shown = ORDERS
    ) -> "Desk":
        """Go to a table's page from another page of this tab: quicker than to load it."""
        self.table = table
        self.go(_address(path, view, table))
        expect(self.page.get_by_role("heading", name=table.title, exact=True)).to_be_visible()
        self.wait_for_rows()
        return self

    def go(self, address: str) -> None:
        """Go to an address as Back and Forward do, without loading the page anew."""
        self.page.evaluate("address => orderDeskPage.go(address)", address)

    def open_order(self, order_id: str, tab: str = "Products") -> "Desk":
        """Load an order's page, with one of its tabs."""
        self.table, self.parameter = TABS[tab]
        self.page.goto(f"{self.server}{_address_of_order(order_id, tab)}", wait_until="commit")
        self.wait_for_rows()
        return self

    def go_to_order(self, order_id: str, tab: str = "Products") -> "Desk":
        """Go to an order's page, and to one of its tabs, from another page of this tab."""
        self.table, self.parameter = TABS[tab]
        self.go(_address_of_order(order_id, tab))
        expect(self.page.get_by_role("heading", name=f"Order {order_id}")).to_be_visible()
        self.wait_for_rows()
        return self

    def open_tab(self, name: str) -> None:
        """Turn to another tab of the order, and wait until the grid of the one before is gone."""
        before = self.frames.element_handle()
        self.page.get_by_role("tab", name=name).click()
        before.wait_for_element_state("hidden")
        expect(self.frames).to_have_count(1)
        self.wait_for_rows()

    def wait_for_rows(self) -> None:
        """Wait until the grid shows a row, or says that there is none."""
        first = self.grid.locator('.ag-row[row-index="0"] .ag-cell[col-id]')
        shown = first.filter(has_text=re.compile(r"\S"))
        expect(shown.or_(self.overlay).first).to_be_visible(timeout=20_000)

    def wait_for_run(self) -> None:
        """Wait until the page has done what it was asked."""
        app = self.page.locator("[data-testid=stApp]")
        expect(app).to_have_attribute("data-test-script-state", "notRunning")

    def starts_over(self) -> bool:
        """Go back to the bare address, as browser Back does; say whether all follows it."""
        self.table = ORDERS
        try:
            self.page.keyboard.press("Escape")
            self.go("/orders")
            self.expect_words()
            self.expect_count(2_000)
            self.clear_selection()
            self.scroll_to(0)
            expect(self.cell(0, "no")).to_have_text("2000")
            for header in HEADERS:
                expect(self.box(header)).to_have_value("")
            sorted_down = self.grid.locator('[col-id="created_at"] .ag-sort-descending-icon')
            expect(sorted_down).to_be_visible()
            expect(self.headers).to_have_text(HEADERS)
        except (AssertionError, PlaywrightError):
            return False
        return self.page.url == f"{self.server}/orders"

    @property
    def overlay(self) -> Locator:
        """The sentence in place of rows."""
        return self.grid.locator(".ag-overlay-no-rows-wrapper")

    @property
    def view(self) -> dict[str, Any]:
        """The view in the address."""
        return view_in(self.page.url, self.parameter)

    def row(self, index: int) -> Locator:
        """One row of the grid, without its pinned cells."""
        return self.grid.locator(f'.ag-center-cols-container .ag-row[row-index="{index}"]')

    def cell(self, index: int, name: str) -> Locator:
        """One cell of the grid."""
        return self.grid.locator(f'.ag-row[row-index="{index}"] [col-id="{name}"]')

    @property
    def headers(self) -> Locator:
        """The headers of the columns, from left to right, without that of the ticks."""
        return self.grid.locator('.ag-header-cell:not([col-id^="ag-Grid"]) .ag-header-cell-text')

    def box(self, header: str) -> Locator:
        """The input below a header."""
        return self.grid.locator(f'input[aria-label="{header} Filter Input"]:enabled').first

    def header(self, header: str) -> Locator:
        """The header of a column, which sorts when it is clicked."""
        exact = re.compile(f"^{re.escape(header)}$")
        return self.grid.locator(".ag-header-cell-text").filter(has_text=exact)

    def expect_count(self, count: int, total: int = 2_000) -> None:
        """Wait until the page says how many rows there are."""
        noun = self.table.many.removesuffix("s") if total == 1 else self.table.many
        said = f"{count:,} {noun}" if count == total else f"{count:,} of {total:,} {noun}"
        whole = re.compile(rf"(?<!of )(?<![\d,]){said}")
        expect(self.page.locator(".st-key-head")).to_contain_text(whole)

    def expect_column(self, name: str, values: list[str]) -> None:
        """Wait until the first rows of the grid show these values, and no others."""
        cells = self.grid.locator(f'.ag-row [col-id="{name}"]')
        head = values[:10]
        for index, value in enumerate(head):
            expect(self.cell(index, name)).to_have_text(value)
        if len(values) < len(head) + 1:
            expect(cells).to_have_count(len(values))

    def expect_words(self, *words: str) -> None:
        """Wait until the chips above the grid say these filters, in any order, and no others."""
        if not words:
            expect(self.words).to_have_count(0)
            return
        chips = self.words.get_by_role("button").filter(has_not_text="Clear all").locator("p")
        for word in words:
            # A word joiner, unseen, may part the marks that Streamlit would make icons of.
            letters = "\u2060?".join(map(re.escape, word))
            expect(chips.filter(has_text=re.compile(f"^\\s*{letters}\\s*$"))).to_have_count(1)
        expect(chips).to_have_count(len(words))

    def expect_view(self, **expected: Any) -> None:
        """Wait until the address names a view of which these parts are so."""

        self.wait_for_view(
            lambda view: all(view.get(part) == value for part, value in expected.items())
        )

    def wait_for_view(self, agrees: Callable[[dict[str, Any]], bool]) -> None:
        """Wait until the address names a view that agrees."""
        self.page.wait_for_url(
            lambda url: agrees(view_in(url, self.parameter)), wait_until="commit"
        )

    def button_of(self, header: str) -> Locator:
        """The button that opens a column's filter."""
        box = self.page.locator(f'input[aria-label="{header} Filter Input"]')
        cell = self.grid.locator(".ag-floating-filter").filter(has=box)
        return cell.get_by_role("button", name="Open Filter Menu")

    def header_cell(self, header: str) -> Locator:
        """The cell of a header, which takes the focus."""
        return self.grid.locator(".ag-header-cell").filter(has=self._exactly(header))

    def _exactly(self, text: str) -> Locator:
        return self.page.get_by_text(text, exact=True)

    def choose_operator(self, name: str) -> None:
        """Choose another question in the open filter."""
        self.grid.get_by_role("combobox", name="Filtering operator").first.click()
        self.grid.get_by_role("option", name=name, exact=True).click()

    def open_list(self, header: str) -> Locator:
        """Open a column's list of values and return its rows."""
        self.button_of(header).click()
        expect(self.list_rows.first).to_be_visible()
        return self.list_rows

    @property
    def list_rows(self) -> Locator:
        """The rows of the open list of values."""
        return self.grid.locator(".deskSetRow")

    def tick(self, value: str) -> None:
        """Tick a value of the open list."""
        exact = self.grid.locator(".deskSetRow").filter(
            has=self.page.locator("span").get_by_text(value, exact=True)
        )
        exact.get_by_role("checkbox").click()

    def scroll_to(self, index: int) -> None:
        """Scroll the grid and wait until a row is there."""
        viewport, cell = self.grid.locator(".ag-body-viewport"), self.cell(index, self.table.key)
        viewport.evaluate("(one, top) => { one.scrollTop = top }", index * ROW_HEIGHT)
        expect(cell).to_have_text(re.compile("."))

    def every(self, name: str, count: int) -> list[str]:
        """Scroll through all rows of the grid and read a column, from top to bottom."""
        found: dict[int, str] = {}
        for index in range(count):
            if index in found:
                continue
            self.scroll_to(index)
            rows = self.grid.locator(".ag-row")  # also those of pinned columns
            found.update(rows.evaluate_all(READ_ROWS % (self.table.key, "false")))
            if name != self.table.key:
                found.update(rows.evaluate_all(READ_ROWS % (name, "true")))
        return [found[index] for index in range(count)]

    def box_of(self, index: int) -> Locator:
        """The box that ticks a row."""
        return self.grid.locator(f'.ag-row[row-index="{index}"]').get_by_role("checkbox")

    def select(self, *texts: str) -> None:
        """Tick the rows that have a text, wherever they are."""
        for text in texts:
            row = self.grid.locator(".ag-row").filter(has_text=text).first
            self.box_of(int(row.get_attribute("row-index") or -1)).click()
        self.expect_selected(f"{len(texts)} selected")

    def clear_selection(self) -> None:
        """Untick every row, wherever it is."""
        clear = self.below.get_by_role("button", name="Clear selection")
        self.wait_for_run()
        if clear.count():
            clear.click()
        expect(clear).to_have_count(0)

    def expect_selected(self, words: str) -> None:
        """Wait until the line below the grid says how many rows are ticked; "" for none."""
        said = self.below.locator("p", has_text=" selected")
        if words:
            expect(said).to_have_text(words)
        else:
            expect(said).to_have_count(0)

    def open_popover(self, name: str) -> Locator:
        """Open one of the tools above the grid and return what it shows."""
        button = self.page.get_by_role("button", name=name, exact=True)
        if name == "Views":  # or the name of the view that is open
            button = self.page.locator(f".st-key-views_{self.table.path[1:]}").get_by_role("button")
        if button.get_attribute("aria-expanded") != "true":
            button.click()
        shown = self.page.get_by_test_id("stPopoverBody")
        expect(shown).to_be_visible()
        self.wait_for_run()
        return shown

    @property
    def dialog(self) -> Locator:
        """The open dialog, and no popover, which is a dialog without a heading."""
        return self.page.get_by_role("dialog").filter(has=self.page.get_by_role("heading"))

    def close_dialog(self) -> None:
        """Close the open dialog by Escape, which it hears once it has the focus."""
        expect(self.dialog.and_(self.page.locator(":focus-within"))).to_be_visible()
        self.page.keyboard.press("Escape")
        expect(self.dialog).to_have_count(0)

    def tab_to(self, wanted: Locator) -> Locator:
        """Press Tab until an element has the focus, as a person without a mouse does."""
        self.wait_for_run()
        for _ in range(MOST_TABS):
            if wanted.evaluate(HAS_FOCUS):
                return wanted
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not get to {wanted}.")

    def press(self, wanted: Locator, key: str = "Enter") -> None:
        """Go to an element by Tab, and press a key on it."""
        self.tab_to(wanted)
        self.page.keyboard.press(key)

    def search(self, typed: str) -> None:
        """Type into the quick search."""
        self.page.get_by_role("searchbox", name=f"Search {self.table.many}").fill(typed)

    def download(self, folder: Path, name: str = "Download Excel") -> Workbook:
        """Click Download Excel and open the file."""
        return Workbook(self._download(folder, name), self.table.title)

    def download_csv(self, folder: Path, name: str = "Download CSV") -> list[list[str]]:
        """Click Download CSV and read the lines of the file."""
        with self._download(folder, name).open(encoding="utf-8-sig", newline="") as file:
            return list(csv.reader(file, strict=True))

    def _download(self, folder: Path, name: str) -> Path:
        with self.page.expect_download() as waiting:
            self.page.get_by_role("link", name=name).click()
        path = folder / waiting.value.suggested_filename
        waiting.value.save_as(path)
        return path


def choose_reason(dialog: Locator, reason: str = "Goodwill") -> Locator:
    """Choose the reason of a refund, which starts empty; return the dialog."""
    box = dialog.get_by_role("combobox", name="Reason")
    box.click()
    dialog.page.get_by_role("option", name=reason).click()
    expect(box).to_have_value(reason)
    return dialog


def confirm_refund(dialog: Locator) -> None:
    """Choose a reason, and refund the one item."""
    choose_reason(dialog).get_by_role("button", name="Refund 1 item").click()
