"""What travels to the browser: much once, then next to nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser

from tests.budgets import FIRST_OPEN, KNOWN_PAGES, NEW_PAGES, WARM_OPEN, faults_of_step
from tests.e2e.conftest import ZONE, Watch, new_context
from tests.e2e.desk import ITEMS, ORDERS, TRANSACTIONS, Desk, Shown
from tests.e2e.servers import Server
from tests.e2e.waiting import expect
from tests.traffic import Traffic


class Walk:
    """A person who walks from page to page by the links at the top."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.page = desk.page

    def open(self) -> None:
        """Open Orders by its address."""
        self.desk.open()
        self.desk.wait_for_run()

    def to(self, table: Shown) -> None:
        """Click on a table's page."""
        self.page.get_by_role("link", name=table.title, exact=True).click()
        expect(self.page.get_by_role("heading", name=table.title, exact=True)).to_be_visible()
        self.desk.wait_for_rows()
        self.desk.wait_for_run()

    def to_overview(self) -> None:
        """Click on Overview."""
        self.page.get_by_role("link", name="Overview", exact=True).click()
        self.desk.wait_for_run()
        expect(self.page.get_by_role("button", name="Show data").last).to_be_visible()

    def steps(self) -> dict[str, Callable[[], object]]:
        """Return the steps of a round that begins and ends on Orders."""
        return {
            ITEMS.title: lambda: self.to(ITEMS),
            TRANSACTIONS.title: lambda: self.to(TRANSACTIONS),
            "Overview": self.to_overview,
            ORDERS.title: lambda: self.to(ORDERS),
        }


@contextmanager
def walking(
    browser: Browser, watch: Watch, server: Server, **given: Any
) -> Iterator[tuple[Walk, Traffic]]:
    """Give somebody a new profile and a tab."""
    with new_context(browser, ZONE, **given) as context:
        page = context.new_page()
        watch.follow(page)
        yield Walk(Desk(page, server.url)), Traffic(page)


def test_files_travel_packed_and_once(browser: Browser, watch: Watch, demo: Server) -> None:
    with walking(browser, watch, demo) as (walk, traffic):
        faults = faults_of_step("first open", traffic.of(walk.open), FIRST_OPEN)
        for budgets in (NEW_PAGES, KNOWN_PAGES):
            for name, step in walk.steps().items():
                faults += faults_of_step(name, traffic.of(step), budgets[name])
        faults += faults_of_step("warm open", traffic.of(walk.open), WARM_OPEN)
        assert faults == []
        traffic.keep_nothing()  # as if no header said that files may be kept
        sent = traffic.of(lambda: walk.to(ITEMS))
        assert faults_of_step("without a cache", sent, KNOWN_PAGES[ITEMS.title]) != []


def test_files_that_are_not_packed_exceed_the_budget(
    browser: Browser, watch: Watch, demo: Server
) -> None:
    plain = {"Accept-Encoding": "identity"}
    with walking(browser, watch, demo, extra_http_headers=plain) as (walk, traffic):
        assert faults_of_step("unpacked", traffic.of(walk.open), FIRST_OPEN) != []
