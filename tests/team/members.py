"""The processes of a team: applications and workers, started as an operator starts them."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.conftest import free_port

START_SECONDS, END_SECONDS, ASK_SECONDS = 120, 30, 0.05
STREAMLIT = Path(sys.executable).with_name("streamlit")


def ending_with_us(command: Sequence[str]) -> list[str]:
    """Return the command as one that is killed when this process ends in any way."""
    wrapper = shutil.which("setpriv")
    return [*([wrapper, "--pdeathsig", "KILL"] if wrapper else []), *command]


@dataclass
class Member:
    """One process, in the folder of a release; it can be killed, ended and started again."""

    command: list[str]
    release: Path
    settings: dict[str, str]
    log: Path
    port: int = 0  # of an application
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it, without waiting for it."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                ending_with_us(self.command),
                cwd=self.release,
                env=os.environ | self.settings,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def wait(self) -> None:
        """Wait until an application answers its own requests."""
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self.process is not None
            assert self.process.poll() is None, f"It ended:\n{self._said()}"
            assert time.monotonic() < deadline, f"It did not start:\n{self._said()}"
            time.sleep(ASK_SECONDS)

    def _answers(self) -> bool:
        base = self.settings.get("STREAMLIT_SERVER_BASE_URL_PATH", "")
        with suppress(httpx.TransportError):
            return httpx.get(f"http://localhost:{self.port}{base}/_stcore/health").is_success
        return False

    def _said(self) -> str:
        return self.log.read_text(errors="replace")[-4_000:]

    def kill(self) -> None:
        """Kill it."""
        self._end_by(signal.SIGKILL)

    def end(self) -> None:
        """End it as an operator does."""
        self._end_by(signal.SIGTERM)

    def _end_by(self, how: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(how)
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass
class Team:
    """Applications and workers with the same settings."""

    release: Path
    settings: dict[str, str]
    folder: Path  # of logs and data
    apps: list[Member] = field(default_factory=list)
    workers: list[Member] = field(default_factory=list)

    def add_app(self, port: int | None = None) -> Member:
        """Add an application, which is not started yet."""
        port, number = port or free_port(), len(self.apps) + 1
        own = {"STREAMLIT_SERVER_PORT": str(port), "RUN_WORKER": "false"}
        command = [str(STREAMLIT), "run", "app.py"]
        self.apps.append(self._member(command, f"app{number}", own, port))
        return self.apps[-1]

    def add_worker(self) -> Member:
        """Add a worker, which is not started yet."""
        command = [sys.executable, "-m", "core", "worker"]
        self.workers.append(self._member(command, f"worker{len(self.workers) + 1}", {}))
        return self.workers[-1]

    def _member(self, command: list[str], name: str, own: dict[str, str], port: int = 0) -> Member:
        """Return a process with a folder for its data of its own, as on a machine of its own."""
        data = self.folder / f"data-{name}"
        data.mkdir(mode=0o700)
        settings = self.settings | own | {"DATA_DIR": str(data)}
        return Member(command, self.release, settings, self.folder / f"{name}.log", port)

    def start(self) -> None:
        """Start all, one application after the other."""
        for one in self.apps:
            one.start()
            one.wait()
        for one in self.workers:
            one.start()

    def run(self, *command: str, release: Path) -> None:
        """Run a command of Order Desk, of a release."""
        subprocess.run(
            [sys.executable, "-m", "core", *command],
            cwd=release,
            env=os.environ | self.settings,
            check=True,
            timeout=START_SECONDS,
        )

    def complaints(self) -> list[str]:
        """Return the lines in which a process said that something failed unexpectedly."""
        return [
            line
            for one in (*self.apps, *self.workers)
            for line in one.log.read_text(errors="replace").splitlines()
            if " ERROR " in line or "Traceback" in line
        ]


@contextmanager
def teaming(release: Path, settings: dict[str, str], folder: Path) -> Iterator[Team]:
    """Yield a team without members; at the end every one is killed."""
    team = Team(release, settings, folder)
    try:
        yield team
    finally:
        for one in (*team.apps, *team.workers):
            if one.process is not None and one.process.poll() is None:
                one.kill()
