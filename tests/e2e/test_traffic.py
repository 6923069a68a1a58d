"""What travels to the browser: much once, then next to nothing."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser

from pages.guards import packing, static_files
from tests.budgets import FIRST_OPEN, KNOWN_PAGES, NEW_PAGES, WARM_OPEN, Most, Sent, faults_of_step
from tests.e2e.conftest import ZONE, Watch, new_context
from tests.e2e.desk import ITEMS, ORDERS, REFUNDS, TRANSACTIONS, Desk, Shown
from tests.e2e.servers import Server
from tests.e2e.waiting import expect
from tests.traffic import Traffic

A = {"filterType": "text", "type": "contains", "filter": "a"}
PACKING_SECONDS = 180  # of a busy machine; alone it takes fifteen
VIEWS: list[dict[str, Any]] = [
    {},
    {
        "filters": {
            "author": A,
            "widget_id": {
                "filterType": "text",
                "operator": "OR",
                "conditions": [A, {"filterType": "text", "type": "blank"}],
            },
            "item_count": {"filterType": "number", "type": "inRange", "filter": 1, "filterTo": 9},
            "created_at": {"filterType": "date", "type": "greaterThan", "dateFrom": "2020-03-01"},
            "contract_id": {"filterType": "set", "values": ["CT-1001", "CT-1002"]},
        },
        "sort": [{"colId": "author", "sort": "desc"}, {"colId": "no", "sort": "asc"}],
        "search": "a",
        "columns": ["author", {"colId": "order_id", "pinned": "left", "width": 300}, "no"],
    },
    {
        "filters": {
            "no": {"filterType": "number", "type": "notBlank"},
            "created_at": {"filterType": "date", "type": "last7Days"},
        },
        "ids": ["OD-1", "OD-2"],
    },
]


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
            REFUNDS.title: lambda: self.to(REFUNDS),
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


def wait_for_packing(sent: Sent, folder: Path) -> None:
    """Wait until large files are packed well: it begins a minute after somebody asked for one."""
    answers = [httpx.get(one, headers={"Accept-Encoding": "identity"}) for one in sent.sizes]
    packed = [
        folder / packing.FOLDER / f"{sha256(one.content).hexdigest()}.br"
        for one in answers
        if one.url.path.startswith(static_files.FOLDERS)
        and one.headers["content-type"].startswith(static_files.TEXT)
        and len(one.content) >= packing.LARGE_BYTES
    ]
    assert packed
    end = time.monotonic() + packing.LATER_SECONDS + PACKING_SECONDS
    while missing := [one.name for one in packed if not one.exists()]:
        assert time.monotonic() < end, missing
        time.sleep(0.5)


def test_files_travel_packed_and_once(
    browser: Browser, watch: Watch, demo: Server, data_dir: Path
) -> None:
    with walking(browser, watch, demo) as (walk, traffic):
        wait_for_packing(traffic.of(walk.open), data_dir)
    with walking(browser, watch, demo) as (walk, traffic):
        faults = faults_of_step("first open", traffic.of(walk.open), FIRST_OPEN)
        for budgets in (NEW_PAGES, KNOWN_PAGES):
            for name, step in walk.steps().items():
                faults += faults_of_step(name, traffic.of(step), budgets[name])
        faults += faults_of_step("warm open", traffic.of(walk.open), WARM_OPEN)
        assert faults == []

        def go_twice() -> None:
            walk.to(ITEMS)
            walk.to(ORDERS)

        twice = traffic.of(go_twice)
        assert faults_of_step("two runs", twice, Most(10**9, 10**3)) != []
        traffic.keep_nothing()  # as if no header said that files may be kept
        sent = traffic.of(lambda: walk.to(ITEMS))
        assert faults_of_step("without a cache", sent, KNOWN_PAGES[ITEMS.title]) != []


def test_files_that_are_not_packed_exceed_the_budget(
    browser: Browser, watch: Watch, demo: Server
) -> None:
    plain = {"Accept-Encoding": "identity"}
    with walking(browser, watch, demo, extra_http_headers=plain) as (walk, traffic):
        assert faults_of_step("unpacked", traffic.of(walk.open), FIRST_OPEN) != []


@pytest.mark.parametrize("view", VIEWS)
def test_first_rows_are_asked_for_once_whatever_the_view(
    browser: Browser, watch: Watch, demo: Server, view: dict[str, Any]
) -> None:
    with walking(browser, watch, demo) as (walk, traffic):
        asked: list[str] = []
        walk.page.on("request", lambda request: asked.append(request.post_data or ""))

        def open_view() -> None:
            walk.desk.open(view=view)
            walk.desk.wait_for_run()

        sent = traffic.of(open_view)
        assert len([one for one in asked if '"start":0' in one]) == 1
        assert sent.messages == 1
