"""Checks and imports that another process carries out: they are seen, cancelled and outlived."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from core import storage
from core.access import Actor
from core.imports import Run, State, background, runs
from core.imports.runs import INTERRUPTED, Busy
from core.storage import Order
from tests.conftest import NOW
from tests.core.forks import forked
from tests.core.imports.imported import count, plain
from tests.core.imports.run_process import check_for_ever, die_after_import
from tests.core.imports.test_background import checked, workbook
from tests.core.waiting import start_and_wait

pytestmark = [
    pytest.mark.on_postgresql,  # SQLite is for one process
    pytest.mark.usefixtures("database"),
]

PATIENCE_SECONDS = 20
LOOK_SECONDS = 0.05


def seen(actor: Actor, is_meant: Callable[[Run], bool]) -> Run:
    """Wait until the actor's run is as it is meant to be, and return it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        run = background.find_run(actor=actor)
        if run is not None and is_meant(run):
            return run
        assert time.monotonic() < deadline, run
        time.sleep(LOOK_SECONDS)


def test_a_check_in_another_process_is_seen_is_the_only_one_and_can_be_cancelled(
    admin: Actor, tmp_path: Path
) -> None:
    with forked(check_for_ever) as (_, output):
        assert output.readline() == "begun\n"
        run = seen(admin, lambda run: run.share > 0)
        assert (run.phase, run.share, run.names) == ("Reading", 0.3, ("Orders.csv",))
        assert background.find_running(actor=admin) == run
        with pytest.raises(Busy, match=r"^A check of files by analyst@local has been running"):
            checked(admin, workbook(tmp_path, plain()))
        background.forget_run(actor=admin)  # ignored while it runs
        background.cancel_run(actor=admin)
        assert seen(admin, lambda run: run.is_cancelled).is_running
        assert output.readline() == "Cancelled; nothing was imported.\n"
    run = seen(admin, lambda run: not run.is_running)
    assert (run.state, run.failure) == (State.FAILED, "Cancelled; nothing was imported.")


def test_a_check_whose_process_was_killed_holds_up_nobody(
    admin: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with forked(check_for_ever) as (process, output):
        assert output.readline() == "begun\n"
        assert background.find_running(actor=admin) is not None
        process.kill()
    monkeypatch.setattr(runs, "SILENT_SECONDS", 0)
    run = seen(admin, lambda run: not run.is_running)
    assert (run.state, run.failure) == (State.FAILED, INTERRUPTED)
    assert background.find_running(actor=admin) is None
    monkeypatch.setattr(runs, "SILENT_SECONDS", 30)
    assert background.find_running(actor=admin) is not None  # nobody has begun another one
    monkeypatch.setattr(runs, "SILENT_SECONDS", 0)
    assert checked(admin, workbook(tmp_path, plain())).state is State.CHECKED


def test_files_that_one_process_checked_are_imported_by_another_and_its_death_loses_no_result(
    admin: Actor, tmp_path: Path
) -> None:
    check = checked(admin, workbook(tmp_path, plain())).check
    assert check is not None
    with forked(die_after_import) as (process, output):
        assert output.read() == ""
    assert process.exitcode == -9
    assert count(Order) == 1
    run = background.find_run(actor=admin)
    assert run is not None
    assert run.outcome is not None
    assert (run.state, run.outcome.added) == (State.IMPORTED, check.outcome.added)


@pytest.mark.parametrize("is_guarded", [True, False])
def test_of_two_processes_that_begin_at_the_same_moment_one_does(
    admin: Actor, is_guarded: bool
) -> None:
    if not is_guarded:  # the negative control: without the index, both begin
        with storage.writing() as session:
            session.execute(text("DROP INDEX ix_import_runs_running"))
    first, second = (Run(one, f"{one}@x.example", ("o.csv",), NOW) for one in ("ana", "ben"))

    def begin_second() -> None:
        with runs.one_at_a_time(), storage.writing() as session:
            runs.put(session, second)

    with ThreadPoolExecutor() as pool:
        with storage.writing() as session:
            runs.put(session, first)
            if is_guarded:
                waiting = start_and_wait(pool, begin_second, waiting=1)
            else:
                pool.submit(begin_second).result(PATIENCE_SECONDS)
        if is_guarded:
            with pytest.raises(Busy, match=r"by ana@x\.example has been running"):
                waiting.result(PATIENCE_SECONDS)
    with storage.reading() as session:
        running = f"SELECT count(*) FROM import_runs WHERE {storage.IMPORT_IS_RUNNING}"
        assert session.execute(text(running)).scalar_one() == (1 if is_guarded else 2)


def test_a_run_that_was_given_up_as_silent_imports_nothing(admin: Actor, tmp_path: Path) -> None:
    checked(admin, workbook(tmp_path, plain()))
    with storage.writing() as session:
        run = runs.begin_import(session, admin.user_id, NOW)
    with storage.writing() as session:
        session.execute(text("UPDATE import_runs SET state = 'failed'"))
    background._ours[run.run_id] = run
    background._follow(background._import, run, admin)
    assert count(Order) == 0
