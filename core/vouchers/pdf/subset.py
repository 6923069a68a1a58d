"""Make the font file that a PDF embeds: only the glyphs that it uses, in its own order."""

import struct
from collections.abc import Sequence

from core.vouchers.pdf.fonts import Font, Place

# Flags of the parts of a composite glyph (OpenType specification, glyf table).
_WORDS, _OFFSETS, _SCALE, _MORE, _XY_SCALE, _TWO_BY_TWO = 0x01, 0x02, 0x08, 0x20, 0x40, 0x80
# Limits in the table maxp: of a composite glyph's points, contours, parts and depth.
_POINTS, _CONTOURS, _COMPOSITE_POINTS, _COMPOSITE_CONTOURS, _PARTS, _DEPTH = 6, 8, 10, 12, 28, 30


def subset(font: Font, glyphs: Sequence[tuple[int, Place | None]]) -> bytes:
    """Return a font file with only these glyphs, in this order; the first must be 0.

    A glyph with a place is drawn there: it is a composite glyph whose only part is moved.
    """
    glyphs = list(glyphs)
    numbers = {glyph: number for number, (glyph, place) in enumerate(glyphs) if place is None}
    outlines, starts, metrics = [], [0], bytearray()
    for glyph, place in glyphs:  # the list grows: parts of composite glyphs are appended
        outline = bytearray(_outline(font, glyph, place))
        for position, part in _parts(outline):
            if part not in numbers:
                numbers[part] = len(glyphs)
                glyphs.append((part, None))
            struct.pack_into(">H", outline, position, numbers[part])
        outline += bytes(-len(outline) % 4)
        outlines.append(outline)
        starts.append(starts[-1] + len(outline))
        width, bearing = font.metrics(glyph)
        if place is not None:
            width, bearing = font.units(place.advance), bearing + font.units(place.right)
        metrics += struct.pack(">Hh", width, bearing)
    head, hhea, maxp = (bytearray(font.table(tag)) for tag in ("head", "hhea", "maxp"))
    struct.pack_into(">I", head, 8, 0)
    struct.pack_into(">h", head, 50, 1)  # loca has four bytes per entry
    struct.pack_into(">H", hhea, 34, len(glyphs))
    struct.pack_into(">H", maxp, 4, len(glyphs))
    if any(place is not None for _, place in glyphs):
        _raise_limits(maxp)
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


def _outline(font: Font, glyph: int, place: Place | None) -> bytes:
    outline = font.outline(glyph)
    if place is None or not outline:
        return outline
    right, up = font.units(place.right), font.units(place.up)
    left, bottom, far, top = struct.unpack_from(">4h", outline, 2)
    bounds = (left + right, bottom + up, far + right, top + up)
    return struct.pack(">5h2H2h", -1, *bounds, _WORDS | _OFFSETS, glyph, right, up)


def _raise_limits(maxp: bytearray) -> None:
    """Allow for the composite glyphs that were added: one part each, one level deeper."""
    for composite, simple in ((_COMPOSITE_POINTS, _POINTS), (_COMPOSITE_CONTOURS, _CONTOURS)):
        limits = struct.unpack_from(">H", maxp, composite) + struct.unpack_from(">H", maxp, simple)
        struct.pack_into(">H", maxp, composite, max(limits))
    (parts,), (depth,) = (struct.unpack_from(">H", maxp, at) for at in (_PARTS, _DEPTH))
    struct.pack_into(">2H", maxp, _PARTS, max(parts, 1), depth + 1)


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
