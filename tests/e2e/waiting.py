"""Playwright's expect, which here looks ten times a second as long as it waits.

Given more than two and a half seconds, Playwright itself looks only twice a second: then a test
with ten waits loses seconds. So this asks for less, again and again, until the time is up.
"""

import time
from collections.abc import Callable
from typing import Any, cast, overload

from playwright.sync_api import Locator, LocatorAssertions, Page, PageAssertions
from playwright.sync_api import expect as expect_at_once

PATIENCE_MS = 15_000  # only a test that fails waits so long
LOOK_MS = 2_400
# What the page is told arrives so many milliseconds later: the rows are far ahead of it.
SLOW_PAGE = """ms => {
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (said) { setTimeout(() => send.call(this, said), ms); };
}"""


@overload
def expect(what: Locator) -> LocatorAssertions: ...
@overload
def expect(what: Page) -> PageAssertions: ...
def expect(what: Any) -> Any:
    """Return what checks a locator or page, and waits until it is so."""
    return cast(LocatorAssertions, _Waiting(expect_at_once(what)))


class _Waiting:
    """The checks of Playwright, each repeated until it holds or the time is up."""

    def __init__(self, checks: Any) -> None:
        self._checks = checks

    def __getattr__(self, name: str) -> Callable[..., None]:
        check = getattr(self._checks, name)

        def wait(*expected: Any, timeout: float = PATIENCE_MS, **more: Any) -> None:
            end = time.monotonic() + timeout / 1000
            while (left_ms := (end - time.monotonic()) * 1000) > LOOK_MS:
                try:
                    return check(*expected, timeout=LOOK_MS, **more)
                except AssertionError:
                    continue
            return check(*expected, timeout=max(left_ms, 1), **more)

        return wait
