"""Turn a line of text into glyphs: choose fonts, order the scripts, shape the letters.

The first font that has a character is chosen for it; without a font, U+FFFD is drawn. Right-to-left
text is ordered by Unicode's bidirectional algorithm. HarfBuzz joins, stacks and places the letters.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, pairwise
from typing import Any, NamedTuple

import uharfbuzz as hb
from bidi import algorithm

from core.vouchers.pdf.fonts import Font, Place
from core.vouchers.pdf.scripts import find_font, usual_font

REPLACEMENT = "\ufffd"
JOINERS = "\u200c\u200d"
NO_LETTER = "\u200d"  # the copied text of a glyph that has no letter of its own

_NOT_PLAIN = re.compile(
    "[^\u0020-\u02ff\u0370-\u0377\u037a-\u037f\u0384-\u038a\u038c\u038e-\u03a1\u03a3-\u03e1\u03f0-\u0482\u048a-\u052f]"
)
_SKIN_TONES = ("\U0001f3fb", "\U0001f3ff")
_RTL = frozenset(("R", "AL", "AN"))
_STRONG = {"L": "L", "R": "R", "AL": "R", "EN": "R", "AN": "R"}
_BRACKETS = {"(": ")", "[": "]", "{": "}", "（": "）", "［": "］", "「": "」", "【": "】"}
_FEATURES = {"dlig": False}
MAX_KERNING = 100  # a longer move of the pen is read as a space


# A glyph: its number, its text (for search and copy), and for a mark its place.
Glyph = tuple[int, str, Place | None]


class Step(NamedTuple):
    """How far the pen moves before the glyph at `place`, beside the width of the glyph before."""

    place: int
    move: int


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Glyphs of one font, from left to right; measures are in thousandths of the size.

    A step is kerning: it moves the pen where the widths of the glyphs lead to another place.
    """

    font: Font
    glyphs: tuple[Glyph, ...]
    steps: tuple[Step, ...]
    is_emboldened: bool  # bold is imitated: the font has no bold
    width: int
    top: int
    bottom: int


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A line of text: its runs from left to right, its width, and the reach of its ink."""

    runs: tuple[Run, ...]
    width: int
    top: int
    bottom: int
    is_rtl: bool  # the direction of its paragraph


def bidi_levels(text: str) -> list[int]:
    """Return the bidirectional level of each character: odd levels run from right to left."""
    if is_plain(text) or not any(unicodedata.bidirectional(one) in _RTL for one in text):
        return [0] * len(text)
    storage: dict[str, Any] = algorithm.get_empty_storage()
    storage["base_level"] = algorithm.get_base_level(text)
    storage["base_dir"] = ("L", "R")[storage["base_level"]]
    algorithm.get_embedding_levels(text, storage)
    algorithm.explicit_embed_and_overrides(storage)
    algorithm.resolve_weak_types(storage)
    _pair_brackets(storage["chars"], "LR"[storage["base_level"]])
    algorithm.resolve_neutral_types(storage, False)
    algorithm.resolve_implicit_levels(storage, False)
    return [character["level"] for character in storage["chars"]]


def _pair_brackets(characters: list[dict[str, Any]], base: str) -> None:
    """Give both brackets of a pair one direction (UAX 9, rule N0; python-bidi lacks it)."""
    opened: list[tuple[str, int]] = []
    for place, character in enumerate(characters):
        sign = character["ch"]
        if sign in _BRACKETS:
            opened.append((_BRACKETS[sign], place))
        elif (
            closed := next((one for one in reversed(opened) if one[0] == sign), None)
        ) is not None:
            del opened[opened.index(closed) :]
            direction = _direction_of(characters, closed[1], place, base)
            if direction:
                characters[closed[1]]["type"] = character["type"] = direction


def _direction_of(characters: list[dict[str, Any]], first: int, last: int, base: str) -> str | None:
    def strong(part: Sequence[dict[str, Any]]) -> list[str]:
        return [_STRONG[one["type"]] for one in part if one["type"] in _STRONG]

    inside = set(strong(characters[first + 1 : last]))
    if not inside or base in inside:
        return base if inside else None
    before = strong(characters[:first])
    return before[-1] if before else base


def is_rtl(text: str) -> bool:
    """Whether a paragraph runs from right to left; its first letter decides."""
    return not is_plain(text) and bool(algorithm.get_base_level(text))


def make_line(text: str, levels: Sequence[int], *, is_bold: bool, is_rtl: bool = False) -> Line:
    """Shape a text as one line; `levels` are the levels of its characters in the paragraph."""
    if is_plain(text):
        runs = [_plain_run(text, is_bold)]
    else:
        runs = [
            _shape(font, part, is_rtl=level % 2 == 1, is_bold=is_bold)
            for level, font, part in _in_visual_order(_parts(_choose_fonts(text, is_bold), levels))
        ]
    return Line(
        tuple(runs),
        sum(run.width for run in runs),
        max((run.top for run in runs), default=0),
        min((run.bottom for run in runs), default=0),
        is_rtl,
    )


def is_plain(text: str) -> bool:
    """Whether a text needs one font and no ordering: Latin, Greek, Cyrillic, without marks."""
    return not _NOT_PLAIN.search(text)


def _plain_run(text: str, is_bold: bool) -> Run:
    """Join a run from its words; many are cached, such as dates and labels."""
    blank = _plain_word(" ", is_bold)
    words = [_plain_word(word, is_bold) for word in text.split(" ")]
    glyphs, steps, width = list(words[0].glyphs), list(words[0].steps), words[0].width
    for word in words[1:]:
        glyphs += blank.glyphs
        steps += [Step(len(glyphs) + step.place, step.move) for step in word.steps]
        glyphs += word.glyphs
        width += blank.width + word.width
    top, bottom = max(word.top for word in words), min(word.bottom for word in words)
    font = blank.font
    return Run(font, tuple(glyphs), tuple(steps), False, width, top, bottom)


@lru_cache(maxsize=4096)
def _plain_word(word: str, is_bold: bool) -> Run:
    return _shape(usual_font(is_bold=is_bold), word, is_rtl=False, is_bold=is_bold)


def _parts(chosen: list[tuple[str, Font]], levels: Sequence[int]) -> list[tuple[int, Font, str]]:
    """Group characters that have the same level and the same font."""
    groups = groupby(zip(levels, chosen, strict=True), key=lambda one: (one[0], one[1][1].name))
    parts = []
    for (level, _), group in groups:
        letters = [one for _, one in group]
        parts.append((level, letters[0][1], "".join(letter for letter, _ in letters)))
    return parts


def _in_visual_order(parts: list[tuple[int, Font, str]]) -> list[tuple[int, Font, str]]:
    """Reverse every run of a level or above, from the highest level to 1 (UAX 9, rule L2)."""
    for level in range(max((part[0] for part in parts), default=0), 0, -1):
        turned: list[tuple[int, Font, str]] = []
        for is_inside, group in groupby(parts, key=lambda part, at=level: part[0] >= at):  # type: ignore[misc]
            stretch = list(group)
            turned += reversed(stretch) if is_inside else stretch
        parts = turned
    return parts


def _choose_fonts(text: str, is_bold: bool) -> list[tuple[str, Font]]:
    """Choose each character's font; without one, U+FFFD (only one for a composed emoji)."""
    usual = usual_font(is_bold=is_bold)
    chosen: list[tuple[str, Font]] = []
    font: Font | None = usual
    is_missing = False  # whether no font has the last letter
    for place, character in enumerate(text):
        font = _font_of(character, font or usual, is_bold)
        if font is not None:
            chosen.append((character, font))
            is_missing = is_missing and character in JOINERS
        elif is_missing and (text[place - 1] in JOINERS or is_skin_tone(character)):
            chosen.append(("", usual))
        else:
            chosen.append((REPLACEMENT, usual))
            is_missing = True
    return chosen


