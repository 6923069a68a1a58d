"""What grows with the number of orders: ten million on PostgreSQL against a million, in turns.

Filling takes hours and some 60 GB, so `make bench` leaves this part out. `python -m tests.bench
growing` measures it; ORDER_DESK_BENCH_MILLIONS=4 measures what fits. As a program it answers every
question on the database of DATABASE_URL, and prints the seconds of each as JSON.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from core import access, overview, query
from core.access import Actor
from core.overview import PERIODS, Question
from core.tables import ORDER_ITEMS, ORDERS, REFUNDS, SHEETS, TRANSACTIONS, Table
from core.views import View, default_view, parse_view, to_address
from tests.bench.databases import KEPT, tell
from tests.bench.figures import Figure, in_milliseconds, in_seconds
from tests.bench.processes import PROJECT, run_core
from tests.postgresql import kept_postgresql

MILLION = 1_000_000
MILLIONS = int(os.environ.get("ORDER_DESK_BENCH_MILLIONS", "10"))
ROUNDS, REPEATED = 3, 3  # the best counts: other programs share the processors
WINDOW = 200
MAX_FIRST, MAX_OTHER = 1.3, 3.0
Answers = dict[str, Callable[[], object]]
Seconds = dict[str, float]


def measure_growth() -> Iterator[Figure]:
    """Fill both databases unless they are kept, and compare every answer."""
    with kept_postgresql(KEPT / "postgresql-growing") as server:
        urls = [_filled(server, orders) for orders in (MILLION, MILLIONS * MILLION)]
        rounds = [[_ask(url) for url in urls] for _ in range(ROUNDS)]
        small, large = (_best(times) for times in zip(*rounds, strict=True))
        for question in small:
            yield _figure(question, small[question], large[question])
        yield _figure("export 1,000,000 filtered orders", *map(_export, urls))


def _filled(server: str, orders: int) -> str:
    """Return the address of a database with so many orders; the mark says that it is complete."""
    name = f"orders_{orders}"
    url, mark = f"{server}/{name}", KEPT / f"{name}.filled"
    if not mark.exists():
        tell(f"{server}/postgres", f"DROP DATABASE IF EXISTS {name}")
        tell(f"{server}/postgres", f"CREATE DATABASE {name}")
        cost = run_core("demo", "--orders", str(orders), environment=_environment(url))
        tell(url, "VACUUM ANALYZE")
        mark.write_text(f"{cost.seconds:.0f} s, {cost.megabytes:.0f} MB\n")
    return url


def _environment(url: str) -> dict[str, str]:
    return {"DATABASE_URL": url, "DATA_DIR": str(KEPT)}


def _ask(url: str) -> Seconds:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.growing"],
        cwd=PROJECT,
        env=os.environ | _environment(url),
        check=True,
        stdout=subprocess.PIPE,
    )
    seconds: Seconds = json.loads(done.stdout)
    return seconds


def _export(url: str) -> float:
    """Export the first million orders, as an analyst filters them."""
    file = KEPT / "orders.xlsx"
    view = to_address(_filtered(ORDERS, no=_number("lessThanOrEqual", MILLION)))
    command = ("export", "orders", "--view", view, file)
    cost = run_core(*command, environment=_environment(url))
    file.unlink()
    return cost.seconds


def _best(times: tuple[Seconds, ...]) -> Seconds:
    return {question: min(one[question] for one in times) for question in times[0]}


def _figure(question: str, small: float, large: float) -> Figure:
    most = MAX_FIRST if question.endswith("first rows") else MAX_OTHER
    said = in_milliseconds if large < 1 else in_seconds
    return Figure(
        f"{MILLIONS} million orders, {question}",
        said(large),
        f"{said(small)} (ours, 1 million)",
        large / small,
        f"at most {most}",
        is_met=large / small <= most,
    )


def _answers(actor: Actor, now: datetime) -> Answers:
    """Return what answers each question, as pages and routes ask it."""
    asked: dict[str, Any] = {"actor": actor, "now": now}

    def rows(view: View) -> object:
        whole = replace(view, columns=view.table.offered)
        return query.load_rows(whole, start=0, end=WINDOW, **asked)

    answers: Answers = {
        f"{table.title}: first rows": partial(rows, default_view(table)) for table in SHEETS
    }
    for name, view in _views(**asked).items():
        answers[f"{name}: rows"] = partial(rows, view)
        answers[f"{name}: count"] = partial(query.count_rows, view, **asked)
    for table in SHEETS:
        answers[f"{table.title}: count"] = partial(query.count_rows, default_view(table), **asked)
        answers[f"{table.title}: totals"] = partial(query.load_totals, default_view(table), **asked)
    periods = [Question(choose(now.date()), "EUR") for _, choose in PERIODS.values()]
    answers["Overview: every period"] = lambda: [
        overview.load_overview(one, **asked) for one in periods
    ]
    return answers


def _views(**asked: Any) -> dict[str, View]:
    """Return a view for each kind of filter, with values of an order in the middle."""
    (order_id,) = _middle(**asked)
    number = order_id.rsplit("-", 1)[1]
    return {
        "Orders, a rare text": _filtered(ORDERS, order_id=_text(number)),
        "Orders, a frequent text": _filtered(ORDERS, author=_text("maria")),
        "Orders, an absent text": _filtered(ORDERS, author=_text("zzzzzz")),
        "Orders, a contract": _filtered(ORDERS, contract_id=_listed("CT-1002")),
        "Orders, a number": _filtered(ORDERS, no=_number("equals", MILLION // 2)),
        "Orders, a rare search": _searched(ORDERS, number),
        "Orders, a search in notes": _searched(ORDERS, "wheelchair"),
        "Order Items, a passenger": _filtered(ORDER_ITEMS, passenger_name=_text("maria")),
        "Order Items, a status": _filtered(ORDER_ITEMS, status=_listed("used")),
        "Order Items, a rare search": _searched(ORDER_ITEMS, number),
        "Transactions, a type": _filtered(TRANSACTIONS, type=_listed("refund")),
        "Transactions, a rare search": _searched(TRANSACTIONS, number),
        "Refunds, a passenger": _filtered(REFUNDS, passenger_name=_text("maria")),
        "Refunds, a reason": _filtered(REFUNDS, reason=_listed("goodwill")),
        "Refunds, a status": _filtered(REFUNDS, status=_listed("failed")),
        "Refunds, a rare search": _searched(REFUNDS, number),
    }


def _middle(**asked: Any) -> list[str]:
    view = _filtered(ORDERS, no=_number("equals", MILLION // 2))
    ids: list[str] = query.load_rows(view, start=0, end=1, **asked)["order_id"].tolist()
    return ids


def _filtered(table: Table, **filters: dict[str, Any]) -> View:
    return parse_view(table, {"filters": filters, "zone": "UTC"})


def _searched(table: Table, text: str) -> View:
    return parse_view(table, {"search": text, "zone": "UTC"})


def _text(part: str) -> dict[str, Any]:
    return {"filterType": "text", "type": "contains", "filter": part}


def _listed(value: str) -> dict[str, Any]:
    return {"filterType": "set", "values": [value]}


def _number(kind: str, value: int) -> dict[str, Any]:
    return {"filterType": "number", "type": kind, "filter": value}


def _time(answer: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATED):
        began = time.perf_counter()
        answer()
        times.append(time.perf_counter() - began)
    return min(times)


def main() -> None:
    """Answer everything, and print the seconds."""
    actor = access.find_local_actor()
    assert actor is not None
    answers = _answers(actor, datetime.now(UTC))
    print(json.dumps({question: _time(answer) for question, answer in answers.items()}))


if __name__ == "__main__":
    main()
