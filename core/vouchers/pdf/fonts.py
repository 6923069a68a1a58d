"""The font files of vouchers: look up glyphs, measure them, and make subsets to embed."""

import struct
import sys
from array import array
from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

import uharfbuzz as hb

from core.ground import OutsideFailed

FONTS = Path(__file__).parent / "fonts"
REGULAR, BOLD = "NotoSans-Regular.ttf", "NotoSans-Bold.ttf"
# Tried in this order if Noto Sans lacks a character. They have no bold, so it is imitated.
FALLBACKS = (
    "NotoSansArabic-Regular.ttf",
    "NotoSansHebrew-Regular.ttf",
    "NotoSansThai-Regular.ttf",
    "NotoSansDevanagari-Regular.ttf",
    "DroidSansFallback.ttf",
    "OrderDeskHangul-Regular.ttf",
)
EM = 1000  # every measure here is in thousandths of the font's size
_REQUIRED_TABLES = ("head", "hhea", "maxp", "hmtx", "loca", "glyf")

# Flags of the parts of a composite glyph (OpenType specification, glyf table).
_WORDS, _SCALE, _MORE, _XY_SCALE, _TWO_BY_TWO = 0x01, 0x08, 0x20, 0x40, 0x80


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
        return [self.scaled(value) for value in struct.unpack(">4h", self._table("head")[36:44])]

    @cached_property
    def ascent_descent(self) -> tuple[int, int]:
        """The usual reach of letters above and below (negative) the baseline."""
        ascent, descent = struct.unpack(">2h", self._table("hhea")[4:8])
        return self.scaled(ascent), self.scaled(descent)

    def subset(self, glyphs: Sequence[int]) -> bytes:
        """Return a font file with only these glyphs, in this order; the first must be 0."""
        glyphs = list(glyphs)
        places = {glyph: place for place, glyph in enumerate(glyphs)}
        outlines, starts, metrics = [], [0], bytearray()
        for glyph in glyphs:  # the list grows: parts of composite glyphs are appended
            outline = bytearray(self._outline(glyph))
            for position, part in _parts(outline):
                if part not in places:
                    places[part] = len(glyphs)
                    glyphs.append(part)
                struct.pack_into(">H", outline, position, places[part])
            outline += bytes(-len(outline) % 4)
            outlines.append(outline)
            starts.append(starts[-1] + len(outline))
            metrics += self._metrics(glyph)
        head, hhea, maxp = (bytearray(self._table(tag)) for tag in ("head", "hhea", "maxp"))
        struct.pack_into(">I", head, 8, 0)
        struct.pack_into(">h", head, 50, 1)  # loca has four bytes per entry
        struct.pack_into(">H", hhea, 34, len(glyphs))
        struct.pack_into(">H", maxp, 4, len(glyphs))
        return _file(
            {
                "glyf": b"".join(outlines),
                "head": head,
                "hhea": hhea,
                "hmtx": metrics,
                "loca": struct.pack(f">{len(starts)}I", *starts),
                "maxp": maxp,
            }
        )

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

    def _table(self, tag: str) -> bytes:
        offset, length = self._tables[tag]
        return self._data[offset : offset + length]

    def _read_offsets(self) -> "array[int]":
        is_long = struct.unpack(">h", self._table("head")[50:52])[0]
        offsets = array("I" if is_long else "H", self._table("loca"))
        if sys.byteorder == "little":
            offsets.byteswap()
        return offsets if is_long else array("I", [offset * 2 for offset in offsets])

    def _outline(self, glyph: int) -> bytes:
        return self._glyf[self._offsets[glyph] : self._offsets[glyph + 1]]

    def _metrics(self, glyph: int) -> bytes:
        """Return the width and left bearing of a glyph; the last glyphs share one width."""
        table, count = self._hmtx, self._full_metrics
        if glyph < count:
            return table[4 * glyph : 4 * glyph + 4]
        bearing = 4 * count + 2 * (glyph - count)
        return table[4 * count - 4 : 4 * count - 2] + table[bearing : bearing + 2]

    @cached_property
    def _glyf(self) -> bytes:
        return self._table("glyf")

    @cached_property
    def _hmtx(self) -> bytes:
        return self._table("hmtx")

    @cached_property
    def _full_metrics(self) -> int:
        return int(struct.unpack(">H", self._table("hhea")[34:36])[0])


@cache
def load_font(file: str) -> Font:
    """Return a font of this package, from a cache; raises FontFault if it is missing or damaged."""
    return Font(FONTS / file)


@cache
def fonts(*, is_bold: bool) -> list[Font]:
    """Return the fonts in the order in which they are tried for a character."""
    return [load_font(BOLD if is_bold else REGULAR), *map(load_font, FALLBACKS)]


def _parts(outline: bytes | bytearray) -> list[tuple[int, int]]:
    """Find the parts of a composite glyph: the position of each reference, and its glyph."""
    if len(outline) < 2 or struct.unpack_from(">h", outline)[0] >= 0:
        return []
    found, position, flags = [], 10, _MORE
    while flags & _MORE:
        flags, part = struct.unpack_from(">2H", outline, position)
        found.append((position + 2, part))
        position += 8 if flags & _WORDS else 6
        if flags & _SCALE:
            position += 2
        elif flags & _XY_SCALE:
            position += 4
        elif flags & _TWO_BY_TWO:
            position += 8
    return found


def _file(tables: dict[str, bytes | bytearray]) -> bytes:
    count = len(tables)
    power = 1 << (count.bit_length() - 1)
    header = struct.pack(
        ">I4H", 0x00010000, count, 16 * power, power.bit_length() - 1, 16 * (count - power)
    )
    offset, entries, bodies = 12 + 16 * count, [], []
    for tag, content in sorted(tables.items()):
        body = bytes(content) + bytes(-len(content) % 4)
        checksum = sum(struct.unpack(f">{len(body) // 4}I", body)) & 0xFFFFFFFF
        entries.append(struct.pack(">4s3I", tag.encode(), checksum, offset, len(content)))
        bodies.append(body)
        offset += len(body)
    return header + b"".join(entries) + b"".join(bodies)
