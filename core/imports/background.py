"""Checks and imports in the background: one at a time, with progress, and they can be cancelled.

The uploaded files are kept in a temporary folder, under generated names, while they are needed.
Only the last run of each user is kept, in the memory of the process.
"""

import atexit
import logging
import shutil
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import IO

from core.access import Actor, require
from core.ground import (
    AppError,
    Permission,
    Refused,
    ending,
    finishing_action,
    with_request_id,
)
from core.imports.faults import Fault, Faulty
from core.imports.outcome import Outcome
from core.imports.progress import Progress
from core.imports.run import Check, check_files, import_files
from core.imports.uploads import copy_upload, printable_name, refuse_kinds, suffix_of

logger = logging.getLogger(__name__)

KEPT_SECONDS = 3600.0  # how long checked files are kept to be imported


class State(StrEnum):
    """The state of a run."""

    CHECKING = "checking"
    CHECKED = "checked"  # can be imported
    IMPORTING = "importing"
    IMPORTED = "imported"
    FAULTY = "faulty"
    FAILED = "failed"  # or cancelled; `failure` says why


RUNNING = (State.CHECKING, State.IMPORTING)


@dataclass(frozen=True)
class Run:
    """The uploaded files of a user, and the state of their check or import."""

    actor: Actor
    names: tuple[str, ...]  # the shown names of the files
    since: datetime
    state: State = State.CHECKING
    phase: str = "Reading"
    share: float = 0.0
    is_cancelled: bool = False  # requested; the run ends soon
    check: Check | None = None
    faults: tuple[Fault, ...] = ()
    outcome: Outcome | None = None
    failure: str = ""
    paths: tuple[Path, ...] = field(default=(), repr=False)

    @property
    def is_running(self) -> bool:
        """Return whether the run is in progress."""
        return self.state in RUNNING


class Busy(Refused):
    """Another check or import is already running."""

    def __init__(self, run: Run) -> None:
        doing = "An import" if run.state is State.IMPORTING else "A check of files"
        super().__init__(
            f"{doing} by {run.actor.email} has been running since {run.since:%H:%M} UTC. "
            "Only one can run at a time: wait until it ends. Nothing was started."
        )


_lock = threading.Lock()
_runs: dict[str, Run] = {}  # the last run of each user


def find_run(*, actor: Actor) -> Run | None:
    """Find the actor's last run in its current state."""
    require(actor, Permission.IMPORT)
    with _lock:
        return _runs.get(actor.user_id)


def find_running(*, actor: Actor) -> Run | None:
    """Find the running check or import, also of another user."""
    require(actor, Permission.IMPORT)
    with _lock:
        return _running()


def is_running() -> bool:
    """Return whether this process checks or imports files."""
    with _lock:
        return _running() is not None


def _running() -> Run | None:
    return next((run for run in _runs.values() if run.is_running), None)


def begin_check(files: Sequence[tuple[str, IO[bytes]]], *, actor: Actor, now: datetime) -> None:
    """Copy the files, each given with its shown name, and start to check them.

    Raises NotPermitted, Busy, and InvalidInput if there are too many files, or one has an unknown
    type or is too large.
    """
    require(actor, Permission.IMPORT)
    names = tuple(printable_name(name) for name, _ in files)
    refuse_kinds(names)
    _refuse_busy()
    folder = Path(tempfile.mkdtemp(prefix="order-desk-import-"))  # private to this user
    try:
        paths = tuple(
            copy_upload(file, folder / f"{number}{suffix_of(name)}", name)
            for number, (name, (_, file)) in enumerate(zip(names, files, strict=True), 1)
        )
        _put(Run(actor, names, now, paths=paths))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    _start(_check, actor)


def begin_import(*, actor: Actor, now: datetime) -> None:
    """Start to import the actor's checked files: only once, even if called again.

    Raises NotPermitted, Busy, and Refused if there are no checked files any more.
    """
    require(actor, Permission.IMPORT)
    with _lock:
        running, run = _running(), _runs.get(actor.user_id)
        if running is not None:
            raise Busy(running)
        if run is None or run.state is not State.CHECKED:
            raise Refused("The checked files are no longer available. Upload them again.")
        _runs[actor.user_id] = replace(
            run,
            state=State.IMPORTING,
            since=now,
            phase="Reading",
            share=0.0,
            is_cancelled=False,
        )
    _start(_import, actor)


