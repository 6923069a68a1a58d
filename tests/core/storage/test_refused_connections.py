"""A connection that PostgreSQL refuses: the driver has no code of it, and people are told why."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from core import storage
from core.ground import OutsideFailed
from core.storage import failures
from tests.conftest import NOW, use_database

ASKS_FOR_TLS = struct.pack("!ii", 8, 80877103)


def _asked() -> str:
    """Ask the database; return what people are told."""
    with pytest.raises(OutsideFailed) as raised, storage.reading() as session:
        session.execute(text("SELECT 1"))
    return str(raised.value)


@contextmanager
def _refusing(code: str, said: str) -> Iterator[int]:
    """Run a server that refuses each connection as PostgreSQL does; yield its port."""
    fields = b"".join(f"{name}\0".encode() for name in ("SFATAL", "VFATAL", f"C{code}", f"M{said}"))
    answer = b"E" + struct.pack("!i", len(fields) + 5) + fields + b"\0"

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:  # closed
                return
            with connection:
                if connection.recv(1_000) == ASKS_FOR_TLS:
                    connection.sendall(b"N")
                    connection.recv(1_000)
                connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.on_postgresql
def test_a_server_without_a_connection_left_is_described(database: str) -> None:
    address = make_url(database)
    with storage.get_engine().connect() as connection:
        admin = connection.execution_options(isolation_level="AUTOCOMMIT")
        role = f"one_too_many_{address.database}"
        admin.execute(text(f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 0"))
        use_database(address.set(username=role).render_as_string(hide_password=False))
        said = _asked()
        admin.execute(text(f"DROP ROLE {role}"))
    assert said == failures.TOO_MANY


@pytest.mark.parametrize(
    ("code", "said", "sentence"),
    [
        ("53300", "sorry, too many clients already", failures.TOO_MANY),
        (
            "53300",
            "remaining connection slots are reserved for roles with the SUPERUSER attribute",
            failures.TOO_MANY,
        ),
        ("08P01", "no more connections allowed (max_client_conn)", failures.TOO_MANY),
        ("57P03", "the database system is starting up", failures.STOPPED),
        ("57P03", "the database system is shutting down", failures.STOPPED),
        ("57P03", "the database system is not yet accepting connections", failures.STOPPED),
        ("57P03", "the database system is in recovery mode", failures.STOPPED),
        ("57P03", "das Datenbanksystem startet", failures.UNREACHABLE),
        ("28000", 'role "nobody" does not exist', failures.UNREACHABLE),
    ],
)
def test_a_refusal_is_known_by_its_words(code: str, said: str, sentence: str) -> None:
    with _refusing(code, said) as port:
        use_database(f"postgresql+psycopg://desk@127.0.0.1:{port}/orders")
        assert _asked() == sentence
        assert storage.leave_sign("p-1", "desk-1:4711", now=NOW) == sentence
        storage.forget_connection()
