"""A process that does not fit the others does not start, and says why in a sentence."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from core import storage
from tests.conftest import use_database
from tests.databases import close_connections
from tests.e2e.servers import PROJECT
from tests.team.members import START_SECONDS, Member, Team, teaming

KEYS = "The database knows other keys: it does not know the voucher key"
NEWER = "A newer version of Order Desk has upgraded the database to schema 9999."
SECRET = {"SIGNING_SECRET": "known-to-every-process-4711"}


def _refused(member: Member) -> str:
    """Start a process that does not start; return what it said."""
    member.start()
    assert member.process is not None
    try:
        assert member.process.wait(START_SECONDS) not in (0, None)
    except subprocess.TimeoutExpired:
        pytest.fail("It started")
    said = member.log.read_text()
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize("kind", [Team.add_app, Team.add_worker], ids=["app", "worker"])
def test_other_keys_and_a_newer_schema_are_said(
    make_database: Callable[[str], str], tmp_path: Path, kind: Callable[[Team], Member]
) -> None:
    url = make_database("sqlite")
    with teaming(PROJECT, SECRET | {"DATABASE_URL": url}, tmp_path) as team:
        first = team.add_app()
        first.start()
        first.wait()  # the first one brings the keys, and starts
        first.end()
        second = kind(team)
        assert KEYS in _refused(second)
        second.settings["DATA_DIR"] = first.settings["DATA_DIR"]
        use_database(url)
        with storage.writing() as session:
            session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        close_connections(storage.get_engine())
        assert NEWER in _refused(second)
