"""Characters that nobody sees: around a text they are dropped, and inside an ID they deceive."""

import re
import unicodedata

ZERO_WIDTH = "\u00ad\u180e\u200b\u200c\u200d\u2060\ufeff"
_BLANKS = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
_AROUND = _BLANKS + ZERO_WIDTH
# Categories: zero-width characters, those that change the direction, controls, and line breaks.
INVISIBLE = frozenset({"Cf", "Cc", "Zl", "Zp"})
# Letters and marks that Unicode lets programs ignore, and the blank pattern of Braille.
_BLANK_LETTERS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)


def trim(text: str) -> str:
    """Return a text without blanks and zero-width characters around it."""
    return text.strip() if text.isascii() else text.strip(_AROUND)


def find_invisible(text: str) -> str | None:
    """Find the first invisible character in a text."""
    if text.isascii() and text.isprintable():
        return None
    hidden = (c for c in text if unicodedata.category(c) in INVISIBLE or _BLANK_LETTERS.match(c))
    return next(hidden, None)
