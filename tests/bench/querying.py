"""The database alone with a million orders: pages, searches and lists of values, on each kind.

Each query runs both ways in turns: ours, and without our index (plain LIKE, GROUP BY). It runs
ROUNDS times in each of PASSES. The passes are some minutes apart, because other programs share the
processors; the best time counts. A time covers the whole query, from the view to the rows.
"""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pandas as pd
from sqlalchemy import func, null, select, text

from core import access, storage
from core.access import Actor
from core.demo.world import CONTRACTS
from core.query import rows, where
from core.query.windows import find_keys
from core.tables import ORDER_ITEMS, ORDERS, REFUNDS, TRANSACTIONS, Table
from core.views import View, default_view, parse_view
from tests.bench.databases import KEPT, FilledDatabase, provide, tell
from tests.bench.extent import LARGE, some
from tests.bench.figures import Figure, as_text
from tests.bench.processes import core_environment, run_core
from tests.databases import use_database
from tests.postgresql import kept_postgresql

DEEP, PAGE, PASSES, ROUNDS = LARGE // 2, 100, some(3, 1), 2
DEEP_REFUND = LARGE // 20  # there are fewer refunds than orders
LOADED_ROWS = some(100_000, 20_000)
MAX_PAGE, MAX_DEEP, MAX_SEARCH, MAX_COUNTED, MAX_VALUES = 0.005, 0.1, 0.015, 0.3, 0.005
MAX_LOADING = 0.6
SEARCHES: tuple[tuple[Table, str, str, str], ...] = (
    (ORDERS, "author", "rare", "zzzzzz"),
    (ORDERS, "author", "frequent", "maria"),
    (ORDERS, "order_id", "rare", "0499848"),
    (ORDERS, "order_id", "frequent", "OD26"),
    (ORDERS, "search", "rare", "X3ZZ"),
    (ORDERS, "search", "frequent", "maria"),
    (ORDERS, "search", "in every fifth note", "wheelchair"),
    (ORDERS, "search", "three words of a note", "guest list phone"),
    (ORDERS, "last_note", "in every fifth note", "wheelchair"),
    (ORDER_ITEMS, "passenger_name", "rare", "zzzzzz"),
    (ORDER_ITEMS, "passenger_name", "frequent", "maria"),
    (ORDER_ITEMS, "voucher_code", "rare", "X3ZZ"),
    (ORDER_ITEMS, "order_id", "rare", "0499848"),
    (ORDER_ITEMS, "search", "rare", "0499848"),
    (ORDER_ITEMS, "search", "frequent", "lounge"),
    (TRANSACTIONS, "reference", "rare", "zzzzzz"),
    (TRANSACTIONS, "search", "rare", "0499848"),
    (REFUNDS, "note", "rare", "zzzzzz"),
    (REFUNDS, "passenger_name", "frequent", "maria"),
    (REFUNDS, "search", "rare", "0499848"),
    (REFUNDS, "search", "frequent", "lounge"),
)
LISTS = (
    (ORDERS, ("widget_id", "contract_id", "author", "currency")),
    (ORDER_ITEMS, ("product_type", "airport_iata", "airport_tz", "is_refundable")),
    (TRANSACTIONS, ("type", "author")),
    (REFUNDS, ("reason", "status", "requested_by")),
)


def measure_queries() -> Iterator[Figure]:
    """Measure a SQLite file of a million orders, and a copy of it in PostgreSQL."""
    database = provide(LARGE)
    before = os.environ.get("DATABASE_URL")
    try:
        database.warm()
        use_database(core_environment(database.folder)["DATABASE_URL"])
        yield from _measure_in_passes("SQLite")
        with _in_postgresql(database) as url:
            use_database(url)
            yield from _measure_in_passes("PostgreSQL")
    finally:
        storage.get_engine().dispose()
        os.environ.pop("DATABASE_URL", None)
        if before is not None:
            os.environ["DATABASE_URL"] = before


