"""Broken files: each is imported, or refused with a reason, as the check said.

On PostgreSQL fewer of them: only what is stored differs there, the reading is the same.
"""

from pathlib import Path

import pytest
from sqlalchemy import func, literal, select, union_all

from core import storage
from core.access import Actor
from core.ground import InvalidInput
from core.imports import import_files
from core.imports.faults import Faulty
from core.imports.run import check_files
from core.storage import Base
from tests.conftest import NOW
from tests.core.books import check_books
from tests.core.imports.fuzzed_files import KINDS, fuzzed_files
from tests.effort import some

pytestmark = pytest.mark.both_databases

FILES, FILES_ON_POSTGRESQL = some(100, 2_000), some(20, 300)
COUNTS = union_all(
    *(
        select(literal(table.name), func.count()).select_from(table)
        for table in Base.metadata.sorted_tables
    )
)


def _counts() -> dict[str, int]:
    with storage.reading() as session:
        return {row[0]: row[1] for row in session.execute(COUNTS)}


def _foretold(path: Path, admin: Actor) -> str:
    try:
        check = check_files([path], actor=admin)
    except InvalidInput as error:
        return str(error)
    return Faulty(check.faults).report() if check.faults else check.outcome.in_words()


def _imported(path: Path, admin: Actor) -> tuple[str, bool]:
    try:
        return import_files([path], actor=admin, now=NOW).in_words(), False
    except Faulty as error:
        return error.report(), True
    except InvalidInput as error:
        return str(error), True


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_file_is_imported_or_refused_with_nothing_written(
    database: str, admin: Actor, tmp_path: Path, kind: str
) -> None:
    count = (FILES if storage.is_sqlite() else FILES_ON_POSTGRESQL) // len(KINDS)
    before, refused = _counts(), 0
    for path in fuzzed_files(kind, count, tmp_path):
        foretold = _foretold(path, admin)
        assert _counts() == before
        said, was_refused = _imported(path, admin)
        assert said == foretold
        if was_refused:
            refused += 1
            assert _counts() == before
        else:
            before = _counts()
    assert refused > count // 4
    check_books()
