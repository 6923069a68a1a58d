"""Parse single imported values of every kind. ValueError says what is wrong."""

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from core.ground import MAX_AMOUNT, decimals_of, to_minor, trim
from core.imports.formats import Formatted
from core.imports.instants import parse_day, parse_instant
from core.imports.words import parse_id, parse_prose, parse_text, parse_word

__all__ = [
    "parse_amount",
    "parse_bytes",
    "parse_day",
    "parse_flag",
    "parse_id",
    "parse_instant",
    "parse_prose",
    "parse_text",
    "parse_whole",
    "parse_word",
]

MAX_EXACT = 2**53  # larger numbers in a cell lose their last digit
_BLANKS_IN_NUMBERS = re.compile("[\\u00a0\\u202f\\u2009]")
_UNGROUPED = re.compile(r"[+-]?(?:\d+|\d*[.,]\d+|\d+[.,])")
_GROUPED = re.compile(r"[+-]?\d{1,3}(?=([,. '])\d{3})(?:([,. '])\d{3}(?:\2\d{3})*)((?!\2)[.,]\d+)?")
_GROUP = 3  # digits between separators of thousands
_POINT_AND_GROUP = re.compile(r"[+-]?\d{1,3}\.\d{3}", re.ASCII)
_ONE_GROUP = re.compile(r"([+-]?[1-9]\d{0,2})[.,](\d{3})")
_YES, _NO = {"yes", "true", "1", "y"}, {"no", "false", "0", "n"}


def parse_whole(value: Any) -> int | None:
    """Return a whole number, None if empty."""
    number = _decimal(value, decimals=0)
    if number is None:
        return None
    if isinstance(value, Formatted):
        value.check_number()
    if number != number.to_integral_value() or abs(number) > MAX_EXACT:
        raise ValueError("is not a whole number")
    return int(number)


def parse_amount(value: Any, currency: str, *, has_points: bool = False) -> int | None:
    """Return the minor units of an amount as people write it: 12.50, 12,50, 1.234,50, 1 234.50.

    With `has_points`, 1.500 of a currency with three decimals has a decimal point. Of another one
    it is ambiguous.
    """
    if has_points and isinstance(value, str) and _POINT_AND_GROUP.fullmatch(trim(value)):
        if decimals_of(currency) < _GROUP:
            raise ValueError("is ambiguous: thousands, or three decimals; write it without a point")
        return to_minor(Decimal(trim(value)), currency)
    number = _decimal(value, decimals=decimals_of(currency))
    if number is None:
        return None
    if abs(number) > MAX_AMOUNT:  # before rounding, which fails with so many digits
        raise ValueError("is too large")
    if isinstance(value, Formatted):
        value.check_amount(currency)
    if isinstance(value, float):
        number = round(number, decimals_of(currency) + 6)  # a float's 12.499999999999998
    minor = to_minor(number, currency)
    if abs(minor) > MAX_EXACT:
        raise ValueError("is too large")
    return minor


def _decimal(value: Any, *, decimals: int) -> Decimal | None:
    if isinstance(value, bool | datetime | date | time | timedelta):
        raise ValueError("is not a number")
    if isinstance(value, int | float):
        number = Decimal(repr(float(value)) if isinstance(value, float) else value)
    else:
        text = parse_word(value)
        if text is None:
            return None
        try:
            number = Decimal(_plain_number(text, decimals))
        except InvalidOperation:
            raise ValueError("is not a number") from None
    if not number.is_finite():
        raise ValueError("is not a number")
    return number


def _plain_number(text: str, decimals: int) -> str:
    """Return a number as Python writes it; raises ValueError for wrong groups and ambiguity."""
    text = _BLANKS_IN_NUMBERS.sub(" ", text).replace("’", "'").replace("−", "-")
    if _UNGROUPED.fullmatch(text):
        plain = text.replace(",", ".")
    elif found := _GROUPED.fullmatch(text):
        whole = text[: found.start(3)] if found[3] else text
        plain = whole.replace(found[2], "") + (found[3] or "").replace(",", ".")
    else:
        raise ValueError("is not a number")
    thousands = _ONE_GROUP.fullmatch(text)
    if not thousands:
        return plain
    # 1,230 is either 1230 or 1.230. It is ambiguous if the currency has enough decimals.
    fraction = thousands[2].rstrip("0")
    if len(fraction) > decimals:
        return thousands[1] + thousands[2]
    raise ValueError(
        f"is ambiguous: {thousands[1]}{thousands[2]} or {thousands[1]}.{thousands[2]}; "
        "write it without a thousands separator"
    )


def parse_flag(value: Any) -> bool | None:
    """Return True for yes and False for no, None if empty."""
    text = str(value) if isinstance(value, bool) else parse_word(value)
    if text is None:
        return None
    if text.casefold() in _YES:
        return True
    if text.casefold() in _NO:
        return False
    raise ValueError("is not Yes or No")


def parse_bytes(value: Any) -> bytes | None:
    """Return eight bytes from 16 hexadecimal digits, None if empty."""
    text = parse_word(value)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9A-Fa-f]{16}", text):
        raise ValueError("is not 16 hexadecimal digits")
    return bytes.fromhex(text)
