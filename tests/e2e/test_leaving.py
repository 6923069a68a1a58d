"""Who leaves in the middle of a download leaves nothing behind: no file, no query."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from core import access
from core.access import Actor
from core.access.actors import LOCAL_USER_ID
from core.ground import Role
from tests.conftest import use_database
from tests.e2e.servers import Server, serving
from tests.rows import make_order

BROWSER = "the-browser-of-this-test"
LAST = 1_200_000  # two hundred thousand orders
# Authors that cannot be packed: a file of 20 MB, which no buffer on the way takes whole.
NOISE = {
    "sqlite": "hex(randomblob(100))",
    "postgresql": "encode(sha512(i::text::bytea) || sha512((-i)::text::bytea), 'hex')",
}
NUMBERS = {
    "sqlite": "(WITH RECURSIVE n(i) AS (VALUES (1000001) UNION ALL SELECT i + 1 FROM n "
    "WHERE i < {}) SELECT i FROM n)",
    "postgresql": "generate_series(1000001, {}) AS n(i)",
}
COPIES = """
INSERT INTO orders (order_id, no, contract_id, created_at, author, author_folded, item_count,
                    amount_minor, currency)
SELECT 'COPY-' || i, i, contract_id, created_at, {noise}, author_folded, item_count,
       amount_minor, currency FROM orders, {numbers}
"""
OF_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle' "
    "AND datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(
    request: pytest.FixtureRequest, make_database: Callable[[str], str], data_dir: Path
) -> Iterator[Server]:
    """Run a server with so many orders that their file takes seconds."""
    url = make_database(request.param)
    use_database(url)
    make_order()
    with serving(url, data_dir) as server:
        server.execute(
            COPIES.format(noise=NOISE[request.param], numbers=NUMBERS[request.param].format(LAST))
        )
        yield server


@pytest.fixture
def download(server: Server) -> Iterator[httpx.Client]:
    """Ask as a browser that has its cookie; the token is part of the address."""
    actor = Actor(LOCAL_USER_ID, "analyst@local", Role.ADMIN, sees_all_contracts=True)
    token = access.issue_token("export", table="orders", actor=actor, browser=BROWSER)
    cookies = {"order_desk_browser": BROWSER}
    # Little room in the system, which else takes the whole file before anybody reads it.
    little = httpx.HTTPTransport(socket_options=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)])
    params = {"token": token}
    with httpx.Client(
        transport=little, base_url=server.url, cookies=cookies, params=params
    ) as client:
        yield client


def unnamed_files(server: Server) -> list[str]:
    """Return the files that the server holds open though they have no name any more."""
    opened = Path(f"/proc/{server.process.pid}/fd")
    found = []
    for one in opened.iterdir():
        try:
            name = os.readlink(one)
        except FileNotFoundError:  # closed meanwhile
            continue
        if name.startswith("/") and name.endswith("(deleted)"):
            found.append(name)
    return found


def is_queried(server: Server) -> bool:
    """Say whether the server reads in its database right now."""
    engine = create_engine(server.database, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            return bool(connection.scalar(text(OF_OTHERS)))
        # SQLite can empty its log of changes only while nobody reads what was before them.
        connection.execute(text("UPDATE users SET name = random()"))
        connection.execute(text("PRAGMA busy_timeout=0"))  # do not wait for that
        return bool(connection.scalar(text("PRAGMA wal_checkpoint(TRUNCATE)")))


def test_leaving_while_the_file_is_made_ends_query_and_file(
    server: Server, download: httpx.Client
) -> None:
    asked = download.build_request("GET", "/export/orders")
    with closing(HTTPConnection(asked.url.host, asked.url.port)) as waiting:
        waiting.request("GET", str(asked.url.raw_path, "ascii"), headers=dict(asked.headers))
        server.wait_until(lambda: is_queried(server) and unnamed_files(server) != [])
    server.wait_until(lambda: unnamed_files(server) == [])
    server.wait_until(lambda: not is_queried(server))
    assert server.query("SELECT action FROM audit_events WHERE action LIKE '%exported'") == []


def test_leaving_while_the_file_travels_removes_it(server: Server, download: httpx.Client) -> None:
    with download.stream("GET", "/export/orders", timeout=60) as answer:
        assert answer.status_code == 200
        pieces = answer.iter_raw()  # kept: an iterator that is dropped ends the connection
        next(pieces)
        assert unnamed_files(server) != []
        assert not is_queried(server)
    began = time.monotonic()
    server.wait_until(lambda: unnamed_files(server) == [])
    assert time.monotonic() - began < 10
