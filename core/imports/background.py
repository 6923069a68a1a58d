"""Checks and imports that run beside the pages: one at a time, followed, cancelled, remembered.

What somebody brings lies in a folder of its own, under names of our own, as long as it is needed.
Everybody has one run: the last one. Nothing of it outlives the process.
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
    InvalidInput,
    Permission,
    Refused,
    ending,
    finishing_action,
    get_settings,
    with_request_id,
)
from core.imports.faults import Fault, Faulty
from core.imports.outcome import Outcome
from core.imports.progress import Progress
from core.imports.run import Check, check_files, import_files

logger = logging.getLogger(__name__)

SUFFIXES = (".xlsx", ".xlsm", ".csv", ".tsv", ".txt")
MAX_FILES = 20
MAX_NAME = 120
KEPT_SECONDS = 3600.0  # so long the files of a check wait to be imported
COPIED_BYTES = 1 << 20


class State(StrEnum):
    """Where a run is."""

    CHECKING = "checking"
    CHECKED = "checked"  # and can be imported
    IMPORTING = "importing"
    IMPORTED = "imported"
    FAULTY = "faulty"
    FAILED = "failed"  # or cancelled: `failure` says why


RUNNING = (State.CHECKING, State.IMPORTING)


@dataclass(frozen=True)
class Run:
    """What somebody brought, and what became of it."""

    actor: Actor
    names: tuple[str, ...]  # as the files were called
    since: datetime
    state: State = State.CHECKING
    phase: str = "Reading"
    share: float = 0.0
    is_cancelled: bool = False  # somebody has asked for it; it ends soon
    check: Check | None = None
    faults: tuple[Fault, ...] = ()
    outcome: Outcome | None = None
    failure: str = ""
    paths: tuple[Path, ...] = field(default=(), repr=False)

    @property
    def is_running(self) -> bool:
        """Say whether something is being done."""
        return self.state in RUNNING


class Busy(Refused):
    """Something is being checked or imported already."""

    def __init__(self, run: Run) -> None:
        doing = "An import" if run.state is State.IMPORTING else "A check of files"
        super().__init__(
            f"{doing} by {run.actor.email} is running since {run.since:%H:%M} UTC. "
            "One runs at a time: wait until it has ended. Nothing was begun."
        )


_lock = threading.Lock()
_runs: dict[str, Run] = {}  # the last of each user


def find_run(*, actor: Actor) -> Run | None:
    """Return the actor's last run, as it is now."""
    require(actor, Permission.IMPORT)
    with _lock:
        return _runs.get(actor.user_id)


def find_running(*, actor: Actor) -> Run | None:
    """Return whatever is being checked or imported, be it somebody else's."""
    require(actor, Permission.IMPORT)
    with _lock:
        return _running()


def _running() -> Run | None:
    return next((run for run in _runs.values() if run.is_running), None)


def begin_check(files: Sequence[tuple[str, IO[bytes]]], *, actor: Actor, now: datetime) -> None:
    """Take files over, each with what it is called, and begin to check them.

    Raises NotPermitted, InvalidInput for too many, unknown kinds or too large, and Busy.
    """
    require(actor, Permission.IMPORT)
    names = tuple(_printable(name) for name, _ in files)
    _refuse_kinds(names)
    _refuse_busy()
    folder = Path(tempfile.mkdtemp(prefix="order-desk-import-"))  # for this user alone
    try:
        paths = tuple(
            _copy(file, folder / f"{number}{_suffix(name)}", name)
            for number, (name, (_, file)) in enumerate(zip(names, files, strict=True), 1)
        )
        _put(Run(actor, names, now, paths=paths))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    _start(_check, actor)


