"""Checks and imports in the background: one at a time, with progress, and they can be cancelled.

Any process shows a run and can cancel it (see core.imports.runs); one process carries it out. The
uploaded files are in DATA_DIR while they are needed: where processes share it, any of them imports
what another one has checked.
"""

import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import IO, Any

from sqlalchemy.orm import Session

from core import access
from core.access import Actor, require
from core.ground import (
    AppError,
    OutsideFailed,
    Permission,
    ending,
    finishing_action,
    get_settings,
    with_request_id,
)
from core.imports import runs
from core.imports.faults import Faulty
from core.imports.kept_faults import keep
from core.imports.outcome import Outcome
from core.imports.progress import Progress
from core.imports.run import check_files, import_files
from core.imports.runs import Busy, Run, State
from core.imports.uploads import copy_uploads, printable_name, refuse_kinds

logger = logging.getLogger(__name__)

KEPT_SECONDS = 3600.0  # how long checked files, and what a check found, are kept
NOT_STORED = "The result could not be stored. Nothing was imported: upload the files again."
SAYS_SECONDS = 1.0  # how often a run says that it goes on


_lock = threading.Lock()
_ours: dict[str, Run] = {}  # the run that goes on in this process, by its ID


def find_run(*, actor: Actor) -> Run | None:
    """Find the actor's last run in its current state."""
    require(actor, Permission.IMPORT)
    run = runs.find(actor.user_id)
    with _lock:
        return run and _ours.get(run.run_id, run)


def find_running(*, actor: Actor) -> Run | None:
    """Find the running check or import, also of another user."""
    require(actor, Permission.IMPORT)
    return _our_running() or runs.find_running()


def _our_running() -> Run | None:
    with _lock:
        return next(iter(_ours.values()), None)


def is_running() -> bool:
    """Return whether this process checks or imports files."""
    return _our_running() is not None


def begin_check(files: Sequence[tuple[str, IO[bytes]]], *, actor: Actor, now: datetime) -> None:
    """Copy the files, each given with its shown name, and start to check them.

    Raises NotPermitted, AccessLost, Busy, and InvalidInput if there are too many files, or one has
    an unknown type or is too large.
    """
    require(actor, Permission.IMPORT)
    names = tuple(printable_name(name) for name, _ in files)
    refuse_kinds(names)
    _refuse_busy()
    remove_left_files()
    run = Run(actor.user_id, actor.email, names, now)
    try:
        copy_uploads([file for _, file in files], run.paths, names)
        with runs.one_at_a_time(), access.changing(actor, Permission.IMPORT) as (session, _actor):
            former = runs.put(session, run)
    except BaseException:
        _remove_files(run)
        raise
    if former is not None:
        _remove_files(former)
    _start(_check, run, actor)


def begin_import(*, actor: Actor, now: datetime) -> None:
    """Start to import the actor's checked files: only once, even if called again.

    Raises NotPermitted, AccessLost, Busy, and Refused if there are no checked files any more.
    """
    require(actor, Permission.IMPORT)
    _refuse_busy()
    with runs.one_at_a_time(), access.changing(actor, Permission.IMPORT) as (session, _actor):
        run = runs.begin_import(session, actor.user_id, now)
    _start(_import, run, actor)


def cancel_run(*, actor: Actor) -> None:
    """Cancel the actor's own run; everything it has written is rolled back."""
    require(actor, Permission.IMPORT)
    if not _cancel_ours(actor):  # another process carries it out, if there is one
        with access.changing(actor, Permission.IMPORT) as (session, _actor):
            runs.request_cancel(session, actor.user_id)


def _cancel_ours(actor: Actor) -> bool:
    """Cancel the actor's run in this process; with SQLite its import lets nobody else write."""
    with _lock:
        theirs = [run for run in _ours.values() if run.user_id == actor.user_id]
        _ours.update({run.run_id: replace(run, is_cancelled=True) for run in theirs})
    return bool(theirs)


def forget_run(*, actor: Actor) -> None:
    """Delete the actor's last run and its files, unless it is running."""
    require(actor, Permission.IMPORT)
    if _our_running() is not None:
        return
    with access.changing(actor, Permission.IMPORT) as (session, _actor):
        run = runs.forget(session, actor.user_id)
    if run is not None:
        _remove_files(run)


