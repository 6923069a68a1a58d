"""Notes in files: a dump brings them back, and each import error says what is wrong."""

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from core import excel, imports, notes, storage
from core.access import CONSOLE, Actor
from core.ground import OutsideFailed
from core.imports import run
from core.imports.faults import Faulty
from core.imports.outcome import Outcome
from core.notes import FollowUp, SeenNote
from core.storage import Note, new_id
from core.tables import BOOKS
from tests.conftest import NOW, use_database
from tests.core.imports.imported import Sheets, changed, plain
from tests.core.random_rows import SCRIPTS, TEXTS
from tests.effort import some
from tests.rows import make_actor

Import = Callable[[Sheets], Outcome]
NOTE = {
    "Note ID": "N-1",
    "Order ID": "A1",
    "Created Date": "2026-03-02 10:00",
    "Author": "ana@helios.example",
    "Note": "Called the lounge",
}
FOLLOW_UP = {"Follow Up Date": "2026-03-05", "Follow Up By": "ben@helios.example"}
WITHDRAWN = {"Withdrawn At": "2026-03-03 10:00", "Withdrawn By": "ana@helios.example"}
DONE = {"Done At": "2026-03-04 10:00", "Done By": "ben@helios.example"}


def noted(**values: Any) -> Sheets:
    return plain() | {"Notes": [NOTE | values]}


def rows() -> list[Any]:
    """Return every note as it is stored, without what an import does not know."""
    left_out = ("idempotency_key", "request_hash")
    with storage.reading() as session:
        names = [name for name in storage.stored_names(Note) if name not in left_out]
        found = select(*(getattr(Note, name) for name in names)).order_by(Note.no)
        return [tuple(row) for row in session.execute(found)]


def seen(order: str = "A1") -> list[SeenNote]:
    return notes.find_notes(order, actor=CONSOLE)


@pytest.mark.both_databases
def test_a_dump_and_its_import_bring_every_note_back(
    database: str, import_sheets: Import, make_database: Callable[[str], str], tmp_path: Path
) -> None:
    import_sheets(plain())
    drawn = random.Random(3)
    texts = [*SCRIPTS, *(one for one in TEXTS if one.isprintable()), "#N/A", "1.2E+12", "'=1", "\n"]
    given: dict[str, Any] = {"actor": CONSOLE, "zone": "UTC"}
    for number in range(some(30, 200)):
        words = "".join(drawn.choices(texts, k=3)).strip() or "x"
        follow_up = FollowUp((NOW + timedelta(days=number)).date(), "analyst@local")
        at = NOW + timedelta(seconds=number)
        note = notes.add_note(
            *("A1", words), key=new_id(), now=at, follow_up=drawn.choice([None, follow_up]), **given
        )
        if number % 5 == 0:
            notes.withdraw_note(note, actor=CONSOLE, now=at + timedelta(hours=1))
        elif number % 3 == 0 and seen()[0].can_close:
            notes.close_follow_up(note, actor=CONSOLE, now=at + timedelta(hours=2))
    before = rows()
    with (tmp_path / "dump.xlsx").open("wb") as file:
        assert excel.dump(file, actor=CONSOLE, now=NOW)["Notes"] == len(before)
    again = imports.import_files([tmp_path / "dump.xlsx"], actor=CONSOLE, now=NOW)
    assert (again.added, again.unchanged["notes"]) == ({}, len(before))
    use_database(make_database("sqlite"))
    imports.import_files([tmp_path / "dump.xlsx"], actor=CONSOLE, now=NOW)
    assert rows() == before


def test_a_file_with_notes_alone_adds_them_to_stored_orders(
    sqlite_database: str, import_sheets: Import
) -> None:
    import_sheets(plain())
    outcome = import_sheets({"Notes": [NOTE | FOLLOW_UP, NOTE | {"Note ID": "N-2"}]})
    assert outcome.added == {"notes": 2}
    assert "Notes: 2 added, 0 already stored." in outcome.in_words()
    assert [one.text for one in seen()] == ["Called the lounge"] * 2
    assert notes.add_note("A1", "Hi", key="k", zone="UTC", actor=CONSOLE, now=NOW)
    with storage.reading() as session:
        assert sorted(session.scalars(select(Note.no))) == [1, 2, 3]


@pytest.mark.both_databases
def test_notes_that_people_write_during_an_import_of_notes_all_stand(
    database: str, import_sheets: Import
) -> None:
    """The file names the numbers that the people's notes would get."""
    import_sheets(plain())
    count, people = some(10, 60), [make_actor() for _ in range(2)]
    sheets = {"Notes": [NOTE | {"Note ID": f"N-{n}", "No": n} for n in range(1, 2 * count)]}

    def write(person: Actor) -> None:
        for number in range(count):
            at = NOW + timedelta(seconds=number)
            given: dict[str, Any] = {"key": new_id(), "zone": "UTC", "actor": person, "now": at}
            notes.add_note("A1", f"{person.email} {number}", **given)

    with ThreadPoolExecutor(3) as threads:
        written = [threads.submit(write, person) for person in people]
        assert threads.submit(import_sheets, sheets).result().added == {"notes": 2 * count - 1}
        for one in written:
            one.result()
    found = [one.text or "" for one in seen()][::-1]
    for person in people:
        mine = [one for one in found if one.startswith(person.email)]
        assert mine == [f"{person.email} {number}" for number in range(count)]
    with storage.reading() as session:
        numbers = list(session.scalars(select(Note.no)))
    assert len(set(numbers)) == len(numbers) == 4 * count - 1


