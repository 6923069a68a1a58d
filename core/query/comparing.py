"""Comparisons of a SQL expression with a condition: text, words, numbers, flags and lists."""

from decimal import Decimal
from typing import Any

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
)
from sqlalchemy.orm import InstrumentedAttribute

from core.ground import MAX_DECIMALS, ascii_lower, fold
from core.query.days import Sql
from core.storage import folded, is_any_of, like_compares
from core.tables import Column
from core.views import Condition, Operator

MAX_PARAMETERS = 200  # a longer list is one parameter; PostgreSQL allows 65,535 per statement


def is_one_of(expression: SQLColumnExpression[Any], values: tuple[Any, ...]) -> Sql:
    """Compare with a list of values, in which None is a blank."""
    named = [value for value in values if value is not None]
    if len(named) > MAX_PARAMETERS:
        found: Sql = is_any_of(expression, named)
    else:
        found = expression.in_(named) if named else false()
    return or_(found, expression.is_(None)) if None in values else found


def compare_flags(expression: SQLColumnExpression[Any], values: tuple[bool, ...]) -> Sql:
    """Compare without IN, so that the database can turn an EXISTS into a join."""
    asked = {True: expression, False: not_(expression)}
    return or_(false(), *(asked[value] for value in values))


def compare_words(column: Column, expression: SQLColumnExpression[Any], asked: Condition) -> Sql:
    """Compare with the word of each value, and with the value itself: “Meet &”, “meet_and”.

    A setting may not know the code of an old row: its word is the code itself.
    """
    text, words = ascii_lower(asked.value), column.words or {}
    found = (
        value
        for value, word in words.items()
        if _fits(ascii_lower(word), text, asked.operator)
        or _fits(value, text.replace(" ", "_"), asked.operator)
    )
    known = is_one_of(expression, tuple(found))
    if column.wording is None:
        return known
    plain = func.replace(func.lower(expression), "_", " ")
    is_old = expression.not_in(list(words))
    return or_(known, and_(is_old, compare_text(plain, text.replace("_", " "), asked.operator)))


def _fits(word: str, text: str, operator: Operator) -> bool:
    match operator:
        case Operator.CONTAINS:
            return text in word
        case Operator.STARTS_WITH:
            return word.startswith(text)
        case Operator.ENDS_WITH:
            return word.endswith(text)
    return word == text


def matches_written(attribute: InstrumentedAttribute[Any], asked: Condition) -> Sql:
    """Compare text that people write, in every script without case."""
    return compare_text(folded(attribute), fold(asked.value), asked.operator)


def matches_code(expression: SQLColumnExpression[Any], asked: Condition) -> Sql:
    """Compare text that systems write, without case in ASCII."""
    is_equal = asked.operator is Operator.EQUALS
    text = func.lower(expression) if is_equal else like_compares(expression)
    return compare_text(text, ascii_lower(asked.value), asked.operator)


def compare_text(text: SQLColumnExpression[Any], value: str, operator: Operator) -> Sql:
    """Compare a text with one in the same case."""
    match operator:
        case Operator.CONTAINS:
            return text.contains(value, autoescape=True)
        case Operator.STARTS_WITH:
            return text.startswith(value, autoescape=True)
        case Operator.ENDS_WITH:
            return text.endswith(value, autoescape=True)
    return text == value


def compare_number(
    expression: SQLColumnExpression[Any], asked: Condition, *, is_amount: bool = False
) -> Sql:
    """Compare a number; an amount is in the unit that all currencies share."""
    bound = _in_common_units if is_amount else literal
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
