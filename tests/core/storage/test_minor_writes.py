"""Writes that may be lost: they wait for no standby, and for no writer that waits for one."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from sqlalchemy import text

from core import storage
from core.ground import get_settings

PATIENCE_SECONDS = 20


def note(*, is_minor: bool) -> str | None:
    """Store a fact; return what is stored."""
    with storage.writing(is_minor=is_minor) as session:
        storage.put_fact(session, "seen", "now")
    with storage.reading() as session:
        return storage.get_fact(session, "seen")


@pytest.mark.both_databases
def test_a_minor_write_is_stored_like_any_other(database: str) -> None:
    assert note(is_minor=True) == "now"


@pytest.mark.on_postgresql
def test_only_a_minor_write_does_not_wait_for_the_standby(database: str) -> None:
    with storage.get_engine().connect() as connection:
        connection.execute(text("SET synchronous_commit TO on"))  # the tests' server has it off
        connection.commit()
    for is_minor, shown in ((False, "on"), (True, "off"), (False, "on")):
        with storage.writing(is_minor=is_minor) as session:
            assert session.scalar(text("SHOW synchronous_commit")) == shown


@pytest.mark.on_postgresql
def test_a_minor_write_does_not_wait_while_every_writer_does(database: str) -> None:
    writers = min(8, get_settings().database_connections - 2)
    with ThreadPoolExecutor(writers + 2) as people, ExitStack() as all_wait:
        for _ in range(writers):
            all_wait.enter_context(storage.writing())
        assert people.submit(note, is_minor=True).result(PATIENCE_SECONDS) == "now"
        waiting = people.submit(note, is_minor=False)
        with pytest.raises(TimeoutError):
            waiting.result(0.3)  # it is the guard: without it everybody waits
        all_wait.close()
        assert waiting.result(PATIENCE_SECONDS) == "now"
