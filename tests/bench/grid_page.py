"""A page with a grid in the browser, ours or the plain one: open it, filter it, wait for rows."""

import json
import math
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict

from playwright.sync_api import Browser, Locator, Page, TimeoutError, sync_playwright

from tests.bench.expected import ANY_ROW, Expected

PATIENCE_MS = 60_000
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chromium-headless-shell")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]

# Evaluated in the page once per animation frame: the component's frame may be replaced.
# True if all first rows on the screen match, or if the grid says that there are no rows.
IS_SHOWN = """({ column, pattern, rows }) => {
  const grid = document.querySelector("iframe")?.contentDocument;
  if (!grid) return false;
  if (!column) {
    const overlay = grid.querySelector(".ag-overlay-no-rows-wrapper");
    return Boolean(overlay?.checkVisibility() && overlay.textContent.includes(pattern));
  }
  const matches = new RegExp(pattern, "i");
  const cells = [...Array(rows).keys()]
    .map((index) => grid.querySelector(`.ag-row[row-index="${index}"] [col-id="${column}"]`))
    .filter(Boolean);
  return cells.length > 0 && cells.every((cell) => matches.test(cell.textContent.trim()));
}"""
# The previous list may still be there while the new one loads.
HAS_LIST = """() => {
  const list = document.querySelector("iframe")?.contentDocument?.querySelector(".deskSet");
  const isLoading = list?.querySelector(".deskSetNote").textContent.startsWith("Loading");
  return Boolean(list?.querySelector(".deskSetRow")) && !isLoading;
}"""


class GridPage:
    """One page in its own browser context, so that pages share nothing."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.grid = page.frame_locator("iframe")

    def open(self, address: str) -> float:
        """Open the page; return the seconds until its first row is shown."""
        return self._seconds_until(
            ANY_ROW, lambda: self.page.goto(address, wait_until="commit", timeout=PATIENCE_MS)
        )

    def type_filter(self, header: str, text: str, expected: Expected) -> float:
        """Type into a floating filter; return the seconds from the last key to the rows."""
        box = self._filter_box(header)
        box.press_sequentially(text[:-1])
        return self._seconds_until(expected, lambda: box.press_sequentially(text[-1]))

    def pick_day(self, header: str, day: str, expected: Expected) -> float:
        """Enter a day in a floating date filter; return the seconds to the rows."""
        box = self._filter_box(header)
        return self._seconds_until(expected, lambda: box.fill(day))

    def ask(self, header: str, operator: str, text: str, expected: Expected) -> float:
        """Choose another operator in a column's filter; return the seconds from the last key."""
        self._filter_button(header).click()
        self.grid.get_by_role("combobox", name="Filtering operator").first.click()
        self.grid.get_by_role("option", name=operator, exact=True).click()
        box = self.grid.locator(".ag-filter-menu").get_by_placeholder("Filter...").first
        box.press_sequentially(text[:-1])
        return self._seconds_until(expected, lambda: box.press_sequentially(text[-1]))

    def sort(self, header: str, expected: Expected) -> float:
        """Click a header; return the seconds until the rows are in the new order."""
        exact = re.compile(f"^{re.escape(header)}$")
        title = self.grid.locator(".ag-header-cell-text").filter(has_text=exact)
        return self._seconds_until(expected, title.click)

    def open_list(self, header: str) -> float:
        """Open a column's list of values; return the seconds until the values are shown."""
        button = self._filter_button(header)
        started = time.perf_counter()
        button.click()
        self.page.wait_for_function(HAS_LIST, timeout=PATIENCE_MS)
        return time.perf_counter() - started

    def close_list(self) -> None:
        """Close the open list of values without choosing."""
        self.page.keyboard.press("Escape")
        self.page.wait_for_function(f"() => !({HAS_LIST})()", timeout=PATIENCE_MS)

    def choose(self, value: str, expected: Expected) -> float:
        """Tick a value of the open list; return the seconds to the rows."""
        written = json.dumps(value, ensure_ascii=False)
        box = self.grid.locator(f".deskSetRow input[value='{written}']")
        return self._seconds_until(expected, box.click)

    def clear_filters(self, first: Expected) -> None:
        """Clear every filter, and wait until page and grid are updated."""
        self.page.keyboard.press("Escape")
        self.page.get_by_role("button", name="Clear all").click(timeout=PATIENCE_MS)
        self.page.locator(".st-key-words").wait_for(state="detached", timeout=PATIENCE_MS)
        self.page.wait_for_function(IS_SHOWN, arg=asdict(first), timeout=PATIENCE_MS)

    def _filter_button(self, header: str) -> Locator:
        return self.grid.locator(
            f'.ag-floating-filter:has([aria-label="{header} Filter Input"]) '
            ".ag-floating-filter-button button"
        )

    def _filter_box(self, header: str) -> Locator:
        return self.grid.locator(f'input[aria-label="{header} Filter Input"]:enabled').first

    def _seconds_until(self, expected: Expected, act: Callable[[], object]) -> float:
        """Act; return the seconds until the grid shows `expected`, infinite after a time-out."""
        arg = asdict(expected)
        if self.page.evaluate(IS_SHOWN, arg):
            raise SystemExit(f"The grid already shows {expected}, so nothing can be measured.")
        started = time.perf_counter()
        try:
            act()
            self.page.wait_for_function(IS_SHOWN, arg=arg, timeout=PATIENCE_MS)
        except TimeoutError:
            return math.inf
        return time.perf_counter() - started


@contextmanager
def browsing() -> Iterator[Browser]:
    """Run Chromium for the block."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        raise SystemExit("There is no Chromium: run sh tests/install_system_packages.sh")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def fresh_page(browser: Browser) -> Iterator[GridPage]:
    """Return a page of a new visitor: no cache, no cookies, times in UTC."""
    with browser.new_context(viewport={"width": 1440, "height": 900}, timezone_id="UTC") as context:
        yield GridPage(context.new_page())
