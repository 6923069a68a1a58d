"""Servers that start in a moment: forked from a process that has imported all that they need.

Each is a process of its own all the same, with its settings and signals, and can be killed.
"""

import multiprocessing
import os
import signal
import subprocess
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Protocol


class Process(Protocol):
    """A process that a test started."""

    @property
    def pid(self) -> int | None: ...
    def send_signal(self, number: int, /) -> None: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...
    def wait(self, timeout: float | None = None) -> int: ...


class Fork:
    """A forked process, with the hands of one that was started by a command."""

    def __init__(self, process: BaseProcess) -> None:
        self._process = process

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def send_signal(self, number: int, /) -> None:
        """Send a signal, unless it has ended."""
        if self._process.is_alive():
            assert self.pid is not None
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Tell it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; return its status."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("streamlit run app.py", timeout or 0)
        return self._process.exitcode


def fork(settings: dict[str, str], log: Path) -> Process:
    """Start a server with these settings; its output is added to a file."""
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(["tests.e2e.served"])
    process = forks.Process(target=_serve, args=[settings, str(log)])
    process.start()
    return Fork(process)


def _serve(settings: dict[str, str], log: str) -> None:
    from tests.e2e.served import serve  # here, so that the tests need not import a whole server

    serve(settings, log)
