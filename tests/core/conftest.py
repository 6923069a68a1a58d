"""Fixtures of the core tests."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.imports import Outcome, import_files
from core.users import Actor
from tests.conftest import NOW
from tests.core.imported import Sheets, write_workbook


@pytest.fixture
def import_sheets(tmp_path: Path, admin: Actor) -> Callable[[Sheets], Outcome]:
    """Return what writes sheets of dicts to a workbook and imports it."""

    def run(sheets: Sheets) -> Outcome:
        path = tmp_path / "orders.xlsx"
        write_workbook(path, sheets)
        return import_files([path], actor=admin, now=NOW)

    return run
