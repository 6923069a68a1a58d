"""Parse imported texts: for people, words, and IDs. ValueError says what is wrong."""

import re
from datetime import date, datetime, time, timedelta
from math import isfinite
from typing import Any

from core.ground import find_invisible, is_storable, trim
from core.imports.formats import Formatted, FormattedText

MAX_DIGITS = 15  # Excel keeps no more digits of a number
# What spreadsheets make of a long number in a CSV file: 1.23457E+12.
_SHORTENED = re.compile(r"[+-]?\d(?:[.,]\d+E\+?\d+|E\+\d{2,3})", re.IGNORECASE | re.ASCII)

# What a CSV file has in place of a value: #N/A, #REF!, #BEZUG!, Err:502, or ### of a narrow column.
_ERROR = re.compile(r"#N/?[AVD]|#[^\W\d_]+(?:/0)?[!?]|#{3,}|Err:\d{3}")


def parse_text(value: Any) -> str | None:
    """Return text without blanks and zero-width characters around it, None if empty."""
    text = _text_of(value)
    if text and _SHORTENED.fullmatch(text):
        raise ValueError("is a long number that lost its digits; format the column as text")
    if text and _ERROR.fullmatch(text):
        raise ValueError("is the error of a formula, or of a column that was too narrow")
    return text


def parse_prose(value: Any) -> str | None:
    """Return what people write to each other, without blanks around it, None if empty.

    It can be anything, such as #N/A or 1.2E+12.
    """
    return _text_of(value)


def parse_id(value: Any) -> str | None:
    """Return a text that tells things apart; it cannot have characters that nobody sees."""
    text = parse_text(parse_word(value))
    hidden = find_invisible(text) if text else None
    if hidden:
        raise ValueError(
            f"contains the invisible character U+{ord(hidden):04X}, so it looks like another ID; "
            "remove it"
        )
    return text


def parse_word(value: Any) -> str | None:
    """Return a text that is not prose, without the apostrophe that marks text in spreadsheets."""
    text = _text_of(value)
    return _text_of(text[1:]) if text and text.startswith("'") else text


def _text_of(value: Any) -> str | None:
    if isinstance(value, FormattedText):
        value.refuse()
    if isinstance(value, str):
        text = trim(value)
    elif value is None:
        return None
    elif isinstance(value, bool):
        raise ValueError("is TRUE or FALSE, but text is expected (format the cell as text)")
    elif isinstance(value, datetime | date | time | timedelta):
        raise ValueError("is a date, but text is expected (format the cell as text)")
    else:
        text = _digits(value)
    if not is_storable(text):
        raise ValueError("contains a character that cannot be stored (NUL or half a character)")
    return text or None


def _digits(value: float) -> str:
    """Return the number of a cell as text. A whole number has no “.0”."""
    if not isfinite(value):
        raise ValueError("is not a number that can be written")
    whole = int(value) if isinstance(value, int) or value.is_integer() else None
    text = repr(float(value)) if whole is None else str(whole)
    if len(re.sub(r"e.*|\D", "", text).lstrip("0")) > MAX_DIGITS:
        raise ValueError(
            f"is a number of more than {MAX_DIGITS} digits, which spreadsheets change; "
            "format the cell as text and enter it again"
        )
    return value.as_text() if isinstance(value, Formatted) else text
