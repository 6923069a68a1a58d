"""Cut a part out of a font with fonttools."""

from collections.abc import Iterable
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTCollection, TTFont

SIMPLIFIED = "Noto Sans CJK SC"


def open_cjk(collection: Path) -> TTFont:
    """Open the font for simplified Chinese of a collection."""
    fonts = TTCollection(str(collection), lazy=True).fonts
    return next(one for one in fonts if one["name"].getDebugName(4) == SIMPLIFIED)


def cut(font: TTFont, characters: Iterable[int], **chosen: object) -> TTFont:
    """Leave only these characters in a font, and what shapes them; without hinting."""
    options = Options(hinting=False, notdef_outline=True, name_IDs=[0, 1, 2, 4, 6, 13, 14])
    options.drop_tables += ["MVAR", "STAT", "BASE", "VORG", "vhea", "vmtx"]
    for name, value in chosen.items():
        setattr(options, name, value)
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=set(characters))
    subsetter.subset(font)
    font.recalcTimestamp = False
    return font
