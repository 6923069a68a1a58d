"""The word that people read for a stored value: one word, the same everywhere."""

import io
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from core import demo, excel
from core.access import Actor
from core.ground import EXPIRED, word_of
from core.imports import import_files
from core.imports.texts import text_parser
from core.tables import BOOKS, SHEETS, TABLES, Column
from tests.conftest import NOW, use_database

WORDS = {
    "lounge": "Lounge",
    "fast_track": "Fast track",
    "meet_and_assist": "Meet & assist",
    "delay_care": "Delay care",
    "adult": "Adult",
    "child": "Child",
    "infant": "Infant",
    "not_used": "Not used",
    "used": "Used",
    "refund_requested": "Refund requested",
    "refunded": "Refunded",
    "expired": "Expired",
    "pending": "Pending",
    "succeeded": "Succeeded",
    "failed": "Failed",
    "payment": "Payment",
    "refund": "Refund",
    "top_up": "Top-up",
    "adjustment": "Adjustment",
    "balance": "Balance",
    "card": "Card",
    "queued": "Queued",
    "sending": "Sending",
    "sent_by_server": "Sent",
    "saved_to_outbox": "Saved to outbox",
    "cancelled": "Cancelled",
    "waiting": "Waiting",
    "declined": "Declined",
    "requested": "Requested",
    "processing": "Processing",
    "voucher": "Voucher",
    "void_notice": "Void notice",
    "mention": "Mention",
    "refund_approved": "Refund approved",
    "refund_declined": "Refund declined",
    "smtp": "SMTP",
    "outbox": "Outbox",
    "viewer": "Viewer",
    "agent": "Agent",
    "accountant": "Accountant",
    "admin": "Admin",
    "yes": "Yes",
    "no": "No",
}
IMPORTED = [column for table in SHEETS for column in table.stored if column.allowed]


def spellings(value: str) -> set[str]:
    """Return how files have spelled a value, before and since its word is shown."""
    plain = value.replace("_", " ")
    return {value, value.upper(), plain, plain.title(), value.replace("_", "-"), WORDS[value]}


def test_every_value_of_every_table_has_its_word() -> None:
    columns = [column for table in TABLES.values() for column in table.columns]
    words = [one.words for one in columns if one.words and one.wording is None]
    shown = {value: word for one in words for value, word in one.items()}
    assert shown == WORDS
    assert {value: word_of(value) for value in WORDS} == WORDS


@pytest.mark.parametrize("column", IMPORTED, ids=lambda column: column.name)
def test_an_import_reads_every_spelling_of_a_value(column: Column) -> None:
    parse = text_parser(column)
    for value in column.allowed or ():
        assert {parse(text) for text in spellings(value.value)} == {value.value}


@pytest.mark.parametrize("text", sorted(spellings(EXPIRED)))
def test_an_import_reads_expired_as_not_used(text: str) -> None:
    (status,) = (column for column in BOOKS[1].stored if column.name == "status")
    assert text_parser(status)(text) == "not_used"


def _dump(path: Path, admin: Actor) -> openpyxl.Workbook:
    file = io.BytesIO()
    excel.dump(file, actor=admin, now=NOW)
    path.write_bytes(file.getvalue())
    return openpyxl.load_workbook(path)


def test_a_dump_shows_words_and_one_with_the_stored_values_brings_the_same_rows(
    make_database: Callable[[str], str], sqlite_database: str, admin: Actor, tmp_path: Path
) -> None:
    demo.fill(60, actor=admin, now=NOW)
    dump = _dump(tmp_path / "words.xlsx", admin)
    rows = {sheet.title: list(sheet.values) for sheet in dump}
    stored, seen = {word: value for value, word in WORDS.items()}, set()
    for table in BOOKS:
        sheet = dump[table.title]
        spoken = {column.header for column in table.stored if column.words}
        for cells in sheet.iter_cols():
            if cells[0].value in spoken:
                for cell in cells[1:]:
                    seen.add(cell.value)
                    cell.value = stored[str(cell.value)]
    assert {"Not used", "Meet & assist", "Fast track", "Top-up", "Card", "Yes", "No"} <= seen
    dump.save(tmp_path / "values.xlsx")
    for name in ("words", "values"):
        use_database(make_database("sqlite"))
        import_files([tmp_path / f"{name}.xlsx"], actor=admin, now=NOW)
        again = _dump(tmp_path / "again.xlsx", admin)
        assert {sheet.title: list(sheet.values) for sheet in again} == rows
