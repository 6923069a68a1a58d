"""Number formats of cells: what Excel shows of a value, if it is not the value itself.

Only these formats matter to an import: 000123 may be the number 123, and 38.50 % is 0.385.
"""

import re
from functools import lru_cache
from typing import Self

from core.imports.signs import is_currency_sign

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
_PLACES = re.compile(r"general|standard|[0#?.,@ ]|E[+-]0+|\?/\?+|/", re.IGNORECASE)
_DIGITS = re.compile("[0#?@]|general|standard", re.IGNORECASE)
_SPLIT = re.compile("[0#?][^0#?\ue000]*\ue000[^0#?]*[0#?]")  # digits with a text between them
_CONDITION = re.compile(r"\[(<=|>=|<>|<|>|=)(-?\d+(?:\.\d+)?)\]")
CLOSING, ESCAPING = {'"': '"', "[": "]"}, "\\_*"
_NUMBERS = 3  # sections for numbers: above zero, below zero, zero; the next one is for text


class _Shown:
    """What is common to numbers and texts: how they name their format."""

    code: str

    def _refusal(self) -> ValueError:
        return ValueError(
            f"is shown differently from its value by the number format {self.code[:40]}; "
            "format the cell as text and write what it shows"
        )


class FormattedText(_Shown, str):
    """The text of a cell whose format shows something else: "OD-"@ adds to it, ;;; hides it."""

    def __new__(cls, text: str, code: str) -> Self:
        """Make a text that remembers its format."""
        made = super().__new__(cls, text)
        made.code = code
        return made

    def refuse(self) -> None:
        """Raise ValueError: nobody could say which text is meant."""
        raise self._refusal()


class Formatted(_Shown, float):
    """The number of a cell whose number format shows more than the number, or something else."""

    def __new__(cls, number: float, code: str) -> Self:
        """Make a number that remembers its format."""
        made = super().__new__(cls, number)
        made.code = code
        return made

    def as_text(self) -> str:
        """Return what the cell shows, if the format adds nothing but leading zeros.

        Raises ValueError for every other format: nobody could say which text is meant.
        """
        section, has_sign = _section(self.code, self)
        bare = _HIDDEN.sub("", section).strip()
        if self < 0 and has_sign:
            if not bare.startswith("-"):
                raise self._refusal()
            bare = bare.removeprefix("-")
        sign = "-" * (self < 0)
        if self.is_integer() and _PADDED.fullmatch(bare):
            return f"{sign}{abs(int(self)):0{len(bare)}}"
        if bare and _PLAIN.fullmatch(bare) and (self or "#" not in bare or "0" in bare):
            return repr(float(self)).removesuffix(".0")
        raise self._refusal()

    def check_number(self) -> None:
        """Raise ValueError if the cell shows another number, or none."""
        section, has_sign = _section(self.code, self)
        if not self:
            return  # zero: accounts show a dash, or nothing
        literal, places = _literal(section), _QUOTED.sub(_marked, _HIDDEN.sub("", section))
        is_negative = any(sign in literal for sign in "-−()")
        if (
            not _DIGITS.search(places)
            or re.search(r"[%\d]", literal)
            or _SCALED.search(places)
            or _SPLIT.search(places)
            or is_negative != (self < 0 and has_sign)
        ):
            raise ValueError(f"is shown as another number by the number format {self.code[:40]}")

    def check_amount(self, currency: str) -> None:
        """Raise ValueError if the cell shows another amount, or an amount in another currency."""
        self.check_number()
        if not self:
            return
        sign = _literal(_section(self.code, self)[0]).strip(" -−+()'’\u00a0\u202f")
        if sign and not is_currency_sign(sign, currency):
            raise ValueError(f"is shown in {sign} by its number format, but is in {currency}")


def is_odd(code: str) -> bool:
    """Return whether a number format shows more than a plain number, or something else."""
    sections = _split(code)
    above, *others = (_HIDDEN.sub("", one).strip() for one in sections[:_NUMBERS])
    if _CONDITION.search(code) or (others and not above) or not _PLAIN.fullmatch(above):
        return True
    below, *zero = others or ["-0"]
    shown = [below.removeprefix("-"), *zero]
    return below[:1] != "-" or not all(one and _PLAIN.fullmatch(one) for one in shown)


def is_odd_for_text(code: str) -> bool:
    """Return whether a number format shows something else than a text itself."""
    sections = _split(code)
    if len(sections) > _NUMBERS:
        return _bare_text(sections[_NUMBERS]) != "@"
    return "@" in _QUOTED.sub("", sections[-1]) and _bare_text(sections[-1]) != "@"


def is_of_dates(code: str) -> bool:
    """Return whether a number format shows a number as a date or a time."""
    return bool(_DATES.search(_QUOTED.sub("", _HIDDEN.sub("", code))))


@lru_cache(maxsize=1_000)
def _split(code: str) -> list[str]:
    """Return the sections of a format: for numbers above zero, below zero, zero, and texts."""
    sections, begin, place = [], 0, 0
    while place < len(code):
        if code[place] == ";":
            sections.append(code[begin:place])
            begin = place + 1
        place = _end_of_token(code, place)
    return [*sections, code[begin:]]


def _end_of_token(code: str, place: int) -> int:
    """Return where a quoted text, brackets, an escaped letter or a single one ends."""
    letter = code[place]
    if letter in CLOSING:
        return max(code.find(CLOSING[letter], place + 1), place) + 1
    return place + (2 if letter in ESCAPING else 1)


def _section(code: str, number: float) -> tuple[str, bool]:
    """Return the section that shows a number, and whether its sign is written in the section."""
    sections = _split(code)[:_NUMBERS]
    if any(map(_CONDITION.search, sections)):
        for place, one in enumerate(sections):
            found = _CONDITION.search(one)
            if _is_met(found, number) if found else place > 0:
                return one, found is not None and found[1] == "<" and float(found[2]) <= 0
        return "", False
    if number < 0 and len(sections) > 1:
        return sections[1], True
    if number == 0 and len(sections) >= _NUMBERS:
        return sections[2], False
    return sections[0], False


def _is_met(condition: re.Match[str], number: float) -> bool:
    limit = float(condition[2])
    return {
        "<": number < limit, "<=": number <= limit, ">": number > limit, ">=": number >= limit,
        "=": number == limit, "<>": number != limit,
    }[condition[1]]  # fmt: skip


def _bare_text(section: str) -> str:
    return _HIDDEN.sub("", section).strip()


def _marked(quoted: re.Match[str]) -> str:
    """Replace a text by a mark, unless it only separates thousands."""
    return "" if "".join(filter(None, quoted.groups())).strip(" '’\u00a0\u202f") == "" else "\ue000"


def _literal(section: str) -> str:
    """Return the signs and words that a section shows beside the digits."""
    bare = _HIDDEN.sub("", section)
    quoted = "".join(filter(None, (part for one in _QUOTED.findall(bare) for part in one)))
    return quoted + _PLACES.sub("", _QUOTED.sub("", bare))
