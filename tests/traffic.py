"""What a tab takes from the server, step by step."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

from tests.budgets import Sent

SETTLES_MS = 500  # the last answers of a page that is drawn


class Traffic:
    """Counts what a tab takes from the server, step by step."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._asked: dict[str, str] = {}
        self._sizes: dict[str, list[int]] = {}
        self._messages = 0
        self._network = network = page.context.new_cdp_session(page)
        network.send("Network.enable")
        network.on("Network.requestWillBeSent", self._ask)
        network.on("Network.requestServedFromCache", lambda one: self._forget(one["requestId"]))
        network.on("Network.loadingFinished", self._finish)
        network.on("Network.webSocketFrameSent", self._tell)

    def _ask(self, event: dict[str, Any]) -> None:
        address = event["request"]["url"].partition("?")[0]
        if address.startswith("http"):
            self._asked[event["requestId"]] = address

    def _forget(self, request: str) -> None:
        self._asked.pop(request, None)

    def _finish(self, event: dict[str, Any]) -> None:
        address = self._asked.pop(event["requestId"], None)
        if address and event["encodedDataLength"]:
            self._sizes.setdefault(address, []).append(int(event["encodedDataLength"]))

    def _tell(self, _event: dict[str, Any]) -> None:
        self._messages += 1

    def keep_nothing(self) -> None:
        """Let the browser ask for every file again."""
        self._network.send("Network.setCacheDisabled", {"cacheDisabled": True})

    def of(self, step: Callable[[], object]) -> Sent:
        """Take a step; return what it took."""
        self._sizes, self._messages = {}, 0
        step()
        self._page.wait_for_timeout(SETTLES_MS)
        return Sent(self._sizes, self._messages)
