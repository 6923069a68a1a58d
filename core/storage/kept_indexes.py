"""The names of the existing search indexes, kept in the process for each database.

Bulk loads and rebuilds drop and create them, also those of other processes. So a stamp is read
again each time. On SQLite it is the version of the schema, since a search in a missing table fails.
On PostgreSQL it is the names themselves: they come with the gathered rows, and a search that is
based on outdated names finds the same rows, only more slowly.
"""

from functools import cache
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Engine, Text, func, literal_column, select, text
from sqlalchemy.orm import Session

from core.storage.dialect import is_on_sqlite
from core.storage.types import Base

_SEARCH_TABLES = text(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE %'"
)
_kept: WeakKeyDictionary[Engine, tuple[object, frozenset[str]]] = WeakKeyDictionary()


def search_indexes(session: Session) -> frozenset[str]:
    """Return the names of the existing search indexes."""
    if is_on_sqlite(session):
        return _of_sqlite(session)
    if _engine_of(session) not in _kept:
        note_names(session, session.execute(select(names_of_indexes())).scalar_one())
    return _kept[_engine_of(session)][1]


def _of_sqlite(session: Session) -> frozenset[str]:
    stamp = session.connection().exec_driver_sql("PRAGMA schema_version").scalar_one()
    kept = _kept.get(_engine_of(session))
    if kept is None or kept[0] != stamp:
        kept = stamp, frozenset(session.connection().scalars(_SEARCH_TABLES))
        _kept[_engine_of(session)] = kept
    return kept[1]


@cache
def names_of_indexes() -> ColumnElement[str]:
    """Return the names of the existing indexes of PostgreSQL as an expression, for `note_names`."""
    tables = sorted(str(one.class_.__tablename__) for one in Base.registry.mappers)
    names = (func.to_regclass(literal_column(f"'ix_{table}_search'")) for table in tables)
    return func.concat_ws(literal_column("' '"), *names, type_=Text)


def note_names(session: Session, names: str) -> None:
    """Keep the names that a statement on PostgreSQL has read."""
    _kept[_engine_of(session)] = names, frozenset(names.split())


def _engine_of(session: Session) -> Engine:
    return session.connection().engine
