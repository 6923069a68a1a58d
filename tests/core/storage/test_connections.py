"""Connections to PostgreSQL that the server has closed are replaced before they are used."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from core import storage
from core.ground import OutsideFailed
from core.storage import postgresql
from tests.conftest import use_database

CLOSE_OTHERS = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture
def postgresql_database(make_database: Callable[[str], str]) -> str:
    """Make a database, and open it."""
    url = make_database("postgresql")
    use_database(url)
    return url


def _ask() -> int:
    with storage.reading() as session:
        return int(session.execute(text("SELECT 7")).scalar_one())


def _close_all(database: str) -> None:
    address = make_url(database).set(drivername="postgresql").render_as_string()
    with psycopg.connect(address, autocommit=True) as admin:
        admin.execute(CLOSE_OTHERS)


@pytest.mark.parametrize("idle_seconds", [0.0, postgresql.IDLE_SECONDS])
def test_a_connection_that_the_server_has_closed_is_replaced(
    postgresql_database: str, monkeypatch: pytest.MonkeyPatch, idle_seconds: float
) -> None:
    monkeypatch.setattr(postgresql, "IDLE_SECONDS", idle_seconds)
    assert _ask() == 7
    _close_all(postgresql_database)
    assert _ask() == 7


def test_without_the_look_at_the_socket_the_request_fails(
    postgresql_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _ask() == 7
    _close_all(postgresql_database)
    monkeypatch.setattr(postgresql, "_has_news", lambda _: False)
    with pytest.raises(OutsideFailed):
        _ask()
    assert _ask() == 7  # a failed connection is not used again


def test_a_connection_that_was_just_used_is_not_asked_again(
    postgresql_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    plain: Any = psycopg.Connection.execute

    def note(connection: psycopg.Connection, query: str, *more: object) -> object:
        asked.append(query)
        return plain(connection, query, *more)

    monkeypatch.setattr(psycopg.Connection, "execute", note)
    assert _ask() == 7 == _ask()
    assert asked == []
    monkeypatch.setattr(postgresql, "IDLE_SECONDS", 0.0)
    assert _ask() == 7
    assert asked == [""]
