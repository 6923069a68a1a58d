"""Checks and imports as rows of the database: what they keep, how long, and who changes them."""

import io
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select, text, true

from core import storage, worker
from core.access import Actor
from core.ground import get_settings
from core.imports import Run, State, background, export_faults, kept_faults, runs
from core.imports.run import check_files, import_files
from core.imports.runs import Busy
from core.storage import IMPORT_RUNS, AuditEvent
from tests.conftest import NOW, close_connections, use_database
from tests.core.imports.imported import ITEM, ORDER, Sheets, changed, plain, write_workbook
from tests.core.imports.test_background import checked, ended, workbook
from tests.core.waiting import start_and_wait

PATIENCE_SECONDS = 20
UNSTORABLE = "\x00\ud800"
both_databases = pytest.mark.both_databases
on_postgresql = pytest.mark.on_postgresql  # SQLite has one writer at a time: there is no race
pytestmark = pytest.mark.usefixtures("database")


def content() -> str:
    """Return what was found or done, as the row of the only run says it."""
    with storage.reading() as session:
        return json.dumps(session.scalars(select(IMPORT_RUNS.c.content)).one(), ensure_ascii=False)


def five_faults(tmp_path: Path) -> Any:
    """Return a workbook with five import errors."""
    items = [ITEM | {"Order Item ID": f"I{number}", "Price": "*a*"} for number in range(5)]
    sheets: Sheets = {"Orders": [ORDER], "Order Items": items}
    return workbook(tmp_path, sheets)


@both_databases
def test_an_error_about_what_no_database_stores_is_shown_with_it_replaced(admin: Actor) -> None:
    file = io.BytesIO(b"Order ID,Created Date,Contract ID,Author,Odd\x00One\nOD\x001,,C1,a,x\n")
    run = checked(admin, ("orders.csv", file))
    assert run.state is State.FAULTY
    shown = {(fault.column, fault.value) for fault in run.faults}
    assert {("Order ID", "OD\ufffd1"), ("Odd\ufffdOne", "")} <= shown


@both_databases
def test_a_result_that_cannot_be_stored_is_a_failure_that_holds_up_nobody(
    admin: Actor, tmp_path: Path
) -> None:
    write_workbook(tmp_path / "made.xlsx", plain())
    check = check_files([tmp_path / "made.xlsx"], actor=admin)
    run = Run(admin.user_id, admin.email, ("made.xlsx",), NOW)
    with storage.writing() as session:
        runs.put(session, run)
    odd = replace(check, first_rows={"orders": [{"Order ID": UNSTORABLE}]})
    background._ours[run.run_id] = run
    background._end(replace(run, state=State.CHECKED, check=odd))
    assert background.find_running(actor=admin) is None
    found = background.find_run(actor=admin)
    assert found is not None
    assert (found.state, found.failure) == (State.FAILED, background.NOT_STORED)


@both_databases
def test_a_reason_that_cannot_be_stored_is_said_with_it_replaced(admin: Actor) -> None:
    run = Run(admin.user_id, admin.email, ("made.xlsx",), NOW, State.FAILED)
    with storage.writing() as session:
        runs.put(session, replace(run, failure=f"Odd {UNSTORABLE}"))
    found = runs.find(admin.user_id)
    assert found is not None
    assert found.failure == "Odd \ufffd\ufffd"


@both_databases
def test_a_file_whose_name_cannot_be_stored_is_checked_and_imported(
    admin: Actor, tmp_path: Path
) -> None:
    path, names = tmp_path / "made.xlsx", [f"a{UNSTORABLE}.xlsx"]
    write_workbook(path, changed("Order Items", Price="*a*"))
    (fault,) = check_files([path], names=names, actor=admin).faults
    assert fault.file == "a\ufffd\ufffd.xlsx"
    write_workbook(path, plain())
    import_files([path], names=names, actor=admin, now=NOW)
    with storage.reading() as session:
        assert session.scalar(select(AuditEvent.entity_id)) == fault.file


def check_ended(admin: Actor) -> Run:
    """Store a check whose files can be imported."""
    run = Run(admin.user_id, admin.email, ("made.xlsx",), NOW, State.CHECKED)
    run.folder.mkdir(parents=True)
    with storage.writing() as session:
        runs.put(session, run)
    return run


def begin_import(admin: Actor) -> None:
    with runs.one_at_a_time(), storage.writing() as session:
        runs.begin_import(session, admin.user_id, NOW)


def begin_check(admin: Actor) -> None:
    with runs.one_at_a_time(), storage.writing() as session:
        runs.put(session, Run(admin.user_id, admin.email, ("new.xlsx",), NOW))


def forget(admin: Actor) -> None:
    with storage.writing() as session:
        if runs.forget(session, admin.user_id) is None:
            raise Busy(Run(admin.user_id, admin.email, (), NOW))


ACTS = [begin_import, begin_check, forget]


def act_during_an_import(act: Callable[[Actor], None], admin: Actor) -> Run | None:
    """Begin an import; before it commits, another tab acts. Return what is stored in the end."""
    with ThreadPoolExecutor() as pool:
        with storage.writing() as session:
            runs.begin_import(session, admin.user_id, NOW)
            other = start_and_wait(pool, lambda: act(admin), waiting=1)
        other.result(PATIENCE_SECONDS)
    return runs.find(admin.user_id)


