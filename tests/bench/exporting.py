"""Rows to Excel: load them, write the file, and do both, compared with pandas."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import pandas as pd

from core import access, storage
from core.access import Actor
from core.excel import StreamedWorkbook
from core.query import local_times
from core.query import rows as query
from core.tables import ORDER_ITEMS, ORDERS, TABLES, Kind, Table
from core.views import View, parse_view
from tests.bench.databases import KEPT, FilledDatabase
from tests.bench.extent import LARGE, MIDDLE, some
from tests.bench.figures import Figure, in_megabytes, in_seconds, memory_figure, time_figure
from tests.bench.processes import PROJECT, core_environment, run_core

ROUNDS = some(3, 1)
SIZES = ((ORDERS, 7, MIDDLE), (ORDERS, 7, LARGE), (ORDER_ITEMS, 18, MIDDLE))
ZONE = "Europe/London"
MIN_RATIO = 30
MAX_ADDED_MEGABYTES = 150
LOADED_ROWS, MAX_LOADING_SECONDS = MIDDLE, 0.6
MAX_EXPORT_SECONDS, MAX_EXPORT_MEGABYTES = 30, 350
ALTERNATIVES = {"write": "to_excel", "load": "read_sql"}


@dataclass(frozen=True)
class Work:
    """The cost of a piece of work in its own process."""

    seconds: float  # of CPU
    megabytes: float  # memory added at the peak


def measure_exports(middle: FilledDatabase, database: FilledDatabase) -> Iterator[Figure]:
    """Load from a database of 100,000 orders; do the rest with a million orders."""
    yield from _loading(middle)
    database.warm()
    for table, columns, rows in SIZES:
        ours, plain = _in_turns("write", database, table, columns, rows)
        measure = f"Excel file of {rows:,} rows x {columns}: "
        yield _faster(f"{measure}CPU", ours, plain)
        if rows == LARGE:
            yield _lighter(f"{measure}memory added", ours, plain)
    yield from _exporting(database)


def _in_turns(
    what: str, database: FilledDatabase, table: Table, columns: int, rows: int
) -> list[Work]:
    """Do a piece of work both ways; the slow way only once if there are many rows."""
    works: dict[str, list[Work]] = {what: [], ALTERNATIVES[what]: []}
    for turn in range(ROUNDS):
        for way, done in works.items():
            if turn == 0 or way == what or rows < LARGE:
                done.append(_run(way, database, table, columns, rows))
    return [
        Work(median(one.seconds for one in done), median(one.megabytes for one in done))
        for done in works.values()
    ]


def _run(way: str, database: FilledDatabase, table: Table, columns: int, rows: int) -> Work:
    arguments = [way, table.name, str(columns), str(rows)]
    answer = subprocess.run(
        [sys.executable, "-m", "tests.bench.exporting", *arguments],
        cwd=PROJECT,
        env=os.environ | core_environment(database.folder),
        stdout=subprocess.PIPE,
        check=True,
    )
    return Work(**json.loads(answer.stdout))


def _faster(measure: str, ours: Work, plain: Work) -> Figure:
    ratio = plain.seconds / ours.seconds
    said = f"{in_seconds(plain.seconds)} (to_excel)"
    bar = f"at least {MIN_RATIO}"
    return Figure(measure, in_seconds(ours.seconds), said, ratio, bar, ratio >= MIN_RATIO)


def _lighter(measure: str, ours: Work, plain: Work) -> Figure:
    return Figure(
        measure,
        in_megabytes(ours.megabytes),
        f"{in_megabytes(plain.megabytes)} (to_excel)",
        plain.megabytes / max(1, ours.megabytes),
        f"under {MAX_ADDED_MEGABYTES} MB",
        is_met=ours.megabytes < MAX_ADDED_MEGABYTES,
    )


def _loading(database: FilledDatabase) -> Iterator[Figure]:
    database.warm()
    ours, plain = _in_turns("load", database, ORDERS, 7, LOADED_ROWS)
    yield Figure(
        f"Load {LOADED_ROWS:,} filtered orders: CPU",
        in_seconds(ours.seconds),
        f"{in_seconds(plain.seconds)} (read_sql)",
        plain.seconds / ours.seconds,
        f"under {MAX_LOADING_SECONDS} s",
        is_met=ours.seconds < MAX_LOADING_SECONDS,
    )


def _exporting(database: FilledDatabase) -> Iterator[Figure]:
    """Export every order from the database to the disk."""
    file = KEPT / "orders.xlsx"
    cost = run_core("export", "orders", file, environment=core_environment(database.folder))
    file.unlink()
    measure = f"Export {database.orders:,} orders as Excel: "
    yield time_figure(f"{measure}time", cost.seconds, MAX_EXPORT_SECONDS)
    yield memory_figure(f"{measure}memory at its peak", cost.megabytes, MAX_EXPORT_MEGABYTES)


def _write_ours(frame: pd.DataFrame, view: View, path: Path) -> None:
    with path.open("wb") as file, StreamedWorkbook(file) as workbook:
        workbook.add_table(view.table.title, view.columns, view.zone, [frame])


def _write_plainly(frame: pd.DataFrame, view: View, path: Path) -> None:
    frame.to_excel(path, index=False, sheet_name=view.table.title)


def _measured(work: Callable[[], object]) -> Work:
    """Do a piece of work, and read the system's memory peak, which is reset before."""
    Path("/proc/self/clear_refs").write_text("5")
    before, started = _memory("VmRSS"), time.process_time()
    result = work()
    done = Work(time.process_time() - started, _memory("VmHWM") - before)
    del result
    return done


