"""The checks and imports in the background, one row for each user: what any process sees of them.

A process says every second that its run goes on. A run of which nothing is heard has ended with its
process; what it wrote was rolled back. Two tabs may act at the same moment: a row is locked before
it is deleted, and changed only if it is still in the expected state.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, TextClause, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import storage
from core.ground import Refused, get_settings, storable
from core.imports import results
from core.imports.faults import Fault
from core.imports.outcome import Outcome
from core.imports.progress import Cancelled
from core.imports.run import Check
from core.imports.uploads import suffix_of
from core.storage import IMPORT_IS_RUNNING, IMPORT_RUNS

FOLDER = "imports"  # in DATA_DIR: the uploaded files of each run, under generated names
FAULTS_FILE = "import-errors.jsonl"  # beside them, if there are more than the row has
SILENT_SECONDS = 30
THOUSAND = 1_000
INTERRUPTED = "The server ended before this was done. Nothing was imported: upload the files again."
GONE = "The checked files are no longer available. Upload them again."


class State(StrEnum):
    """The state of a run."""

    CHECKING = "checking"
    CHECKED = "checked"  # can be imported
    IMPORTING = "importing"
    IMPORTED = "imported"
    FAULTY = "faulty"
    FAILED = "failed"  # or cancelled; `failure` says why


RUNNING = (State.CHECKING, State.IMPORTING)
Condition = ColumnElement[bool] | TextClause


@dataclass(frozen=True)
class Run:
    """The uploaded files of a user, and the state of their check or import."""

    user_id: str
    email: str
    names: tuple[str, ...]  # the shown names of the files
    since: datetime
    state: State = State.CHECKING
    phase: str = "Reading"
    share: float = 0.0
    is_cancelled: bool = False  # requested; the run ends soon
    check: Check | None = None
    faults: tuple[Fault, ...] = ()  # the first ones (see core.imports.kept_faults)
    fault_count: int = 0  # of all
    outcome: Outcome | None = None
    failure: str = ""
    run_id: str = field(default_factory=storage.new_id)

    @property
    def is_running(self) -> bool:
        """Return whether the run is in progress."""
        return self.state in RUNNING

    @property
    def folder(self) -> Path:
        """Return the folder of the files."""
        return folder_of(self.run_id)

    @property
    def paths(self) -> tuple[Path, ...]:
        """Return where the files are."""
        numbered = enumerate(self.names, 1)
        return tuple(self.folder / f"{number}{suffix_of(name)}" for number, name in numbered)

    @property
    def faults_file(self) -> Path:
        """Return where all import errors are, if there are more than `faults` has."""
        return self.folder / FAULTS_FILE

    @property
    def has_all_faults(self) -> bool:
        """Return whether all import errors are here: their file is where the check was made."""
        return len(self.faults) == self.fault_count or self.faults_file.is_file()


class Busy(Refused):
    """Another check or import is already running."""

    def __init__(self, run: Run) -> None:
        doing = "An import" if run.state is State.IMPORTING else "A check of files"
        super().__init__(
            f"{doing} by {run.email} has been running since {run.since:%H:%M} UTC. "
            "Only one can run at a time: wait until it ends. Nothing was started."
        )


_RUNS = IMPORT_RUNS.c
_IS_RUNNING = text(IMPORT_IS_RUNNING)


def folder_of(run_id: str) -> Path:
    """Return the folder of the files of a run."""
    return get_settings().data_dir / FOLDER / run_id


def find(user_id: str) -> Run | None:
    """Find the last run of a user."""
    with storage.reading() as session:
        return _find(session, _RUNS.user_id == user_id)


def find_running() -> Run | None:
    """Find the run that goes on, whoever began it, in whatever process."""
    with storage.reading() as session:
        run = _find(session, _IS_RUNNING)
    return run if run is not None and run.is_running else None


def put(session: Session, run: Run) -> Run | None:
    """Store a run that begins as the last one of its user, and return the former one.

    Raises Busy if another one goes on.
    """
    _refuse_busy(session)
    former = _delete_ended(session, run.user_id)
    if former is not None and former.is_running:
        raise Busy(former)  # it began while this transaction waited for its row
    now = storage.present_of(session)
    session.execute(insert(IMPORT_RUNS).values(**_values_of(run), seen_at=now))
    return former


def begin_import(session: Session, user_id: str, now: datetime) -> Run:
    """Mark the checked files of a user as being imported; what the check showed is kept no longer.

    Raises Busy if another run goes on, and Refused if there are no checked files.
    """
    _refuse_busy(session)
    run = _find(session, _RUNS.user_id == user_id)
    if run is None or run.state is not State.CHECKED:
        raise Refused(GONE)
    begun = Run(run.user_id, run.email, run.names, now, State.IMPORTING, run_id=run.run_id)
    if not _change(session, begun, _RUNS.state == State.CHECKED):
        _refuse_busy(session)  # somebody else was faster
        raise Refused(GONE)
    return begun


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Raise Busy if another process began a run at the same moment: the database admits one."""
    try:
        yield
    except IntegrityError:
        running = find_running()
        if running is None:
            raise
        raise Busy(running) from None


