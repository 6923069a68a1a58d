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
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from core import access
from core.demo import DEFAULT_ORDERS, fill
from tests.conftest import POSTGRESQL, SQLITE, use_database
from tests.e2e.desk import Desk
from tests.e2e.servers import Server, serving
from tests.e2e.waiting import PATIENCE_MS
from tests.shop import make_shop

# The shell is the same engine without a browser's own window: a tab takes a third less to open.
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    "--process-per-site",  # tabs of a profile share what was compiled for another
    # The sign-in pages of the tests' provider want a style sheet of another machine.
    "--host-resolver-rules=MAP cdn.jsdelivr.net ~NOTFOUND",
]
WINDOW: ViewportSize = {"width": 1280, "height": 720}
ZONE = "Europe/London"
POLICY = "Content Security Policy"  # what Chromium says of it in the console names it
# Chromium does not say that it blocked eval, if the script caught the error.
SAY_BLOCKED = f"""addEventListener("securitypolicyviolation", event =>
  console.error("{POLICY}:", event.effectiveDirective, event.blockedURI, event.documentURI));"""

OpenDesk = Callable[..., Desk]
on_both_databases = pytest.mark.parametrize(
    "kind", [SQLITE, POSTGRESQL], indirect=True, scope="module"
)


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


@pytest.fixture(scope="module")
def kind(request: pytest.FixtureRequest) -> str:
    """Return the kind of database of a test: the one that it names, else that of the session."""
    return str(getattr(request, "param", request.config.getoption("--database")))


@pytest.fixture(scope="session")
def demos(make_database: Callable[[str], str], data_dir: Path) -> Iterator[Callable[[str], Server]]:
    """Return what runs a server with demo orders on a kind of database, once for all tests.

    It is as after the very first `make run`: a new SQLite file is filled by itself. PostgreSQL,
    which is not, is as after `make demo`.
    """
    with ExitStack() as stack:

        @cache
        def demo_on(kind: str) -> Server:
            url = f"sqlite:///{data_dir / 'first-start.db'}"
            if kind == POSTGRESQL:
                url = make_database(kind)
                use_database(url)
                admin = access.find_local_actor()
                assert admin is not None
                fill(DEFAULT_ORDERS, actor=admin, now=datetime.now(UTC))
            return stack.enter_context(serving(url, data_dir))

        yield demo_on


@pytest.fixture
def demo(demos: Callable[[str], Server], kind: str) -> Server:
    """Give the server with demo orders, in which no test changes anything."""
    return demos(kind)


