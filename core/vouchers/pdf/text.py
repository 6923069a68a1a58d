"""Fit text of any script into a box: break it into lines at the largest size that fits.

The real height of each line is measured, so lines never touch, even with many accents.
"""

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from core.vouchers.pdf.fonts import EM
from core.vouchers.pdf.glyphs import (
    JOINERS,
    Line,
    bidi_levels,
    is_plain,
    is_rtl,
    is_skin_tone,
    make_line,
)
from core.vouchers.pdf.scripts import find_font

MAX_CHARACTERS = 1500  # a longer text is cut and ends with an ellipsis
MAX_MARKS = 6  # combining marks per letter; Burmese needs five, no language more than six
LEADING = 1.28  # from baseline to baseline, as a multiple of the size
MIN_GAP = 60  # between the ink of two lines
MIN_ASCENT, MIN_DESCENT = 760, -240  # of a line

_NEVER_FIRST = frozenset("!%),.:;?]}»›’”…。，、．！？：；）］｝」』】〉》〕ー々ゝゞ・％")
_NEVER_LAST = frozenset("([{«‹‘“（［｛「『【〈《〔")
# Thai and Lao vowels that are letters of their own: before or after their consonant.
_VOWELS_BEFORE = frozenset("เแโใไເແໂໃໄ")
_VOWELS_AFTER = frozenset("ะาำະາຳ")
_VARIATIONS = ((0xFE00, 0xFE0F), (0xE0100, 0xE01EF))  # select a variant; the fonts have none
_BREAKS_ANYWHERE = (
    (0x2E80, 0x9FFF),
    (0xA000, 0xA4CF),
    (0xAC00, 0xD7A3),
    (0xF900, 0xFAFF),
    (0xFF00, 0xFFEF),
    (0x20000, 0x3FFFF),
)
_PARTING = "\u0f0b\u1361"  # the signs between syllables of Tibetan and words of Ethiopic
_VIRAMA = 9  # Unicode's combining class of signs that join a letter to the next one


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Lines that fit a box at `size`, each with its baseline in points below the box's top."""

    size: float
    lines: tuple[tuple[float, Line], ...]
    width: float
    height: float


@lru_cache(maxsize=1024)
def shape_line(text: str, *, is_bold: bool = False) -> Line:
    """Shape a text as one line of any length."""
    text = clean_text(text)
    return make_line(text, bidi_levels(text), is_bold=is_bold)


@lru_cache(maxsize=512)
def fit(
    text: str,
    width: float,
    height: float,
    *,
    size: float,
    min_size: float = 3,
    is_bold: bool = False,
) -> Block:
    """Break a text into lines that fit a box (in points), at the largest possible size.

    The size is at most `size`. If the text does not fit at `min_size`, it is shortened. Every line
    break in the text starts a paragraph.
    """
    paragraphs = [clean_text(part) for part in text[:MAX_CHARACTERS].splitlines()]
    while True:
        block = _lay_out(paragraphs, width, size, is_bold)
        if block.height <= height:
            return block
        if size > min_size:
            size = max(min_size, size * 0.94)
        else:
            paragraphs = _shortened(paragraphs)


def clean_text(text: str) -> str:
    """Compose a text and remove characters that cannot be drawn, such as controls.

    Characters that change the direction of text are removed too. White space becomes single spaces.
    A letter keeps at most MAX_MARKS combining marks.
    """
    if is_plain(text) and text.isprintable() and len(text) <= MAX_CHARACTERS:
        return " ".join(text.split())
    composed = unicodedata.normalize("NFC", text[: MAX_CHARACTERS + 1])
    kept: list[str] = []
    marks = 0
    for character in composed:
        category = unicodedata.category(character)
        if category in ("Cc", "Zs", "Zl", "Zp"):
            character, category = " ", "Zs"
        elif _is_dropped(character, category):
            continue
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks <= MAX_MARKS and not (character == " " and kept[-1:] == [" "]):
            kept.append(character)
    cleaned = "".join(kept).strip()
    return cleaned if len(composed) <= MAX_CHARACTERS else f"{cleaned[:MAX_CHARACTERS]}…"


def unprintable(text: str) -> str:
    """Return the characters of a text that no font has, each once; a voucher shows � for them."""
    if is_plain(text):
        return ""
    return "".join(
        character
        for character in dict.fromkeys(clean_text(text))
        if not is_skin_tone(character) and find_font(character, is_bold=False) is None
    )