REFUND = "UPDATE order_items SET status = status", "SELECT FROM orders FOR KEY SHARE"
WRITTEN = "SELECT FROM orders FOR KEY SHARE", "LOCK TABLE notes IN ROW EXCLUSIVE MODE"


def import_beside(asked: tuple[str, str], import_sheets: Import) -> None:
    """Ask the first statement, let an import begin and wait, then ask the second one."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with ThreadPoolExecutor(1) as thread:
        with storage.writing() as session:
            session.execute(text(asked[0]))
            done = thread.submit(import_sheets, {"Notes": [NOTE]})
            while not session.scalar(waiting):
                assert not done.done()
                time.sleep(0.01)
            session.execute(text(asked[1]))
        assert done.result().added == {"notes": 1}


@pytest.mark.on_postgresql
@pytest.mark.parametrize("asked", [REFUND, WRITTEN], ids=["refund", "note"])
def test_an_import_and_what_has_begun_before_it_do_not_wait_for_each_other(
    database: str, import_sheets: Import, asked: tuple[str, str]
) -> None:
    import_sheets(plain())
    import_beside(asked, import_sheets)


@pytest.mark.on_postgresql
@pytest.mark.parametrize("asked", [REFUND, WRITTEN], ids=["refund", "note"])
def test_locked_in_another_order_they_would(
    database: str, import_sheets: Import, asked: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import_sheets(plain())
    monkeypatch.setattr(run, "LOCKED", run.LOCKED[::-1])
    with pytest.raises((OutsideFailed, DBAPIError)):
        import_beside(asked, import_sheets)


def test_an_import_locks_every_table_that_it_writes() -> None:
    assert set(run.LOCKED) == set(BOOKS)


def test_what_happened_here_since_wins_over_an_older_file(
    sqlite_database: str, import_sheets: Import
) -> None:
    import_sheets(noted(**FOLLOW_UP))
    notes.close_follow_up("N-1", actor=CONSOLE, now=NOW)
    assert import_sheets(noted(**FOLLOW_UP)).unchanged["notes"] == 1
    notes.withdraw_note("N-1", actor=CONSOLE, now=NOW)
    assert import_sheets(noted(**FOLLOW_UP)).unchanged["notes"] == 1
    (found,) = seen()
    assert (found.text, found.done_by, found.withdrawn_by) == (None, "console", "console")


def test_a_text_that_differs_is_an_import_error(
    sqlite_database: str, import_sheets: Import
) -> None:
    import_sheets(noted())
    with pytest.raises(Faulty) as caught:
        import_sheets(noted(Note="Another text"))
    assert "Note: “Another text” differs from the stored value: “Called" in caught.value.report()


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"Order ID": "X9"}, "Order ID: “X9” is an unknown order"),
        ({"Contract ID": "CT-9"}, "Contract ID: “CT-9” differs from its order: CT-1"),
        ({"Note": None}, "Note: is missing; only a withdrawn note has no text"),
        ({"Note": "x" * 2_001}, "has 2,001 characters; at most 2,000 are possible"),
        (WITHDRAWN, "Note: “Called the lounge” is given, but the note was withdrawn"),
        ({"Note": None, "Withdrawn At": "2026-03-03"}, "Withdrawn By: is missing, but Withdrawn"),
        ({"Follow Up Date": "2026-03-05"}, "Follow Up By: is missing, but Follow Up Date is given"),
        ({"Follow Up By": "ben"}, "Follow Up Date: is missing, but Follow Up By is given"),
        (FOLLOW_UP | {"Follow Up Date": "soon"}, "Follow Up Date: “soon” is not a date"),
        (FOLLOW_UP | {"Follow Up Date": "2026-03-05 10:00"}, "has a time, but a day is expected"),
        (FOLLOW_UP | {"Done At": "2026-03-06"}, "Done By: is missing, but Done At is given"),
        (DONE, "Done At: is given, but there is no Follow Up Date"),
        ({"Author": None}, "Author: is missing"),
        ({"Created Date": None}, "Created Date: is missing"),
        ({"Note ID": None}, "Note ID: is missing"),
    ],
)
def test_an_impossible_note_is_an_import_error(
    sqlite_database: str, import_sheets: Import, values: dict[str, Any], why: str
) -> None:
    with pytest.raises(Faulty) as caught:
        import_sheets(noted(**values))
    assert why in caught.value.report()
    assert len(caught.value.faults) == 1
    assert rows() == []


def test_what_an_error_elsewhere_causes_is_not_counted(
    sqlite_database: str, import_sheets: Import
) -> None:
    sheets = changed("Orders", Author="") | {"Notes": [NOTE]}
    with pytest.raises(Faulty) as caught:
        import_sheets(sheets)
    assert len(caught.value.faults) == 1