class Watch:
    """Notes what no page may do: ask another machine, stumble over its script or its policy."""

    def __init__(self) -> None:
        self.foreign: list[str] = []
        self.errors: list[str] = []

    def follow(self, page: Page) -> None:
        """Watch a page, with its frames, from its first request on."""
        page.on("request", lambda request: self._note(request.url))
        page.on("websocket", lambda opened: self._note(opened.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def follow_console(self, context: BrowserContext) -> None:
        """Watch what the policy of a page or frame blocks, in every tab of a profile."""
        context.add_init_script(SAY_BLOCKED)
        context.on("console", lambda message: self._note_blocked(message.text))

    def _note_blocked(self, text: str) -> None:
        if POLICY in text:
            self.errors.append(text)

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
    """Fail a test during which a page asked another machine, or a script failed or was blocked."""
    yield
    foreign, errors = list(watch.foreign), list(watch.errors)
    watch.foreign.clear()
    watch.errors.clear()
    assert foreign == []
    assert errors == []


def new_context(browser: Browser, zone: str, **given: Any) -> BrowserContext:
    """Make a browser profile without cookies and cache."""
    context = browser.new_context(
        **given,
        viewport=WINDOW,
        timezone_id=zone,
        color_scheme="light",
        reduced_motion="reduce",  # what moves is drawn again and again
        permissions=["clipboard-read", "clipboard-write"],
    )
    context.set_default_timeout(PATIENCE_MS)
    return context


class Profiles:
    """Browser profiles that are kept, for what they have loaded and compiled.

    Each has a tab that stays, and with it the process in which its other tabs open much faster.
    """

    def __init__(self, browser: Browser, watch: Watch, address: str) -> None:
        self._browser = browser
        self._watch = watch
        self._address = address  # of a page that does nothing
        self._of_zone: dict[str, BrowserContext] = {}
        self._clean: list[BrowserContext] = []

    def of(self, zone: str) -> BrowserContext:
        """Return the profile of a person in a time zone."""
        if zone not in self._of_zone:
            self._of_zone[zone] = self._make(zone)
        return self._of_zone[zone]

    @contextmanager
    def clean(self) -> Iterator[BrowserContext]:
        """Lend a profile of somebody else, without cookies."""
        context = self._clean.pop() if self._clean else self._make(ZONE)
        yield context
        for page in context.pages[1:]:
            page.close()
        context.clear_cookies()
        self._clean.append(context)

    def _make(self, zone: str) -> BrowserContext:
        context = new_context(self._browser, zone)
        self._watch.follow_console(context)
        context.new_page().goto(self._address)
        return context


@pytest.fixture(scope="session")
def profiles(
    browser: Browser, watch: Watch, demos: Callable[[str], Server], request: pytest.FixtureRequest
) -> Profiles:
    """Keep the profiles of the session."""
    demo = demos(request.config.getoption("--database"))
    return Profiles(browser, watch, f"{demo.url}/readyz")


@pytest.fixture
def person(profiles: Profiles) -> Iterator[BrowserContext]:
    """Give a test a browser in which nobody has signed in."""
    with profiles.clean() as context:
        yield context


@pytest.fixture
def open_tab(profiles: Profiles, watch: Watch, demo: Server) -> Iterator[OpenDesk]:
    """Return what opens a tab for one test: of its person, or of somebody else, `fresh`."""
    with _opening_tabs(profiles, watch, demo) as open_tab:
        yield open_tab


@pytest.fixture(scope="module")
def keep_tab(
    profiles: Profiles, watch: Watch, demos: Callable[[str], Server], kind: str
) -> Iterator[OpenDesk]:
    """Return what opens a tab for all tests of a module."""
    with _opening_tabs(profiles, watch, demos(kind)) as open_tab:
        yield open_tab


@contextmanager
def _opening_tabs(profiles: Profiles, watch: Watch, demo: Server) -> Iterator[OpenDesk]:
    with ExitStack() as stack:

        def open_tab(server: Server = demo, *, zone: str = ZONE, fresh: bool = False) -> Desk:
            context = stack.enter_context(profiles.clean()) if fresh else profiles.of(zone)
            page = context.new_page()
            watch.follow(page)
            stack.callback(page.close)
            return Desk(page, server.url)

        yield open_tab


@pytest.fixture(scope="session")
def kept_tabs() -> dict[str, Desk]:
    """Keep the tab of each server from test to test: a new one takes two seconds to open."""
    return {}


@pytest.fixture
def desk(kept_tabs: dict[str, Desk], profiles: Profiles, watch: Watch, demo: Server) -> Desk:
    """Open Orders as a person sees it first: in the kept tab, else in a new one."""
    kept = kept_tabs.get(demo.url)
    if kept and kept.starts_over():
        return kept
    page = profiles.of(ZONE).new_page()
    watch.follow(page)
    kept_tabs[demo.url] = Desk(page, demo.url)
    return kept_tabs[demo.url].open()


@pytest.fixture(scope="session")
def shop(
    make_database: Callable[[str], str], data_dir: Path, request: pytest.FixtureRequest
) -> Iterator[Server]:
    """Run a server with the small shop; who changes its rows or users puts them back."""
    kind = request.config.getoption("--database")
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
