"""Checks and imports in the background: one at a time, can be cancelled, files deleted after."""

import io
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select

from core import storage
from core.access import Actor
from core.ground import (
    InvalidInput,
    NotFound,
    NotPermitted,
    OutsideFailed,
    Refused,
    Role,
    get_settings,
)
from core.imports import Run, State, background, export_faults
from core.imports.run import check_files
from core.imports.runs import GONE, Busy
from core.storage import AuditEvent, Order, User
from tests.conftest import NOW
from tests.core.imports.imported import Sheets, changed, count, plain, write_workbook
from tests.core.refusals import refusals

PATIENCE_SECONDS = 30


@pytest.fixture(autouse=True)
def nothing_runs(admin_of_test: Actor) -> Iterator[None]:
    """Start and end the test without any run."""
    yield
    background.cancel_run(actor=admin_of_test)
    ended(admin_of_test)
    background.forget_run(actor=admin_of_test)


@pytest.fixture
def admin_of_test(sqlite_database: str, admin: Actor) -> Actor:
    return admin


def workbook(tmp_path: Path, sheets: Sheets, name: str = "My orders.xlsx") -> Any:
    path = tmp_path / "made.xlsx"
    write_workbook(path, sheets)
    return (name, io.BytesIO(path.read_bytes()))


def ended(actor: Actor) -> Run:
    """Wait until the actor's run has ended, and return it."""
    for thread in threading.enumerate():
        if thread.name == "import":
            thread.join(PATIENCE_SECONDS)
    run = background.find_run(actor=actor)
    if run is None:
        return Run(actor.user_id, actor.email, (), NOW)
    assert not run.is_running
    return run


