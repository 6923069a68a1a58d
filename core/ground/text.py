"""What a text may be, and how texts are compared."""

import re
import unicodedata

from core.ground.errors import InvalidInput

MAX_TEXT = 1_000  # characters of a text to compare with, and of an ID
_MAX_LIST = 100_000
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # by PostgreSQL, and by UTF-8


def is_storable(value: str) -> bool:
    """Say whether both databases can store the text."""
    return not _UNSTORABLE.search(value)


def storable(value: str) -> str:
    """Return the text with a replacement character for each one that cannot be stored."""
    return _UNSTORABLE.sub("\ufffd", value)


def may_be_id(value: str) -> bool:
    """Say whether the text may be an ID: storable, and not too long."""
    return is_storable(value) and len(value) <= MAX_TEXT


def check_text(header: str, value: object, *, empty: bool = False) -> str:
    """Return a text to compare with; raises InvalidInput if it is no text or cannot be stored."""
    if not isinstance(value, str) or not (value or empty):
        raise InvalidInput(f"{header}: a text to compare with is missing.")
    if len(value) > (MAX_TEXT if not empty else _MAX_LIST):
        raise InvalidInput(f"{header}: the text is longer than {MAX_TEXT:,} characters.")
    if not is_storable(value):
        raise InvalidInput(f"{header}: the text holds a character that cannot be stored.")
    return value


def fold(value: str) -> str:
    """Return the text as searches compare it: composed (NFC) and without case, in every script."""
    folded = unicodedata.normalize("NFC", value).casefold()
    return unicodedata.normalize("NFC", folded)


def ascii_lower(value: str) -> str:
    """Lower A to Z and nothing else, as codes are compared."""
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in value)