@contextmanager
def _in_postgresql(database: FilledDatabase) -> Iterator[str]:
    """Yield the address of a copy; it is kept with its cluster until the original changes."""
    folder, marker = KEPT / f"postgresql-{LARGE}", database.folder / "filled.json"
    copied = KEPT / f"postgresql-{LARGE}.json"
    is_kept = folder.exists() and copied.exists() and copied.read_text() == marker.read_text()
    if not is_kept:
        copied.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
    with kept_postgresql(folder) as server:
        url = f"{server}/orders"
        if not is_kept:
            tell(f"{server}/postgres", "CREATE DATABASE orders")
            run_core("copy", "--to", url, environment=core_environment(database.folder))
            tell(url, "VACUUM ANALYZE")
            shutil.copy(marker, copied)
        yield url


@dataclass(frozen=True)
class _Timed:
    """The seconds of a query, and of the alternative if there is one."""

    measure: str
    ours: float
    plain: float | None = None
    way: str = ""
    bar: float | None = None


def _measure_in_passes(kind: str) -> Iterator[Figure]:
    for alike in zip(*(list(_measure(kind)) for _ in range(PASSES)), strict=True):
        one = alike[0]
        ours = min(other.ours for other in alike)
        plain = min((other.plain for other in alike if other.plain is not None), default=None)
        yield _figure(one.measure, ours, plain, one.way, one.bar)


def _measure(kind: str) -> Iterator[_Timed]:
    actor, now = access.find_local_actor(), datetime.now(UTC)
    assert actor is not None
    desk = _Desk(actor, now)
    yield from _pages(kind, desk)
    for table, name, how, sought in SEARCHES:
        view = _searching(table, name, sought)
        ours, plain = _best(partial(desk.page, view), partial(desk.plain_page, view))
        column = table.column(name)
        where_to = f"{column.header} contains" if column else "search"
        measure = f"{kind}: {table.title}, {where_to} “{sought}” ({how})"
        yield _Timed(measure, ours, plain, "LIKE", MAX_SEARCH)
    for table, names in LISTS:
        for name in names:
            yield from _list(kind, desk, table, name)
    yield from _loading(kind, desk)


class _Desk:
    """Runs queries as one person at one moment."""

    def __init__(self, actor: Actor, now: datetime) -> None:
        self.asked: dict[str, Any] = {"actor": actor, "now": now}

    def page(self, view: View, start: int = 0) -> object:
        """Find and read the rows of a page, as the grid does."""
        needed = rows._with_needed(view, view.table.key_column)
        with storage.reading() as session:
            keys = find_keys(session, view, start=start, end=start + PAGE, **self.asked)
            return rows._read_rows(session, view.table, needed, keys, self.asked["now"])

    def plain_page(self, view: View) -> object:
        """Load a page with a plain query of its conditions."""
        shown = [view.table.expression(one, self.asked["now"]) for one in view.columns]
        stored = view.table.model.__table__.c
        order = (
            stored[view.table.newest].desc(),
            view.table.attribute(view.table.key_column).desc(),
        )
        statement = select(*shown).where(*where(view, **self.asked)).order_by(*order).limit(PAGE)
        with storage.reading() as session:
            if not storage.is_sqlite():  # its planner would use the trigram index
                session.execute(text("SET LOCAL enable_bitmapscan = off"))
            return session.execute(statement).all()

    def values(self, table: Table, name: str, is_counted: bool) -> object:
        """Load a list of values."""
        view = default_view(table)
        return rows.load_choices(view, name, is_counted=is_counted, **self.asked)

    def grouped(self, table: Table, name: str) -> object:
        """List values with a GROUP BY that cannot use an index."""
        stored = table.model.__table__.c[name]
        bare = func.ifnull(stored, null()) if storage.is_sqlite() else func.coalesce(stored)
        with storage.reading() as session:
            return session.execute(select(bare, func.count()).group_by(bare)).all()


