"""What an answer of rows costs in memory, whatever the machine."""

import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import orjson
import pytest

from core import query
from core.access import Actor
from core.demo import fill
from core.tables import BOOKS, REFUNDS, Table
from core.views import default_view
from pages.routes.rows import to_cells
from tests.budgets import faults_of_memory
from tests.conftest import NOW

ROWS = 200  # of a window
ORDERS = {table.name: 250 for table in BOOKS} | {REFUNDS.name: 2_000}  # so many have a window
LARGE = [table for table in (*BOOKS, REFUNDS) if table.amount is not None]  # the demo has few notes


def _answer(table: Table, actor: Actor, rows: int) -> bytes:
    """Answer a window as the route does."""
    view = default_view(table)
    view = replace(view, columns=table.offered)
    frame = query.load_rows(view, actor=actor, now=NOW, start=0, end=rows)
    return orjson.dumps({"rows": to_cells(table, frame, view.zone)})


def _peak(answer: Callable[[], object]) -> int:
    """Return the bytes that an answer holds at most, after one that fills the caches.

    It is the least of three: other threads of this process may need memory meanwhile.
    """
    answer()
    peaks = []
    tracemalloc.start()
    try:
        for _ in range(3):
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            answer()
            peaks.append(tracemalloc.get_traced_memory()[1] - before)
    finally:
        tracemalloc.stop()
    return min(peaks)


@pytest.mark.parametrize("table", LARGE, ids=lambda table: table.name)
def test_an_answer_holds_no_more_memory_a_row_than_its_budget(
    sqlite_database: str, admin: Actor, table: Table
) -> None:
    fill(ORDERS[table.name], actor=admin, now=NOW)
    held = _peak(lambda: _answer(table, admin, ROWS))
    assert faults_of_memory(table.name, held / ROWS) == []
    kept = _peak(lambda: [_answer(table, admin, ROWS), _rows_as_dicts(table, admin)])
    assert faults_of_memory(table.name, kept / ROWS) != []


def _rows_as_dicts(table: Table, actor: Actor) -> list[object]:
    """Load the window again with two copies of its rows, as careless code would keep them."""
    view = replace(default_view(table), columns=table.offered)
    frame = query.load_rows(view, actor=actor, now=NOW, start=0, end=ROWS)
    return [frame, frame.to_dict("records"), frame.astype(str).to_dict("records")]
