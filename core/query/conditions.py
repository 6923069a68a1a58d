"""The translation of a view's filters, search, IDs and keys to SQL.

Text compares without case. “Does not contain”, “≠” and “not on” include blank rows. Ranges include
both ends. Days are whole days in the view's time zone; for columns with a place, in the zone of the
place. Amounts compare in major units, as people write them. A search finds rows that contain each
of its words in some column.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    SQLColumnExpression,
    and_,
    false,
    func,
    literal,
    not_,
    or_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute

from core.access import Actor, require
from core.ground import MAX_DECIMALS, ascii_lower, check_text, flag_value, fold, words_by_value
from core.query.contracts import is_of_named
from core.query.days import Sql, matches_time
from core.query.scoping import of_order, scope
from core.storage import folded, in_common_units, is_any_of, like_compares
from core.tables import AlsoFinds, Column, Kind, Table
from core.views import BLANK, Condition, Filter, Operator, View

Value = ColumnElement[Any]
MAX_PARAMETERS = 200  # a longer list is one parameter; PostgreSQL allows 65,535 per statement


def where(view: View, *, actor: Actor, now: datetime, per_order: bool = False) -> list[Sql]:
    """Return the SQL conditions of a view, with the scope of the actor first.

    With `per_order`, a search looks up the items of each order in turn instead of all items at
    once: the result is the same, and faster if few orders are scanned. Raises NotPermitted if the
    actor cannot see the table; all queries of views check it here.
    """
    require(actor, view.table.permission(view.order_id))
    conditions = [scope(view.table, actor)]
    if view.order_id is not None:
        conditions.append(of_order(view.table, view.order_id))
    if view.ids:
        references = (column for column in view.table.columns if column.is_reference)
        conditions.append(or_(*(is_among(view.table, column, view.ids) for column in references)))
    if view.keys is not None:
        conditions.append(is_among(view.table, view.table.key_column, view.keys))
    conditions += [_contains(view.table, word, now, per_order) for word in view.search.split()]
    conditions += [_filtered(view.table, one, ZoneInfo(view.zone), now) for one in view.filters]
    return conditions


def is_among(table: Table, column: Column, values: tuple[str, ...]) -> Sql:
    """Compare with any number of texts, bound as one parameter: databases limit their number."""
    attribute = table.attribute(column)
    compared = folded(attribute) if column.kind is Kind.TEXT else attribute
    return is_any_of(compared, [as_id(column, one) for one in values])


def as_id(column: Column, text: str) -> str:
    """Return a pasted ID as it is compared: people write e-mail addresses in any case."""
    return fold(text) if column.kind is Kind.TEXT else text


def matches_choice(table: Table, column: Column, text: str, now: datetime) -> Sql:
    """Search a text in a column's values as the set filter lists them; raises InvalidInput."""
    asked = Condition(Operator.CONTAINS, check_text(column.header, text))
    expression, sought = table.expression(column, now), fold(text)
    if column.kind is Kind.FLAG:
        listed = tuple(flag for flag in (True, False) if sought in flag_value(flag))
        return _is_one_of_flags(expression, listed)
    columns = filter(None, (column, table.column_of_names(column)))
    found = or_(*(matches(table, one, asked, ZoneInfo("UTC"), now) for one in columns))
    return or_(found, expression.is_(None)) if sought in BLANK else found


def _contains(table: Table, word: str, now: datetime, per_row: bool) -> Sql:
    """Search a word in all text columns of a row, and in those that its table also finds."""
    asked = Condition(Operator.CONTAINS, word)
    found = [
        _matches_text(table, column, asked, now) for column in table.offered if is_searched(column)
    ]
    if table.also_finds is not None:
        found.append(_is_also_found(table, table.also_finds, asked, now, per_row))
    return or_(*found)


def _is_also_found(
    table: Table, also: AlsoFinds, asked: Condition, now: datetime, per_row: bool
) -> Sql:
    ours: InstrumentedAttribute[Any] = getattr(table.model, also.by)
    theirs: InstrumentedAttribute[Any] = getattr(also.table.model, also.by)
    found = or_(*(_matches_text(also.table, column, asked, now) for column in also.columns))
    rows = select(theirs).where(found)
    return rows.where(theirs == ours).exists() if per_row else ours.in_(rows)


def is_searched(column: Column) -> bool:
    """Return whether the quick search includes a column: text without a fixed list of values."""
    return column.kind in (Kind.TEXT, Kind.CODE) and column.allowed is None


def _filtered(table: Table, one: Filter, zone: ZoneInfo, now: datetime) -> Sql:
    conditions = [matches(table, one.column, asked, zone, now) for asked in one.conditions]
    return and_(*conditions) if one.joined == "AND" else or_(*conditions)


