"""The translation of a view's filters, search, IDs and keys to SQL.

Text compares without case. “Does not contain”, “≠” and “not on” include blank rows. Ranges include
both ends. Days are whole days in the view's time zone; for columns with a place, in the zone of the
place. Amounts compare in major units, as people write them. A search finds rows that contain each
of its words in some column.
"""

from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import SQLColumnExpression, and_, false, func, not_, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from core.access import Actor, require
from core.ground import ascii_lower, check_text, flag_value, fold
from core.query.comparing import (
    compare_flags,
    compare_number,
    compare_text,
    compare_words,
    is_one_of,
    matches_code,
    matches_written,
)
from core.query.contracts import is_of_named
from core.query.days import Sql, matches_date, matches_time
from core.query.scoping import of_order, scope
from core.storage import folded, in_common_units, is_any_of
from core.tables import AlsoFinds, AnyOf, Column, Kind, Table, Via
from core.views import BLANK, Condition, Filter, Operator, View


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
    if column.prefix is not None:
        numbers = (column.number_in(one) for one in values)
        return is_any_of(table.row_number(), [one for one in numbers if one is not None])
    attribute = table.attribute(column)
    compared = folded(attribute) if column.kind is Kind.TEXT else attribute
    return is_any_of(compared, [as_id(column, one) for one in values])


def as_id(column: Column, text: str) -> str:
    """Return a pasted ID as it is compared: people write e-mail addresses in any case."""
    number = column.number_in(text)
    if number is not None:
        return f"{column.prefix}{number}"
    return fold(text) if column.kind is Kind.TEXT else text


def matches_choice(table: Table, column: Column, text: str, now: datetime) -> Sql:
    """Search a text in a column's values as the set filter lists them; raises InvalidInput."""
    asked = Condition(Operator.CONTAINS, check_text(column.header, text))
    expression, sought = table.expression(column, now), fold(text)
    if column.kind is Kind.FLAG:
        listed = tuple(flag for flag in (True, False) if sought in flag_value(flag))
        return compare_flags(expression, listed)
    columns = filter(None, (column, table.column_of_names(column)))
    found = or_(*(matches(table, one, asked, ZoneInfo("UTC"), now) for one in columns))
    return or_(found, expression.is_(None)) if sought in BLANK else found


def _contains(table: Table, word: str, now: datetime, per_row: bool) -> Sql:
    """Search a word in all text columns of a row, and in those that its table also finds.

    A word that is a reference, such as R-12, finds only rows with this reference or ID.
    """
    if table.is_reference(word):
        references = (column for column in table.columns if column.is_reference)
        return or_(*(is_among(table, column, (word,)) for column in references))
    asked = Condition(Operator.CONTAINS, word)
    found = [
        _matches_text(table, column, asked, now) for column in table.offered if is_searched(column)
    ]
    found += [_is_also_found(table, also, asked, now, per_row) for also in table.also_finds]
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
    """Return whether the quick search includes a column: text without a fixed list of values.

    Texts of other rows are found in their own table.
    """
    is_text = column.kind in (Kind.TEXT, Kind.CODE)
    is_elsewhere = column.via is not None or column.any_of is not None
    return is_text and not column.has_words and column.prefix is None and not is_elsewhere


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
    if column.via is not None:
        return _matches_via(table, column, column.via, asked)
    if asked.operator in _OPPOSITES:
        positive = Condition(_OPPOSITES[asked.operator], asked.value, asked.until)
        opposite = not_(matches(table, column, positive, zone, now))
        is_complete = column.any_of is not None or not table.is_nullable(column)
        if asked.operator is Operator.NOT_BLANK or is_complete:
            return opposite
        return or_(table.attribute(column).is_(None), opposite)
    if column.any_of is not None:
        return _matches_any(table, column, column.any_of, asked, zone, now)
    if asked.operator is Operator.BLANK:
        return _is_blank(table, column, now)
    if asked.operator is Operator.IN and column.kind is not Kind.FLAG:
        return is_one_of(table.rank(column, now), tuple(map(column.rank_of, asked.value)))
    return _matches_value(table, column, asked, zone, now)


def _matches_value(
    table: Table, column: Column, asked: Condition, zone: ZoneInfo, now: datetime
) -> Sql:
    if column.kind is Kind.INSTANT:
        return matches_time(table, column, asked, zone, now)
    expression = table.expression(column, now)
    if column.kind is Kind.FLAG:
        return compare_flags(expression, asked.value)
    if column.kind is Kind.DATE:
        return matches_date(expression, asked, zone, now)
    if column.kind in (Kind.NUMBER, Kind.MONEY):
        return _matches_number(table, column, expression, asked)
    if column.has_words:
        return compare_words(column, expression, asked)
    return _matches_text(table, column, asked, now)


def _matches_number(
    table: Table, column: Column, expression: SQLColumnExpression[Any], asked: Condition
) -> Sql:
    if column.currency is None:
        return compare_number(expression, asked)
    amount = in_common_units(expression, table.model.__table__.c[column.currency])
    return compare_number(amount, asked, is_amount=True)


def _matches_via(table: Table, column: Column, via: Via, asked: Condition) -> Sql:
    """Compare a text of the row of another table: a blank is no such row, or its blank."""
    if asked.operator in _OPPOSITES:
        positive = Condition(_OPPOSITES[asked.operator], asked.value)
        return not_(_matches_via(table, column, via, positive))
    ours, theirs = table.joined(via), via.model.__table__.c[column.via_name]
    if asked.operator is Operator.BLANK:
        return not_(via.has(ours, theirs.is_not(None)))
    if column.has_words:
        return via.has(ours, compare_words(column, theirs, asked))
    return via.has(ours, compare_text(func.lower(theirs), ascii_lower(asked.value), asked.operator))


def _matches_any(
    table: Table, column: Column, other: AnyOf, asked: Condition, zone: ZoneInfo, now: datetime
) -> Sql:
    """Ask whether one of the rows of a column matches; for a blank, whether there is none."""
    ours: InstrumentedAttribute[Any] = getattr(table.model, other.by)
    rows = select(getattr(other.attribute.class_, other.by)).where(other.rows(now))
    if asked.operator is Operator.BLANK:
        return ours.not_in(rows)
    if column.kind is Kind.DATE:
        return ours.in_(rows.where(matches_date(other.attribute, asked, zone, now)))
    matched = matches_written if column.kind is Kind.TEXT else matches_code
    return ours.in_(rows.where(matched(other.attribute, asked)))


def _matches_text(table: Table, column: Column, asked: Condition, now: datetime) -> Sql:
    if column.kind is not Kind.TEXT:
        return matches_code(table.expression(column, now), asked)
    attribute = table.attribute(column)
    if column.name_of is None:
        return matches_written(attribute, asked)
    return is_of_named(attribute, partial(matches_written, asked=asked))


def _is_blank(table: Table, column: Column, now: datetime) -> Sql:
    if column.name_of is None:
        return table.expression(column, now).is_(None)
    ids = table.attribute(column)
    return or_(ids.is_(None), not_(is_of_named(ids))) if table.is_nullable(column) else false()
