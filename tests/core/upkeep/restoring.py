"""Back up and restore the test's database: the backup knows nothing of later changes."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from core import storage, upkeep
from tests.databases import administrating, drop_database, use_database


class Backup:
    """A backup taken once and restored once: SQLite by core's commands, PostgreSQL by template."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.file = url, folder / "orders.backup"
        self.copy = ""

    def take(self) -> None:
        if self.url.startswith("sqlite"):
            upkeep.back_up(self.file)
            return
        server, _, name = self.url.rpartition("/")
        self.copy = f"{server}/copy_{uuid.uuid4().hex}"
        storage.get_engine().dispose()
        with administrating(server) as admin:
            admin.execute(text(f"CREATE DATABASE {self.copy.rpartition('/')[2]} TEMPLATE {name}"))

    def put_back(self) -> None:
        storage.get_engine().dispose()
        if self.copy:
            use_database(self.copy)
        else:
            upkeep.restore(self.file, may_replace=True)


@contextmanager
def backup_of(url: str, folder: Path) -> Iterator[Backup]:
    backup = Backup(url, folder)
    yield backup
    if backup.copy:
        storage.get_engine().dispose()
        drop_database(backup.copy)
        use_database(url)
