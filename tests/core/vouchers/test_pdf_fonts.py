"""The fonts of a voucher's PDF: which one has a character, and when it is loaded."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.vouchers.pdf.document import _first_frame, render_voucher
from core.vouchers.pdf.fonts import FONTS, Font, Place, load_font
from core.vouchers.pdf.glyphs import _plain_word
from core.vouchers.pdf.scripts import BOLD, FALLBACKS, REGULAR, find_font, usual_font
from core.vouchers.pdf.subset import subset
from core.vouchers.pdf.text import fit, shape_line
from tests.vouchers import BRANDING, make_voucher


@pytest.fixture
def nothing_loaded() -> Iterator[None]:
    caches = (load_font, find_font, fit, shape_line, _plain_word, _first_frame)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


def characters_of(file: str) -> set[str]:
    font = load_font(file)
    return {chr(code) for code in font.shaper.face.unicodes if code >= 0x20}


@pytest.mark.parametrize("file", FALLBACKS)
def test_every_character_of_a_font_is_found(file: str) -> None:
    fonts = [find_font(one, is_bold=False) for one in characters_of(file)]
    found = {None if one is None else one.name for one in fonts}
    assert None not in found
    assert Path(file).stem in found


def test_a_character_that_no_font_has_is_not_found() -> None:
    assert find_font("\U00013000", is_bold=False) is None
    assert find_font("🛋", is_bold=True) is None


def test_every_font_file_is_used() -> None:
    assert {path.name for path in FONTS.glob("*.ttf")} == {REGULAR, BOLD, *FALLBACKS}


def test_both_weights_of_noto_sans_have_the_same_characters() -> None:
    assert characters_of(REGULAR) == characters_of(BOLD)


@pytest.mark.usefixtures("nothing_loaded")
def test_a_plain_voucher_loads_noto_sans_alone() -> None:
    render_voucher(make_voucher(), BRANDING)
    assert load_font.cache_info().currsize == 2
    render_voucher(make_voucher(passenger_name="ნინო 𠮷"), BRANDING)
    assert load_font.cache_info().currsize == 4


def test_a_placed_glyph_is_drawn_at_its_place(tmp_path: Path) -> None:
    font = usual_font(is_bold=False)
    mark = font.glyph("\u0301")
    assert mark is not None
    path = tmp_path / "made.ttf"
    path.write_bytes(subset(font, [(0, None), (mark, Place(-120, 80, 7)), (mark, None)]))
    made = Font(path)
    moved, usual = made.shaper.get_glyph_extents(1), made.shaper.get_glyph_extents(2)
    assert usual == font.shaper.get_glyph_extents(mark)
    assert (moved.x_bearing, moved.y_bearing) == (usual.x_bearing - 120, usual.y_bearing + 80)
    assert (moved.width, moved.height) == (usual.width, usual.height)
    assert made.metrics(1)[0] == 7
    assert made.metrics(2) == font.metrics(mark)
