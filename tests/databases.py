"""New databases for tests, each a copy of one that is migrated."""

import os
import shutil
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, QueuePool

from core import startup, storage
from core.access import tokens
from core.ground import get_settings
from core.storage import engine
from core.vouchers import signed_code

# An engine compiles each statement once, and that is most of the work of a short test: tests whose
# database has the same address share an engine.
_create, _engines, MAX_ENGINES = engine.create_database_engine, OrderedDict[str, Engine](), 16


def _engine_of(url: str) -> Engine:
    if url not in _engines:
        _engines[url] = _create(url)
        _close_late_ones(_engines[url])
    _engines.move_to_end(url)
    if len(_engines) > MAX_ENGINES:
        _engines.popitem(last=False)[1].dispose()
    return _engines[url]


def _close_late_ones(engine: Engine) -> None:
    """Close a connection that a thread gives back after the engine was disposed of.

    It would come into a pool that nobody uses any more, and psycopg warns in some later test.
    """

    @event.listens_for(engine, "connect")
    def note_pool(_: Any, entry: ConnectionPoolEntry) -> None:
        entry.info["pool"] = engine.pool

    @event.listens_for(engine, "checkin")
    def close_late_one(_: Any, entry: ConnectionPoolEntry) -> None:
        if entry.info.get("pool") is not engine.pool:
            entry.invalidate()


storage.create_database_engine = engine.create_database_engine = _engine_of

Filled = TypeVar("Filled")
PATIENCE_SECONDS = 5
SQLITE, POSTGRESQL = "sqlite", "postgresql"
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def close_connections(engine: Engine) -> None:
    """Close an engine's connections, once the threads of the last test have given theirs back."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while isinstance(engine.pool, QueuePool) and engine.pool.checkedout():
        if time.monotonic() > deadline:
            break
        time.sleep(0.01)
    engine.dispose()


def use_database(url: str) -> None:
    """Point this process at a database, as DATABASE_URL does at its start."""
    os.environ["DATABASE_URL"] = url
    if storage.get_engine.cache_info().currsize:
        close_connections(storage.get_engine())
    for cached in (get_settings, storage.get_engine, tokens._secret, signed_code._private_key):
        cached.cache_clear()


@contextmanager
def administrating(server: str) -> Iterator[Connection]:
    """Open a connection to a PostgreSQL server that can create and drop databases."""
    engine = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as admin:
        yield admin


def drop_database(url: str) -> None:
    """Give the room of a test's database back."""
    server, _, name = url.rpartition("/")
    if url.startswith(SQLITE):
        Path(server.removeprefix("sqlite:///"), name).unlink()
        return
    with administrating(server) as admin:
        admin.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


class SqliteDatabases:
    """New SQLite files in a folder, each a copy of one that is migrated."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def _template(self) -> Path:
        path = self._folder / "template.db"
        _prepare(f"sqlite:///{path}")
        return path

    def make(self) -> str:
        """Make a database and return its address."""
        path = self._folder / f"{uuid.uuid4().hex}.db"
        shutil.copy(self._template, path)
        return f"sqlite:///{path}"

    def empty(self, number: int = 0) -> str:
        """Return the address of an empty database: the same for a number, with a new file."""
        path = self._folder / f"emptied-{number}.db"
        template = self._template
        for end in ("", "-wal", "-shm"):
            Path(f"{path}{end}").unlink(missing_ok=True)
        shutil.copy(template, path)
        return f"sqlite:///{path}"


class FilledFiles:
    """SQLite files that are filled once, and copied for each test that begins with the same."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[Hashable, tuple[Path, Any]] = {}

    def fill(self, build: Callable[..., Filled], *given: Hashable) -> Filled:
        """Fill this process's database as `build(*given)` does; return what that returned at first.

        PostgreSQL is filled anew each time. `build` writes nothing but rows.
        """
        url = os.environ["DATABASE_URL"]
        if not url.startswith(SQLITE):
            return build(*given)
        file, what = Path(url.removeprefix("sqlite:///")), (build, given)
        if what in self._kept:
            kept, filled = self._kept[what]
            close_connections(storage.get_engine())
            shutil.copy(kept, file)
            return cast(Filled, deepcopy(filled))
        filled = build(*given)
        close_connections(storage.get_engine())
        kept = self._folder / f"filled-{uuid.uuid4().hex}.db"
        shutil.copy(file, kept)
        self._kept[what] = kept, deepcopy(filled)
        return filled


class PostgresqlDatabases:
    """New databases of a server, each a copy of one that is migrated."""

    def __init__(self, server: str) -> None:
        self._server = server

    @cached_property
    def _template(self) -> str:
        with administrating(self._server) as admin:
            admin.execute(text("CREATE DATABASE order_desk_template"))
        _prepare(f"{self._server}/order_desk_template")
        return "order_desk_template"

    def make(self) -> str:
        """Make a database and return its address."""
        name = f"test_{uuid.uuid4().hex}"
        template = self._template
        with administrating(self._server) as admin:
            admin.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        return f"{self._server}/{name}"


def _prepare(url: str) -> None:
    """Migrate a database; this process is then pointed where it was before."""
    before = os.environ.get("DATABASE_URL")
    use_database(url)
    startup.prepare(NOW, may_fill=False)
    close_connections(storage.get_engine())
    if before is not None:
        use_database(before)
