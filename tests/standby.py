"""A PostgreSQL with a standby that follows it, for tests."""

import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.postgresql import (
    SUPERUSER,
    free_port,
    memory,
    ordinary_user,
    postgresql_programs,
    running_postgresql,
    server_command,
    wait_for_postgresql,
)
from tests.supervisor import supervised

PATIENCE_SECONDS = 30
REPLICATES = {"wal_level": "replica", "max_wal_senders": "4", "autovacuum": "off"}


@dataclass
class Standby:
    """A standby: its address, that of its primary, and what ends it."""

    url: str
    primary: str
    running: ExitStack

    def kill(self) -> None:
        """End the server at once, as a machine that loses its power."""
        self.running.close()

    def wait(self) -> None:
        """Wait until the standby has everything that the primary has now."""
        asked = "SELECT pg_current_wal_insert_lsn()::text"
        with psycopg.connect(_plain(self.primary), autocommit=True) as primary:
            (written,) = primary.execute(asked).fetchone() or ("",)
        deadline = time.monotonic() + PATIENCE_SECONDS
        with psycopg.connect(_plain(self.url), autocommit=True) as own:
            replayed = "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn"
            while own.execute(replayed, [written]).fetchone() != (True,):
                assert time.monotonic() < deadline, "The standby does not follow."
                time.sleep(0.05)


def _plain(server: str) -> str:
    return f"{server.replace('+psycopg', '')}/postgres"


@contextmanager
def running_primary() -> Iterator[str]:
    """Run a PostgreSQL server that standbys can follow; yields its address."""
    with running_postgresql(more=REPLICATES) as server:
        yield server


@contextmanager
def following(primary: str, *, delay_seconds: int) -> Iterator[Standby]:
    """Run a standby that replays each commit some seconds late."""
    folder = Path(tempfile.mkdtemp(prefix="order-desk-standby-", dir=memory()))
    user, port = ordinary_user(), free_port()
    if user:
        shutil.chown(folder, user)
    with ExitStack() as running:
        command = _command(folder / "data", primary.rpartition(":")[2], port, delay_seconds)
        running.enter_context(supervised(folder, command, user=user, end_by=signal.SIGQUIT))
        wait_for_postgresql(f"127.0.0.1:{port}", folder / "output")
        yield Standby(f"postgresql+psycopg://{SUPERUSER}@127.0.0.1:{port}", primary, running)


def _command(data: Path, primary_port: str, port: int, delay_seconds: int) -> list[str]:
    """Return a command that copies the primary, and then becomes its standby."""
    program = str(postgresql_programs() / "pg_basebackup")
    where = ["-h", "127.0.0.1", "-p", primary_port, "-U", SUPERUSER, "-D", str(data)]
    settings = {
        "recovery_min_apply_delay": f"{delay_seconds}s",
        "hot_standby": "on",
        "fsync": "off",
    }
    copy = [program, *where, "-R", "-X", "stream", "-c", "fast"]
    return server_command(data, port, settings, made_by=copy)