def cancel_run(*, actor: Actor) -> None:
    """Cancel the actor's own run; everything it has written is rolled back."""
    require(actor, Permission.IMPORT)
    with _lock:
        run = _runs.get(actor.user_id)
        if run is not None and run.is_running:
            _runs[actor.user_id] = replace(run, is_cancelled=True)


def forget_run(*, actor: Actor) -> None:
    """Delete the actor's last run and its files, unless it is running."""
    require(actor, Permission.IMPORT)
    with _lock:
        run = _runs.get(actor.user_id)
        if run is None or run.is_running:
            return
        del _runs[actor.user_id]
    _remove_files(run)


def _refuse_busy() -> None:
    with _lock:
        running = _running()
    if running is not None:
        raise Busy(running)


def _put(run: Run) -> None:
    """Store a run as the actor's last one; raises Busy if another run has started meanwhile."""
    with _lock:
        running = _running()
        if running is not None:
            raise Busy(running)
        former = _runs.get(run.actor.user_id)
        _runs[run.actor.user_id] = run
    if former is not None:
        _remove_files(former)


def _change(actor: Actor, **changes: object) -> Run:
    with _lock:
        changed = replace(_runs[actor.user_id], **changes)  # type: ignore[arg-type]
        _runs[actor.user_id] = changed
        return changed


def _remove_files(run: Run) -> None:
    for folder in {path.parent for path in run.paths}:
        shutil.rmtree(folder, ignore_errors=True)


@atexit.register
def _remove_all_files() -> None:
    for run in list(_runs.values()):
        _remove_files(run)


Act = Callable[[Run, Progress], dict[str, object]]


def _start(act: Act, actor: Actor) -> None:
    # The process waits for it before it ends; if it takes too long, the database rolls it back.
    threading.Thread(target=_follow, args=(act, actor), name="import", daemon=True).start()


def _follow(act: Act, actor: Actor) -> None:
    """Run a check or an import, and store the result."""
    with with_request_id() as reference, finishing_action():
        run = _change(actor)
        try:
            changes = act(run, _progress_of(actor))
        except Faulty as error:
            faults = (*error.faults, *error.follow_ups)
            changes = {"state": State.FAULTY, "faults": faults, "failure": str(error)}
        except AppError as error:
            logger.warning("%s", error)
            changes = {"state": State.FAILED, "failure": str(error)}
        except Exception:
            logger.exception("An import failed")
            sentence = f"Something went wrong; it has been logged under {reference}."
            changes = {"state": State.FAILED, "failure": f"{sentence} Nothing was imported."}
        if changes["state"] is State.CHECKED:
            _forget_later(run)
        else:
            _remove_files(run)
        _change(actor, **changes)


def _progress_of(actor: Actor) -> Progress:
    def report(phase: str, share: float) -> None:
        _change(actor, phase=phase, share=share)

    def is_cancelled() -> bool:
        return _change(actor).is_cancelled or ending.is_set()

    return Progress(report, is_cancelled)


def _check(run: Run, progress: Progress) -> dict[str, object]:
    check = check_files(run.paths, actor=run.actor, names=run.names, progress=progress)
    if check.faults:
        return {
            "state": State.FAULTY,
            "check": check,
            "faults": (*check.faults, *check.follow_ups),
            "failure": str(Faulty(check.faults)),
        }
    return {"state": State.CHECKED, "check": check}


def _import(run: Run, progress: Progress) -> dict[str, object]:
    outcome = import_files(
        run.paths, actor=run.actor, now=run.since, names=run.names, progress=progress
    )
    return {"state": State.IMPORTED, "outcome": outcome}


def _forget_later(run: Run) -> None:
    """Delete the checked files if nobody imports them within KEPT_SECONDS."""

    def delete() -> None:
        with _lock:
            kept = _runs.get(run.actor.user_id)
            if kept is None or kept.paths != run.paths or kept.state is not State.CHECKED:
                return
            del _runs[run.actor.user_id]
        _remove_files(run)

    timer = threading.Timer(KEPT_SECONDS, delete)
    timer.daemon = True
    timer.start()
