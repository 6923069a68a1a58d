"""PgBouncer of our own for tests: it pools by transaction, on loopback, as an ordinary user."""

import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tests.postgresql import SUPERUSER, free_port, memory, ordinary_user
from tests.supervisor import supervised

START_SECONDS = 60
CONNECTIONS = 2  # to each database: fewer than those that ask


@contextmanager
def pooled_by_transaction(database: str, *, ignored: str = "") -> Iterator[str]:
    """Run PgBouncer before a database; yields the address through it.

    `ignored` names what it ignores of the parameters of a connection; without it, it refuses those.
    """
    behind, port, user = make_url(database), free_port(), ordinary_user()
    folder = Path(tempfile.mkdtemp(prefix="order-desk-pgbouncer-", dir=memory()))
    (folder / "users").write_text(f'"{SUPERUSER}" ""\n')
    (folder / "pgbouncer.ini").write_text(
        "[databases]\n"
        f"* = host={behind.host} port={behind.port}\n"
        "[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = trust\nauth_file = {folder / 'users'}\n"
        f"pool_mode = transaction\ndefault_pool_size = {CONNECTIONS}\n"
        f"ignore_startup_parameters = {ignored}\n"
    )
    if user:
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, user)
    command = [_program(), str(folder / "pgbouncer.ini")]
    with supervised(folder, command, user=user, end_by=signal.SIGTERM):
        _wait_for(port, folder / "output")
        yield behind.set(port=port).render_as_string(hide_password=False)


def _program() -> str:
    found = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
    if found is None:
        pytest.fail("There is no PgBouncer: run sh tests/install_system_packages.sh")
    return found


def _wait_for(port: int, output: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            assert time.monotonic() < deadline, f"PgBouncer did not start:\n{output.read_text()}"
            time.sleep(0.02)
        else:
            return