def checked(actor: Actor, *files: Any) -> Run:
    background.begin_check(files, actor=actor, now=NOW)
    return ended(actor)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Block a run just before its end, until the event is set."""
    go = threading.Event()
    waiting = background._progress_of

    def progress_of(run: Run) -> Any:
        progress = waiting(run)

        def report(phase: str, share: float) -> None:
            progress.report(phase, share)
            if share > 0.5:
                go.wait(PATIENCE_SECONDS)

        return replace(progress, report=report)

    monkeypatch.setattr(background, "_progress_of", progress_of)
    yield go
    go.set()


def test_checked_files_are_imported_and_then_gone(admin: Actor, tmp_path: Path) -> None:
    run = checked(admin, workbook(tmp_path, plain()))
    assert (run.state, run.names) == (State.CHECKED, ("My orders.xlsx",))
    assert run.check is not None
    assert run.check.outcome.added == {"orders": 1, "order_items": 1}
    assert count(Order) == 0
    assert [path.name for path in run.paths] == ["1.xlsx"]
    assert run.paths[0].parent.stat().st_mode & 0o077 == 0
    background.begin_import(actor=admin, now=NOW)
    done = ended(admin)
    assert done.state is State.IMPORTED
    assert done.outcome is not None
    assert done.outcome.added == run.check.outcome.added
    assert count(Order) == 1
    assert not run.paths[0].parent.exists()
    with storage.reading() as session:
        event = session.scalars(select(AuditEvent)).one()
    assert (event.action, event.entity_id) == ("orders.imported", "My orders.xlsx")


def test_faults_are_remembered_and_become_a_workbook(admin: Actor, tmp_path: Path) -> None:
    run = checked(admin, workbook(tmp_path, changed("Order Items", Price="@SUM(A1)", Airport="")))
    assert (run.state, len(run.faults)) == (State.FAULTY, 2)
    assert run.failure == "2 import errors; nothing was imported."
    assert not run.paths[0].parent.exists()
    file = io.BytesIO()
    export_faults(file, actor=admin, now=NOW, zone="UTC")
    header, *lines = openpyxl.load_workbook(file)["Import errors"].values
    assert header == ("File", "Sheet", "Row", "Column", "Value", "Problem")
    place = ("My orders.xlsx", "Order Items", 2)
    assert set(lines) == {
        (*place, "Price", "@SUM(A1)", "is not a number"),
        (*place, "Airport", None, "is missing"),
    }
    with storage.reading() as session:
        assert session.scalars(select(AuditEvent.action)).all() == ["import.faults_downloaded"]


def test_faults_are_to_be_had_only_where_there_are_some(admin: Actor, tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(NotFound):
            export_faults(io.BytesIO(), actor=admin, now=NOW, zone="UTC")
        checked(admin, workbook(tmp_path, plain()))


def test_a_file_that_cannot_be_read_is_refused_in_words(admin: Actor) -> None:
    run = checked(admin, ("x.xlsx", io.BytesIO(b"PK damaged")))
    assert run.state is State.FAILED
    assert run.failure.startswith("x.xlsx: the workbook is damaged")
    assert not run.paths[0].parent.exists()


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ([], "Upload 1 to 20 files"),
        ([("x.csv", b"x")] * 21, "Upload 1 to 20 files"),
        ([("x.exe", b"MZ")], "x.exe: this is not a workbook"),
        ([("big.csv", b"x" * 1_000_001)], "big.csv: it is over the limit of 1 MB"),
    ],
)
def test_what_is_no_upload_is_refused_before_anything_is_kept(
    admin: Actor, files: list[tuple[str, bytes]], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPORT_MAX_MB", "1")
    get_settings.cache_clear()
    given = [(name, io.BytesIO(content)) for name, content in files]
    with pytest.raises(InvalidInput, match=why):
        background.begin_check(given, actor=admin, now=NOW)
    assert background.find_run(actor=admin) is None
    get_settings.cache_clear()


def test_the_name_of_a_file_is_words_and_never_a_path(admin: Actor, tmp_path: Path) -> None:
    hostile = f"../../etc/C:\\x\\\x00\n\ud800{'y' * 300}.xlsx"
    _, file = workbook(tmp_path, plain())
    with pytest.raises(InvalidInput, match="not a workbook"):  # the suffix is cut off
        background.begin_check([(hostile, file)], actor=admin, now=NOW)
    run = checked(admin, (hostile.replace("y" * 300, "y"), file))
    assert run.names == ("���y.xlsx",)
    assert run.state is State.CHECKED


def test_a_second_click_or_tab_is_told_that_one_is_running(
    admin: Actor, tmp_path: Path, held: threading.Event
) -> None:
    held.set()
    checked(admin, workbook(tmp_path, plain()))
    held.clear()
    assert not background.is_running()
    background.begin_import(actor=admin, now=NOW)
    assert background.is_running()
    other = replace(admin, user_id="other", email="other@helios.example")
    for actor in (admin, other):
        assert background.find_running(actor=actor) is not None
        with pytest.raises(
            Busy, match=r"^An import by analyst@local has been running since 09:30 UTC\."
        ):
            background.begin_check([workbook(tmp_path, plain())], actor=actor, now=NOW)
        with pytest.raises(Busy):
            background.begin_import(actor=actor, now=NOW)
    background.forget_run(actor=admin)  # ignored while it is running
    held.set()
    assert ended(admin).state is State.IMPORTED
    with pytest.raises(Refused, match="no longer available"):
        background.begin_import(actor=admin, now=NOW)
    assert count(Order) == 1


@pytest.mark.parametrize("who", ["somebody", "the end of the process"])
def test_an_import_that_is_cancelled_leaves_nothing(
    admin: Actor, tmp_path: Path, held: threading.Event, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held.set()
    run = checked(admin, workbook(tmp_path, plain()))
    held.clear()
    background.begin_import(actor=admin, now=NOW)
    if who == "somebody":
        background.cancel_run(actor=admin)
    else:
        ending = threading.Event()
        ending.set()
        monkeypatch.setattr(background, "ending", ending)
    held.set()
    done = ended(admin)
    assert (done.state, done.failure) == (State.FAILED, "Cancelled; nothing was imported.")
    assert count(Order) == 0
    assert not run.paths[0].parent.exists()


def test_files_that_nobody_imports_are_let_go(
    admin: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "KEPT_SECONDS", 0.05)
    folder = checked(admin, workbook(tmp_path, plain())).paths[0].parent
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer) and thread.interval < 1:
            thread.join(PATIENCE_SECONDS)
    assert not folder.exists()
    run = background.find_run(actor=admin)
    assert run is not None
    assert (run.state, run.failure) == (State.FAILED, GONE)
    with pytest.raises(Refused, match="no longer available"):
        background.begin_import(actor=admin, now=NOW)


def test_other_files_take_the_place_of_the_first(admin: Actor, tmp_path: Path) -> None:
    first = checked(admin, workbook(tmp_path, plain()))
    second = checked(admin, workbook(tmp_path, changed("Orders", **{"Order ID": "A2"})))
    assert second.state is State.FAULTY
    assert not first.paths[0].parent.exists()
    background.forget_run(actor=admin)
    assert background.find_run(actor=admin) is None


def test_only_an_admin_has_runs_and_a_refused_try_is_audited(admin: Actor, tmp_path: Path) -> None:
    viewer = replace(admin, role=Role.VIEWER)
    asked: dict[str, Any] = {"actor": viewer, "now": NOW}
    for attempt in (
        lambda: background.begin_check([("o.csv", io.BytesIO(b"x"))], **asked),
        lambda: background.begin_import(**asked),
        lambda: background.find_run(actor=viewer),
        lambda: background.find_running(actor=viewer),
        lambda: background.cancel_run(actor=viewer),
        lambda: background.forget_run(actor=viewer),
        lambda: export_faults(io.BytesIO(), zone="UTC", **asked),
    ):
        with pytest.raises(NotPermitted):
            attempt()
    assert refusals() == [("import.refused", viewer.email)] * 7


def test_a_person_who_lost_the_right_meanwhile_begins_cancels_and_forgets_nothing(
    admin: Actor, tmp_path: Path
) -> None:
    checked(admin, workbook(tmp_path, plain()))
    with storage.writing() as session:
        session.get_one(User, admin.user_id).role = Role.VIEWER
    for attempt in (
        lambda: background.begin_check([workbook(tmp_path, plain())], actor=admin, now=NOW),
        lambda: background.begin_import(actor=admin, now=NOW),
        lambda: background.cancel_run(actor=admin),
        lambda: background.forget_run(actor=admin),
    ):
        with pytest.raises(NotPermitted):
            attempt()
    with storage.writing() as session:
        session.get_one(User, admin.user_id).role = Role.ADMIN
    run = background.find_run(actor=admin)
    assert run is not None
    assert run.state is State.CHECKED


def test_what_a_process_has_checked_is_read_back_whole(admin: Actor, tmp_path: Path) -> None:
    path = tmp_path / "made.xlsx"
    write_workbook(path, plain())
    run = checked(admin, ("made.xlsx", io.BytesIO(path.read_bytes())))
    assert run.check == check_files([path], actor=admin)
    write_workbook(path, changed("Order Items", Price="@SUM(A1)"))
    faulty = checked(admin, ("made.xlsx", io.BytesIO(path.read_bytes())))
    assert faulty.faults == check_files([path], actor=admin).faults != ()


def test_files_of_a_process_that_was_killed_are_removed_after_an_hour(
    admin: Actor, tmp_path: Path
) -> None:
    run = checked(admin, workbook(tmp_path, plain()))
    background.remove_left_files()
    assert run.paths[0].exists()
    hours_ago = time.time() - 2 * background.KEPT_SECONDS
    os.utime(run.folder, (hours_ago, hours_ago))
    background.remove_left_files()
    assert not run.folder.exists()


def test_files_of_a_long_import_stay_until_it_has_ended(
    admin: Actor, tmp_path: Path, held: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "SAYS_SECONDS", 0.01)
    held.set()
    run = checked(admin, workbook(tmp_path, plain()))
    held.clear()
    hours_ago = time.time() - 2 * background.KEPT_SECONDS
    os.utime(run.folder, (hours_ago, hours_ago))
    background.begin_import(actor=admin, now=NOW)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while run.folder.stat().st_mtime <= hours_ago + 1:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    background.remove_left_files()  # by another process that starts
    assert run.paths[0].exists()
    held.set()
    assert ended(admin).state is State.IMPORTED


def test_a_folder_that_cannot_be_written_is_named(
    admin: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").write_text("a file, where the folder should be")
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    get_settings.cache_clear()
    with pytest.raises(OutsideFailed, match=r"cannot be kept in DATA_DIR: .+ Nothing was imported"):
        checked(admin, workbook(tmp_path, plain()))
    monkeypatch.undo()
    get_settings.cache_clear()