_OPPOSITES = {
    Operator.NOT_CONTAINS: Operator.CONTAINS,
    Operator.NOT_EQUAL: Operator.EQUALS,
    Operator.NOT_BLANK: Operator.BLANK,
}


def matches(table: Table, column: Column, asked: Condition, zone: ZoneInfo, now: datetime) -> Sql:
    """Translate a condition to SQL."""
    if asked.operator in _OPPOSITES:
        positive = Condition(_OPPOSITES[asked.operator], asked.value, asked.until)
        opposite = not_(matches(table, column, positive, zone, now))
        if asked.operator is Operator.NOT_BLANK or not table.is_nullable(column):
            return opposite
        return or_(table.attribute(column).is_(None), opposite)
    if asked.operator is Operator.BLANK:
        return _is_blank(table, column, now)
    expression = table.expression(column, now)
    if column.kind is Kind.FLAG:
        return _is_one_of_flags(expression, asked.value)
    if asked.operator is Operator.IN:
        return _is_one_of(table.rank(column, now), tuple(map(column.rank_of, asked.value)))
    if column.kind is Kind.INSTANT:
        return matches_time(table, column, asked, zone, now)
    if column.kind is Kind.NUMBER:
        return _compare(expression, asked, literal)
    if column.kind is Kind.MONEY:
        amount = in_common_units(expression, table.model.__table__.c[str(column.currency)])
        return _compare(amount, asked, _in_common_units)
    if column.allowed:
        return _matches_word(column.allowed, expression, asked)
    return _matches_text(table, column, asked, now)


def _is_one_of(expression: SQLColumnExpression[Any], values: tuple[Any, ...]) -> Sql:
    named = [value for value in values if value is not None]
    if len(named) > MAX_PARAMETERS:
        found: Sql = is_any_of(expression, named)
    else:
        found = expression.in_(named) if named else false()
    return or_(found, expression.is_(None)) if None in values else found


def _is_one_of_flags(expression: SQLColumnExpression[Any], values: tuple[bool, ...]) -> Sql:
    """Compare without IN, so that the database can turn an EXISTS into a join."""
    asked = {True: expression, False: not_(expression)}
    return or_(false(), *(asked[value] for value in values))


def _matches_word(
    states: type[StrEnum], expression: SQLColumnExpression[Any], asked: Condition
) -> Sql:
    """Compare with the word of each value, and with the value itself: “Meet &”, “meet_and”."""
    text = ascii_lower(asked.value)
    found = (
        value
        for value, word in words_by_value(states).items()
        if _fits(ascii_lower(word), text, asked.operator)
        or _fits(value, text.replace(" ", "_"), asked.operator)
    )
    return _is_one_of(expression, tuple(found))


def _fits(word: str, text: str, operator: Operator) -> bool:
    match operator:
        case Operator.CONTAINS:
            return text in word
        case Operator.STARTS_WITH:
            return word.startswith(text)
        case Operator.ENDS_WITH:
            return word.endswith(text)
    return word == text


def _matches_text(table: Table, column: Column, asked: Condition, now: datetime) -> Sql:
    if column.kind is Kind.TEXT:
        compare = partial(_compare_text, value=fold(asked.value), operator=asked.operator)
        ids = table.attribute(column)
        return compare(folded(ids)) if column.name_of is None else is_of_named(ids, compare)
    expression = table.expression(column, now)
    is_equal = asked.operator is Operator.EQUALS
    text = func.lower(expression) if is_equal else like_compares(expression)
    return _compare_text(text, ascii_lower(asked.value), asked.operator)


def _is_blank(table: Table, column: Column, now: datetime) -> Sql:
    if column.name_of is None:
        return table.expression(column, now).is_(None)
    ids = table.attribute(column)
    return or_(ids.is_(None), not_(is_of_named(ids))) if table.is_nullable(column) else false()


def _compare_text(text: SQLColumnExpression[Any], value: str, operator: Operator) -> Sql:
    match operator:
        case Operator.CONTAINS:
            return text.contains(value, autoescape=True)
        case Operator.STARTS_WITH:
            return text.startswith(value, autoescape=True)
        case Operator.ENDS_WITH:
            return text.endswith(value, autoescape=True)
    return text == value


def _compare(
    expression: SQLColumnExpression[Any],
    asked: Condition,
    bound: Callable[[float], ColumnElement[Any]],
) -> Sql:
    value = bound(asked.value)
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
            return expression.between(value, bound(asked.until))
    return expression == value


def _in_common_units(value: float) -> ColumnElement[Any]:
    """Convert an amount in major units to the unit that all currencies share."""
    exact = Decimal(str(value)).scaleb(MAX_DECIMALS)
    if exact == exact.to_integral_value():
        return literal(int(exact), BigInteger)
    return literal(float(exact), Float)