def begin_import(*, actor: Actor, now: datetime) -> None:
    """Begin to import what the actor had checked: once, however often it is asked.

    Raises NotPermitted, Busy, and Refused where nothing is checked any more.
    """
    require(actor, Permission.IMPORT)
    with _lock:
        running, run = _running(), _runs.get(actor.user_id)
        if running is not None:
            raise Busy(running)
        if run is None or run.state is not State.CHECKED:
            raise Refused("There are no checked files any more: choose them again.")
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
    """Ask the actor's own run to end; what it has written is undone."""
    require(actor, Permission.IMPORT)
    with _lock:
        run = _runs.get(actor.user_id)
        if run is not None and run.is_running:
            _runs[actor.user_id] = replace(run, is_cancelled=True)


def forget_run(*, actor: Actor) -> None:
    """Forget the actor's last run, unless it is running, and its files with it."""
    require(actor, Permission.IMPORT)
    with _lock:
        run = _runs.get(actor.user_id)
        if run is None or run.is_running:
            return
        del _runs[actor.user_id]
    _remove_files(run)


def _printable(name: str) -> str:
    """Return a file's name as it can be shown and stored: no path, no control characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(letter if letter.isprintable() else "�" for letter in last).strip()
    return f"{kept[: MAX_NAME - 1]}…" if len(kept) > MAX_NAME else kept or "file"


def _suffix(name: str) -> str:
    return Path(name).suffix.lower()


def _refuse_kinds(names: Sequence[str]) -> None:
    if not 1 <= len(names) <= MAX_FILES:
        raise InvalidInput(f"Choose 1 to {MAX_FILES} files.")
    for name in names:
        if _suffix(name) not in SUFFIXES:
            raise InvalidInput(f"{name}: this is neither a workbook (.xlsx) nor a CSV file.")


def _refuse_busy() -> None:
    with _lock:
        running = _running()
    if running is not None:
        raise Busy(running)


def _copy(file: IO[bytes], path: Path, name: str) -> Path:
    limit_mb = get_settings().import_max_mb
    room = limit_mb * 1_000_000
    file.seek(0)  # it may have been read for a try that was refused
    with path.open("xb") as copy:
        while block := file.read(COPIED_BYTES):
            room -= len(block)
            if room < 0:
                raise InvalidInput(
                    f"{name}: it is over the limit of {limit_mb:,} MB (IMPORT_MAX_MB)."
                )
            copy.write(block)
    return path


def _put(run: Run) -> None:
    """Make a run the actor's last, unless something has begun to run meanwhile."""
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
    # The end of the process waits for it; is it too slow then, the database rolls it back.
    threading.Thread(target=_follow, args=(act, actor), name="import", daemon=True).start()


def _follow(act: Act, actor: Actor) -> None:
    """Do it, and remember what became of it."""
    with with_request_id() as reference, finishing_action():
        run = _change(actor)
        try:
            changes = act(run, _progress_of(actor))
        except Faulty as error:
            changes = {"state": State.FAULTY, "faults": tuple(error.faults), "failure": str(error)}
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

    def is_wanted() -> bool:
        return not (_change(actor).is_cancelled or ending.is_set())

    return Progress(report, is_wanted)


def _check(run: Run, progress: Progress) -> dict[str, object]:
    check = check_files(run.paths, actor=run.actor, names=run.names, progress=progress)
    if check.faults:
        return {
            "state": State.FAULTY,
            "check": check,
            "faults": check.faults,
            "failure": str(Faulty(check.faults)),
        }
    return {"state": State.CHECKED, "check": check}


def _import(run: Run, progress: Progress) -> dict[str, object]:
    outcome = import_files(
        run.paths, actor=run.actor, now=run.since, names=run.names, progress=progress
    )
    return {"state": State.IMPORTED, "outcome": outcome}


def _forget_later(run: Run) -> None:
    """Let the files of a check go when nobody has imported them for long."""

    def let_go() -> None:
        with _lock:
            kept = _runs.get(run.actor.user_id)
            if kept is None or kept.paths != run.paths or kept.state is not State.CHECKED:
                return
            del _runs[run.actor.user_id]
        _remove_files(run)

    timer = threading.Timer(KEPT_SECONDS, let_go)
    timer.daemon = True
    timer.start()
