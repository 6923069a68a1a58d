"""Other processes: measure a command, and run a server."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
STREAMLIT = Path(sys.executable).with_name("streamlit")
START_SECONDS = 60
ASK_SECONDS = 0.02


@dataclass(frozen=True)
class Cost:
    """The cost of a command."""

    seconds: float
    megabytes: float  # peak of the resident memory


@dataclass(frozen=True)
class Server:
    """A running server."""

    address: str
    process: "subprocess.Popen[bytes]"

    def megabytes(self, field: str) -> float:
        """Read its memory: VmRSS is the current size, VmHWM the peak."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith(f"{field}:"))
        return int(line.split()[1]) / 1024


def run_core(*arguments: str | Path, environment: Mapping[str, str]) -> Cost:
    """Run `python -m core` with settings such as DATABASE_URL; end the benchmark if it fails."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "core", *map(str, arguments)],
        cwd=PROJECT,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
    )
    try:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    finally:
        if process.returncode is None:  # the benchmark is being ended
            _end(process)
    if process.returncode != 0:
        raise SystemExit(f"python -m core {arguments[0]} failed ({process.returncode}).")
    return Cost(time.perf_counter() - started, usage.ru_maxrss / 1024)


def core_environment(folder: Path) -> dict[str, str]:
    """Return the settings of Order Desk for the database and data in a folder."""
    return {"DATABASE_URL": f"sqlite:///{folder / 'orders.db'}", "DATA_DIR": str(folder)}


@contextmanager
def serving(
    script: Path,
    *flags: str,
    cwd: Path,
    ready: str,
    environment: Mapping[str, str],
    log: Path,
) -> Iterator[Server]:
    """Run a script under Streamlit for the block; `ready` is its readiness path."""
    port = free_port()
    settings = {"STREAMLIT_SERVER_PORT": str(port), **environment}
    command: list[str | Path] = [STREAMLIT, "run", script, *flags]
    with running(command, port, cwd=cwd, ready=ready, environment=settings, log=log) as server:
        yield server


@contextmanager
def running(
    command: Sequence[str | Path],
    port: int,
    *,
    cwd: Path,
    ready: str,
    environment: Mapping[str, str],
    log: Path,
) -> Iterator[Server]:
    """Run a server on a port for the block; `ready` is its readiness path."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=os.environ | environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    server = Server(f"http://localhost:{port}", process)
    try:
        _wait_until_up(server, ready, log)
        yield server
    finally:
        _end(process)


def _wait_until_up(server: Server, ready: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _answers(server.address + ready):
        if _has_ended(server.process, within=ASK_SECONDS) or time.monotonic() > deadline:
            raise SystemExit(f"The server did not start:\n{log.read_text(errors='replace')}")


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _has_ended(process: "subprocess.Popen[bytes]", *, within: float) -> bool:
    try:
        process.wait(within)
    except subprocess.TimeoutExpired:
        return False
    return True


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    if not _has_ended(process, within=10):
        process.kill()
        process.wait()


def free_port() -> int:
    """Return a port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
