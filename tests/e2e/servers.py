"""Order Desk as a process of its own, and a database connection that can be cut and mended."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from tests.conftest import free_port
from tests.e2e.forks import Process, fork

PROJECT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
ASK_SECONDS = 0.05
FIRST_PORT, PORTS_OF_ONE, MOST_TESTERS = 12_000, 10, 2_000  # below those that the system gives away
_numbers = count(1)
_taken: set[int] = set()
KEYS = {
    "orders": "order_id",
    "order_items": "order_item_id",
    "transactions": "transaction_id",
}


@dataclass(frozen=True)
class Server:
    """A running server, and the database it serves."""

    url: str
    database: str
    process: Process
    log: Path
    port: int

    def query(self, sql: str, **values: Any) -> list[Any]:
        """Ask the database itself, past every line of Order Desk: the first column of the rows."""
        engine = create_engine(self.database, poolclass=NullPool)
        with engine.connect() as connection:
            return list(connection.scalars(text(sql), values))

    def instants(self, sql: str) -> list[datetime]:
        """Ask for instants, which SQLite stores as seconds since 1970."""
        return [
            at.astimezone(UTC) if isinstance(at, datetime) else datetime.fromtimestamp(at, UTC)
            for at in self.query(sql)
        ]

    def sql_of(self, instant: float) -> str:
        """Write an instant, in seconds since 1970, as its column has it."""
        return f"{instant:.0f}" if self.is_sqlite else f"to_timestamp({instant:.0f})"

    @property
    def is_sqlite(self) -> bool:
        return self.database.startswith("sqlite")

    def newest(self, table: str, where: str = "true") -> list[str]:
        """Return the keys of the rows that a condition leaves, newest first."""
        key = KEYS[table]
        order = f"created_at DESC, {key} DESC"
        return self.query(f"SELECT {key} FROM {table} WHERE {where} ORDER BY {order}")

    def execute(self, sql: str) -> None:
        """Change the database behind the server's back."""
        engine = create_engine(self.database, poolclass=NullPool)
        with engine.begin() as connection:
            connection.execute(text(sql))

    def wait_for_status(self, expected: int) -> None:
        """Wait until /readyz answers with a status."""
        self.wait_until(lambda: self._status() == expected)

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so, as long as the server runs."""
        wait_until(is_so, self.process, self.log)

    def _status(self) -> int | None:
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/readyz").status_code
        return None


def start_server(
    database: str,
    folder: Path,
    port: int | None = None,
    *,
    by_command: bool = False,
    **given: str,
) -> Server:
    """Start a server, on a free port and with settings if given, without waiting for it.

    It is forked; or, as a person starts it, it is run `by_command`, which takes seconds.
    """
    port = port or _own_port()
    _taken.add(port)
    log = folder / f"server-{port}-{next(_numbers)}.log"
    settings = {**os.environ, "DATABASE_URL": database, "STREAMLIT_SERVER_PORT": str(port), **given}
    log.touch()
    process = _run(settings, log) if by_command else fork(settings, log)
    base = given.get("STREAMLIT_SERVER_BASE_URL_PATH", "").strip("/")
    url = f"http://localhost:{port}/{base}".rstrip("/")
    return Server(url, database, process, log, port)


def _own_port() -> int:
    """Return a free port, soon the same again: the browser has kept the scripts of its servers."""
    first = FIRST_PORT + os.getpid() % MOST_TESTERS * PORTS_OF_ONE
    for port in range(first, first + PORTS_OF_ONE):
        if port in _taken:
            continue
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    return free_port()


def _run(settings: dict[str, str], log: Path) -> Process:
    command = [sys.executable, "-m", "streamlit", "run", "app.py"]
    with log.open("ab") as output:
        return subprocess.Popen(command, cwd=PROJECT, env=settings, stdout=output, stderr=output)


def stop_server(server: Server) -> None:
    """End a server as an operator does; kill it when it does not listen."""
    server.process.terminate()
    try:
        server.process.wait(10)
    except subprocess.TimeoutExpired:
        server.process.kill()
        server.process.wait()
    _taken.discard(server.port)


@contextmanager
def serving(
    database: str, folder: Path, *, status: int = 200, port: int | None = None, **given: Any
) -> Iterator[Server]:
    """Run a server until the block ends; it is up when /readyz answers with the status."""
    server = start_server(database, folder, port, **given)
    try:
        server.wait_for_status(status)
        yield server
    finally:
        stop_server(server)


@contextmanager
def running(*module: str) -> Iterator["subprocess.Popen[str]"]:
    """Run a module; should the block fail, its process does not outlive it."""
    command = [sys.executable, "-m", *module]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise


def wait_until(is_so: Callable[[], bool], process: Process, log: Path) -> None:
    """Wait until something is so; fail with the log when the process ends before."""
    for _ in range(int(START_SECONDS / ASK_SECONDS)):
        if is_so():
            return
        with suppress(subprocess.TimeoutExpired):
            process.wait(ASK_SECONDS)
            break
    raise AssertionError(f"The server did not get there:\n{log.read_text(errors='replace')}")


class Wire:
    """A TCP wire to a server, which a test can cut and mend, or make as slow as a far one."""

    def __init__(self, port: int, *, delay: float = 0) -> None:
        self.target = port
        self.delay = delay  # seconds, each way
        self.port = free_port()
        self.listener: socket.socket | None = None
        self.sockets: set[socket.socket] = set()
        self.threads: list[threading.Thread] = []

    def mend(self) -> None:
        """Let connections through from now on."""
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self._run(self._accept, self.listener)

    def cut(self) -> None:
        """Break every connection, and refuse new ones."""
        listener, self.listener = self.listener, None
        if listener is not None:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            self.threads[0].join(5)  # from here on no connection is added
            listener.close()
        for one in self.sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(5)
        for one in self.sockets:
            one.close()
        self.sockets.clear()
        self.threads.clear()

    def _run(self, act: Callable[..., None], *given: Any) -> None:
        thread = threading.Thread(target=act, args=given, daemon=True)
        self.threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near = listener.accept()[0]
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            self.sockets |= {near, far}
            self._run(_pump, near, far, self.delay)
            self._run(_pump, far, near, self.delay)


def _pump(source: socket.socket, sink: socket.socket, delay: float) -> None:
    with suppress(OSError):
        while chunk := source.recv(65536):
            if delay:
                time.sleep(delay)
            sink.sendall(chunk)
    for one in (source, sink):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
