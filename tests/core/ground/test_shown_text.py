"""Characters that change the direction of text are shown."""

import unicodedata

from core.ground import show_controls
from core.ground.text import BIDI_CONTROLS

DIRECTIONS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def test_each_control_is_shown_by_its_code_point() -> None:
    assert show_controls("OD-\u202e1") == "OD-⟨U+202E⟩1"
    assert show_controls("\u2066A\u2069 \u200f") == "⟨U+2066⟩A⟨U+2069⟩ ⟨U+200F⟩"
    for one in BIDI_CONTROLS:
        assert one not in show_controls(f"a{one}b")


def test_every_control_of_unicode_is_known() -> None:
    codes = map(chr, range(0x110000))
    marks = {"\u061c", "\u200e", "\u200f"}
    found = {one for one in codes if unicodedata.bidirectional(one) in DIRECTIONS} | marks
    assert set(BIDI_CONTROLS) == found


def test_other_texts_stay_as_they_are() -> None:
    for text in ("OD-1", "محمد", "יוסף", "क्‍ष", "a\u200bb\u2060c", "👨‍👩‍👧"):
        assert show_controls(text) == text