def _pages(kind: str, desk: _Desk) -> Iterator[_Timed]:
    one_contract = {
        "filters": {
            "contract_id": {"filterType": "set", "values": [CONTRACTS[-1].contract_id]},
        }
    }
    for table in (ORDERS, ORDER_ITEMS, TRANSACTIONS, REFUNDS):
        view = default_view(table)
        first = _time(partial(desk.page, view))
        yield _Timed(f"{kind}: {table.title}, first page", first, None, "", MAX_PAGE)
        start = DEEP if table is not REFUNDS else DEEP_REFUND
        deep = _time(partial(desk.page, view, start))
        yield _Timed(f"{kind}: {table.title}, page at {start:,}", deep, None, "", MAX_DEEP)
    actor: Actor = desk.asked["actor"]
    one = Actor(
        actor.user_id, actor.email, actor.role, contracts=frozenset({CONTRACTS[-1].contract_id})
    )
    scoped = _Desk(one, desk.asked["now"])
    view = default_view(ORDERS)
    theirs = _time(lambda: scoped.page(view))
    yield _Timed(f"{kind}: Orders of who has one contract", theirs, None, "", MAX_PAGE)
    filtered = _time(lambda: desk.page(parse_view(ORDERS, one_contract | {"zone": "UTC"})))
    yield _Timed(f"{kind}: Orders filtered by a contract", filtered, None, "", None)


def _searching(table: Table, name: str, sought: str) -> View:
    contains = {"filterType": "text", "type": "contains", "filter": sought}
    raw = {"search": sought} if name == "search" else {"filters": {name: contains}}
    return parse_view(table, raw | {"zone": "UTC"})


def _list(kind: str, desk: _Desk, table: Table, name: str) -> Iterator[_Timed]:
    measure = f"{kind}: {table.title}, list of {name}"
    ours, plain = _best(lambda: desk.values(table, name, True), lambda: desk.grouped(table, name))
    yield _Timed(f"{measure} with counts", ours, plain, "GROUP BY", MAX_COUNTED)
    values = _time(lambda: desk.values(table, name, False))
    yield _Timed(f"{measure}, values alone", values, plain, "GROUP BY", MAX_VALUES)


def _loading(kind: str, desk: _Desk) -> Iterator[_Timed]:
    few = {"no": {"filterType": "number", "type": "lessThanOrEqual", "filter": LOADED_ROWS}}
    view = parse_view(ORDERS, {"filters": few, "zone": "UTC"})

    def load() -> object:
        with storage.reading() as session:
            return pd.concat(rows.read_chunks(session, view, **desk.asked), ignore_index=True)

    def read_sql() -> object:
        shown = [view.table.expression(one, desk.asked["now"]) for one in view.columns]
        statement = select(*shown).where(*where(view, **desk.asked))
        with storage.reading() as session:
            return pd.read_sql(statement, session.connection())

    ours, plain = _best(load, read_sql)
    measure = f"{kind}: load {LOADED_ROWS:,} filtered orders"
    yield _Timed(measure, ours, plain, "read_sql", MAX_LOADING)


def _best(ours: Callable[[], object], plain: Callable[[], object]) -> tuple[float, float]:
    """Run both in turns; the best time counts."""
    times = [(_once(ours), _once(plain)) for _ in range(ROUNDS)]
    return min(one for one, _ in times), min(other for _, other in times)


def _time(ours: Callable[[], object]) -> float:
    return min(_once(ours) for _ in range(ROUNDS))


def _once(ask: Callable[[], object]) -> float:
    started = time.perf_counter()
    ask()
    return time.perf_counter() - started


def _figure(measure: str, ours: float, plain: float | None, way: str, bar: float | None) -> Figure:
    return Figure(
        measure,
        _in_milliseconds(ours),
        f"{_in_milliseconds(plain)} ({way})" if plain is not None else "",
        plain / ours if plain is not None else None,
        f"at most {_in_milliseconds(bar)}" if bar is not None else "",
        is_met=bar is None or ours <= bar,
    )


def _in_milliseconds(seconds: float) -> str:
    return f"{seconds * 1_000:,.1f} ms"


if __name__ == "__main__":
    measured = list(measure_queries())
    print(as_text(measured))
    sys.exit(0 if all(one.is_met for one in measured) else 1)
