"""Generic code knows no business word, and only core.storage asks which database it is on."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.copied_project import PROJECT

GENERIC = ("core/views", "core/query", "pages/grid")
GENERIC_FILES = ("core/imports/headers.py", "core/imports/rows.py", "core/imports/values.py")
# An order's details, the items of several orders, and who sees which order.
ABOUT_ORDERS = {"order.py", "items_of.py", "scoping.py"}
BUSINESS = re.compile(r"refund|passenger|price|airport|voucher|OrderItem|\bOrder\b")
ASKS_DATABASE = re.compile(r"is_sqlite\(|is_on_sqlite\(|dialect\.name|sqlalchemy\.dialects")


def _generic() -> list[Path]:
    in_folders = (file for one in GENERIC for file in sorted((PROJECT / one).glob("*.py")))
    every = [*in_folders, *(PROJECT / one for one in GENERIC_FILES)]
    return [file for file in every if file.name not in ABOUT_ORDERS]


def _lines_with(pattern: re.Pattern[str], files: list[Path]) -> Iterator[str]:
    for file in files:
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if pattern.search(line):
                yield f"{file.relative_to(PROJECT)}:{number}: {line.strip()}"


def test_generic_code_has_no_business_word() -> None:
    assert list(_lines_with(BUSINESS, _generic())) == []


def test_only_storage_asks_which_database_it_is_on() -> None:
    outside = [
        file
        for folder in ("core", "pages")
        for file in sorted((PROJECT / folder).rglob("*.py"))
        if not file.is_relative_to(PROJECT / "core/storage")
    ]
    assert list(_lines_with(ASKS_DATABASE, outside)) == []


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (BUSINESS, "if table.model is Order:"),
        (BUSINESS, "column.name == 'refund_expire_at'"),
        (ASKS_DATABASE, "if storage.is_sqlite():"),
        (ASKS_DATABASE, "session.get_bind().dialect.name"),
    ],
)
def test_what_is_forbidden_is_found(pattern: re.Pattern[str], line: str) -> None:
    assert pattern.search(line)
