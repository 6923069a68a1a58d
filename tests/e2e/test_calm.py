"""Every page is calm: nothing moves after its first paint, nothing fails, no error is logged."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response

from tests.e2e.conftest import ZONE, Watch, new_context
from tests.e2e.desk import (
    AUDIT,
    CONTRACTS,
    ITEMS,
    ORDERS,
    REFUNDS,
    TRANSACTIONS,
    USERS,
    Desk,
)
from tests.e2e.servers import Server
from tests.e2e.waiting import expect

MOST = 0.05
# What is drawn late comes within this time; a page that waits for nothing has no other sign.
SETTLES_MS = 700
NOTE_MOVES = """
  if (window === top) {
    window.moves = [];
    new PerformanceObserver(list => moves.push(...list.getEntries().map(one => one.value)))
      .observe({type: "layout-shift", buffered: true});
  }"""
PLAIN_PAGES = {"Overview": "/overview", "E-mails": "/emails", "Verify": "/verify"}
PLAIN_PAGES |= {"Import": "/imports"}
TABLES = [ORDERS, ITEMS, TRANSACTIONS, REFUNDS, USERS, CONTRACTS, AUDIT]
WITH_NOTE = "SELECT order_id FROM notes ORDER BY no DESC"


class Faults:
    """What a browser complains about."""

    def __init__(self, context: BrowserContext) -> None:
        self.found: list[str] = []
        context.on("console", self._note_message)
        context.on("response", self._note_response)
        context.on("requestfailed", self._note_request)

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.found.append(f"console: {message.text}")

    def _note_response(self, answer: Response) -> None:
        if answer.status >= 400:
            self.found.append(f"{answer.status}: {answer.url}")

    def _note_request(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page was left
            self.found.append(f"{request.failure}: {request.url}")


@pytest.fixture
def cold(browser: Browser, watch: Watch) -> Iterator[tuple[Page, Faults]]:
    """Give a tab of a browser that has kept nothing."""
    with new_context(browser, ZONE) as context:
        watch.follow_console(context)
        context.add_init_script(NOTE_MOVES)
        faults = Faults(context)
        yield context.new_page(), faults


def moved(desk: Desk) -> float:
    """Return how much has moved since it was asked last, when the page has settled."""
    desk.wait_for_run()
    desk.page.wait_for_timeout(SETTLES_MS)
    values: list[float] = desk.page.evaluate("moves.splice(0)")
    return sum(values)


def test_tables_stay_in_place_when_opened_filtered_and_left(
    cold: tuple[Page, Faults], demo: Server
) -> None:
    page, faults = cold
    desk = Desk(page, demo.url).open()
    assert moved(desk) <= MOST, "Orders, with a cold cache"
    desk.box("Author").fill("maria")
    desk.expect_words("Author contains “maria”")
    assert moved(desk) <= MOST, "the first filter"
    desk.cell(0, "order_id").click()
    expect(page.get_by_role("tab", name="Products")).to_be_visible()
    desk.wait_for_rows()
    assert moved(desk) <= MOST, "opening an order"
    for table in TABLES:
        desk.open(table=table)
        assert moved(desk) <= MOST, table.title
    desk.open_order(demo.newest("orders")[0])
    assert moved(desk) <= MOST, "an order by its address"
    page.goto(f"{demo.url}/order?order={demo.query(WITH_NOTE)[0]}&tab=History")
    expect(page.locator(".deskNote").first).to_be_visible()
    assert moved(desk) <= MOST, "the notes and the history of an order"
    assert faults.found == []


@pytest.mark.parametrize("title", PLAIN_PAGES)
def test_pages_without_a_table_stay_in_place(
    cold: tuple[Page, Faults], demo: Server, title: str
) -> None:
    page, faults = cold
    page.goto(f"{demo.url}{PLAIN_PAGES[title]}")
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    assert moved(Desk(page, demo.url)) <= MOST
    assert faults.found == []


def test_what_moves_and_what_fails_is_noticed(cold: tuple[Page, Faults], demo: Server) -> None:
    page, faults = cold
    page.goto(f"{demo.url}/verify")
    expect(page.get_by_role("heading", name="Verify")).to_be_visible()
    desk = Desk(page, demo.url)
    moved(desk)
    page.evaluate("""document.querySelector("[data-testid=stMainBlockContainer]")
      .insertAdjacentHTML("afterbegin", "<div style='height: 200px'></div>")""")
    assert moved(desk) > MOST
    page.evaluate("""fetch("verify/_stcore/health").then(() => console.error("seen"))""")
    page.wait_for_timeout(SETTLES_MS)
    assert any("404" in one for one in faults.found)
    assert "console: seen" in faults.found


def test_a_click_is_answered_at_once(desk: Desk) -> None:
    """The line at the top does not wait for the server: it is there before the click is sent."""
    page = desk.page
    page.evaluate("""document.addEventListener("click", () => setTimeout(() => {
      window.heard = document.documentElement.classList.contains("deskHeard");
    }, 0), {once: true, capture: true})""")
    page.get_by_role("link", name="Transactions", exact=True).click()
    assert page.evaluate("window.heard") is True
    expect(page.locator("html.deskHeard")).to_have_count(0)
