"""Processes that start quickly: forked from a process that has imported all of core.

They can be killed one by one. An import takes seconds, a fork milliseconds.
"""

import io
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import IO

from core.__main__ import main
from core.ground import get_settings

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload([__name__, "tests.core.refunds.refund_process"])


@contextmanager
def forked(act: Callable[..., object], *given: str) -> Iterator[tuple[BaseProcess, IO[str]]]:
    """Run a function in a process, and yield the process with its output.

    The block has to end the process. If the block fails, the process is killed.
    """
    reading, writing = _forks.Pipe(duplex=False)
    process = _forks.Process(target=_run, args=[dict(os.environ), writing, act, *given])
    with _without_a_page():
        process.start()
    writing.close()
    with reading, open(reading.fileno(), closefd=False) as output:
        try:
            yield process, output
        except BaseException:
            process.kill()
            raise
        finally:
            process.join()


@contextmanager
def _without_a_page() -> Iterator[None]:
    """Hide the page that AppTest has left as the main module: a new process would run it."""
    page = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = page


def _run(
    settings: dict[str, str], writing: Connection, act: Callable[..., object], *given: str
) -> None:
    """Run with the current settings: the parent process has older ones."""
    os.environ.clear()
    os.environ.update(settings)
    get_settings.cache_clear()
    with open(writing.fileno(), "w", closefd=False) as output, redirect_stdout(output):
        act(*given)


@contextmanager
def working() -> Iterator[BaseProcess]:
    """Run a worker, and discard its output."""
    with forked(_work) as (worker, _):
        yield worker


def _work() -> None:
    with redirect_stdout(io.StringIO()):
        sys.exit(main(["worker"]))
