"""Workers that start at once: forked from a process that has imported all of core.

Each is a process of its own, which can be killed. Importing takes seconds, the fork milliseconds.
"""

import multiprocessing
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from multiprocessing.process import BaseProcess

from core.__main__ import main
from core.settings import get_settings

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload([__name__])


@contextmanager
def working() -> Iterator[BaseProcess]:
    """Run a worker; the block ends it, and if it fails, its worker does not outlive it."""
    worker = _forks.Process(target=_work, args=[dict(os.environ)])
    worker.start()
    try:
        yield worker
    except BaseException:
        worker.kill()
        raise
    finally:
        worker.join()


def _work(settings: dict[str, str]) -> None:
    """Run the command, with the settings of now: the process it is forked from has older ones."""
    os.environ.clear()
    os.environ.update(settings)
    get_settings.cache_clear()
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        sys.exit(main(["worker"]))
