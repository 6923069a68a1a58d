"""Reruns per second of one process: 20 people use the Orders page without a pause."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from tests.bench.databases import FilledDatabase
from tests.bench.extent import some
from tests.bench.figures import Figure
from tests.bench.processes import Server
from tests.bench.servers import order_desk, untuned

PEOPLE = 20
SECONDS = 10.0
ROUNDS = some(3, 1)
MIN_RATIO = 4
MAX_MESSAGE_BYTES = 64_000_000


@dataclass
class _Tally:
    """Count the runs that end within the time, which begins when everybody has the page."""

    opened: asyncio.Barrier
    until: float = 0.0
    runs: int = 0


def measure_reruns(database: FilledDatabase) -> Iterator[Figure]:
    """Serve the pages with our settings and with Streamlit's own, in turns; the best counts."""
    ours, plain = [], []
    for _ in range(ROUNDS):
        with order_desk(database) as server:
            ours.append(asyncio.run(_runs_a_second(server)))
        with untuned(database) as server:
            plain.append(asyncio.run(_runs_a_second(server)))
    ratio = max(ours) / max(plain)
    yield Figure(
        f"Reruns a second, {PEOPLE} people, {database.orders:,} orders",
        f"{max(ours):.1f}",
        f"{max(plain):.1f} (Streamlit's defaults)",
        ratio,
        f"at least {MIN_RATIO} times as many",
        is_met=ratio >= MIN_RATIO,
    )


async def _runs_a_second(server: Server) -> float:
    tally = _Tally(asyncio.Barrier(PEOPLE))
    await asyncio.gather(*(_rerun_until(server, tally) for _ in range(PEOPLE)))
    return tally.runs / SECONDS


async def _rerun_until(server: Server, tally: _Tally) -> None:
    """Open the page, and rerun it as soon as a run has ended."""
    address = f"ws://{urlsplit(server.address).netloc}/_stcore/stream"
    origin = Origin(server.address)
    async with connect(
        address, subprotocols=[Subprotocol("streamlit")], max_size=MAX_MESSAGE_BYTES, origin=origin
    ) as connection:
        await _run(connection)  # waits for a grid, which nobody draws
        await tally.opened.wait()
        tally.until = tally.until or time.monotonic() + SECONDS
        while time.monotonic() < tally.until:
            await _run(connection)
            tally.runs += time.monotonic() < tally.until


async def _run(connection: ClientConnection) -> None:
    await connection.send(_rerun())
    await _wait_for_end(connection)


def _rerun() -> bytes:
    message = BackMsg()
    message.rerun_script.query_string = ""
    message.rerun_script.page_name = "orders"
    message.rerun_script.context_info.timezone = "UTC"
    return message.SerializeToString()


async def _wait_for_end(connection: ClientConnection) -> None:
    async for data in connection:
        assert isinstance(data, bytes)
        message = ForwardMsg.FromString(data)
        if message.WhichOneof("type") == "script_finished":
            return
