"""A primary and a synchronous standby of PostgreSQL, which can be killed and promoted."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

from tests.postgresql import (
    SUPERUSER,
    free_port,
    initdb,
    ordinary_user,
    postgresql_programs,
    server_command,
    temporary_folder,
    wait_for_postgresql,
)
from tests.supervisor import supervised

STANDBY = "standby"  # the name that the primary knows it by
SETTINGS = {
    "wal_level": "replica",
    "wal_keep_size": "256MB",
    "max_connections": "200",
    "dynamic_shared_memory_type": "mmap",  # in its folder, so that a killed server leaves nothing
}
# A killed process loses nothing that it has written; only a power cut would.
WITHOUT_FSYNC = {"fsync": "off", "full_page_writes": "off"}
PATIENCE_SECONDS, LOOK_SECONDS = 30, 0.05


class Node:
    """One server of the two."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        self.folder, self.settings = folder, settings
        self.port = free_port()
        self._running = ExitStack()

    @property
    def address(self) -> str:
        """Its host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        """The folder of its cluster."""
        return self.folder / "data"

    def start(self, made_by: list[str]) -> None:
        """Start it; a command makes its cluster, if it has none."""
        user = ordinary_user()
        self.folder.mkdir(exist_ok=True)
        if user:
            shutil.chown(self.folder, user)
        command = server_command(self.data, self.port, self.settings, made_by=made_by)
        program = supervised(self.folder, command, user=user, is_kept=True)
        self._running.enter_context(program)
        wait_for_postgresql(self.address, self.folder / "output")

    def stop(self) -> None:
        """End it, if it runs."""
        self._running.close()

    def kill(self) -> None:
        """Kill it with all its processes, as if its machine had lost its power."""
        lines = (self.data / "postmaster.pid").read_text().splitlines()
        first, shared = int(lines[0]), lines[6].split()[1]
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        for process in (first, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.stop()
        subprocess.run(["ipcrm", "--shmem-id", shared], check=True)

    def ask(self, sql: str, database: str = "postgres") -> list[Any]:
        """Run a statement; return the first column of its rows."""
        where = f"postgresql://{SUPERUSER}@{self.address}/{database}"
        with psycopg.connect(where, autocommit=True) as connection:
            cursor = connection.execute(sql)
            return [row[0] for row in cursor] if cursor.description else []


class Replicas:
    """The primary and the standby; after a promotion they have changed places."""

    def __init__(self, folder: Path, *, fsync: bool) -> None:
        settings = SETTINGS | ({} if fsync else WITHOUT_FSYNC)
        self.primary, self.standby = (Node(folder / one, settings) for one in ("one", "two"))

    def url(self, database: str) -> str:
        """Return the address of a database at whichever of the two can be written to."""
        addresses = sorted((self.primary.address, self.standby.address))
        hosts = "&".join(f"host={address}" for address in addresses)
        end = f"{database}?{hosts}&target_session_attrs=read-write"
        return f"postgresql+psycopg://{SUPERUSER}@/{end}"

    def start(self) -> None:
        """Start both."""
        self.primary.start(initdb(self.primary.data))
        self.follow()

    def follow(self) -> None:
        """Copy the standby from the primary, and let commits wait for it from then on."""
        shutil.rmtree(self.standby.data, ignore_errors=True)
        host, port = self.primary.address.split(":")
        where = f"host={host} port={port} user={SUPERUSER} application_name={STANDBY}"
        program = str(postgresql_programs() / "pg_basebackup")
        options = ("--wal-method=stream", "--checkpoint=fast", "--write-recovery-conf", "--no-sync")
        self.standby.start([program, "-D", str(self.standby.data), "--dbname", where, *options])
        self.wait_for_standby(synchronous=True)

    def wait_for_standby(self, *, synchronous: bool) -> None:
        """Let commits wait for the standby, or no longer: what an operator says to the primary."""
        name = STANDBY if synchronous else ""
        self.primary.ask(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
        self.primary.ask("SELECT pg_reload_conf()")
        if synchronous:
            state = "SELECT sync_state FROM pg_stat_replication"
            wait_until(lambda: "sync" in self.primary.ask(state))

    def promote(self) -> None:
        """Make the standby the primary, as an operator does when the primary is gone."""
        self.standby.ask("SELECT pg_promote()")
        self.primary, self.standby = self.standby, self.primary

    def stop(self) -> None:
        """End both."""
        for node in (self.standby, self.primary):
            node.stop()


@contextmanager
def replicating(*, fsync: bool = False) -> Iterator[Replicas]:
    """Run a primary and its synchronous standby for the block."""
    with temporary_folder("order-desk-team-", on_disk=fsync) as folder:
        folder.chmod(0o755)  # the servers run as an ordinary user
        replicas = Replicas(folder, fsync=fsync)
        try:
            replicas.start()
            yield replicas
        finally:
            replicas.stop()


def wait_until(is_so: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "It did not get there"
        time.sleep(LOOK_SECONDS)
