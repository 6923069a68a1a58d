"""Open Overview with a million orders, compared with ten thousand, and time its queries.

As a program it prints the seconds of the slowest query on the database of DATABASE_URL.
"""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from statistics import median
from typing import Any

from playwright.sync_api import Browser
from sqlalchemy import event

from core import access, overview, storage
from core.overview import PERIODS, Question
from tests.bench.databases import FilledDatabase
from tests.bench.extent import some
from tests.bench.figures import Figure, in_seconds, time_figure
from tests.bench.grid_page import PATIENCE_MS, fresh_page
from tests.bench.processes import PROJECT, Server, core_environment

ROUNDS = some(7, 3)
MAX_RATIO = 1.5
MAX_QUERY_SECONDS = 0.1
# True if the page has sent every plot, and each has its bars.
IS_SHOWN = """() => {
  const app = document.querySelector("[data-testid=stApp]");
  const plots = [...document.querySelectorAll("[data-testid=stVegaLiteChart]")];
  const hasBars = (plot) => plot.querySelector("[aria-roledescription=bar]");
  return app?.dataset.testScriptState === "notRunning" && plots.length && plots.every(hasBars);
}"""


def measure_overview(
    browser: Browser, small: Server, large: Server, database: FilledDatabase
) -> list[Figure]:
    """Open both in turns after a warm-up, and time the queries of the large one."""
    rounds = [tuple(_open(browser, server) for server in (small, large)) for _ in range(ROUNDS + 1)]
    of_small, of_large = (median(seconds) for seconds in zip(*rounds[1:], strict=True))
    ratio = of_large / of_small
    opening = Figure(
        "Every plot of /overview, 1,000,000 orders against 10,000",
        in_seconds(of_large),
        f"{in_seconds(of_small)} (ours, 10,000)",
        ratio,
        f"at most {MAX_RATIO}",
        is_met=ratio <= MAX_RATIO,
    )
    measure = f"Slowest query of /overview in any period, {database.orders:,} orders"
    return [opening, time_figure(measure, _slowest_query(database), MAX_QUERY_SECONDS)]


def _open(browser: Browser, server: Server) -> float:
    """Open Overview as a new visitor; return the seconds until every plot is drawn."""
    with fresh_page(browser) as shown:
        started = time.perf_counter()
        shown.page.goto(f"{server.address}/overview", wait_until="commit", timeout=PATIENCE_MS)
        shown.page.wait_for_function(IS_SHOWN, timeout=PATIENCE_MS)
        return time.perf_counter() - started


def _slowest_query(database: FilledDatabase) -> float:
    run = subprocess.run(
        [sys.executable, "-m", "tests.bench.overview"],
        cwd=PROJECT,
        env=os.environ | core_environment(database.folder),
        check=True,
        capture_output=True,
        text=True,
    )
    return float(run.stdout)


def _time_queries() -> float:
    """Load every period twice; return the seconds of the slowest query of the second time."""
    taken: list[float] = []

    def begin(*arguments: Any) -> None:
        arguments[4].began = time.perf_counter()

    def end(*arguments: Any) -> None:
        taken.append(time.perf_counter() - arguments[4].began)

    event.listen(storage.get_engine(), "before_cursor_execute", begin)
    event.listen(storage.get_engine(), "after_cursor_execute", end)
    now, actor = datetime.now(UTC), access.find_local_actor()
    assert actor is not None
    questions = [Question(choose(now.date()), "EUR") for _, choose in PERIODS.values()]
    for _ in range(2):
        taken.clear()
        overview.load_contract_currencies(actor=actor)
        for question in questions:
            overview.load_overview(question, actor=actor, now=now)
    return max(taken)


if __name__ == "__main__":
    print(_time_queries())