@both_databases
@pytest.mark.parametrize("act", ACTS)
def test_nothing_takes_the_place_of_an_import_that_begins_at_the_same_moment(
    admin: Actor, act: Callable[[Actor], None]
) -> None:
    run = check_ended(admin)
    with pytest.raises(Busy):
        act_during_an_import(act, admin)
    found = runs.find(admin.user_id)
    assert found is not None
    assert (found.run_id, found.state) == (run.run_id, State.IMPORTING)


@on_postgresql
@pytest.mark.parametrize("act", ACTS)
def test_without_the_lock_and_the_expected_state_it_is_taken(
    admin: Actor, act: Callable[[Actor], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the negative control: two imports begin, or the row of the running one is gone."""
    find, change = runs._find, runs._change
    monkeypatch.setattr(runs, "_find", lambda session, meant, **_: find(session, meant))
    monkeypatch.setattr(runs, "_change", lambda session, run, _: change(session, run, true()))
    run = check_ended(admin)
    found = act_during_an_import(act, admin)
    assert found is None or found.run_id != run.run_id or act is begin_import


@both_databases
def test_an_import_keeps_nothing_of_what_its_check_showed(admin: Actor, tmp_path: Path) -> None:
    checked(admin, workbook(tmp_path, plain()))
    passenger = str(ITEM["Passenger"])
    assert passenger in content()
    begin_import(admin)
    assert passenger not in content()
    run = runs.find(admin.user_id)
    assert run is not None
    background._start(background._import, run, admin)
    assert ended(admin).state is State.IMPORTED
    assert passenger not in content()


@both_databases
def test_the_worker_deletes_runs_of_which_nothing_was_heard_for_an_hour(
    admin: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_rests", {})
    run = checked(admin, workbook(tmp_path, plain()))
    assert background.delete_old_runs() == 0
    assert run.paths[0].exists()
    with storage.writing() as session:
        ago = {False: "seen_at - interval '1 hour'", True: "seen_at - 3600"}
        session.execute(text(f"UPDATE import_runs SET seen_at = {ago[storage.is_sqlite()]}"))
    assert worker._delete_expired(NOW) == 1
    assert background.find_run(actor=admin) is None
    assert not run.folder.exists()


@pytest.fixture
def few_in_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_faults, "IN_ROW", 2)


def exported(admin: Actor) -> tuple[int, str]:
    """Return how many import errors the Excel file has, and what it says of their number."""
    file = io.BytesIO()
    export_faults(file, actor=admin, now=NOW, zone="UTC")
    book = openpyxl.load_workbook(file)
    about = {line[0]: line[1] for line in book["About this export"].values}
    return len(list(book["Import errors"].values)) - 1, str(about["Import errors"])


@pytest.mark.usefixtures("few_in_row")
def test_the_row_has_the_first_errors_and_a_file_all_of_them(admin: Actor, tmp_path: Path) -> None:
    run = checked(admin, five_faults(tmp_path))
    assert (run.failure, len(run.faults)) == ("5 import errors; nothing was imported.", 2)
    assert (run.fault_count, run.has_all_faults) == (5, True)
    assert content().count("is not a number") == 2
    assert [path.name for path in run.folder.iterdir()] == [runs.FAULTS_FILE]
    assert exported(admin) == (5, "5")
    background.forget_run(actor=admin)
    assert not run.folder.exists()


@pytest.mark.usefixtures("few_in_row")
def test_where_the_file_of_all_errors_is_not_the_first_are_listed_and_it_says_so(
    admin: Actor, tmp_path: Path
) -> None:
    run = checked(admin, five_faults(tmp_path))
    run.faults_file.unlink()
    assert not run.has_all_faults
    said = "The first 2 of 5. Check your files again to list all of them."
    assert exported(admin) == (2, said)


@pytest.mark.usefixtures("few_in_row")
def test_a_full_disk_loses_no_result(
    admin: Actor, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "FAULTS_FILE", "no/such/folder")
    run = checked(admin, five_faults(tmp_path))
    assert (run.state, len(run.faults), run.fault_count) == (State.FAULTY, 2, 5)
    assert not run.has_all_faults
    assert "DATA_DIR cannot be written" in caplog.text


@pytest.fixture
def fewest_connections(
    make_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    monkeypatch.setenv("DATABASE_CONNECTIONS", "3")
    use_database(make_database("postgresql"))
    yield
    close_connections(storage.get_engine())


@on_postgresql
@pytest.mark.usefixtures("fewest_connections")
def test_an_import_says_that_it_goes_on_while_others_read_and_it_holds_the_place_of_a_writer(
    admin: Actor,
) -> None:
    run = Run(admin.user_id, admin.email, ("made.xlsx",), NOW)
    with storage.writing() as session:
        runs.put(session, run)
    with ThreadPoolExecutor() as pool:
        with storage.writing() as session, storage.reading() as reader:
            for one in (session, reader):
                one.execute(text("SELECT 1"))
            assert pool.submit(runs.report, run).result(PATIENCE_SECONDS)
            other = pool.submit(forget, admin)
            with pytest.raises(TimeoutError):
                other.result(0.3)  # any other writer waits
        with pytest.raises(Busy):
            other.result(PATIENCE_SECONDS)


def test_fewer_connections_stop_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_CONNECTIONS", "2")
    get_settings.cache_clear()
    with pytest.raises(SystemExit, match="DATABASE_CONNECTIONS"):
        get_settings()
    monkeypatch.undo()
    get_settings.cache_clear()