def _memory(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    line = next(line for line in lines if line.startswith(f"{field}:"))
    return int(line.split()[1]) / 1024


def _load(view: View, actor: Actor, now: datetime) -> pd.DataFrame:
    with storage.reading() as session:
        return pd.concat(query.read_chunks(session, view, actor=actor, now=now), ignore_index=True)


def _read_sql(view: View, actor: Actor, now: datetime) -> pd.DataFrame:
    expressions = [view.table.expression(column, now) for column in view.columns]
    with storage.reading() as session:
        statement = query._statement(session, view, view.columns, actor, now)
        statement = statement.with_only_columns(*expressions)
        return pd.read_sql(statement, session.connection())


def _work(way: str, view: View, actor: Actor, now: datetime) -> Work:
    load = _read_sql if way == ALTERNATIVES["load"] else _load
    load(_view(view.table, len(view.columns), 10), actor, now)  # warm-up
    if way in ("load", ALTERNATIVES["load"]):
        return _measured(lambda: load(view, actor, now))
    frame, path = _load(view, actor, now), KEPT / f"{way}.xlsx"
    try:
        if way == "write":
            return _measured(lambda: _write_ours(frame, view, path))
        local = {
            column.name: local_times(frame, column, view.zone)
            for column in view.columns
            if column.kind is Kind.INSTANT
        }
        plain = frame.assign(**local)[[column.name for column in view.columns]]
        return _measured(lambda: _write_plainly(plain, view, path))
    finally:
        path.unlink(missing_ok=True)


def _view(table: Table, columns: int, rows: int) -> View:
    few = {"no": {"filterType": "number", "type": "lessThanOrEqual", "filter": rows}}
    shown = [column.name for column in table.shown][:columns]
    return parse_view(table, {"filters": few, "columns": shown, "zone": ZONE})


def main(way: str, name: str, columns: str, rows: str) -> None:
    """Do one piece of work, and print its cost."""
    actor, now = access.find_local_actor(), datetime.now(UTC)
    assert actor is not None
    view = _view(TABLES[name], int(columns), int(rows))
    print(json.dumps(asdict(_work(way, view, actor, now))))


if __name__ == "__main__":
    main(*sys.argv[1:])
