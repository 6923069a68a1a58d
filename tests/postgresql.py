"""PostgreSQL servers of our own for tests, on loopback, run as an ordinary user."""

import os
import pwd
import shlex
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import psycopg
import pytest

from tests.supervisor import supervised

MEMORY = Path("/dev/shm")
ROOM = 2 * 1024**3  # bytes, more than all tests need at once
START_SECONDS = 60
LOOK_SECONDS = 0.02
SUPERUSER = "orderdesk"
INITDB = ("-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--no-locale")
# What a test does not need: to outlive a power cut, and work in the background.
HASTY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "128MB",
    "autovacuum": "off",
}


def free_port() -> int:
    """Return a port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def postgresql_programs() -> Path:
    """Return the folder of the newest PostgreSQL server's programs."""
    found = shutil.which("initdb")
    folders = [
        *Path("/usr/lib/postgresql").glob("*/bin"),
        *Path("/usr/libexec").glob("postgresql*"),
    ]
    if found:
        folders.append(Path(found).resolve().parent)
    if not folders:
        pytest.fail("There is no PostgreSQL server: run sh tests/install_system_packages.sh")
    return max(folders)


def ordinary_user() -> str | None:
    """Name the user to run PostgreSQL as, which refuses root; None for this one."""
    if os.getuid() != 0:
        return None
    return "postgres" if "postgres" in {one.pw_name for one in pwd.getpwall()} else "nobody"


def memory() -> Path | None:
    """Return a folder in memory for databases that nobody keeps; None where there is no room."""
    if not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < ROOM:
        return None
    return MEMORY


@contextmanager
def temporary_folder(prefix: str, *, on_disk: bool = False) -> Iterator[Path]:
    """Make a folder that is gone after the block, and after a test run that is killed."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=None if on_disk else memory()))
    with supervised(folder):
        yield folder


@contextmanager
def running_postgresql(
    *, fsync: bool = False, more: Mapping[str, str] = MappingProxyType({})
) -> Iterator[str]:
    """Run a PostgreSQL server whose databases go with it; yields its address.

    Without `fsync` it lies in memory, if there is room, and would not outlive a power cut. `more`
    are settings of its own.
    """
    folder = Path(tempfile.mkdtemp(prefix="order-desk-pg-", dir=None if fsync else memory()))
    with _serving(folder, {**(HASTY if not fsync else {}), **more}, is_kept=False) as address:
        yield address


@contextmanager
def kept_postgresql(folder: Path) -> Iterator[str]:
    """Run a PostgreSQL server in a folder that is kept, made at first; yields its address."""
    folder.mkdir(parents=True, exist_ok=True)
    with _serving(folder, {}, is_kept=True) as address:
        yield address


@contextmanager
def _serving(folder: Path, settings: dict[str, str], *, is_kept: bool) -> Iterator[str]:
    user, port = ordinary_user(), free_port()
    if user:
        shutil.chown(folder, user)
    # SIGINT saves what is kept; SIGQUIT ends at once. Both free the server's shared memory.
    end_by = signal.SIGINT if is_kept else signal.SIGQUIT
    command = server_command(folder / "data", port, settings, made_by=initdb(folder / "data"))
    with supervised(folder, command, user=user, end_by=end_by, is_kept=is_kept):
        address = f"127.0.0.1:{port}"
        wait_for_postgresql(address, folder / "output")
        yield f"postgresql+psycopg://{SUPERUSER}@{address}"


def initdb(data: Path) -> list[str]:
    """Return a command that makes a new cluster in a folder."""
    return [str(postgresql_programs() / "initdb"), "-D", str(data), "--no-sync", *INITDB]


def server_command(
    data: Path, port: int, settings: dict[str, str], *, made_by: list[str]
) -> list[str]:
    """Return a command that makes the cluster, if it is not there, and then becomes its server."""
    # A socket's address is short: the folder's may be too long for one.
    listens = {"port": str(port), "unix_socket_directories": "", "listen_addresses": "127.0.0.1"}
    options = [f"--{name}={value}" for name, value in (listens | settings).items()]
    program = str(postgresql_programs() / "postgres")
    server = shlex.join([program, "-D", str(data), *options])
    make = shlex.join(made_by)
    return ["sh", "-c", f"test -e {shlex.quote(str(data))} || {make} && exec {server}"]


def wait_for_postgresql(address: str, output: Path) -> None:
    """Wait until a server answers; fail with what it said if it does not."""
    deadline = time.monotonic() + START_SECONDS
    while not _answers(address):
        assert time.monotonic() < deadline, f"PostgreSQL did not start:\n{output.read_text()}"
        time.sleep(LOOK_SECONDS)


def _answers(address: str) -> bool:
    try:
        psycopg.connect(f"postgresql://{SUPERUSER}@{address}/postgres").close()
    except psycopg.OperationalError:
        return False
    return True
