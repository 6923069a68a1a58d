"""A move to another database: every row, exact, all or nothing, from SQLite to PostgreSQL or back.

All is copied as it is, sign-ins too: without their rows one that was ended would count as new.
Leases run out by themselves. What is derived from rows, such as the daily figures, is made anew.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Engine, Text, func, inspect, or_, select, text, type_coerce
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core import overview, storage
from core.ground import InvalidInput, OutsideFailed, Refused, check_database_url, get_settings
from core.storage import DERIVED, Base

HOLDS_DATA = (
    "The other database holds data already, so nothing was copied. "
    "Name an empty one in --to, or say --replace: then all that it holds is lost."
)
UNREACHABLE = "The database that --to names cannot be reached, so nothing was copied."
# What a start of Order Desk writes by itself, into a database without any orders.
_OF_A_START = {"users", "sign_ins", "database_facts", "audit_events"}
# A NUL as JSON writes it; after an escaped backslash it is no NUL.
_NUL_IN_JSON = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


class Unlike(Refused):
    """What was written does not read as what was copied."""

    def __init__(self, table: str) -> None:
        super().__init__(f"The rows of {table} read differently there, so nothing was copied.")


def copy_to(url: str, *, may_replace: bool = False) -> dict[str, int]:
    """Copy every row of DATABASE_URL's database to another; return how many by table.

    The source is read as of one moment; the target gets the newest schema, is read back and
    compared, and only then it is there: all or nothing. Raises InvalidInput for an address that
    cannot be used, or is of the same database; Refused when the target holds data (unless it may
    be replaced) or cannot store a row; and OutsideFailed when a database does not answer.
    """
    _check_source()
    with _opened(url) as target, _all_or_nothing():
        storage.migrate()
        with storage.reading() as old:
            with storage.reading(target) as other:
                if _identity(old) == _identity(other):
                    raise InvalidInput("--to names the database that is to be copied.")
                _check_target(other, may_replace)
            if target.dialect.name != "sqlite":
                _check_texts(old)
            with storage.rebuilding(target) as new:
                _check_target(new, may_replace)  # again, now that nobody else writes
                storage.recreate_schema(new)
                counts = _copy(old, new)
                overview.rebuild_figures_in(new)
                return counts


def copy_in_words(url: str, counts: dict[str, int]) -> str:
    """Say what was copied where, without the password."""
    where = make_url(url).render_as_string()
    named = [f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items() if count]
    return (
        f"Copied to {where}: {', '.join(named) or 'no rows'}.\n"
        f"All {sum(counts.values()):,} rows were read there again, and are the same. "
        "From now on DATABASE_URL may name it."
    )


def _check_source() -> None:
    """Find that there is something to copy; a SQLite file is not made for it."""
    source = _file_of(get_settings().database_url)
    if source is not None and not source.is_file():
        raise InvalidInput(f"There is no database {source}.")


def _file_of(url: str) -> Path | None:
    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        return None
    return Path(address.database or "").resolve()


@contextmanager
def _opened(url: str) -> Iterator[Engine]:
    """Open the target; a file that is made for it is gone again when the block fails."""
    try:
        check_database_url(url)
    except ValueError as error:
        raise InvalidInput(f"--to {error}.") from error
    file = _file_of(url)
    is_new = storage.create_missing_file(url)
    target = storage.create_database_engine(url)
    try:
        _ask(target)
        yield target
    except BaseException:
        target.dispose()
        if file is not None and is_new:
            for follower in ("", "-wal", "-shm"):
                Path(f"{file}{follower}").unlink(missing_ok=True)
        raise
    target.dispose()


def _ask(target: Engine) -> None:
    try:
        with storage.reading(target) as session:
            session.execute(text("SELECT 1"))
    except OutsideFailed as error:
        raise OutsideFailed(UNREACHABLE) from error


def _identity(session: Session) -> tuple[Any, ...]:
    """Return what a database is known by, whichever address leads to it."""
    if session.get_bind().dialect.name == "sqlite":
        file = Path(session.execute(text("PRAGMA database_list")).scalars(2).all()[0]).stat()
        return file.st_dev, file.st_ino
    known = "SELECT pg_postmaster_start_time(), oid FROM pg_database WHERE datname = "
    return tuple(session.execute(text(f"{known}current_database()")).one())


def _check_target(other: Session, may_replace: bool) -> None:
    """Find that the target is empty, or an Order Desk of this version or an older one."""
    present = set(inspect(other.connection()).get_table_names())
    if not present:
        return
    versions = set()
    if "alembic_version" in present:
        versions = set(other.scalars(text("SELECT version_num FROM alembic_version")))
    if not versions or not versions <= storage.known_versions():
        raise Refused(
            "The other database is of something else, or of a newer Order Desk, so nothing was "
            "copied. Name an empty one in --to."
        )
    if may_replace:
        return
    of_people = present & set(Base.metadata.tables) - _OF_A_START - DERIVED
    if any(other.execute(text(f"SELECT 1 FROM {name} LIMIT 1")).first() for name in of_people):  # noqa: S608
        raise Refused(HOLDS_DATA)


def _models() -> list[type[Base]]:
    """Return the tables that are copied, those that others refer to first."""
    by_table = {mapper.local_table: mapper.class_ for mapper in Base.registry.mappers}
    return [by_table[table] for table in Base.metadata.sorted_tables if table in by_table]


def _check_texts(old: Session) -> None:
    """Raise Refused, naming the row, for a text with a NUL: PostgreSQL stores none."""
    if old.get_bind().dialect.name != "sqlite":
        return
    for model in _models():
        table = model.__table__
        plain = {column.name: column for column in table.columns if isinstance(column.type, Text)}
        coded = {
            column.name: type_coerce(column, Text)
            for column in table.columns
            if isinstance(column.type, JSON)
        }
        found = [func.instr(column, func.char(0)) > 0 for column in plain.values()]
        found += [func.instr(column, r"\u0000") > 0 for column in coded.values()]
        asked = [column.label(name) for name, column in (plain | coded).items()]
        for row in old.execute(select(*asked).where(or_(*found))).mappings():
            for name, value in row.items():
                if value and ("\x00" in value or (name in coded and _NUL_IN_JSON.search(value))):
                    raise Refused(_has_nul(model, name, row))


def _has_nul(model: type[Base], name: str, row: Any) -> str:
    keys = ", ".join(f"{key.name} {row[key.name]!r}" for key in model.__table__.primary_key)
    return (
        f"{model.__tablename__}, {keys}: {name} has a NUL character, which PostgreSQL stores in "
        "no text, so nothing was copied."
    )


@contextmanager
def _all_or_nothing() -> Iterator[None]:
    """Say that nothing was copied, and why, when the target does not take it."""
    try:
        yield
    except OutsideFailed as error:
        why = str(getattr(error.__cause__, "orig", error)).strip()
        raise OutsideFailed(
            f"Nothing was copied: a database does not answer, or somebody uses it ({why})."
        ) from error
    except DBAPIError as error:
        why = str(error.orig).strip()
        raise Refused(f"Nothing was copied: a row cannot be stored there ({why}).") from error


def _copy(old: Session, new: Session) -> dict[str, int]:
    models, counts = _models(), {}
    sums = {}
    with storage.without_indexes(new, *models):
        for model in models:
            tally = _Tally(model)
            storage.bulk_insert(new, model, tally.counting(storage.bulk_read(old, model)))
            counts[model.__tablename__], sums[model] = tally.rows, tally
    for model in models:
        back = _Tally(model)
        for _ in back.counting(storage.bulk_read(new, model)):
            pass
        if (back.rows, back.sum) != (sums[model].rows, sums[model].sum):
            raise Unlike(model.__tablename__)
    # The planner chooses indexes by what it knows of the tables.
    new.execute(text("ANALYZE"))
    return counts


class _Tally:
    """Counts the rows of a table and adds up their digests, in whichever order they come."""

    def __init__(self, model: type[Base]) -> None:
        self.rows = self.sum = 0
        columns = model.__table__.columns
        self.coded = [i for i, column in enumerate(columns) if isinstance(column.type, JSON)]

    def counting(self, rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        """Pass rows on, as they are."""
        for row in rows:
            self.rows += 1
            told = repr(self._decoded(row) if self.coded else row).encode()
            self.sum += int.from_bytes(blake2b(told, digest_size=16).digest())
            yield row

    def _decoded(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """Write JSON in one way: neither blanks, nor the order of keys, nor 1e3 for 1000 count."""
        values = list(row)
        for i in self.coded:
            if values[i] is not None:
                parsed = json.loads(values[i], parse_float=_number, parse_int=_number)
                values[i] = json.dumps(parsed, sort_keys=True, default=repr)
        return tuple(values)


def _number(digits: str) -> Decimal:
    return Decimal(digits).normalize()
