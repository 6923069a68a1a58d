"""Fixtures of the core tests."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from core import storage
from core.access import Actor
from core.imports import import_files
from core.imports.outcome import Outcome
from core.mail.deliver.pool import SmtpPool
from tests.conftest import NOW
from tests.core.imports.imported import Sheets, write_workbook
from tests.core.mail.mail_server import MailServer, mail_server
from tests.core.mail.mails import open_pool, patience


@pytest.fixture
def import_sheets(tmp_path: Path, admin: Actor) -> Callable[[Sheets], Outcome]:
    """Return what writes sheets of dicts to a workbook and imports it."""

    def run(sheets: Sheets) -> Outcome:
        path = tmp_path / "orders.xlsx"
        write_workbook(path, sheets)
        return import_files([path], actor=admin, now=NOW)

    return run


@pytest.fixture
def smtp_server() -> Iterator[MailServer]:
    """Run a mail server for the test, plain."""
    with mail_server() as running:
        yield running


@pytest.fixture
def pool(smtp_server: MailServer, request: pytest.FixtureRequest) -> Iterator[SmtpPool]:
    """Return what sends to that mail server; with little patience in a test where that hangs."""
    callspec = getattr(request.node, "callspec", None)
    how = callspec.params.get("how", "") if callspec else ""
    with open_pool(smtp_server.describe(timeout=patience(how))) as opened:
        yield opened


@pytest.fixture
def desks(empty_database: Callable[..., str]) -> Iterator[Callable[[str], str]]:
    """Return what gives another empty database of a kind each time."""
    numbers = count(1)
    yield lambda kind: empty_database(kind, next(numbers))
    storage.get_engine().dispose()
