"""Fifty people at once scroll and filter a million orders; each requests rows every second."""

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx

from core import access
from tests.bench.databases import FilledDatabase
from tests.bench.extent import some
from tests.bench.figures import Figure, in_milliseconds, memory_figure
from tests.bench.processes import PROJECT, Server, core_environment
from tests.bench.servers import order_desk

PEOPLE, SECONDS = 50, 15
ROUNDS = some(5, 1)  # the best counts: other programs share the processors
BLOCK_ROWS = 200
MAX_SECONDS, MAX_MEGABYTES = 0.25, 600
PATIENCE_SECONDS = 30
BROWSER = "the-browser-of-the-bench"
FILTER_SHARE = 0.3  # the share of requests with a new filter; the others scroll
TEXTS = {
    "author": ("maria", "wei", "nair", "@local", "o", "zzzz"),
    "order_id": ("OD2602", "0500", "-0499", "zzzz"),
    "contract_id": ("1002", "CT-10", "zzzz"),
}
LISTED = {"contract_id": "CT-1002", "widget_id": "WGT-HELIOS-KIOSK"}


def measure_people(database: FilledDatabase) -> Iterator[Figure]:
    """Serve a database to fifty people for 15 seconds, several times."""
    database.warm()
    with order_desk(database) as server:
        rounds = [ask(database, server, PEOPLE, SECONDS) for _ in range(ROUNDS)]
        answers = min(rounds, key=lambda one: percentile(one["seconds"], 95))
        measure = f"{PEOPLE} people scrolling and filtering {database.orders:,} orders: "
        within = percentile(answers["seconds"], 95)
        yield Figure(
            f"{measure}95 of 100 answers within",
            in_milliseconds(within),
            bar=f"at most {in_milliseconds(MAX_SECONDS)}",
            is_met=within <= MAX_SECONDS,
        )
        slowest = in_milliseconds(max(answers["seconds"]))
        yield Figure(f"{measure}slowest of {len(answers['seconds']):,} answers", slowest)
        errors = sum(one["errors"] for one in rounds)
        yield Figure(f"{measure}errors", str(errors), bar="0", is_met=errors == 0)
        peak = server.megabytes("VmHWM")
        yield memory_figure(f"{measure}memory at its peak", peak, MAX_MEGABYTES)


def ask(database: FilledDatabase, server: Server, people: int, seconds: float) -> dict[str, Any]:
    """Run the people in their own process; return the `seconds` of each request, and `errors`."""
    answer = subprocess.run(
        [sys.executable, "-m", "tests.bench.people", server.address, str(people), str(seconds)],
        cwd=PROJECT,
        env=os.environ | core_environment(database.folder),
        stdout=subprocess.PIPE,
        check=True,
    )
    answers: dict[str, Any] = json.loads(answer.stdout)
    return answers


def percentile(seconds: list[float], share: int) -> float:
    """Return a percentile of the times."""
    return sorted(seconds)[min(len(seconds) - 1, len(seconds) * share // 100)]


def new_view(choose: random.Random) -> dict[str, Any]:
    """Return a random filter: a text, a value of a list, or none."""
    kind = choose.randrange(4)
    if kind == 0:
        return {}
    if kind == 1:
        column = choose.choice(list(LISTED))
        return {"filters": {column: {"filterType": "set", "values": [LISTED[column]]}}}
    column = choose.choice(list(TEXTS))
    asked = {"filterType": "text", "type": "contains", "filter": choose.choice(TEXTS[column])}
    return {"filters": {column: asked}}


async def _use(
    client: httpx.AsyncClient, number: int, people: int, until: float, answers: dict[str, Any]
) -> None:
    choose = random.Random(number)
    view, start = new_view(choose), 0
    await asyncio.sleep(number / people)  # spread the requests over the second
    while (began := time.monotonic()) < until:
        try:
            window = {"view": view, "start": start, "end": start + BLOCK_ROWS}
            answer = await client.post("/rows/orders", json=window)
            answer.raise_for_status()
            # Not parsed: real browsers use their own processors for that, not the server's.
            start = start + BLOCK_ROWS if answer.content.endswith(b'"last":null}') else 0
        except httpx.HTTPError:
            answers["errors"] += 1
        answers["seconds"].append(time.monotonic() - began)
        if start == 0 or choose.random() < FILTER_SHARE:
            view, start = new_view(choose), 0
        await asyncio.sleep(max(0.0, began + 1 - time.monotonic()))


async def _use_together(address: str, people: int, seconds: float) -> dict[str, Any]:
    actor = access.find_local_actor()
    assert actor is not None
    token = access.issue_token("rows", table="orders", actor=actor, browser=BROWSER)
    answers: dict[str, Any] = {"seconds": [], "errors": 0}
    async with httpx.AsyncClient(
        base_url=address,
        cookies={"order_desk_browser": BROWSER},
        headers={"Authorization": f"Bearer {token}"},
        timeout=PATIENCE_SECONDS,
        limits=httpx.Limits(max_connections=people),
    ) as client:
        until = time.monotonic() + seconds
        await asyncio.gather(
            *(_use(client, number, people, until, answers) for number in range(people))
        )
    return answers


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_use_together(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))))
