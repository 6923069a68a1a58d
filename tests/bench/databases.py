"""The measured databases: filled once per size, then kept under .bench/."""

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from tests.bench.processes import PROJECT, Cost, core_environment, run_core

KEPT = PROJECT / ".bench"
MARKER = "filled.json"  # written last: without it the database is incomplete
# The code that makes and writes the rows: if it changes, a kept database is outdated.
DECISIVE = ("core/demo", "core/storage")


@dataclass(frozen=True)
class FilledDatabase:
    """A database of sample orders, and the cost of filling it."""

    orders: int
    folder: Path
    cost: Cost
    is_cached: bool

    @property
    def path(self) -> Path:
        """The SQLite file."""
        return self.folder / "orders.db"

    def warm(self) -> None:
        """Read the whole file, so that it is in the system's cache, as in normal use."""
        with self.path.open("rb", buffering=0) as file:
            while file.read(1 << 24):
                pass

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Open the file for reading."""
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as connection:
            yield connection


def provide(orders: int) -> FilledDatabase:
    """Return the database with this number of orders; fill it unless a current one is kept."""
    folder = KEPT / f"orders-{orders}"
    marker, made_by = folder / MARKER, _fingerprint()
    if marker.exists():
        kept = json.loads(marker.read_text())
        if kept["made_by"] == made_by:
            return FilledDatabase(orders, folder, Cost(**kept["cost"]), is_cached=True)
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    cost = run_core("demo", "--orders", str(orders), environment=core_environment(folder))
    marker.write_text(json.dumps({"made_by": made_by, "cost": asdict(cost)}))
    return FilledDatabase(orders, folder, cost, is_cached=False)


def tell(url: str, statement: str) -> None:
    """Run a statement that no transaction may contain, such as CREATE DATABASE."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(statement))


def _fingerprint() -> str:
    paths = sorted(path for part in DECISIVE for path in (PROJECT / part).rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()
