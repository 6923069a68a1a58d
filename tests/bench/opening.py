"""Open each page for the first time, again, and from another page: a million orders against 2,000.

In turns, and beside a bare Streamlit page with `AgGrid` of 100 rows. What counts is the time until
a person sees the first rows, or every plot of Overview.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from playwright.sync_api import Browser, Page

from tests.bench.databases import FilledDatabase
from tests.bench.extent import some
from tests.bench.figures import Figure, in_kilobytes, in_seconds, time_figure
from tests.bench.grid_page import PATIENCE_MS, browsing, fresh_page
from tests.bench.overview import IS_SHOWN as HAS_PLOTS
from tests.bench.processes import Server
from tests.bench.servers import order_desk, plain_alternative
from tests.budgets import Sent
from tests.traffic import Traffic

PAIRS = some(15, 3)
MAX_MEASURING_SECONDS = 12 * 60  # then there are fewer pairs: other programs slow a browser down
MAX_RATIO, MAX_RATIO_TO_PLAIN = 1.15, 0.75
PLAIN_ROWS = 100
FIRST, WARM, NEXT = "first open", "warm open", "page to page"
# The page and the most seconds of a step with few orders, and the most bytes of any page's step.
GOALS = {FIRST: ("Orders", 3.2), WARM: ("Orders", 1.4), NEXT: ("Transactions", 0.8)}
MAX_BYTES = {FIRST: 2_000_000, WARM: 60_000, NEXT: 60_000}
# True if the grid of this name, or the only one of the plain page, shows its first rows.
HAS_ROWS = """(title) => {
  const shown = document.querySelector("iframe")?.contentDocument;
  const grid = shown?.querySelector("[role=grid], [role=treegrid]");
  const cells = [...(shown?.querySelectorAll('.ag-row [col-id="order_id"]') ?? [])].slice(0, 5);
  const isNamed = title === null || grid?.getAttribute("aria-label") === title;
  return isNamed && cells.length === 5 && cells.every((cell) => cell.textContent.trim());
}"""
HAS_ENDED = """() => document.querySelector("[data-testid=stApp]")
  .dataset.testScriptState === "notRunning" """


@dataclass(frozen=True)
class _Shown:
    """A page, its path, and the page from which a person comes to it."""

    title: str | None
    path: str
    before: "_Shown | None" = None

    def wait_in(self, page: Page) -> None:
        """Wait until the first rows are shown, or every plot."""
        if self.title == "Overview":
            page.wait_for_function(HAS_PLOTS, timeout=PATIENCE_MS)
        else:
            page.wait_for_function(HAS_ROWS, arg=self.title, timeout=PATIENCE_MS)

    def click_in(self, page: Page) -> None:
        """Click on the link to the page."""
        page.get_by_role("link", name=self.title or "", exact=True).click()


ORDERS = _Shown("Orders", "/orders")
TRANSACTIONS = _Shown("Transactions", "/transactions", before=ORDERS)
PAGES = (
    _Shown("Orders", "/orders", before=TRANSACTIONS),
    _Shown("Order Items", "/order_items", before=ORDERS),
    TRANSACTIONS,
    _Shown("Refunds", "/refunds", before=ORDERS),
    _Shown("Overview", "/overview", before=ORDERS),
)
PLAIN = _Shown(None, "")
Seconds = dict[tuple[str | None, str], float]  # by the title of the page, and the step


def measure_opening(few: FilledDatabase, many: FilledDatabase) -> Iterator[Figure]:
    """Open the pages of both sizes in turns, after a warm-up; then count what is sent.

    By then, the server has packed its files well.
    """
    with ExitStack() as stack:
        small, large = (stack.enter_context(order_desk(one)) for one in (few, many))
        plain = stack.enter_context(plain_alternative(few, PLAIN_ROWS))
        with browsing() as browser:
            for server, pages in ((small, PAGES), (large, PAGES), (plain, (PLAIN,))):
                _open_all(browser, server, pages)
            rounds = _take_turns(browser, small, large, plain)
        # In a browser of its own: one that has opened hundreds of pages no longer keeps every file.
        with browsing() as counter:
            of_small, of_large = _count(counter, small), _count(counter, large)
    yield from _compare(rounds, few.orders, many.orders)
    yield from _goals(rounds, few.orders)
    yield from _compare_sent(of_small, of_large, few.orders, many.orders)


def _take_turns(
    browser: Browser, small: Server, large: Server, plain: Server
) -> list[tuple[Seconds, Seconds, Seconds]]:
    """Return the seconds of small, large and plain, round by round."""
    rounds: list[tuple[Seconds, Seconds, Seconds]] = []
    until = time.monotonic() + MAX_MEASURING_SECONDS
    while len(rounds) < PAIRS and (time.monotonic() < until or not rounds):
        of_plain = _open_all(browser, plain, (PLAIN,))
        of_small, of_large = Seconds(), Seconds()
        for page in PAGES:
            turns = [(small, of_small), (large, of_large)]
            for server, seconds in turns if len(rounds) % 2 else reversed(turns):
                seconds |= _open_all(browser, server, (page,))
        rounds.append((of_small, of_large, of_plain))
    return rounds


def _open_all(browser: Browser, server: Server, pages: tuple[_Shown, ...]) -> Seconds:
    """Return the seconds of every step of the pages."""
    seconds = Seconds()

    def take(page: Page, shown: _Shown, step: str, act: Callable[[], object]) -> None:
        began = time.perf_counter()
        act()
        shown.wait_in(page)
        seconds[shown.title, step] = time.perf_counter() - began
        page.wait_for_function(HAS_ENDED, timeout=PATIENCE_MS)

    for shown in pages:
        _walk(browser, server, shown, take)
    return seconds


def _count(browser: Browser, server: Server) -> dict[tuple[str | None, str], Sent]:
    """Return what every step of every page takes from the server."""
    sent: dict[tuple[str | None, str], Sent] = {}
    kept: dict[Page, Traffic] = {}

    def take(page: Page, shown: _Shown, step: str, act: Callable[[], object]) -> None:
        def act_and_wait() -> None:
            act()
            shown.wait_in(page)
            page.wait_for_function(HAS_ENDED, timeout=PATIENCE_MS)

        traffic = kept.setdefault(page, Traffic(page))
        sent[shown.title, step] = traffic.of(act_and_wait)

    for shown in PAGES:
        _walk(browser, server, shown, take)
    return sent


def _walk(
    browser: Browser,
    server: Server,
    shown: _Shown,
    take: Callable[[Page, _Shown, str, Callable[[], object]], None],
) -> None:
    """Open a page as a new visitor, open it again, go to another page, and come back."""
    with fresh_page(browser) as fresh:
        page = fresh.page
        address = f"{server.address}{shown.path}"
        take(page, shown, FIRST, lambda: page.goto(address, wait_until="commit"))
        take(page, shown, WARM, lambda: page.reload(wait_until="commit"))
        if shown.before:
            shown.before.click_in(page)
            shown.before.wait_in(page)
            page.wait_for_function(HAS_ENDED, timeout=PATIENCE_MS)
            take(page, shown, NEXT, lambda: shown.click_in(page))


def _compare(
    rounds: list[tuple[Seconds, Seconds, Seconds]], few: int, many: int
) -> Iterator[Figure]:
    for step in rounds[0][0]:
        of_small, of_large = ([one[size][step] for one in rounds] for size in (0, 1))
        ratio = median(large / small for small, large in zip(of_small, of_large, strict=True))
        yield Figure(
            f"{step[0]}, {step[1]}, {many:,} orders against {few:,}, {len(rounds)} pairs",
            in_seconds(median(of_large)),
            f"{in_seconds(median(of_small))} (ours, {few:,})",
            ratio,
            f"at most {MAX_RATIO}",
            is_met=ratio <= MAX_RATIO,
        )


def _goals(rounds: list[tuple[Seconds, Seconds, Seconds]], few: int) -> Iterator[Figure]:
    for step, (title, most) in GOALS.items():
        seconds = median(small[title, step] for small, _, _ in rounds)
        yield time_figure(f"{title}, {step}, {few:,} orders", seconds, most)
    for step, bar in ((FIRST, None), (WARM, MAX_RATIO_TO_PLAIN)):
        pairs = [(small["Orders", step], plain[None, step]) for small, _, plain in rounds]
        of_ours, of_plain = (median(one) for one in zip(*pairs, strict=True))
        ratio = median(ours / plain for ours, plain in pairs)
        yield Figure(
            f"Orders, {step}, against a bare page with AgGrid of {PLAIN_ROWS} rows, ours to it",
            in_seconds(of_ours),
            in_seconds(of_plain),
            ratio,
            f"at most {bar}" if bar else "",
            is_met=bar is None or ratio <= bar,
        )


def _compare_sent(
    small: dict[tuple[str | None, str], Sent],
    large: dict[tuple[str | None, str], Sent],
    few: int,
    many: int,
) -> Iterator[Figure]:
    for step, of_large in large.items():
        of_small, most = small[step], MAX_BYTES[step[1]]
        yield Figure(
            f"{step[0]}, {step[1]}, {many:,} orders: bytes and requests",
            _say(of_large),
            f"{_say(of_small)} (ours, {few:,})",
            of_large.bytes / of_small.bytes if of_small.bytes else None,
            f"at most {in_kilobytes(most)} and as many requests",
            is_met=of_large.bytes <= most and of_large.requests <= of_small.requests,
        )


def _say(sent: Sent) -> str:
    return f"{in_kilobytes(sent.bytes)} in {sent.requests}"
