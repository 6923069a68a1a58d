"""Which font file has which scripts. Except for Noto Sans, a font is loaded at its first use."""

from functools import lru_cache

from core.vouchers.pdf.fonts import FONTS, Font, load_font

REGULAR, BOLD = "NotoSans-Regular.ttf", "NotoSans-Bold.ttf"
# Tried in this order if Noto Sans lacks a character, each for its own code points only. They have
# no bold, so it is imitated.
FALLBACKS: dict[str, tuple[tuple[int, int], ...]] = {
    "NotoSansArabic-Regular.ttf": (
        (0x0600, 0x06FF),
        (0x0750, 0x077F),
        (0x08A0, 0x08FF),
        (0xFB50, 0xFDFF),
        (0xFE70, 0xFEFF),
    ),
    "NotoSansHebrew-Regular.ttf": ((0x0590, 0x05FF), (0xFB1D, 0xFB4F)),
    "NotoSansThai-Regular.ttf": ((0x0E00, 0x0E7F),),
    "NotoSansDevanagari-Regular.ttf": (
        (0x0900, 0x097F),
        (0x1CD0, 0x1CFF),
        (0xA830, 0xA83F),
        (0xA8E0, 0xA8FF),
        (0x2212, 0x2212),
    ),
    "NotoSansArmenian-Regular.ttf": ((0x0530, 0x058F), (0xFB13, 0xFB17)),
    "NotoSansSyriac-Regular.ttf": ((0x0700, 0x074F), (0x0860, 0x086F)),
    "NotoSansThaana-Regular.ttf": ((0x0780, 0x07BF),),
    "NotoSansNKo-Regular.ttf": ((0x07C0, 0x07FF),),
    "NotoSansBengali-Regular.ttf": ((0x0980, 0x09FF),),
    "NotoSansGurmukhi-Regular.ttf": ((0x0A00, 0x0A7F),),
    "NotoSansGujarati-Regular.ttf": ((0x0A80, 0x0AFF),),
    "NotoSansOriya-Regular.ttf": ((0x0B00, 0x0B7F),),
    "NotoSansTamil-Regular.ttf": ((0x0B80, 0x0BFF),),
    "NotoSansTelugu-Regular.ttf": ((0x0C00, 0x0C7F),),
    "NotoSansKannada-Regular.ttf": ((0x0C80, 0x0CFF),),
    "NotoSansMalayalam-Regular.ttf": ((0x0D00, 0x0D7F),),
    "NotoSansSinhala-Regular.ttf": ((0x0D80, 0x0DFF), (0x111E0, 0x111FF)),
    "NotoSansLao-Regular.ttf": ((0x0E80, 0x0EFF),),
    "NotoSerifTibetan-Regular.ttf": ((0x0F00, 0x0FFF),),
    "NotoSansMyanmar-Regular.ttf": ((0x1000, 0x109F), (0xA9E0, 0xA9FF), (0xAA60, 0xAA7F)),
    "NotoSansGeorgian-Regular.ttf": ((0x10A0, 0x10FF), (0x1C90, 0x1CBF), (0x2D00, 0x2D2F)),
    "NotoSansEthiopic-Regular.ttf": ((0x1200, 0x139F), (0x2D80, 0x2DDF), (0xAB00, 0xAB2F)),
    "NotoSansCherokee-Regular.ttf": ((0x13A0, 0x13FF), (0xAB70, 0xABBF)),
    "NotoSansCanadianAboriginal-Regular.ttf": ((0x1400, 0x167F), (0x18B0, 0x18FF)),
    "NotoSansKhmer-Regular.ttf": ((0x1780, 0x17FF), (0x19E0, 0x19FF)),
    "NotoSansMongolian-Regular.ttf": ((0x1800, 0x18AF), (0x11660, 0x1167F)),
    "NotoSansOlChiki-Regular.ttf": ((0x1C50, 0x1C7F),),
    "NotoSansTifinagh-Regular.ttf": ((0x2D30, 0x2D7F),),
    "NotoSansMeeteiMayek-Regular.ttf": ((0xAAE0, 0xAAFF), (0xABC0, 0xABFF)),
    "NotoSansAdlam-Regular.ttf": ((0x1E900, 0x1E95F),),
    "NotoSansYi-Regular.ttf": ((0xA000, 0xA4CF),),
    "OrderDeskHangul-Regular.ttf": ((0x3130, 0x318F), (0xAC00, 0xD7A3)),
    "DroidSansFallback.ttf": (
        (0x1100, 0x11FF),
        (0x3000, 0x9FFF),
        (0xF900, 0xFAFF),
        (0xFE30, 0xFE4F),
        (0xFF00, 0xFFEF),
    ),
    "NotoSansCJK-Rare.ttf": (
        (0x2E80, 0x9FFF),
        (0xA960, 0xA97F),
        (0xD7B0, 0xD7FF),
        (0xF900, 0xFAFF),
        (0xFE10, 0xFE4F),
        (0xFF00, 0xFFEF),
        (0x1B000, 0x1B16F),
        (0x1F200, 0x1F2FF),
        (0x20000, 0x3FFFF),
    ),
}


def usual_font(*, is_bold: bool) -> Font:
    """Return Noto Sans, which most texts need alone."""
    return load_font(BOLD if is_bold else REGULAR)


@lru_cache(maxsize=4096)
def find_font(character: str, *, is_bold: bool) -> Font | None:
    """Find the first font that has a character; None if no font has it."""
    usual, code = usual_font(is_bold=is_bold), ord(character)
    if usual.glyph(character) is not None:
        return usual
    for file, ranges in FALLBACKS.items():
        if any(first <= code <= last for first, last in ranges):
            font = load_font(file)
            if font.glyph(character) is not None:
                return font
    return None


def check_fonts() -> None:
    """Read every font file, and keep only Noto Sans in memory; raises FontFault."""
    for is_bold in (False, True):
        usual_font(is_bold=is_bold)
    for file in FALLBACKS:
        Font(FONTS / file)
