"""Number formats of cells: what Excel shows of a number, if it is not the number itself.

Only these formats matter to an import: 000123 may be the number 123, and 38.50 % is 0.385.
"""

import re
from typing import Self

from core.ground import is_currency

# Excel's own formats, by number. All others of its own show plain numbers or dates (ECMA-376,
# 18.8.30). The currency of 5 to 8 and 41 to 44 is that of the reader's computer.
BUILT_IN = {
    "9": "0%", "10": "0.00%", "11": "0.00E+00", "12": "# ?/?", "13": "# ??/??", "48": "##0.0E+0",
}  # fmt: skip
# A code has at most 255 characters, and each part of it far fewer.
_HIDDEN = re.compile(  # colours, widths
    r"\[(?:[A-Za-z]{1,20} ?\d{0,2}|[<>=][^\]]{0,40}|\$-[^\]]{0,40})\]|_.|\*."
)
_QUOTED = re.compile(r'"([^"]*)"|\\(.)|\[\$([^\[\]-]*)(?:-[^\[\]]*)?\]')
_PLAIN = re.compile(r"general|standard|@|#*(?:,#*)?0?(?:\.[0#?]+)?", re.IGNORECASE)
_PADDED = re.compile(r"0{2,}")
_DATES = re.compile("[dmyhs]", re.IGNORECASE)
_SCALED = re.compile(r"[0#?],+(?![0#?,])")
_CODE = re.compile(r"(?<![A-Z])[A-Z]{3}(?![A-Z])")
EURO, EURO_SIGN, SIGNS = "EUR", "€", "$£¥₹₺₪₽₩₫₴₦₱฿"


class Formatted(float):
    """The number of a cell whose number format shows more than the number, or something else."""

    code: str

    def __new__(cls, number: float, code: str) -> Self:
        """Make a number that remembers its format."""
        made = super().__new__(cls, number)
        made.code = code
        return made

    def as_text(self) -> str:
        """Return what the cell shows, if the format only adds leading zeros.

        Raises ValueError for every other format: nobody could say which text is meant.
        """
        section = _bare(self.code)
        if self.is_integer() and _PADDED.fullmatch(section):
            return f"{int(self):0{len(section) + (self < 0)}}"
        raise ValueError(
            f"is shown differently from its value by the number format {self.code[:40]}; "
            "format the cell as text and write what it shows"
        )

    def check_amount(self, currency: str | None) -> None:
        """Raise ValueError if the cell shows another amount, or an amount in another currency."""
        section = _HIDDEN.sub("", _section(self.code))
        digits = _QUOTED.sub("", section)
        if "%" in digits or _SCALED.search(digits):
            raise ValueError(f"is shown as another number by the number format {self.code[:40]}")
        shown = _shown_currency(section)
        if shown and currency and not _is_of(shown, currency):
            raise ValueError(f"is shown in {shown} by its number format, but is in {currency}")


def is_odd(code: str) -> bool:
    """Return whether a number format shows more than a plain number, or something else."""
    return not _PLAIN.fullmatch(_bare(code))


def is_of_dates(code: str) -> bool:
    """Return whether a number format shows a number as a date or a time."""
    return bool(_DATES.search(_QUOTED.sub("", _HIDDEN.sub("", code))))


def _section(code: str) -> str:
    """Return the part of a format for numbers above zero."""
    is_quoted = False
    for place, letter in enumerate(code):
        if letter == '"':
            is_quoted = not is_quoted
        elif letter == ";" and not is_quoted:
            return code[:place]
    return code


def _bare(code: str) -> str:
    return _HIDDEN.sub("", _section(code)).strip()


def _shown_currency(section: str) -> str:
    """Return the sign or the code of the currency that a format shows."""
    literal = "".join(filter(None, (part for one in _QUOTED.findall(section) for part in one)))
    words = literal + _QUOTED.sub("", section)
    codes = [one for one in _CODE.findall(words) if is_currency(one)]
    return next(iter([*codes, *(sign for sign in words if sign in EURO_SIGN + SIGNS)]), "")


def _is_of(shown: str, currency: str) -> bool:
    """Return whether a sign or code can be of a currency. Many currencies have a dollar sign."""
    if len(shown) == len(EURO):
        return shown == currency
    return (shown == EURO_SIGN) == (currency == EURO)
