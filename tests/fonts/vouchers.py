"""The fonts of vouchers: TrueType outlines, each with the scripts of FALLBACKS alone."""

from collections.abc import Iterator
from pathlib import Path

from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont, newTable

from core.vouchers.pdf.fonts import FONTS
from core.vouchers.pdf.scripts import FALLBACKS
from tests.fonts.cutting import cut, open_cjk

RARE, OTHERS = "NotoSansCJK-Rare.ttf", "DroidSansFallback.ttf"
# Made earlier, of other parts of their fonts.
KEPT = {OTHERS, "OrderDeskHangul-Regular.ttf"} | {
    f"NotoSans{script}-Regular.ttf" for script in ("Arabic", "Hebrew", "Thai", "Devanagari")
}
# Space, joiners, the circle under a mark that stands alone, and the full stops of Indic scripts.
COMMON = {0x20, 0xA0, 0x200C, 0x200D, 0x25CC, 0x0964, 0x0965}
MAX_ERROR = 1.0  # of a curve, in thousandths of the size


def make_voucher_fonts(noto: Path, cjk: Path) -> Iterator[Path]:
    """Write the fonts of the vouchers that are made from Noto."""
    for name in sorted(FALLBACKS.keys() - KEPT - {RARE}):
        with TTFont(noto / name) as font:
            yield _save(cut(font, _of(name, font) | COMMON), name)
    with TTFont(FONTS / OTHERS) as others, open_cjk(cjk) as font:
        rare = _of(RARE, font) - set(others.getBestCmap())
        yield _save(_with_quadratic_curves(cut(font, rare, layout_features=[])), RARE)


def _of(name: str, font: TTFont) -> set[int]:
    ranges = FALLBACKS[name]
    return {
        code for code in font.getBestCmap() if any(first <= code <= last for first, last in ranges)
    }


def _save(font: TTFont, name: str) -> Path:
    font.save(FONTS / name)
    return FONTS / name


def _with_quadratic_curves(font: TTFont) -> TTFont:
    """Replace PostScript outlines by TrueType outlines."""
    glyphs, order = font.getGlyphSet(), font.getGlyphOrder()
    drawn = {}
    for name in order:
        pen = TTGlyphPen(None)
        error = MAX_ERROR * font["head"].unitsPerEm / 1000
        glyphs[name].draw(Cu2QuPen(pen, error, reverse_direction=True))
        drawn[name] = pen.glyph()
    for tag in ("CFF ", "GSUB", "GPOS", "GDEF"):
        if tag in font:
            del font[tag]
    font["loca"], font["glyf"] = newTable("loca"), newTable("glyf")
    font["glyf"].glyphOrder, font["glyf"].glyphs = order, drawn
    for name in order:
        advance, _ = font["hmtx"][name]
        drawn[name].recalcBounds(font["glyf"])
        font["hmtx"][name] = (advance, getattr(drawn[name], "xMin", 0))
    maxp = font["maxp"] = newTable("maxp")
    maxp.tableVersion, maxp.numGlyphs = 0x00010000, len(order)
    zeros = (
        "maxTwilightPoints maxStorage maxFunctionDefs maxInstructionDefs maxStackElements "
        "maxSizeOfInstructions"
    )
    vars(maxp).update(dict.fromkeys(zeros.split(), 0), maxZones=1)
    font["post"].formatType = 3.0
    font.sfntVersion = "\x00\x01\x00\x00"
    return font
