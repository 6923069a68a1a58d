"""Copy the database to another one, from SQLite to PostgreSQL or back: every row, or nothing.

Everything is copied unchanged, also sign-ins: without their rows, an ended one would count as new.
Leases expire on their own. Derived data, such as the daily figures, is calculated again. Checks of
files to import stay behind, as the files do.
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

HAS_DATA = (
    "The target database already has data, so nothing was copied. "
    "Choose an empty one for --to, or add --replace to delete all of its data."
)
UNREACHABLE = "The database of --to cannot be reached, so nothing was copied."
# The tables that Order Desk fills when it starts with an empty database.
_OF_A_START = {"users", "sign_ins", "database_facts", "audit_events", "voucher_keys"}
# A NUL in JSON; after an escaped backslash it is plain text.
_NUL_IN_JSON = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


class CopyDiffers(Refused):
    """The written rows differ from the source."""

    def __init__(self, table: str) -> None:
        super().__init__(f"The copied rows of {table} differ, so nothing was copied.")


def copy_to(url: str, *, may_replace: bool = False) -> dict[str, int]:
    """Copy every row of the database in DATABASE_URL to another; return the counts by table.

    Read a snapshot of the source; create the newest schema in the target; read the rows back,
    compare them, then commit. Raises InvalidInput if the address is invalid or is the same
    database; Refused if the target has data and `may_replace` is False, or cannot store a row; and
    OutsideFailed if a database does not answer.
    """
    _check_source()
    with _opened(url) as target, _all_or_nothing():
        storage.migrate()
        with storage.reading(is_unlimited=True) as old:
            with storage.reading(target) as other:
                if storage.identity_of(old) == storage.identity_of(other):
                    raise InvalidInput("--to is the same database as DATABASE_URL.")
                _check_target(other, may_replace)
            if not storage.stores_nul(target):
                _check_texts(old)
            with storage.rebuilding(target) as new:
                _check_target(new, may_replace)  # again, now that no one else can write
                storage.recreate_schema(new)
                counts = _copy(old, new)
                overview.rebuild_figures_in(new)
                return counts


def copy_in_words(url: str, counts: dict[str, int]) -> str:
    """Return what was copied to which database, without its password."""
    where = make_url(url).render_as_string()
    named = [f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items() if count]
    return (
        f"Copied to {where}: {', '.join(named) or 'no rows'}.\n"
        f"All {sum(counts.values()):,} rows were read back and are identical. "
        "You can now set DATABASE_URL to it."
    )


def _check_source() -> None:
    """Raise InvalidInput if a SQLite source is missing; it must not be created."""
    source = _file_of(get_settings().database_url)
    if source is not None and not source.is_file():
        raise InvalidInput(f"The database {source} was not found.")


def _file_of(url: str) -> Path | None:
    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        return None
    return Path(address.database or "").resolve()


@contextmanager
def _opened(url: str) -> Iterator[Engine]:
    """Open the target. If the block fails, delete a SQLite file that was created for it."""
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


def _check_target(other: Session, may_replace: bool) -> None:
    """Check that the target is empty, or of this or an older version of Order Desk."""
    present = set(inspect(other.connection()).get_table_names())
    if not present:
        return
    versions = set()
    if "alembic_version" in present:
        versions = set(other.scalars(text("SELECT version_num FROM alembic_version")))
    if not versions or not versions <= storage.known_versions():
        raise Refused(
            "The target database belongs to another program or a newer Order Desk, so nothing "
            "was copied. Choose an empty one for --to."
        )
    if may_replace:
        return
    filled = present & set(Base.metadata.tables) - _OF_A_START - DERIVED
    if any(other.execute(text(f"SELECT 1 FROM {name} LIMIT 1")).first() for name in filled):  # noqa: S608
        raise Refused(HAS_DATA)


def _models() -> list[type[Base]]:
    """Return the tables to copy; a table comes after the tables it refers to."""
    by_table = {mapper.local_table: mapper.class_ for mapper in Base.registry.mappers}
    return [by_table[table] for table in Base.metadata.sorted_tables if table in by_table]


def _check_texts(old: Session) -> None:
    """Raise Refused, naming the row, for a text with a NUL, which PostgreSQL cannot store."""
    if not storage.stores_nul(old):
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
        f"{model.__tablename__}, {keys}: {name} has a NUL character, which PostgreSQL cannot "
        "store, so nothing was copied."
    )


@contextmanager
def _all_or_nothing() -> Iterator[None]:
    """Turn database errors into errors that say that nothing was copied, and why."""
    try:
        yield
    except OutsideFailed as error:
        why = str(getattr(error.__cause__, "orig", error)).strip()
        raise OutsideFailed(
            f"Nothing was copied: a database does not answer, or is in use ({why})."
        ) from error
    except DBAPIError as error:
        why = str(error.orig).strip()
        raise Refused(f"Nothing was copied: a row cannot be stored there ({why}).") from error


def _copy(old: Session, new: Session) -> dict[str, int]:
    models, counts = _models(), {}
    sums = {}
    with storage.loading(new, *models):
        for model in models:
            tally = _Tally(model)
            storage.bulk_insert(new, model, tally.counting(storage.bulk_read(old, model)))
            counts[model.__tablename__], sums[model] = tally.rows, tally
    for model in models:
        back = _Tally(model)
        for _ in back.counting(storage.bulk_read(new, model)):
            pass
        if (back.rows, back.sum) != (sums[model].rows, sums[model].sum):
            raise CopyDiffers(model.__tablename__)
    # The query planner needs statistics to choose indexes.
    new.execute(text("ANALYZE"))
    return counts


class _Tally:
    """Counts the rows of a table and adds up their digests; their order does not matter."""

    def __init__(self, model: type[Base]) -> None:
        self.rows = self.sum = 0
        columns = model.__table__.columns
        self.coded = [i for i, column in enumerate(columns) if isinstance(column.type, JSON)]

    def counting(self, rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows unchanged, and count them."""
        for row in rows:
            self.rows += 1
            content = repr(self._decoded(row) if self.coded else row).encode()
            self.sum += int.from_bytes(blake2b(content, digest_size=16).digest())
            yield row

    def _decoded(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the row with normalised JSON: blanks, key order and 1e3 for 1000 do not matter."""
        values = list(row)
        for i in self.coded:
            if values[i] is not None:
                parsed = json.loads(values[i], parse_float=_number, parse_int=_number)
                values[i] = json.dumps(parsed, sort_keys=True, default=repr)
        return tuple(values)


def _number(digits: str) -> Decimal:
    return Decimal(digits).normalize()
