"""Texts: which ones can be stored, and how they are compared."""

import re
import unicodedata
from hashlib import blake2b

from core.ground.errors import InvalidInput

MAX_TEXT = 1_000  # characters of a text to compare with, and of an ID
_MAX_LIST = 100_000
MAX_SORTED = 100  # characters of a text that order it: an index of PostgreSQL holds 2,700 bytes
# They change the direction of text and are not seen themselves, so one ID can look like another.
BIDI_CONTROLS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
SHOWN_CONTROLS = {one: f"⟨U+{ord(one):04X}⟩" for one in BIDI_CONTROLS}
_SHOWN = str.maketrans(SHOWN_CONTROLS)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # by PostgreSQL, and by UTF-8


def is_storable(value: str) -> bool:
    """Return whether both databases can store a text."""
    return not _UNSTORABLE.search(value)


def storable(value: str) -> str:
    """Replace each character that cannot be stored with the replacement character (U+FFFD)."""
    return _UNSTORABLE.sub("\ufffd", value)


def show_controls(value: str) -> str:
    """Write each bidirectional control of a text as ⟨U+202E⟩; every text on the screen does so."""
    return value.translate(_SHOWN)


def named(identity: str, name: str | None) -> str:
    """Return an ID with its name, such as CT-1 · Helios Travel; alone if it has no other name."""
    return identity if name is None or name == identity else f"{identity} · {name}"


def may_be_id(value: str) -> bool:
    """Return whether a text can be an ID: storable, and at most MAX_TEXT characters."""
    return is_storable(value) and len(value) <= MAX_TEXT


def check_text(header: str, value: object, *, empty: bool = False) -> str:
    """Check the text of a filter and return it; raises InvalidInput if it is not a valid one."""
    if not isinstance(value, str) or not (value or empty):
        raise InvalidInput(f"{header}: the text to compare with is missing.")
    if len(value) > (MAX_TEXT if not empty else _MAX_LIST):
        raise InvalidInput(f"{header}: the text is longer than {MAX_TEXT:,} characters.")
    if not is_storable(value):
        raise InvalidInput(f"{header}: the text contains a character that cannot be stored.")
    return value


def fold(value: str) -> str:
    """Return a text as searches compare it: composed (NFC) and case-folded, in every script."""
    if value.isascii():
        return value.lower()
    folded = unicodedata.normalize("NFC", value).casefold()
    return unicodedata.normalize("NFC", folded)


def sort_key(value: str) -> str:
    """Return what a text is sorted by: folded without accents, then folded, then as written.

    So capital and accented letters sort beside the plain ones. Different texts have different keys:
    one of more than MAX_SORTED characters ends in a digest. A part that equals the part before it
    is not repeated, which halves most keys.
    """
    folded = fold(value)
    parts = [one[:MAX_SORTED] for one in (_without_accents(folded), folded, value)]
    key = "".join([_spelled(parts[0]), *map(_after, parts[1:], parts)])
    if len(value) <= MAX_SORTED:
        return key
    return key + blake2b(value.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _without_accents(folded: str) -> str:
    """Remove the accents that Unicode can separate from their letters; ø and ł have none."""
    if folded.isascii():
        return folded
    letters = (c for c in unicodedata.normalize("NFD", folded) if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", "".join(letters))


def _after(part: str, before: str) -> str:
    """Return a part of a key, which sorts by code point among those with the same part before.

    Its first two characters sort before all others of a text, so a shorter text comes first.
    """
    if part == before:
        return "\x01\x03"
    return ("\x01\x02" if part < before else "\x01\x04") + _spelled(part)


def _spelled(part: str) -> str:
    return part.replace("\x01", "\x01\x05")


def ascii_lower(value: str) -> str:
    """Convert A to Z to lower case and leave all other characters, as codes are compared."""
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in value)
