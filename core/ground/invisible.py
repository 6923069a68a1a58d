"""Characters that nobody sees: around a text they are dropped, and inside an ID they deceive."""

import unicodedata

ZERO_WIDTH = "\u00ad\u180e\u200b\u200c\u200d\u2060\ufeff"
_BLANKS = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
_AROUND = _BLANKS + ZERO_WIDTH
INVISIBLE = "Cf"  # the category of zero-width characters and of those that change the direction


def trim(text: str) -> str:
    """Return a text without blanks and zero-width characters around it."""
    return text.strip() if text.isascii() else text.strip(_AROUND)


def find_invisible(text: str) -> str | None:
    """Find the first invisible character in a text."""
    if text.isascii():
        return None
    return next((one for one in text if unicodedata.category(one) == INVISIBLE), None)
