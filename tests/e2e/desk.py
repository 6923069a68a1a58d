"""The Orders page in one browser tab, with a person's hands: what tests do and look at."""

import base64
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import openpyxl
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page, expect

HEADERS = ["No", "Order ID", "Widget ID", "Created Date", "Total", "Contract ID", "Author"]
NAMES = ["no", "order_id", "widget_id", "created_at", "item_count", "contract_id", "author"]
ROW_HEIGHT = 36

GO_TO_BARE_ADDRESS = """() => {
  history.pushState(null, "", "/orders");
  dispatchEvent(new PopStateEvent("popstate"));
}"""
READ_ROWS = """rows => rows
  .map(row => [+row.getAttribute("row-index"),
               row.querySelector('[col-id="%s"]')?.textContent.trim() ?? ""])
  .filter(([index, text]) => text !== "" || %s)"""


def address_of(view: dict[str, Any]) -> str:
    """Return the text of ?view= for a view in AG Grid's words."""
    text = json.dumps(view).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def view_in(url: str) -> dict[str, Any]:
    """Read the view that an address names; empty when it names none."""
    found = parse_qs(urlsplit(url).query).get("view")
    if found is None:
        return {}
    text = found[0]
    view: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return view


class Desk:
    """One tab of one browser."""

    def __init__(self, page: Page, server: str) -> None:
        self.page = page
        self.server = server
        self.grid = page.frame_locator('iframe[title^="st_aggrid"]')
        self.words = page.locator(".st-key-words")
        self.download_link = page.get_by_role("link", name="Download Excel")

    def open(self, path: str = "/orders", view: dict[str, Any] | None = None) -> "Desk":
        """Go to a page, with a view in its address, and wait for the first row."""
        query = "" if view is None else f"?view={address_of(view)}"
        self.page.goto(f"{self.server}{path}{query}", wait_until="commit")
        self.wait_for_rows()
        return self

    def wait_for_rows(self) -> None:
        """Wait until the grid shows a row, or says that there is none."""
        shown = self.row(0).locator('[col-id="order_id"]', has_text=re.compile("."))
        expect(shown.or_(self.overlay).first).to_be_visible(timeout=20_000)

    def starts_over(self) -> bool:
        """Go back to the bare address, as browser Back does; say whether all follows it."""
        try:
            self.page.keyboard.press("Escape")
            self.page.evaluate(GO_TO_BARE_ADDRESS)
            self.expect_words()
            self.expect_count(2_000)
            self.scroll_to(0)
            expect(self.cell(0, "no")).to_have_text("2000")
            for header in HEADERS:
                expect(self.box(header)).to_have_value("")
            sorted_down = self.grid.locator('[col-id="created_at"] .ag-sort-descending-icon')
            expect(sorted_down).to_be_visible()
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
        return view_in(self.page.url)

    def row(self, index: int) -> Locator:
        """One row of the grid."""
        return self.grid.locator(f'.ag-row[row-index="{index}"]').first

    def cell(self, index: int, name: str) -> Locator:
        """One cell of the grid."""
        return self.row(index).locator(f'[col-id="{name}"]')

    def box(self, header: str) -> Locator:
        """The input below a header."""
        return self.grid.locator(f'input[aria-label="{header} Filter Input"]:enabled').first

    def header(self, header: str) -> Locator:
        """The header of a column, which sorts when it is clicked."""
        exact = re.compile(f"^{re.escape(header)}$")
        return self.grid.locator(".ag-header-cell-text").filter(has_text=exact)

    def expect_count(self, count: int, total: int = 2_000) -> None:
        """Wait until the page says how many rows there are."""
        expect(self.page.locator(".st-key-head")).to_contain_text(f"{count:,} of {total:,} orders")

    def expect_column(self, name: str, values: list[str]) -> None:
        """Wait until the first rows of the grid show these values, and no others."""
        cells = self.grid.locator(f'.ag-center-cols-container .ag-row [col-id="{name}"]')
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

        def agrees(url: str) -> bool:
            view = view_in(url)
            return all(view.get(part) == value for part, value in expected.items())

        self.page.wait_for_url(agrees, wait_until="commit")

    def button_of(self, header: str) -> Locator:
        """The button that opens a column's filter."""
        cell = self.grid.locator(f'.ag-floating-filter[col-id="{NAMES[HEADERS.index(header)]}"]')
        return cell.get_by_role("button", name="Open Filter Menu")

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
        """Scroll the grid until a row is there."""
        self.grid.locator(".ag-body-viewport").evaluate(
            "(viewport, top) => { viewport.scrollTop = top }", index * ROW_HEIGHT
        )
        expect(self.cell(index, "order_id")).to_have_text(re.compile("."))

    def every(self, name: str, count: int) -> list[str]:
        """Scroll through all rows of the grid and read a column, from top to bottom."""
        found: dict[int, str] = {}
        for index in range(count):
            if index in found:
                continue
            self.scroll_to(index)
            rows = self.grid.locator(".ag-center-cols-container .ag-row")
            found.update(rows.evaluate_all(READ_ROWS % ("order_id", "false")))
            if name != "order_id":
                found.update(rows.evaluate_all(READ_ROWS % (name, "true")))
        return [found[index] for index in range(count)]

    def download(self, folder: Path) -> "Workbook":
        """Click Download Excel and open the file."""
        with self.page.expect_download() as waiting:
            self.download_link.click()
        path = folder / waiting.value.suggested_filename
        waiting.value.save_as(path)
        return Workbook(path)


class Workbook:
    """A downloaded file, read back."""

    def __init__(self, path: Path) -> None:
        book = openpyxl.load_workbook(path)
        self.name = path.name
        self.cells = list(book["Orders"].iter_rows())
        self.headers = [cell.value for cell in self.cells[0]]
        about = book["About this export"].iter_rows(values_only=True)
        self.about = [(str(label or ""), str(text)) for label, text in about]
        book.close()

    def column(self, header: str) -> list[Any]:
        """Return the values of a column."""
        index = self.headers.index(header)
        return [row[index].value for row in self.cells[1:]]

    def says(self, label: str) -> str:
        """Return what the sheet About this export says of something."""
        return next(text for name, text in self.about if name == label)
