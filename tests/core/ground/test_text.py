"""Texts fold the same in both cases and both forms, and sort without blocks of capitals."""

import random
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ground import fold, sort_key
from tests.core.query.plain_filter import order_of_text
from tests.core.random_rows import SCRIPTS, TEXTS

EVERY_TEXT = [*TEXTS, *SCRIPTS]
# Texts that often share their letters, or begin with all of another one.
ALIKE = st.text("aAáÁeE\u0301ßsŠ\x01\x02 zZ😀", max_size=6)


@pytest.mark.parametrize("text", EVERY_TEXT)
def test_both_cases_and_both_forms_fold_to_the_same(text: str) -> None:
    forms = [unicodedata.normalize(form, text) for form in ("NFC", "NFD")]
    assert {fold(form) for form in forms} == {fold(text)}
    assert {fold(form.upper()) for form in forms} == {fold(text.upper())}
    if text.upper().lower() == text.lower():  # not for ı, whose capital is I
        assert fold(text.upper()) == fold(text.lower()) == fold(text)


def test_folding_again_changes_nothing() -> None:
    for code in range(sys.maxunicode + 1):
        once = fold(chr(code))
        assert fold(once) == once, hex(code)


def test_capitals_and_accents_sort_beside_their_letters() -> None:
    names = ["Zoe", "émile", "ana", "Émile", "Emile", "Ana", "bob", "emile", "Ünal", "zoe", "una"]
    ordered = ["Ana", "ana", "bob", "Emile", "emile", "Émile", "émile", "una", "Ünal", "Zoe", "zoe"]
    assert sorted(names, key=sort_key) == ordered
    assert sorted(names) != ordered


@given(one=ALIKE | st.sampled_from(EVERY_TEXT), other=ALIKE | st.sampled_from(EVERY_TEXT))
def test_keys_sort_as_the_letters_then_the_folded_text_then_the_text(one: str, other: str) -> None:
    assert (sort_key(one) < sort_key(other)) == (order_of_text(one) < order_of_text(other))
    assert (sort_key(one) == sort_key(other)) == (one == other)


def test_long_texts_have_short_keys_of_their_own() -> None:
    drawn = random.Random(3)
    long = ["".join(drawn.choices("aÄ𝔸", k=5_000)) for _ in range(50)]
    long += [f"{long[0]}{end}" for end in ("a", "b")] + ["é" * 100, "é" * 101]
    keys = [sort_key(text) for text in long]
    assert len(set(keys)) == len(long)
    assert max(len(key.encode()) for key in keys) < 1_300
    assert keys == [sort_key(text) for text in long]