def is_skin_tone(character: str) -> bool:
    """Whether a character only gives the emoji before it a colour."""
    return _SKIN_TONES[0] <= character <= _SKIN_TONES[1]


def _font_of(character: str, previous: Font, is_bold: bool) -> Font | None:
    """Find a font; for marks, blanks and signs, prefer the font of the letter before."""
    if unicodedata.category(character)[0] in "MZPSC" and previous.glyph(character) is not None:
        return previous
    return find_font(character, is_bold=is_bold)


def _shape(font: Font, text: str, *, is_rtl: bool, is_bold: bool) -> Run:
    buffer = hb.Buffer()
    buffer.cluster_level = hb.BufferClusterLevel.MONOTONE_CHARACTERS
    buffer.add_str(text)
    buffer.guess_segment_properties()
    buffer.direction = "rtl" if is_rtl else "ltr"
    hb.shape(font.shaper, buffer, _FEATURES)
    infos, positions = buffer.glyph_infos or [], buffer.glyph_positions or []  # None if no text
    numbers = [info.codepoint for info in infos]
    texts = _texts(text, [info.cluster for info in infos], numbers, font)
    steps, places, top, bottom = [], [], 0, 0
    pen = reached = 0  # `reached` is where the widths of the glyphs lead
    scaled, measure = font.scaled, font.measure
    for index, (number, (dx, dy, step, _)) in enumerate(
        zip(numbers, (position.position for position in positions), strict=True)
    ):
        width, low, high = measure(number)
        advance, place = scaled(step), None
        if dx or dy or (width and not advance) or advance - width > MAX_KERNING:
            place = Place(scaled(dx), scaled(dy), advance)
            width = advance
        if pen != reached:
            steps.append(Step(index, pen - reached))
        up = place.up if place else 0
        top, bottom = max(top, up + high), min(bottom, up + low)
        reached = pen + width
        pen += advance
        places.append(place)
    if reached != pen:
        steps.append(Step(len(numbers), pen - reached))
    glyphs = tuple(zip(numbers, texts, places, strict=True))
    return Run(font, glyphs, tuple(steps), is_bold and not font.is_bold, pen, top, bottom)


def _texts(text: str, starts: list[int], glyphs: list[int], font: Font) -> list[str]:
    """Return the text of each glyph: a letter, several (a ligature), or none of its own.

    Glyphs of one cluster can be in another order than its letters: a vowel sign before its letter.
    So that copied text keeps the order of the letters, the first such glyph has all that follow.
    """
    if starts == list(range(len(text))):
        return list(text)
    bounds = sorted({*starts, len(text)})
    ends = dict(pairwise(bounds))
    letters = {start: text[start:end] for start, end in ends.items()}
    shares = {start: starts.count(start) for start in ends}
    found = []
    for start, glyph in zip(starts, glyphs, strict=True):
        left, shares[start] = letters[start], shares[start] - 1
        is_next = shares[start] > 0 and left and font.glyph(left[0]) == glyph
        own = left[0] if is_next else left
        found.append(own or NO_LETTER)
        letters[start] = left[len(own) :]
    return found