def _is_dropped(character: str, category: str) -> bool:
    if category in ("Cf", "Cs"):
        return character not in JOINERS
    return _is_in(character, _VARIATIONS)


def _shortened(paragraphs: list[str]) -> list[str]:
    *others, last = paragraphs
    words = last.rstrip("…")
    return [*others, words[: len(words) * 9 // 10].rstrip() + "…"] if len(words) > 9 else others


def _lay_out(paragraphs: Sequence[str], width: float, size: float, is_bold: bool) -> Block:
    lines: list[tuple[float, Line]] = []
    baseline, bottom = 0.0, 0.0
    for line in (one for text in paragraphs for one in _wrap(text, width * EM / size, is_bold)):
        usual = baseline + LEADING * size if lines else max(MIN_ASCENT, line.top) * size / EM
        baseline = max(usual, bottom + (line.top + MIN_GAP) * size / EM)
        bottom = baseline - line.bottom * size / EM
        lines.append((baseline, line))
    height = max(bottom, baseline - MIN_DESCENT * size / EM) if lines else 0.0
    widest = max((line.width for _, line in lines), default=0) * size / EM
    return Block(size, tuple(lines), widest, height)


def _wrap(text: str, width: float, is_bold: bool) -> Iterator[Line]:
    """Break a paragraph into lines; `width` is in thousandths of the size."""
    levels = bidi_levels(text)
    if (whole := make_line(text, levels, is_bold=is_bold)).width <= width:
        if text:
            yield whole
        return
    start = end = 0
    taken = 0.0
    for stop, advance in _pieces(text, width, is_bold):
        if taken + advance > width and end > start:
            yield from _sub_line(text, levels, start, end, is_bold)
            start, taken = end, 0.0
        taken += advance + _blank(text, stop, is_bold)
        end = stop
    if end > start:
        yield from _sub_line(text, levels, start, end, is_bold)


def _sub_line(
    text: str, levels: Sequence[int], start: int, end: int, is_bold: bool
) -> Iterator[Line]:
    part = text[start:end].strip()
    if part:
        start = text.index(part, start)
        inside = levels[start : start + len(part)]
        yield make_line(part, inside, is_bold=is_bold, is_rtl=is_rtl(text))


def _pieces(text: str, width: float, is_bold: bool) -> Iterator[tuple[int, float]]:
    """Yield each place for a line break, and the width of the piece before it without blanks."""
    for start, stop in _spans(text, _may_break):
        advance = _width(text[start:stop].rstrip(), is_bold)
        if advance <= width:
            yield stop, advance
            continue
        for first, last in _spans(text[start:stop], _is_letter_end):
            yield start + last, _width(text[start + first : start + last].rstrip(), is_bold)


def _blank(text: str, stop: int, is_bold: bool) -> float:
    return _width(" ", is_bold) if text[stop - 1 : stop] == " " else 0.0


@lru_cache(maxsize=4096)
def _width(text: str, is_bold: bool) -> int:
    return make_line(text, bidi_levels(text), is_bold=is_bold).width


def _spans(text: str, may_break: Callable[[str, str], bool]) -> Iterator[tuple[int, int]]:
    start = 0
    for place in range(1, len(text)):
        if may_break(text[place - 1], text[place]):
            yield start, place
            start = place
    if text:
        yield start, len(text)


def _may_break(before: str, after: str) -> bool:
    if before == " ":
        return after != " "
    if before.isalnum() and after.isalnum() and before.isascii() and after.isascii():
        return False
    if after == " " or not _is_letter_end(before, after):
        return False
    if after in _NEVER_FIRST or before in _NEVER_LAST:
        return False
    if (before in "-‐–—/" and after.isalpha()) or before in _PARTING:
        return True
    return _is_ideographic(before) or _is_ideographic(after)


def _is_ideographic(character: str) -> bool:
    return _is_in(character, _BREAKS_ANYWHERE)


def _is_in(character: str, ranges: Sequence[tuple[int, int]]) -> bool:
    return any(first <= ord(character) <= last for first, last in ranges)


def _is_letter_end(before: str, after: str) -> bool:
    """Whether a letter ends between two characters: not before a mark or inside a syllable."""
    if unicodedata.category(after)[0] == "M" or after in JOINERS or before in JOINERS:
        return False
    is_thai_or_lao_vowel = before in _VOWELS_BEFORE or after in _VOWELS_AFTER
    return not is_thai_or_lao_vowel and unicodedata.combining(before) != _VIRAMA