def request_cancel(session: Session, user_id: str) -> None:
    """Ask the process of a user's run to end it."""
    is_theirs = _RUNS.user_id == user_id, _IS_RUNNING
    session.execute(update(IMPORT_RUNS).where(*is_theirs).values(is_cancelled=True))


def forget(session: Session, user_id: str) -> Run | None:
    """Delete the last run of a user, unless it goes on; return what was deleted."""
    run = _delete_ended(session, user_id)
    return None if run is None or run.is_running else run


def delete_old(seconds: float) -> list[str]:
    """Delete the runs of which nothing was heard for so long, and return their IDs."""
    with storage.reading() as session:  # usually there is none: then nobody waits to write
        found = select(_RUNS.run_id).where(_silence(session) >= seconds)
        if session.execute(found).first() is None:
            return []
    with storage.writing(is_minor=True) as session:
        old = delete(IMPORT_RUNS).where(_silence(session) >= seconds)
        return list(session.scalars(old.returning(_RUNS.run_id)))


def report(run: Run) -> bool:
    """Store how far a run is, and that it goes on; return whether it may go on.

    It may not if somebody cancelled it, or if it was given up because it was silent.
    """
    said = {"phase": run.phase, "share": round(run.share * THOUSAND)}
    # With PostgreSQL, the import's own transaction can hold the only place of a writer.
    with storage.writing(is_minor=True) as session:
        goes_on = (
            update(IMPORT_RUNS)
            .where(_RUNS.run_id == run.run_id, _IS_RUNNING)
            .values(**said, seen_at=storage.present_of(session))
            .returning(_RUNS.is_cancelled)
        )
        return session.execute(goes_on).scalar_one_or_none() is False


def end(session: Session, run: Run) -> None:
    """Store the result of a run; raises Cancelled if it was given up because it was silent."""
    if not _change(session, run, _IS_RUNNING):
        raise Cancelled


def store_end(run: Run) -> None:
    """Store the result of a run in a transaction of its own, if it is not stored yet."""
    with suppress(Cancelled), storage.writing(is_minor=True) as session:
        end(session, run)


def _refuse_busy(session: Session) -> None:
    """Raise Busy if a run goes on. One that is silent has failed."""
    silent = _IS_RUNNING, _silence(session) > SILENT_SECONDS
    failed = {"state": State.FAILED, "failure": INTERRUPTED}
    session.execute(update(IMPORT_RUNS).where(*silent).values(**failed))
    running = _find(session, _IS_RUNNING)
    if running is not None:
        raise Busy(running)


def _silence(session: Session) -> ColumnElement[int]:
    """Return for how many seconds nothing was heard of a run."""
    now = storage.seconds_of(session, storage.present_of(session))
    return now - storage.seconds_of(session, _RUNS.seen_at)


def _change(session: Session, run: Run, is_expected: Condition) -> bool:
    """Store a run whose row is as expected; return whether it was, also after a wait for it."""
    values = _values_of(run) | {"seen_at": storage.present_of(session)}
    changed = update(IMPORT_RUNS).where(_RUNS.run_id == run.run_id, is_expected).values(**values)
    return session.execute(changed.returning(_RUNS.run_id)).first() is not None


def _delete_ended(session: Session, user_id: str) -> Run | None:
    """Return the last run of a user, which nobody else changes now; delete it unless it goes on."""
    run = _find(session, _RUNS.user_id == user_id, is_locked=True)
    if run is not None and not run.is_running:
        session.execute(delete(IMPORT_RUNS).where(_RUNS.run_id == run.run_id))
    return run


def _find(session: Session, is_meant: Condition, *, is_locked: bool = False) -> Run | None:
    found = select(IMPORT_RUNS, _silence(session).label("silence")).where(is_meant)
    row = session.execute(found.with_for_update() if is_locked else found).mappings().first()
    if row is None:
        return None
    content = row["content"]
    check, outcome = content["check"], content["outcome"]
    run = Run(
        **{name: row[name] for name in ("run_id", "user_id", "email", "since", "phase")},
        **{name: row[name] for name in ("is_cancelled", "failure")},
        names=tuple(content["names"]),
        state=State(row["state"]),
        share=row["share"] / THOUSAND,
        check=check and results.check_of_json(check),
        faults=results.faults_of_json(content["faults"]),
        fault_count=content["fault_count"],
        outcome=outcome and Outcome(**outcome),
    )
    if run.is_running and row["silence"] > SILENT_SECONDS:
        return replace(run, state=State.FAILED, failure=INTERRUPTED)
    if run.state is State.CHECKED and not run.folder.is_dir():
        return replace(run, state=State.FAILED, failure=GONE)
    return run


def _values_of(run: Run) -> dict[str, Any]:
    return {
        **{name: getattr(run, name) for name in ("run_id", "user_id", "email", "since", "phase")},
        **{name: getattr(run, name) for name in ("state", "is_cancelled")},
        "failure": storable(run.failure),
        "share": round(run.share * THOUSAND),
        "one": 1,
        "content": {
            "names": run.names,
            "check": run.check and results.check_to_json(run.check),
            "faults": results.faults_to_json(run.faults),
            "fault_count": run.fault_count,
            "outcome": run.outcome and asdict(run.outcome),
        },
    }
