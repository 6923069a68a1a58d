"""View -> SELECT -> DataFrame: the one place that says what a filter means.

Meaning: text compares without case; “does not contain”, “≠” and “not on” keep rows with a blank;
ranges include both ends; days are whole days in the view's zone; blanks sort last both ways.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    SQLColumnExpression,
    and_,
    false,
    func,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session

from core import db
from core.columns import Column, Kind, Table
from core.errors import InvalidInput
from core.models import Order, fold
from core.places import next_day, start_of_day
from core.users import Actor
from core.view import Condition, Filter, Operator, View
from core.view_json import check_text

MAX_WINDOW = 1_000
MAX_CHOICES_LISTED = 500
CHUNK_ROWS = 10_000

_DTYPES = {
    Kind.NUMBER: "Int64",
    Kind.MONEY: "Int64",
    Kind.INSTANT: "datetime64[s, UTC]",
    Kind.FLAG: "boolean",
    Kind.BYTES: "object",
}


def load_rows(view: View, *, actor: Actor, start: int, end: int) -> pd.DataFrame:
    """Load the window [start, end) of a view's rows: the view's columns, and the key.

    Raises InvalidInput for a window that is not one, OutsideFailed without a database.
    """
    if not 0 <= start < end or end - start > MAX_WINDOW or end > 2**31:
        raise InvalidInput(f"A window of 1 to {MAX_WINDOW:,} rows is needed.")
    columns = view.columns
    if view.table.key_column not in columns:
        columns = (*columns, view.table.key_column)
    with db.reading() as session:
        rows = session.execute(_statement(view, columns, actor).offset(start).limit(end - start))
        return to_frame(columns, rows.all())


def count_rows(view: View, *, actor: Actor) -> int:
    """Count the rows of a view."""
    with db.reading() as session:
        return count_in(session, view, actor=actor)


def count_in(session: Session, view: View, *, actor: Actor) -> int:
    """Count the rows of a view inside the caller's transaction."""
    statement = select(func.count()).select_from(view.table.model).where(*_where(view, actor))
    return session.execute(statement).scalar_one()


def read_chunks(session: Session, view: View, *, actor: Actor) -> Iterator[pd.DataFrame]:
    """Read every row of a view, a frame of at most CHUNK_ROWS at a time; memory stays flat."""
    yield from stream(session, _statement(view, view.columns, actor), view.columns)


def read_table(session: Session, table: Table, *, actor: Actor) -> Iterator[pd.DataFrame]:
    """Read every stored column of every row the actor may see, oldest first, in frames."""
    columns = tuple(table.expression(column) for column in table.columns)
    statement = (
        select(*columns)
        .where(_scope(table, actor))
        .order_by(table.model.__table__.c.created_at, table.expression(table.key_column))
    )
    yield from stream(session, statement, table.columns)


def stream(
    session: Session, statement: Select[Any], columns: Sequence[Column]
) -> Iterator[pd.DataFrame]:
    """Run a statement whose columns are `columns`, as typed frames of at most CHUNK_ROWS."""
    result = session.execute(statement, execution_options={"yield_per": CHUNK_ROWS})
    for rows in result.partitions():
        yield to_frame(columns, rows)


def load_choices(view: View, name: str, *, actor: Actor, search: str = "") -> pd.DataFrame:
    """Load the values that the set filter of a column offers: `value` (None is blank), `count`.

    Counts are of the rows that the view's *other* filters leave. At most MAX_CHOICES_LISTED + 1
    rows, by value, blank first; one more than the list shows says that there are more.
    Raises InvalidInput for a column that has no such filter.
    """
    column = view.table.column(name)
    if column is None or not column.is_shown or not column.has_choices:
        raise InvalidInput(f"{view.table.title} has no list of values for “{name[:60]}”.")
    value = view.table.expression(column)
    matches: ColumnElement[bool] = true()
    if search:
        check_text(column, search)
        asked = Condition(Operator.CONTAINS, search)
        matches = _matches(view.table, column, asked, view.zone)
    statement = (
        select(value, func.count())
        .where(*_where(view.without_filter(name), actor), matches)
        .group_by(value)
        .order_by(value.asc().nulls_first())
        .limit(MAX_CHOICES_LISTED + 1)
    )
    with db.reading() as session:
        rows = session.execute(statement).all()
    return pd.DataFrame([tuple(row) for row in rows], columns=["value", "count"], dtype="object")


def to_frame(columns: Sequence[Column], rows: Sequence[Row[Any]]) -> pd.DataFrame:
    """Make a frame of typed columns: Int64, UTC instants, boolean, text."""
    by_column = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    return pd.DataFrame(
        {
            column.name: pd.Series(values, dtype=_DTYPES.get(column.kind, "str"))
            for column, values in zip(columns, by_column, strict=True)
        }
    )


def _statement(view: View, columns: Sequence[Column], actor: Actor) -> Select[Any]:
    expressions = [view.table.expression(column) for column in columns]
    return select(*expressions).where(*_where(view, actor)).order_by(*_order(view))


