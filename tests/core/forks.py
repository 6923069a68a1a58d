"""Processes that start at once: forked from one that has imported all of core.

Each is a process of its own, which can be killed. Importing takes seconds, the fork milliseconds.
"""

import io
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import IO

from core.__main__ import main
from core.ground import get_settings

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload([__name__, "tests.core.refunds.refund_process"])


@contextmanager
def forked(act: Callable[..., object], *given: str) -> Iterator[tuple[BaseProcess, IO[str]]]:
    """Run an act in a process, and yield that with its output.

    The block ends the process; should it fail, the process does not outlive it.
    """
    reading, writing = _forks.Pipe(duplex=False)
    process = _forks.Process(target=_run, args=[dict(os.environ), writing, act, *given])
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


def _run(
    settings: dict[str, str], writing: Connection, act: Callable[..., object], *given: str
) -> None:
    """Act with the settings of now: the process that this is forked from has older ones."""
    os.environ.clear()
    os.environ.update(settings)
    get_settings.cache_clear()
    with open(writing.fileno(), "w", closefd=False) as output, redirect_stdout(output):
        act(*given)


@contextmanager
def working() -> Iterator[BaseProcess]:
    """Run a worker, whose output nobody reads."""
    with forked(_work) as (worker, _):
        yield worker


def _work() -> None:
    with redirect_stdout(io.StringIO()):
        sys.exit(main(["worker"]))