def remove_left_files() -> None:
    """Remove files that were checked or imported long ago, by processes that were killed."""
    for folder in (get_settings().data_dir / runs.FOLDER).glob("*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > KEPT_SECONDS:
                shutil.rmtree(folder)


def delete_old_runs() -> int:
    """Delete what was checked or imported KEPT_SECONDS ago, and its files; return how many runs."""
    old = runs.delete_old(KEPT_SECONDS)
    for run_id in old:
        shutil.rmtree(runs.folder_of(run_id), ignore_errors=True)
    remove_left_files()
    return len(old)


def _refuse_busy() -> None:
    """Raise Busy if a run goes on in this process: it may hold what a transaction waits for."""
    running = _our_running()
    if running is not None:
        raise Busy(running)


def _change(run: Run, **changes: object) -> Run:
    with _lock:
        changed = replace(_ours[run.run_id], **changes)  # type: ignore[arg-type]
        _ours[run.run_id] = changed
        return changed


def _remove_files(run: Run) -> None:
    shutil.rmtree(run.folder, ignore_errors=True)


Act = Callable[[Run, Actor, Progress], dict[str, object]]


def _start(act: Act, run: Run, actor: Actor) -> None:
    with _lock:
        _ours[run.run_id] = run
    # The process waits for it before it ends; if it takes too long, the database rolls it back.
    threading.Thread(target=_follow, args=(act, run, actor), name="import", daemon=True).start()
    threading.Thread(target=_report, args=(run,), name="import-report", daemon=True).start()


def _report(run: Run) -> None:
    """Say how far the run is, and that it goes on, until it has ended.

    Its folder gets younger with it: other processes remove those that are old.
    """
    while True:
        with suppress(OSError):
            os.utime(run.folder)
        time.sleep(SAYS_SECONDS)
        with _lock:
            current = _ours.get(run.run_id)
        if current is None:
            return
        try:
            if not runs.report(current):
                with suppress(KeyError):  # it has ended meanwhile
                    _change(run, is_cancelled=True)
        except OutsideFailed as error:
            logger.info("An import could not say that it goes on: %s", error)


def _follow(act: Act, run: Run, actor: Actor) -> None:
    """Run a check or an import, and store the result."""
    with with_request_id() as reference, finishing_action():
        try:
            changes = act(run, actor, _progress_of(run))
        except Faulty as error:
            kept = keep(run, [*error.faults, *error.follow_ups])
            changes = {"state": State.FAULTY, "failure": str(error), **kept}
        except AppError as error:
            logger.warning("%s", error)
            changes = {"state": State.FAILED, "failure": str(error)}
        except Exception:
            logger.exception("An import failed")
            sentence = f"Something went wrong; it has been logged under {reference}."
            changes = {"state": State.FAILED, "failure": f"{sentence} Nothing was imported."}
        _end(_change(run, **changes))


def _end(run: Run) -> None:
    """Store the result of a run, and keep the files that are needed, for KEPT_SECONDS at most."""
    stored = _store(run)
    if stored.state is State.FAULTY and run.faults_file.exists():
        for path in run.paths:
            path.unlink(missing_ok=True)
    elif stored.state is not State.CHECKED:
        _remove_files(run)
    _delete_later()
    with _lock:
        del _ours[run.run_id]


def _store(run: Run) -> Run:
    """Store the result of a run, or at least that it failed; return what was stored.

    If neither can be, other processes see that it was interrupted.
    """
    ended: dict[str, Any] = {"state": State.FAILED, "failure": NOT_STORED}
    failed = Run(run.user_id, run.email, run.names, run.since, **ended, run_id=run.run_id)
    for one in (run, failed):
        try:
            runs.store_end(one)
        except Exception:
            logger.exception("The result of an import could not be stored")
        else:
            return one
    return failed


def _progress_of(run: Run) -> Progress:
    def report(phase: str, share: float) -> None:
        _change(run, phase=phase, share=share)

    def is_cancelled() -> bool:
        return _change(run).is_cancelled or ending.is_set()

    return Progress(report, is_cancelled)


def _check(run: Run, actor: Actor, progress: Progress) -> dict[str, object]:
    check = check_files(run.paths, actor=actor, names=run.names, progress=progress)
    if check.faults:
        raise Faulty([*check.faults, *check.follow_ups])
    return {"state": State.CHECKED, "check": check}


def _import(run: Run, actor: Actor, progress: Progress) -> dict[str, object]:
    def record(session: Session, outcome: Outcome) -> None:
        # With the rows, so that the result is known even if the process is killed just after.
        runs.end(session, replace(run, state=State.IMPORTED, outcome=outcome))

    outcome = import_files(
        run.paths, actor=actor, now=run.since, names=run.names, progress=progress, record=record
    )
    return {"state": State.IMPORTED, "outcome": outcome}


def _delete_later() -> None:
    """Delete the run that has just ended when it is old; a worker does so if this process ends."""

    def delete() -> None:
        with suppress(OutsideFailed):
            delete_old_runs()

    timer = threading.Timer(KEPT_SECONDS, delete)
    timer.daemon = True
    timer.start()