def _order(view: View) -> list[ColumnElement[Any]]:
    """End every sort in the key, so that paging never repeats or skips a row."""
    key = view.table.key_column
    order = [_direction(view.table, one.column, one.descending) for one in view.sort]
    if all(one.column != key for one in view.sort):
        descending = view.sort[-1].descending if view.sort else False
        order.append(_direction(view.table, key, descending))
    return order


def _direction(table: Table, column: Column, descending: bool) -> ColumnElement[Any]:
    expression = table.expression(column)
    directed = expression.desc() if descending else expression.asc()
    return directed.nulls_last() if table.is_nullable(column) else directed


def _where(view: View, actor: Actor) -> list[ColumnElement[bool]]:
    filters = [_filtered(view.table, one, view.zone) for one in view.filters]
    return [_scope(view.table, actor), *filters]


def _scope(table: Table, actor: Actor) -> ColumnElement[bool]:
    """Leave the rows that the actor may see; neither flag nor contracts means none."""
    stored = table.model.__table__.c
    allowed: ColumnElement[bool] = true()
    if not actor.sees_all_contracts:
        contracts = sorted(actor.contracts)
        allowed = stored.contract_id.in_(contracts) if contracts else false()
    if actor.only_own_orders:
        own = select(Order.order_id).where(Order.author_folded == fold(actor.email))
        allowed = and_(allowed, stored.order_id.in_(own))
    return allowed


def _filtered(table: Table, one: Filter, zone: str) -> ColumnElement[bool]:
    conditions = [_matches(table, one.column, condition, zone) for condition in one.conditions]
    return and_(*conditions) if one.joined == "AND" else or_(*conditions)


_OPPOSITES = {
    Operator.NOT_CONTAINS: Operator.CONTAINS,
    Operator.NOT_EQUAL: Operator.EQUALS,
    Operator.NOT_BLANK: Operator.BLANK,
}


def _matches(table: Table, column: Column, asked: Condition, zone: str) -> ColumnElement[bool]:
    if asked.operator in _OPPOSITES:
        positive = Condition(_OPPOSITES[asked.operator], asked.value, asked.until)
        opposite = not_(_matches(table, column, positive, zone))
        if asked.operator is Operator.NOT_BLANK or not table.is_nullable(column):
            return opposite
        return or_(table.expression(column).is_(None), opposite)
    if asked.operator is Operator.BLANK:
        return table.expression(column).is_(None)
    if asked.operator is Operator.IN:
        return _is_one_of(table.expression(column), asked.value)
    if column.kind is Kind.INSTANT:
        return _matches_day(table.expression(column), asked, ZoneInfo(zone))
    if column.kind is Kind.NUMBER:
        return _matches_number(table.expression(column), asked)
    return _matches_text(table, column, asked)


def _is_one_of(
    expression: SQLColumnExpression[Any], values: tuple[str | None, ...]
) -> ColumnElement[bool]:
    named = [value for value in values if value is not None]
    found = expression.in_(named) if named else false()
    return or_(found, expression.is_(None)) if None in values else found


def _matches_text(table: Table, column: Column, asked: Condition) -> ColumnElement[bool]:
    if column.kind is Kind.TEXT:
        text: SQLColumnExpression[str] = table.folded(column)
        value = fold(asked.value)
    else:
        # lower() folds ASCII alone: SQLite's always, PostgreSQL's under COLLATE "C". SQLite's LIKE
        # does so by itself, and without lower() a million rows take 95 ms instead of 227.
        is_folded = db.is_sqlite() and asked.operator is not Operator.EQUALS
        text = table.expression(column) if is_folded else func.lower(table.expression(column))
        value = ascii_lower(asked.value)
    match asked.operator:
        case Operator.CONTAINS:
            return text.contains(value, autoescape=True)
        case Operator.STARTS_WITH:
            return text.startswith(value, autoescape=True)
        case Operator.ENDS_WITH:
            return text.endswith(value, autoescape=True)
    return text == value


def ascii_lower(value: str) -> str:
    """Lower A to Z and nothing else, as codes are compared."""
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in value)


def _matches_number(expression: SQLColumnExpression[Any], asked: Condition) -> ColumnElement[bool]:
    value: float = asked.value
    match asked.operator:
        case Operator.LESS:
            return expression < value
        case Operator.LESS_OR_EQUAL:
            return expression <= value
        case Operator.GREATER:
            return expression > value
        case Operator.GREATER_OR_EQUAL:
            return expression >= value
        case Operator.IN_RANGE:
            return expression.between(value, asked.until)
    return expression == value


def _matches_day(
    expression: SQLColumnExpression[Any], asked: Condition, zone: ZoneInfo
) -> ColumnElement[bool]:
    starts, ends = start_of_day(asked.value, zone), start_of_day(next_day(asked.value), zone)
    match asked.operator:
        case Operator.LESS:
            return expression < starts
        case Operator.LESS_OR_EQUAL:
            return expression < ends
        case Operator.GREATER:
            return expression >= ends
        case Operator.GREATER_OR_EQUAL:
            return expression >= starts
        case Operator.IN_RANGE:
            last = start_of_day(next_day(asked.until), zone)
            return and_(expression >= starts, expression < last)
    return and_(expression >= starts, expression < ends)
