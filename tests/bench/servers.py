"""The two that are compared, each served on a database: Order Desk, and the plain alternative."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.databases import KEPT, FilledDatabase
from tests.bench.processes import PROJECT, Server, core_environment, serving

PLAIN_SCRIPT = Path(__file__).with_name("plain_app.py")
PLAIN_FLAGS = (
    "--server.headless=true",
    "--browser.gatherUsageStats=false",
    "--server.fileWatcherType=none",
)


@contextmanager
def order_desk(database: FilledDatabase) -> Iterator[Server]:
    """Serve Order Desk, as `make run` does."""
    with serving(
        PROJECT / "app.py",
        cwd=PROJECT,
        ready="/readyz",
        environment=core_environment(database.folder),
        log=KEPT / f"order-desk-{database.orders}.log",
    ) as server:
        yield server


@contextmanager
def plain_alternative(database: FilledDatabase) -> Iterator[Server]:
    """Serve AgGrid(df), away from the project's folder so that its configuration is not read."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(
            PLAIN_SCRIPT,
            *PLAIN_FLAGS,
            cwd=Path(folder),
            ready="/_stcore/health",
            environment={"PLAIN_DATABASE": str(database.path)},
            log=KEPT / f"plain-{database.orders}.log",
        ) as server,
    ):
        yield server
