"""Characters that nobody sees: which are dropped around a text, and which deceive inside an ID."""

from core.ground import find_invisible, trim

DIRECTIONS = "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def test_blanks_and_zero_width_characters_around_a_text_are_dropped() -> None:
    around = "\u200b\ufeff\u00a0\u3000\u2060\u00ad \t\r\n\u200d"
    assert trim(f"{around}A\u200b 1{around}") == "A\u200b 1"
    assert trim(around) == ""


def test_what_changes_the_direction_is_not_dropped_but_found() -> None:
    for character in DIRECTIONS:
        assert trim(f"{character}A1") == f"{character}A1"
        assert find_invisible(f"A{character}1") == character


def test_letters_without_a_shape_controls_and_line_breaks_are_found() -> None:
    for character in "\u3164\u115f\uffa0\u2800\u034f\ufe0f\U000e0100\x01\x7f\x85\n\t\u2028":
        assert find_invisible(f"A{character}1") == character
        assert find_invisible(f"Ä{character}1") == character


def test_what_people_can_see_is_not_found() -> None:
    for text in ("A-1", "Ä-1", "ЗАКАЗ-7", "ไทย", "שלום", "e\u0301", "\u00a0"):
        assert find_invisible(text) is None
