"""A limited set of rows of a table, gathered by one statement and used in the next ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    GenerativeSelect,
    Select,
    SQLColumnExpression,
    Text,
    any_,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from core.storage.engine import is_sqlite
from core.storage.kept_indexes import names_of_indexes, note_names
from core.storage.types import Base


@dataclass(frozen=True)
class Gathered:
    """A limited set of rows: their count and their keys (on SQLite, as JSON text)."""

    count: int
    listed: Any

    def has(self, model: type[Base]) -> ColumnElement[bool]:
        """Restrict to these rows."""
        if is_sqlite():
            each = func.json_each(self.listed).table_valued("value")
            return row_of(model).in_(select(each.c.value))
        return row_of(model) == any_(bindparam(None, self.listed, type_=ARRAY(Text)))


def row_of(model: type[Base]) -> SQLColumnExpression[Any]:
    """Return the expression that identifies a row: on SQLite the rowid, which is in all indexes."""
    if is_sqlite():
        return literal_column(f"{model.__tablename__}.rowid", BigInteger)
    key: SQLColumnExpression[Any] = next(iter(model.__table__.primary_key))
    return key


def rows_of(model: type[Base]) -> Select[Any]:
    """Select the expressions that identify the rows of a table."""
    return select(row_of(model).label("row")).select_from(model)


def gather(session: Session, rows: GenerativeSelect, limit: int) -> Gathered | None:
    """Gather rows if there are at most `limit`; None if there are more."""
    found = rows.limit(limit + 1).subquery()
    one = next(iter(found.c))
    count = func.count()
    listed = func.json_group_array(one) if is_sqlite() else func.array_agg(one)
    counted = select(count, case((count <= limit, listed))).select_from(found)
    if is_sqlite():
        number, which = session.execute(counted).one()
    else:
        number, which, names = session.execute(counted.add_columns(names_of_indexes())).one()
        note_names(session, names)
    if number > limit:
        return None
    return Gathered(number, which) if number else no_rows()


def no_rows() -> Gathered:
    """Return an empty set of rows."""
    return Gathered(0, "[]" if is_sqlite() else [])


def is_among_gathered(model: type[Base], parts: Sequence[Gathered]) -> ColumnElement[bool]:
    """Restrict to the rows of several sets; without sets, to none."""
    parts = parts or [no_rows()]
    if len(parts) == 1 or not is_sqlite():
        return or_(*(one.has(model) for one in parts))
    each = [func.json_each(one.listed).table_valued("value") for one in parts]
    return row_of(model).in_(union_all(*(select(one.c.value) for one in each)))
