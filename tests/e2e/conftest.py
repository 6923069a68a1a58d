"""One browser and one server with demo orders for all; a tab for each test, watched throughout.

For all that a worker of pytest runs, that is: each has its own.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from core import access
from core.demo import DEFAULT_ORDERS, fill
from tests.conftest import POSTGRESQL, use_database
from tests.e2e.desk import Desk
from tests.e2e.servers import Server, serving
from tests.e2e.shop import make_shop

# The shell is the same engine without a browser's own window: a tab takes a third less to open.
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
WINDOW: ViewportSize = {"width": 1280, "height": 720}
ZONE = "Europe/London"
PATIENCE_MS = 15_000  # only a test that fails waits so long

OpenDesk = Callable[..., Desk]
expect.set_options(timeout=PATIENCE_MS)


def find_chromium() -> str:
    """Return the program of the machine's Chromium."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    return program or pytest.fail("There is no Chromium: run sh tests/install_system_packages.sh")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Run Chromium for the whole session."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def demo(make_database: Callable[[str], str], data_dir: Path, kind: str) -> Iterator[Server]:
    """Run a server as after the very first `make run`: a new SQLite file, filled by itself.

    With PostgreSQL, which is not filled by itself, as after `make demo`.
    """
    url = f"sqlite:///{data_dir / 'first-start.db'}"
    if kind == POSTGRESQL:
        url = make_database(kind)
        use_database(url)
        admin = access.find_local_actor()
        assert admin is not None
        fill(DEFAULT_ORDERS, actor=admin, now=datetime.now(UTC))
    with serving(url, data_dir) as server:
        yield server


class Watch:
    """Notes what no page may do: ask another machine, or stumble over its own script."""

    def __init__(self) -> None:
        self.foreign: list[str] = []
        self.errors: list[str] = []

    def follow(self, page: Page) -> None:
        """Watch a page, with its frames, from its first request on."""
        page.on("request", lambda request: self._note(request.url))
        page.on("websocket", lambda opened: self._note(opened.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _note(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob", "about") and parts.hostname != "localhost":
            self.foreign.append(url)


@pytest.fixture(scope="session")
def watch() -> Watch:
    """Watch every page of the session."""
    return Watch()


@pytest.fixture(autouse=True)
def nothing_strays(watch: Watch) -> Iterator[None]:
    """Fail a test during which a page asked another machine or a script failed."""
    yield
    foreign, errors = list(watch.foreign), list(watch.errors)
    watch.foreign.clear()
    watch.errors.clear()
    assert foreign == []
    assert errors == []


@pytest.fixture(scope="session")
def context_in(browser: Browser) -> Callable[[str], BrowserContext]:
    """Return what gives the browser profile of a time zone; each is kept, for its warm cache."""

    @cache
    def context_in(zone: str) -> BrowserContext:
        return new_context(browser, zone)

    return context_in


def new_context(browser: Browser, zone: str, **given: Any) -> BrowserContext:
    """Make a browser profile without cookies and cache."""
    context = browser.new_context(
        **given,
        viewport=WINDOW,
        timezone_id=zone,
        color_scheme="light",
        permissions=["clipboard-read", "clipboard-write"],
    )
    context.set_default_timeout(PATIENCE_MS)
    return context


@pytest.fixture
def open_tab(
    browser: Browser, context_in: Callable[[str], BrowserContext], watch: Watch, demo: Server
) -> Iterator[OpenDesk]:
    """Return what opens a tab for one test, in a kept profile or in a `fresh` one."""
    with _opening_tabs(browser, context_in, watch, demo) as open_tab:
        yield open_tab


@pytest.fixture(scope="module")
def keep_tab(
    browser: Browser, context_in: Callable[[str], BrowserContext], watch: Watch, demo: Server
) -> Iterator[OpenDesk]:
    """Return what opens a tab for all tests of a module."""
    with _opening_tabs(browser, context_in, watch, demo) as open_tab:
        yield open_tab


@contextmanager
def _opening_tabs(
    browser: Browser, context_in: Callable[[str], BrowserContext], watch: Watch, demo: Server
) -> Iterator[OpenDesk]:
    with ExitStack() as stack:

        def open_tab(server: Server = demo, *, zone: str = ZONE, fresh: bool = False) -> Desk:
            context = new_context(browser, zone) if fresh else context_in(zone)
            if fresh:
                stack.callback(context.close)
            page = context.new_page()
            watch.follow(page)
            stack.callback(page.close)
            return Desk(page, server.url)

        yield open_tab


@pytest.fixture(scope="session")
def kept_tabs() -> list[Desk]:
    """Keep a tab from test to test: a new one takes two seconds to open."""
    return []


@pytest.fixture
def desk(
    kept_tabs: list[Desk],
    context_in: Callable[[str], BrowserContext],
    watch: Watch,
    demo: Server,
) -> Desk:
    """Open Orders as a person sees it first: in the kept tab, else in a new one."""
    if kept_tabs and kept_tabs[-1].starts_over():
        return kept_tabs[-1]
    page = context_in(ZONE).new_page()
    watch.follow(page)
    kept_tabs.append(Desk(page, demo.url))
    return kept_tabs[-1].open()


@pytest.fixture(scope="session")
def shop(make_database: Callable[[str], str], data_dir: Path, kind: str) -> Iterator[Server]:
    """Run a server with the small shop; who changes its rows or users puts them back."""
    with serving(make_shop(make_database(kind)), data_dir) as server:
        yield server


@pytest.fixture
def sees_one_contract(shop: Server) -> Iterator[None]:
    """Let the local user of the shop see CT-1 alone, for the length of a test."""
    shop.execute("UPDATE users SET sees_all_contracts = false")
    shop.execute("INSERT INTO user_contracts (user_id, contract_id) VALUES ('local', 'CT-1')")
    yield
    shop.execute("DELETE FROM user_contracts")
    shop.execute("UPDATE users SET sees_all_contracts = true")
