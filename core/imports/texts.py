"""Parse imported texts for their column. A ValueError says what is wrong."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from core.ground import clean_note, is_currency, is_reason, why_no_note, word_of, zones
from core.imports.headers import normal
from core.imports.values import parse_id, parse_prose, parse_text, parse_word
from core.refunds import MAX_NOTE as MAX_REFUND_NOTE
from core.tables import Column

PROSE = frozenset({"author", "product", "passenger_name", "requested_by"})  # texts for people
MAX_SHORT = 200  # an index of PostgreSQL holds at most 2,700 bytes per row
Check = Callable[[str], str]
Read = Callable[[Any], str | None]


def text_parser(column: Column) -> Read:
    """Return the parser for a text of the column; it returns None for an empty text."""
    if column.allowed is not None:
        return _checked(parse_word, partial(_check_member, column))
    if column.wording is not None:
        return _checked(parse_word, partial(_check_wording, column))
    if column.name in SAID:
        return _checked(parse_prose, SAID[column.name])
    if column.name in CHECKS:
        return _checked(parse_word, CHECKS[column.name])
    return parse_text if column.name in PROSE else _checked(parse_id, _check_short)


def _checked(read: Read, check: Check) -> Read:
    def parse(value: Any) -> str | None:
        text = read(value)
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


def _check_note(text: str) -> str:
    note = clean_note(text)
    why = why_no_note(note)
    if why is not None:
        raise ValueError(why)
    return note


def _check_refund_note(text: str) -> str:
    if len(text) > MAX_REFUND_NOTE:
        raise ValueError(f"has {len(text):,} characters; at most {MAX_REFUND_NOTE:,} are possible")
    return text


def _check_wording(column: Column, text: str) -> str:
    """Read words, or a code. A dump has codes: one is kept that the setting does not know."""
    words = column.words or {}
    if text in words or is_reason(text):
        return text
    codes = {normal(shown): code for code, shown in words.items()}
    if normal(text) not in codes:
        raise ValueError(f"is not one of {', '.join(words.values())}")
    return codes[normal(text)]


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


# What people and systems say: any text.
SAID: dict[str, Check] = {"text": _check_note, "note": _check_refund_note, "failure": str}
CHECKS: dict[str, Check] = {
    "currency": _check_currency,
    "airport_tz": _check_zone,
    "airport_iata": _check_airport,
}
