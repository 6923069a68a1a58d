"""The checks and imports in the background, one row for each user: what any process sees of them.

A process says every second that its run goes on. A run of which nothing is heard has ended with its
process; what it wrote was rolled back.
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
from core.ground import Refused, get_settings
from core.imports import results
from core.imports.faults import Fault
from core.imports.outcome import Outcome
from core.imports.progress import Cancelled
from core.imports.run import Check
from core.imports.uploads import suffix_of
from core.storage import ImportRun

FOLDER = "imports"  # in DATA_DIR: the uploaded files of each run, under generated names
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
    faults: tuple[Fault, ...] = ()
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
        return get_settings().data_dir / FOLDER / self.run_id

    @property
    def paths(self) -> tuple[Path, ...]:
        """Return where the files are."""
        numbered = enumerate(self.names, 1)
        return tuple(self.folder / f"{number}{suffix_of(name)}" for number, name in numbered)


class Busy(Refused):
    """Another check or import is already running."""

    def __init__(self, run: Run) -> None:
        doing = "An import" if run.state is State.IMPORTING else "A check of files"
        super().__init__(
            f"{doing} by {run.email} has been running since {run.since:%H:%M} UTC. "
            "Only one can run at a time: wait until it ends. Nothing was started."
        )


_IS_RUNNING = text(ImportRun.IS_RUNNING)


def find(user_id: str) -> Run | None:
    """Find the last run of a user."""
    with storage.reading() as session:
        return _find(session, ImportRun.user_id == user_id)


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
    former = _find(session, ImportRun.user_id == run.user_id)
    _delete(session, run.user_id)
    now = storage.present_of(session)
    session.connection().execute(insert(ImportRun).values(**_values_of(run), seen_at=now))
    return former


def begin_import(session: Session, user_id: str, now: datetime) -> Run:
    """Mark the checked files of a user as being imported.

    Raises Busy if another run goes on, and Refused if there are no checked files.
    """
    _refuse_busy(session)
    run = _find(session, ImportRun.user_id == user_id)
    if run is None or run.state is not State.CHECKED:
        raise Refused(GONE)
    begun = replace(run, state=State.IMPORTING, since=now, phase="Reading", share=0.0)
    values = _values_of(begun) | {"seen_at": storage.present_of(session)}
    is_it = ImportRun.run_id == run.run_id
    session.connection().execute(update(ImportRun).where(is_it).values(**values))
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
    is_theirs = ImportRun.user_id == user_id, _IS_RUNNING
    session.connection().execute(update(ImportRun).where(*is_theirs).values(is_cancelled=True))


def forget(session: Session, user_id: str) -> Run | None:
    """Delete the last run of a user, unless it goes on; return what was deleted."""
    run = _find(session, ImportRun.user_id == user_id)
    if run is None or run.is_running:
        return None
    _delete(session, user_id)
    return run


def report(run: Run) -> bool:
    """Store how far a run is, and that it goes on; return whether it may go on.

    It may not if somebody cancelled it, or if it was given up because it was silent.
    """
    said = {"phase": run.phase, "share": round(run.share * THOUSAND)}
    with storage.writing() as session:
        goes_on = (
            update(ImportRun)
            .where(ImportRun.run_id == run.run_id, _IS_RUNNING)
            .values(**said, seen_at=storage.present_of(session))
            .returning(ImportRun.is_cancelled)
        )
        return session.connection().execute(goes_on).scalar_one_or_none() is False


def end(session: Session, run: Run) -> None:
    """Store the result of a run; raises Cancelled if it was given up because it was silent."""
    is_it = ImportRun.run_id == run.run_id, _IS_RUNNING
    ended = update(ImportRun).where(*is_it).values(**_values_of(run)).returning(ImportRun.run_id)
    if session.connection().execute(ended).first() is None:
        raise Cancelled


def store_end(run: Run) -> None:
    """Store the result of a run in a transaction of its own, if it is not stored yet."""
    with suppress(Cancelled), storage.writing() as session:
        end(session, run)


def _refuse_busy(session: Session) -> None:
    """Raise Busy if a run goes on. One that is silent has failed."""
    silent = _IS_RUNNING, _silence(session) > SILENT_SECONDS
    failed = {"state": State.FAILED, "failure": INTERRUPTED}
    session.connection().execute(update(ImportRun).where(*silent).values(**failed))
    running = _find(session, _IS_RUNNING)
    if running is not None:
        raise Busy(running)


def _silence(session: Session) -> ColumnElement[int]:
    """Return for how many seconds nothing was heard of a run."""
    now = storage.seconds_of(session, storage.present_of(session))
    return now - storage.seconds_of(session, ImportRun.seen_at)


def _find(session: Session, is_meant: ColumnElement[bool] | TextClause) -> Run | None:
    columns = ImportRun.__table__.columns
    found = select(*columns, _silence(session).label("silence")).where(is_meant)
    row = session.connection().execute(found).mappings().first()
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
        **{name: getattr(run, name) for name in ("state", "is_cancelled", "failure")},
        "share": round(run.share * THOUSAND),
        "one": 1,
        "content": {
            "names": run.names,
            "check": run.check and results.check_to_json(run.check),
            "faults": results.faults_to_json(run.faults),
            "outcome": run.outcome and asdict(run.outcome),
        },
    }


def _delete(session: Session, user_id: str) -> None:
    session.connection().execute(delete(ImportRun).where(ImportRun.user_id == user_id))
