"""The font files of vouchers: look up glyphs, measure them, and read their outlines."""

import struct
import sys
from array import array
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

import uharfbuzz as hb

from core.ground import OutsideFailed

FONTS = Path(__file__).parent / "fonts"
EM = 1000  # every measure here is in thousandths of the font's size
_REQUIRED_TABLES = ("head", "hhea", "maxp", "hmtx", "loca", "glyf")


class FontFault(OutsideFailed):
    """A font file is missing or damaged."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"The font {path} {reason}, so vouchers cannot be made. Install Order Desk again, or "
            "restore the file."
        )


class Measure(NamedTuple):
    """The measures of a glyph, in thousandths of the size; below the baseline is negative."""

    advance: int
    bottom: int
    top: int


class Place(NamedTuple):
    """Where a glyph is drawn relative to the pen, and how far the pen moves then.

    The place is a part of the embedded glyph, not a move of the pen: whoever reads the text of a
    PDF takes such moves for spaces and new lines.
    """

    right: int
    up: int
    advance: int


class Font:
    """A TrueType font, read once."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        self._measures: dict[int, Measure] = {}
        try:
            self._data = path.read_bytes()
            self._tables = self._read_tables()
            self.shaper = hb.Font(hb.Face(hb.Blob(self._data)))
            self._scale: float = EM / self.shaper.face.upem
            self._offsets = self._read_offsets()
        except OSError as error:
            raise FontFault(path, f"cannot be read ({error.strerror})") from error
        except (struct.error, ValueError, ZeroDivisionError, hb.HarfBuzzError) as error:
            raise FontFault(path, "is damaged") from error

    @property
    def is_bold(self) -> bool:
        """Whether the font itself is bold."""
        return self.name.endswith("-Bold")

    def glyph(self, character: str) -> int | None:
        """Return the glyph of a character; None if the font has no glyph for it."""
        found = self.shaper.get_nominal_glyph(ord(character))
        return int(found) if found else None

    def scaled(self, units: float) -> int:
        """Convert font units to thousandths of the size."""
        return round(units * self._scale)

    def units(self, thousandths: int) -> int:
        """Convert thousandths of the size to font units."""
        return round(thousandths / self._scale)

    def measure(self, glyph: int) -> Measure:
        """Return the width of a glyph, and its reach below and above the baseline."""
        known = self._measures.get(glyph)
        if known is None:
            extents = self.shaper.get_glyph_extents(glyph)
            bottom, top = (extents.height, extents.y_bearing) if extents else (0, 0)
            known = self._measures[glyph] = Measure(
                self.scaled(self.shaper.get_glyph_h_advance(glyph)),
                self.scaled(top + bottom),
                self.scaled(top),
            )
        return known

    @cached_property
    def bounds(self) -> list[int]:
        """The box around all glyphs: left, bottom, right, top."""
        return [self.scaled(value) for value in struct.unpack(">4h", self.table("head")[36:44])]

    @cached_property
    def ascent_descent(self) -> tuple[int, int]:
        """The usual reach of letters above and below (negative) the baseline."""
        ascent, descent = struct.unpack(">2h", self.table("hhea")[4:8])
        return self.scaled(ascent), self.scaled(descent)

    def _read_tables(self) -> dict[str, tuple[int, int]]:
        count = struct.unpack(">H", self._data[4:6])[0]
        found = {}
        for number in range(count):
            tag, _, offset, length = struct.unpack_from(">4s3I", self._data, 12 + 16 * number)
            if offset + length > len(self._data):
                raise ValueError("a table ends after the file")
            found[tag.decode("latin-1")] = (offset, length)
        if missing := set(_REQUIRED_TABLES) - set(found):
            raise ValueError(f"there is no table {missing}")
        return found

    def table(self, tag: str) -> bytes:
        """Return a table of the file."""
        offset, length = self._tables[tag]
        return self._data[offset : offset + length]

    def _read_offsets(self) -> "array[int]":
        is_long = struct.unpack(">h", self.table("head")[50:52])[0]
        offsets = array("I" if is_long else "H", self.table("loca"))
        if sys.byteorder == "little":
            offsets.byteswap()
        return offsets if is_long else array("I", [offset * 2 for offset in offsets])

    def outline(self, glyph: int) -> bytes:
        """Return the shape of a glyph as the file has it; empty for a blank."""
        return self._glyf[self._offsets[glyph] : self._offsets[glyph + 1]]

    def metrics(self, glyph: int) -> tuple[int, int]:
        """Return the width and left bearing of a glyph, in font units."""
        table, count = self._hmtx, self._full_metrics
        if glyph < count:
            width, bearing = struct.unpack_from(">Hh", table, 4 * glyph)
        else:  # the last glyphs share one width
            (width,) = struct.unpack_from(">H", table, 4 * count - 4)
            (bearing,) = struct.unpack_from(">h", table, 4 * count + 2 * (glyph - count))
        return width, bearing

    @cached_property
    def _glyf(self) -> bytes:
        return self.table("glyf")

    @cached_property
    def _hmtx(self) -> bytes:
        return self.table("hmtx")

    @cached_property
    def _full_metrics(self) -> int:
        return int(struct.unpack(">H", self.table("hhea")[34:36])[0])


@cache
def load_font(file: str) -> Font:
    """Return a font of this package, from a cache; raises FontFault if it is missing or damaged."""
    return Font(FONTS / file)
