"""The compared servers, each on a database: Order Desk and its alternatives."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.databases import KEPT, FilledDatabase
from tests.bench.processes import PROJECT, Server, core_environment, free_port, running, serving

DATASETTE = PROJECT / ".venv-bench" / "bin" / "datasette"
TUNING = ("import gc", "gc.disable()", "gc.freeze()", "gc.enable()")
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
def plain_alternative(database: FilledDatabase, rows: int = -1) -> Iterator[Server]:
    """Serve AgGrid(df) from another folder, so that the project's configuration is not read.

    `rows` limits the rows of the frame.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(
            PLAIN_SCRIPT,
            *PLAIN_FLAGS,
            cwd=Path(folder),
            ready="/_stcore/health",
            environment={"PLAIN_DATABASE": str(database.path), "PLAIN_ROWS": str(rows)},
            log=KEPT / f"plain-{database.orders}.log",
        ) as server,
    ):
        yield server


@contextmanager
def untuned(database: FilledDatabase) -> Iterator[Server]:
    """Serve Order Desk with Streamlit's default settings and without its `gc` tuning.

    It runs from a copy with the same pages; its app.py lacks the lines about `gc`.
    """
    folder = KEPT / "untuned"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("core", "pages", "pyproject.toml"):
        (folder / name).symlink_to(PROJECT / name)
    lines = (PROJECT / "app.py").read_text().splitlines(keepends=True)
    plain = [line for line in lines if not line.startswith(TUNING)]
    if len(lines) - len(plain) != len(TUNING):
        raise SystemExit("app.py tunes Python's collector in another way now: mend the bench.")
    (folder / "app.py").write_text("".join(plain))
    with serving(
        folder / "app.py",
        *PLAIN_FLAGS,
        cwd=folder,
        ready="/readyz",
        environment=core_environment(database.folder) | {"STREAMLIT_SERVER_ADDRESS": "127.0.0.1"},
        log=KEPT / "untuned.log",
    ) as server:
        yield server


@contextmanager
def datasette(database: FilledDatabase) -> Iterator[Server]:
    """Serve the same SQLite file with datasette, without a time limit."""
    port = free_port()
    flags = ("--port", str(port), "--setting", "sql_time_limit_ms", "60000")
    with running(
        [DATASETTE, "serve", database.path, *flags],
        port,
        cwd=database.folder,
        ready="/-/versions.json",
        environment={},
        log=KEPT / "datasette.log",
    ) as server:
        yield server
