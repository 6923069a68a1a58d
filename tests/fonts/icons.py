"""The icons of the screen, of the 4,000 in the font: make icons."""

import hashlib
from pathlib import Path

from fontTools.ttLib import TTFont

from tests.docs import PROJECT
from tests.fonts.cutting import cut
from tests.fonts.named_icons import STREAMLIT, find_named_icons

FOLDER = PROJECT / "pages/static/fonts"


def make_icons() -> Path:
    """Cut the named icons out of Streamlit's font."""
    for old in FOLDER.glob("icons-*.woff2"):
        old.unlink()
    (source,) = STREAMLIT.glob("static/media/MaterialSymbols-Rounded.*.woff2")
    with TTFont(source) as font:
        names = find_named_icons()
        _keep_ligatures(font, names)
        letters = {ord(one) for name in names for one in name}
        icons = cut(font, letters, layout_features=["*"], name_IDs=["*"])
        icons.flavor = "woff2"
        icons.save(FOLDER / "new")
    content = (FOLDER / "new").read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:8]
    return (FOLDER / "new").rename(FOLDER / f"icons-{digest}.woff2")


def _keep_ligatures(font: TTFont, names: set[str]) -> None:
    """Leave only these names among the words that become an icon."""
    written = {glyph: chr(code) for code, glyph in font.getBestCmap().items()}
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for table in lookup.SubTable:
            table = getattr(table, "ExtSubTable", table)
            for first, ligatures in getattr(table, "ligatures", {}).items():
                table.ligatures[first] = [
                    one
                    for one in ligatures
                    if "".join(written.get(part, "?") for part in (first, *one.Component)) in names
                ]


if __name__ == "__main__":
    print(make_icons())
