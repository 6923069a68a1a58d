"""Parse imported texts for their column. A ValueError says what is wrong."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from core.ground import is_currency, word_of, zones
from core.imports.headers import normal
from core.imports.values import parse_text
from core.tables import Column

LONG = {"author", "product", "passenger_name"}
MAX_SHORT = 200  # an index of PostgreSQL holds at most 2,700 bytes per row
Check = Callable[[str], str]


def text_parser(column: Column) -> Callable[[Any], str | None]:
    """Return the parser for a text of the column; it returns None for an empty text."""
    check: Check | None = None
    if column.allowed is not None:
        check = partial(_check_member, column)
    elif column.name in CHECKS:
        check = CHECKS[column.name]
    elif column.name not in LONG:
        check = _check_short
    if check is None:
        return parse_text

    def parse(value: Any) -> str | None:
        text = parse_text(value)
        return None if text is None else check(text)

    return parse


def _check_member(column: Column, text: str) -> str:
    """Read “Not used” as not_used. Expired depends on the date, so it is read as not used."""
    name = normal(text.replace("&", "and"))
    if column.name == "status" and name == "expired":
        name = "not_used"
    members = [member.value for member in column.allowed or ()]
    if name not in members:
        raise ValueError(f"is not one of {', '.join(map(word_of, members))}")
    return name


def _check_short(text: str) -> str:
    if len(text) > MAX_SHORT:
        raise ValueError(f"is longer than {MAX_SHORT} characters")
    return text


def _check_currency(text: str) -> str:
    if not is_currency(text.upper()):
        raise ValueError("is not a currency such as EUR (ISO 4217)")
    return text.upper()


def _check_zone(text: str) -> str:
    if text not in zones():
        raise ValueError("is not a time zone such as Europe/London (IANA)")
    return text


def _check_airport(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{3}", text):
        raise ValueError("is not an IATA code of three letters")
    return text.upper()


CHECKS: dict[str, Check] = {
    "currency": _check_currency,
    "airport_tz": _check_zone,
    "airport_iata": _check_airport,
}
