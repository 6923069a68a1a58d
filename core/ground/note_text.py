"""The text of a note: which ones can be written and imported."""

import unicodedata

from core.ground.invisible import trim

MAX_NOTE = 2_000  # characters
_KEPT = frozenset("\n\t")
_UNSEEN = frozenset({"Cc", "Cs"})  # controls, and halves of characters


def clean_note(text: str) -> str:
    """Return a note as it is stored: without blanks around it, and with one kind of line break."""
    return trim(text.replace("\r\n", "\n").replace("\r", "\n"))


def why_no_note(text: str) -> str | None:
    """Return why a cleaned text cannot be a note, as the end of a sentence; None if it can."""
    if not text:
        return "is empty"
    if len(text) > MAX_NOTE:
        return f"has {len(text):,} characters; at most {MAX_NOTE:,} are possible"
    for one in text:
        if one not in _KEPT and unicodedata.category(one) in _UNSEEN:
            return f"contains the control character U+{ord(one):04X}, which nobody sees; remove it"
    return None
