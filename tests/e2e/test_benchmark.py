"""What `make bench` waits for is on the pages: for what is gone it would wait in vain."""

from tests.bench.opening import HAS_ENDED, HAS_ROWS, PAGES
from tests.bench.overview import IS_SHOWN
from tests.e2e.conftest import OpenDesk
from tests.e2e.waiting import PATIENCE_MS


def test_every_page_gets_what_the_benchmark_waits_for(open_tab: OpenDesk) -> None:
    desk = open_tab()
    for shown in PAGES:
        desk.page.goto(f"{desk.server}{shown.path}", wait_until="commit")
        shown.wait_in(desk.page)
        desk.page.wait_for_function(HAS_ENDED, timeout=PATIENCE_MS)


def test_the_benchmark_does_not_take_one_page_for_another(open_tab: OpenDesk) -> None:
    desk = open_tab().open()
    desk.wait_for_run()
    assert desk.page.evaluate(HAS_ROWS, "Orders")
    assert not desk.page.evaluate(HAS_ROWS, "Refunds")
    assert not desk.page.evaluate(IS_SHOWN)
