"""A page with a grid in the browser, ours or the plain one: open it, filter it, wait for rows."""

import math
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Browser, Locator, Page, TimeoutError, sync_playwright

PATIENCE_MS = 60_000
LOOKED_AT_ROWS = 5
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]

# Looked at once a frame, from the page itself: the component's frame may be made anew meanwhile.
# True when the first rows on the screen all match in that column, and there is at least one.
ROWS_MATCH = """({ column, pattern, looked }) => {
  const grid = document.querySelector("iframe")?.contentDocument;
  if (!grid) return false;
  const matches = new RegExp(pattern, "i");
  const rows = [...Array(looked).keys()]
    .map((index) => grid.querySelector(`.ag-row[row-index="${index}"] [col-id="${column}"]`))
    .filter(Boolean);
  return rows.length > 0 && rows.every((cell) => matches.test(cell.textContent.trim()));
}"""
NO_ROWS = """() => {
  const grid = document.querySelector("iframe")?.contentDocument;
  const overlay = grid?.querySelector(".ag-overlay-no-rows-center");
  return Boolean(overlay?.checkVisibility() && overlay.textContent.trim());
}"""


@dataclass(frozen=True)
class Expected:
    """What the grid has to show: rows that match in a column, or none at all."""

    column: str = ""
    pattern: str | None = None

    @classmethod
    def containing(cls, column: str, text: str) -> "Expected":
        """Rows whose cell contains the text."""
        return cls(column, re.escape(text))

    @classmethod
    def equal_to(cls, column: str, text: str) -> "Expected":
        """Rows whose cell is the text."""
        return cls(column, f"^{re.escape(text)}$")

    @classmethod
    def starting_with(cls, column: str, text: str) -> "Expected":
        """Rows whose cell starts with the text."""
        return cls(column, f"^{re.escape(text)}")


ANY_ROW = Expected("order_id", ".")
NOTHING = Expected()


class GridPage:
    """One page in a browser of its own: nothing is kept from one to the next."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.grid = page.frame_locator("iframe")

    def open(self, address: str) -> float:
        """Go to the page; return how many seconds it took until its first row was there."""
        return self._seconds_until(
            ANY_ROW, lambda: self.page.goto(address, wait_until="commit", timeout=PATIENCE_MS)
        )

    def type_filter(self, header: str, text: str, expected: Expected) -> float:
        """Type into a floating filter; return the seconds from the last key to the rows."""
        box = self.filter_box(header)
        box.press_sequentially(text[:-1])
        return self._seconds_until(expected, lambda: box.press(text[-1]))

    def fill_filter(self, header: str, text: str, expected: Expected) -> float:
        """Fill a floating filter at once, as a date picker does; return the seconds to the rows."""
        box = self.filter_box(header)
        return self._seconds_until(expected, lambda: box.fill(text))

    def open_list(self, header: str) -> float:
        """Open a column's list of values; return how many seconds until it was there."""
        cell = self.grid.locator(".ag-floating-filter", has=self.filter_box(header, inside=True))
        button = cell.locator(".ag-floating-filter-button button")
        started = time.perf_counter()
        button.click()
        self._wait('() => document.querySelector("iframe").contentDocument.'
                   'querySelector(".deskSetRow") !== null')
        return time.perf_counter() - started

    def choose(self, value: str, expected: Expected) -> float:
        """Tick a value of the open list; return the seconds to the rows."""
        box = self.grid.locator(".deskSetRow").filter(has_text=value).first.locator("input")
        return self._seconds_until(expected, box.click)

    def clear_filters(self, first: Expected) -> None:
        """Take every filter away, as a person does, and wait for page and grid to have followed."""
        self.page.keyboard.press("Escape")
        self.page.get_by_role("button", name="Clear all").click()
        self.page.locator(".st-key-words").wait_for(state="detached")
        self._wait(ROWS_MATCH, first)
"""
