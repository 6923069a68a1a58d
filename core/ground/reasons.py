"""The reasons of refunds: a setting has the code and the words of each.

A refund stores the code. So a reason keeps its words in every table and file after it is no longer
offered: those of the setting, and those that Order Desk came with.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from core.ground.text import is_storable

MAX_REASONS, MAX_WORDS = 50, 60
NEEDS_NOTE = "other"  # the reason that says nothing without a note
DEFAULT_REASONS = (
    "passenger_cancelled=Passenger cancelled; flight_cancelled=Flight cancelled; "
    "booked_twice=Booked twice; not_delivered=Service not delivered; goodwill=Goodwill; "
    "other=Other (see note)"
)
# The reasons of refunds that nobody requested in Order Desk. Nobody can choose them.
FOUND = {"imported": "Imported", "matched": "Matched"}
_CODE = re.compile(r"(-?)\s*([a-z][a-z0-9_]{0,39})")


class Reasons(NamedTuple):
    """The words of reasons by code: those that can be chosen, and all that are known."""

    offered: dict[str, str]
    known: dict[str, str]


@lru_cache(8)
def parse_reasons(text: str) -> Reasons:
    """Parse `code=Words; code=Words`; a minus before a code keeps its words, but does not offer it.

    Raises ValueError with what is wrong.
    """
    offered: dict[str, str] = {}
    listed: dict[str, str] = {}
    for part in filter(None, (one.strip() for one in re.split(r"[;\n]", text))):
        named, separator, words = (one.strip() for one in part.partition("="))
        found = _CODE.fullmatch(named)
        if not separator or found is None:
            raise ValueError(f"has “{part[:60]}”, which is not a code, = and words")
        retired, code = found.groups()
        if not (1 <= len(words) <= MAX_WORDS and words.isprintable() and is_storable(words)):
            raise ValueError(f"needs 1 to {MAX_WORDS} printable characters after {code}=")
        if code in FOUND:
            raise ValueError(f"has {code}, which Order Desk uses for other refunds")
        if code in listed or words in listed.values():
            raise ValueError(f"has {code}, or its words, twice")
        listed[code] = words
        if not retired:
            offered[code] = words
    if not 1 <= len(offered) <= MAX_REASONS:
        raise ValueError(f"needs 1 to {MAX_REASONS} reasons to choose from")
    return Reasons(offered, FOUND | _default() | listed)


def _default() -> dict[str, str]:
    pairs = (part.split("=") for part in DEFAULT_REASONS.split(";"))
    return {code.strip(): words for code, words in pairs}


def is_reason(text: str) -> bool:
    """Return whether a text has the form of a reason's code."""
    return bool(_CODE.fullmatch(text)) and not text.startswith("-")


def check_reasons(text: str) -> str:
    """Return the setting if it is valid; raises ValueError."""
    parse_reasons(text)
    return text
