"""New databases of both kinds outside pytest, with the durability of a real installation."""

import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from core import access, startup, storage
from core.access import Actor
from tests.bench.databases import KEPT
from tests.databases import NOW, use_database
from tests.postgresql import running_postgresql

KINDS = ("SQLite", "PostgreSQL")
SETTINGS = ("DATABASE_URL", "DATA_DIR")


@contextmanager
def fresh_databases(kind: str) -> Iterator[Callable[[], Actor]]:
    """Yield a function that makes and opens a new database and returns its local admin."""
    before = {name: os.environ.get(name) for name in SETTINGS}
    with ExitStack() as stack:
        KEPT.mkdir(exist_ok=True)  # on a disk; a temporary folder may be in memory
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=KEPT)))
        os.environ["DATA_DIR"] = str(folder)
        server = (
            stack.enter_context(running_postgresql(fsync=True)) if kind == "PostgreSQL" else None
        )

        def make() -> Actor:
            name = f"refunds_{uuid.uuid4().hex}"
            if server:
                _create(server, name)
            use_database(f"{server}/{name}" if server else f"sqlite:///{folder / name}.db")
            startup.prepare(NOW, may_fill=False)
            actor = access.find_local_actor()
            assert actor is not None
            return actor

        try:
            yield make
        finally:
            storage.get_engine().dispose()
            for name, value in before.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value


def _create(server: str, name: str) -> None:
    engine = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as admin:
        admin.execute(text(f"CREATE DATABASE {name}"))
