"""What every test stands on: real databases, a PostgreSQL server of our own, the local admin."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from core import access, startup, storage
from core.access import Actor, tokens
from core.ground import get_settings
from core.vouchers import signed_code

SQLITE, POSTGRESQL = "sqlite", "postgresql"
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
TEMPLATE = "order_desk_template"
MEMORY = Path("/dev/shm")
ROOM = 2 * 1024**3  # bytes, more than all tests need at once
HASTY = ("fsync", "synchronous_commit", "full_page_writes")  # what outlives a power cut


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the browser's tests run on either kind of database; other tests run on both."""
    kinds = (SQLITE, POSTGRESQL)
    parser.addoption("--database", choices=kinds, default=SQLITE, help="what tests/e2e run on")


def free_port() -> int:
    """Return a port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _postgresql_programs() -> Path:
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


def _ordinary_user() -> str | None:
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
def running_postgresql(*, fsync: bool = False) -> Iterator[str]:
    """Run a PostgreSQL server on loopback as an ordinary user; yields its address.

    Without `fsync` it lies in memory, where there is some, and would not outlive a power cut.
    """
    folder = Path(
        tempfile.mkdtemp(prefix="order-desk-postgresql-", dir=None if fsync else memory())
    )
    try:
        with kept_postgresql(folder, fsync=fsync) as address:
            yield address
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def kept_postgresql(folder: Path, *, fsync: bool = True) -> Iterator[str]:
    """Run a PostgreSQL server in a folder that is kept, made at first; yields its address."""
    user, port, programs = _ordinary_user(), free_port(), _postgresql_programs()
    folder.mkdir(parents=True, exist_ok=True)
    if user:
        shutil.chown(folder, user)

    def run(program: str, *arguments: str) -> None:
        command = [str(programs / program), "-D", str(folder / "data"), *arguments]
        with (folder / "output").open("a") as output:
            subprocess.run(command, check=True, user=user, cwd=folder, stdout=output, stderr=output)

    if not (folder / "data").exists():
        run("initdb", "-U", "orderdesk", "-A", "trust", "-E", "UTF8", "--no-locale")
    # A socket's address is short: the folder's may be too long for one.
    listens = f"-p {port} -c unix_socket_directories= -c listen_addresses=127.0.0.1"
    hasty = "-c max_wal_size=128MB" + "".join(f" -c {setting}=off" for setting in HASTY)
    options = listens if fsync else f"{listens} {hasty}"
    run("pg_ctl", "-w", "-o", options, "-l", str(folder / "log"), "start")
    try:
        yield f"postgresql+psycopg://orderdesk@127.0.0.1:{port}"
    finally:
        run("pg_ctl", "-m", "fast" if fsync else "immediate", "stop")


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """Run a PostgreSQL server for the tests; yields its address."""
    with running_postgresql() as address:
        yield address


def use_database(url: str) -> None:
    """Point this process at a database, as DATABASE_URL does at its start."""
    os.environ["DATABASE_URL"] = url
    if storage.get_engine.cache_info().currsize:
        storage.get_engine().dispose()
    for cached in (get_settings, storage.get_engine, tokens._secret, signed_code._private_key):
        cached.cache_clear()


@pytest.fixture(scope="session", autouse=True)
def data_dir() -> Iterator[Path]:
    """Keep what the application writes out of the project, and off the disk."""
    with tempfile.TemporaryDirectory(prefix="order-desk-data-", dir=memory()) as folder:
        os.environ["DATA_DIR"] = folder
        yield Path(folder)


@contextmanager
def _administrating(server: str) -> Iterator[Connection]:
    engine = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as admin:
        yield admin


def drop_database(url: str) -> None:
    """Give the room of a test's database back."""
    server, _, name = url.rpartition("/")
    if url.startswith("sqlite"):
        Path(server.removeprefix("sqlite:///"), name).unlink()
        return
    with _administrating(server) as admin:
        admin.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="session")
def make_database(request: pytest.FixtureRequest, data_dir: Path) -> Callable[[str], str]:
    """Return what makes a new, migrated, empty database of a kind and gives its address."""
    template = data_dir / "template.db"
    use_database(f"sqlite:///{template}")
    startup.prepare(NOW, may_fill=False)
    storage.get_engine().dispose()

    def make_sqlite() -> str:
        path = data_dir / f"{uuid.uuid4().hex}.db"
        shutil.copy(template, path)
        return f"sqlite:///{path}"

    def make_postgresql() -> str:
        server = request.getfixturevalue("postgresql_server")
        with _administrating(server) as admin:
            names = set(admin.scalars(text("SELECT datname FROM pg_database")))
            if TEMPLATE not in names:
                admin.execute(text(f"CREATE DATABASE {TEMPLATE}"))
                use_database(f"{server}/{TEMPLATE}")
                startup.prepare(NOW, may_fill=False)
                storage.get_engine().dispose()
            name = f"test_{uuid.uuid4().hex}"
            admin.execute(text(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))
        return f"{server}/{name}"

    return lambda kind: make_sqlite() if kind == "sqlite" else make_postgresql()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, make_database: Callable[[str], str]) -> Iterator[str]:
    """Give the test a database of its own, once on each kind; yields the address."""
    url = make_database(request.param)
    use_database(url)
    yield url
    storage.get_engine().dispose()
    drop_database(url)


@pytest.fixture
def sqlite_database(make_database: Callable[[str], str]) -> Iterator[str]:
    """Give the test a SQLite database of its own, where the kind makes no difference."""
    url = make_database("sqlite")
    use_database(url)
    yield url
    storage.get_engine().dispose()
    drop_database(url)


@pytest.fixture
def admin() -> Actor:
    """Return the local admin of the test's database."""
    actor = access.find_local_actor()
    assert actor is not None
    return actor
