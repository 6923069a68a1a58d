"""The differences between the SQL of SQLite and PostgreSQL; callers need not know the database.

A function that takes a session or a connection works on its database. The other functions are for
the database of DATABASE_URL.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal, TypeVar

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Connection,
    Engine,
    Integer,
    Select,
    SQLColumnExpression,
    Table,
    Text,
    any_,
    bindparam,
    cast,
    extract,
    func,
    inspect,
    select,
    text,
    true,
    type_coerce,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.types import TypeEngine

from core.storage.engine import is_sqlite
from core.storage.types import Base, Instant

Built = TypeVar("Built")
MAX_STATEMENTS = 500  # kept by each function
LockMode = Literal["ACCESS SHARE", "EXCLUSIVE", "ACCESS EXCLUSIVE"]


def is_on_sqlite(at: Session | Connection | Engine) -> bool:
    """Return whether a session, connection or engine is of SQLite."""
    bound = at.get_bind() if isinstance(at, Session) else at
    return bound.dialect.name == "sqlite"


def built_once(build: Callable[..., Built]) -> Callable[..., Built]:
    """Keep the statements that a function builds, by its arguments and the kind of database.

    Building a statement takes as long as running it.
    """

    @lru_cache(MAX_STATEMENTS)
    def built(_is_on_sqlite: bool, *given: Any) -> Built:
        return build(*given)

    return lambda *given: built(is_sqlite(), *given)


def commit_without_standby(session: Session) -> None:
    """Let the commit of a transaction not wait for the disk and the standby of PostgreSQL."""
    if not is_on_sqlite(session):
        session.execute(text("SET LOCAL synchronous_commit TO off"))


def insert(at: Session | Connection, model: type[Base] | Table) -> Any:
    """Return an INSERT that can have an ON CONFLICT clause, such as on_conflict_do_nothing."""
    return (sqlite if is_on_sqlite(at) else postgresql).insert(model)


def is_any_of(
    expression: SQLColumnExpression[Any], values: Sequence[str] | Sequence[int]
) -> ColumnElement[bool]:
    """Compare with any number of texts or numbers, bound as one parameter.

    Databases limit the number of parameters.
    """
    is_number = isinstance(getattr(expression, "type", None), Integer)
    kind = _list_type(BigInteger() if is_number else Text())
    bound = json.dumps(values) if is_sqlite() else list(values)
    return _is_any_of(expression, bindparam(None, bound, type_=kind))


def is_any_of_named(expression: SQLColumnExpression[Any], name: str) -> ColumnElement[bool]:
    """Compare with texts that are given by name when the statement runs, as `bound_texts`."""
    return _is_any_of(expression, bindparam(name, type_=_list_type(Text())))


def bound_texts(texts: Sequence[str]) -> Any:
    """Return texts as the one parameter of `is_any_of`: JSON on SQLite, an array on PostgreSQL."""
    return json.dumps(texts) if is_sqlite() else list(texts)


def _list_type(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    return Text() if is_sqlite() else postgresql.ARRAY(kind)


def _is_any_of(
    expression: SQLColumnExpression[Any], values: BindParameter[Any]
) -> ColumnElement[bool]:
    if is_sqlite():
        each = func.json_each(values).table_valued("value")
        return expression.in_(select(each.c.value))
    return expression == any_(values)


def like_compares(code: SQLColumnExpression[Any]) -> SQLColumnExpression[str]:
    """Return a text to compare by LIKE with a lower-case one, regardless of case in ASCII.

    lower() folds only ASCII: always in SQLite, with COLLATE "C" in PostgreSQL. SQLite's LIKE folds
    ASCII itself; without lower(), a million rows take 95 ms instead of 227.
    """
    return code if is_sqlite() else func.lower(code)


def seconds_of(at: Session | Engine, instant: SQLColumnExpression[Any]) -> ColumnElement[int]:
    """Return an instant as seconds since 1970, as SQLite stores it."""
    if is_on_sqlite(at):
        return type_coerce(instant, BigInteger)
    return cast(func.floor(extract("epoch", instant)), BigInteger)


def present_of(session: Session) -> ColumnElement[datetime]:
    """Return the present by the clock of the database, to the second: those of machines differ."""
    if is_on_sqlite(session):
        return type_coerce(func.unixepoch(), Instant)
    return type_coerce(func.date_trunc("second", func.clock_timestamp()), Instant)


def json_text_of(session: Session, column: ColumnElement[Any]) -> ColumnElement[str]:
    """Return a JSON column as text, as SQLite stores it."""
    return type_coerce(column, Text) if is_on_sqlite(session) else cast(column, Text)


def locked_in_order(
    key: InstrumentedAttribute[str], conditions: Sequence[SQLColumnExpression[bool]]
) -> list[SQLColumnExpression[bool]]:
    """Return the conditions of an UPDATE, so that it first locks its rows in order of their key.

    They are checked when a row is locked, and again when it is changed. The only writer of SQLite
    needs no lock.
    """
    if is_sqlite():
        return list(conditions)
    locked = select(key).where(*conditions).order_by(key).with_for_update().cte("locked")
    return [key.in_(select(locked.c[key.key])), *conditions]


def lock_tables(at: Session | Connection, names: Iterable[str], mode: LockMode) -> None:
    """Lock tables until the transaction ends; the only writer of SQLite needs no lock."""
    if not is_on_sqlite(at):
        at.execute(text(f"LOCK TABLE {', '.join(names)} IN {mode} MODE"))


def lock_existing_tables(at: Connection, names: Iterable[str], mode: LockMode) -> None:
    """Lock those of the tables that exist, as `lock_tables` does."""
    if is_on_sqlite(at):
        return
    present = set(inspect(at).get_table_names())
    ours = [name for name in names if name in present]
    if ours:
        lock_tables(at, ours, mode)


def lock_key_of(name: str | ColumnElement[str]) -> ColumnElement[int]:
    """Return the key of the advisory lock with a name."""
    return func.hashtextextended(name, 0)


def take_lock(at: Session | Connection, key: ColumnElement[int]) -> None:
    """Take an advisory lock until the transaction ends; the only writer of SQLite needs none."""
    if not is_on_sqlite(at):
        at.execute(select(func.pg_advisory_xact_lock(key)))


def has_shared_lock(key: ColumnElement[int]) -> ColumnElement[bool]:
    """Return a condition that first takes an advisory lock that others can share; SQLite: none."""
    return true() if is_sqlite() else func.pg_advisory_xact_lock_shared(key).is_not(None)


def scan_in_order(session: Session, statement: Select[Any]) -> Select[Any]:
    """Make PostgreSQL scan rows in sort order from the next statement on, when this one has run.

    It would look up all matches by trigrams. Until the transaction ends, or `look_up_again`.
    """
    if is_on_sqlite(session):
        return statement
    return statement.add_columns(func.set_config("enable_bitmapscan", "off", True))


def look_up_again(session: Session) -> None:
    """End what `scan_in_order` began."""
    if not is_on_sqlite(session):
        session.execute(text("SET LOCAL enable_bitmapscan = on"))


def query_canceller(session: Session, *, timeout: float) -> Callable[[], None]:
    """Return a function that another thread can call to end the running query of a session.

    PostgreSQL is asked over the network; `timeout` is in seconds.
    """
    driver: Any = session.connection().connection.driver_connection
    if is_on_sqlite(session):
        return partial(driver.interrupt)
    return partial(driver.cancel_safe, timeout=timeout)


@contextmanager
def without_foreign_keys(connection: Connection) -> Iterator[None]:
    """Turn foreign keys off on SQLite, which would check each row of a table that is dropped."""
    is_embedded = is_on_sqlite(connection)
    driver: Any = connection.connection.driver_connection
    if is_embedded:
        driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        if is_embedded and not connection.invalidated:
            driver.execute("PRAGMA foreign_keys=ON")  # the connection goes back to the pool


@contextmanager
def without_waiting(connection: Connection) -> Iterator[None]:
    """Let SQLite fail at once, instead of waiting for a writer in another process."""
    driver: Any = connection.connection.driver_connection
    is_embedded = is_on_sqlite(connection)
    before = driver.execute("PRAGMA busy_timeout").fetchone()[0] if is_embedded else 0
    if is_embedded:
        driver.execute("PRAGMA busy_timeout=0")
    try:
        yield
    finally:
        if is_embedded and not connection.invalidated:
            driver.execute(f"PRAGMA busy_timeout={before}")  # the connection goes back to the pool


@contextmanager
def checked_at_once(connection: Connection, tables: Sequence[str]) -> Iterator[None]:
    """Let PostgreSQL check the foreign keys of tables after the block, by one query for each.

    It would look up every row by itself. SQLite's are off while a database is rebuilt.
    """
    keys: Sequence[Any] = ()
    if not is_on_sqlite(connection):
        found = text(
            "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname), "
            "format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, "
            "pg_get_constraintdef(pg_constraint.oid)) FROM pg_constraint "
            "JOIN pg_class ON pg_class.oid = conrelid WHERE contype = 'f' "
            "AND relnamespace = current_schema()::regnamespace AND relname = ANY(:tables) "
            "ORDER BY relname, conname"
        )
        keys = connection.execute(found, {"tables": list(tables)}).all()
    for drop, _ in keys:
        connection.exec_driver_sql(drop)
    yield
    for _, add in keys:
        connection.exec_driver_sql(add)


def identity_of(session: Session) -> tuple[Any, ...]:
    """Return what identifies a database, even if two addresses lead to it."""
    if is_on_sqlite(session):
        file = Path(session.execute(text("PRAGMA database_list")).scalars(2).all()[0]).stat()
        return file.st_dev, file.st_ino
    known = "SELECT pg_postmaster_start_time(), oid FROM pg_database WHERE datname = "
    return tuple(session.execute(text(f"{known}current_database()")).one())


def stores_nul(at: Session | Engine) -> bool:
    """Return whether texts of the database can have NUL characters."""
    return is_on_sqlite(at)
