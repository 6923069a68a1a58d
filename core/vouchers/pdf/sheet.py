"""A sheet of a PDF: draws text, lines and shapes as PDF operators, without a PDF library.

Coordinates are points from the top left corner of the sheet. Text stays text: each glyph has a code
of two bytes in its font, and the document's fonts know the text of each code.
"""

import re
from functools import cache
from typing import Any

import zxingcpp

from core.vouchers.pdf.colours import Colour
from core.vouchers.pdf.fonts import EM, Font
from core.vouchers.pdf.glyphs import Glyph, Line, Run
from core.vouchers.pdf.text import Block

WIDTH, HEIGHT = 595.28, 841.89  # A4
QUIET_ZONE = 4  # modules of white around a QR code
BOLDER = 0.035  # the width of the stroke that imitates bold, as a share of the size
_CIRCLE = 0.5523  # length of the Bézier handles of a quarter circle, as a share of the radius
_DARK = re.compile(rb"\x00+")
_EIGHTS = range(0, 41, 8)  # the starts of groups of 8 among the 41 modules of a row
_MASK = 2  # fixed: choosing the best of the eight takes 100 times as long, and all scan well


class Codes(dict[Glyph, str]):
    """The code of each glyph in hexadecimal; a glyph with two texts or places has two codes."""

    def __missing__(self, glyph: Glyph) -> str:
        self[glyph] = code = f"{len(self):04x}"
        return code


class DocumentFont:
    """The glyphs of a font that a document uses: a code for each glyph and its text."""

    def __init__(self, font: Font, name: str, codes: Codes | None = None) -> None:
        self.font = font
        self.name = name
        self.codes = Codes({(0, "", None): "0000"}) if codes is None else Codes(codes)


class DocumentFonts:
    """The fonts of one document, named in the order of their first use."""

    def __init__(self, template: "DocumentFonts | None" = None) -> None:
        """Start without fonts, or with a copy of another document's fonts."""
        self._fonts = {
            one.font.name: DocumentFont(one.font, one.name, one.codes)
            for one in (template.used() if template else [])
        }

    def use(self, font: Font) -> DocumentFont:
        """Return the document's record of a font; add it at its first use."""
        if font.name not in self._fonts:
            self._fonts[font.name] = DocumentFont(font, f"V{len(self._fonts)}")
        return self._fonts[font.name]

    def used(self) -> list[DocumentFont]:
        """Return every font that is used."""
        return list(self._fonts.values())


class Sheet:
    """The drawing of one page, or of a part that many pages share."""

    def __init__(self, fonts: DocumentFonts) -> None:
        self._fonts = fonts
        self._operators: list[str] = []

    def operators(self) -> str:
        """Return the PDF operators of the drawing."""
        return "\n".join(self._operators)

    def line(
        self,
        line: Line,
        x: float,
        y: float,
        *,
        size: float,
        colour: Colour,
        align: float = 0,
        spacing: float = 0,
    ) -> None:
        """Draw a line of text at `x`: its left end, its middle (`align` 0.5) or its right end (1).

        `spacing` is added after every glyph.
        """
        if spacing:
            x -= align * spacing * (sum(len(run.glyphs) for run in line.runs) - 1)
        x -= align * line.width * size / EM
        shown = " ".join([_show(run, self._fonts.use(run.font), size) for run in line.runs])
        self._operators.append(
            f"{_ink(colour)} BT {spacing:g} Tc 1 0 0 1 {x:.2f} {HEIGHT - y:.2f} Tm {shown} ET Q"
        )

    def block(self, block: Block, x: float, y: float, *, colour: Colour, align: float = 0) -> float:
        """Draw lines of text from `y` downwards, and return the y where they end.

        Right-to-left lines start at the right edge of the longest line.
        """
        for baseline, line in block.lines:
            start, side = (x + block.width, 1.0) if line.is_rtl and not align else (x, align)
            self.line(line, start, y + baseline, size=block.size, colour=colour, align=side)
        return y + block.height

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        fill: Colour,
        edge: Colour | None = None,
        radius: float = 0,
    ) -> None:
        """Fill a rectangle with round corners, and draw its edge if `edge` is given."""
        bottom, top, right = HEIGHT - y - height, HEIGHT - y, x + width
        handle = radius * (1 - _CIRCLE)
        path = [
            f"{x + radius:.2f} {bottom:.2f} m {right - radius:.2f} {bottom:.2f} l",
            _curve(right - handle, bottom, right, bottom + handle, right, bottom + radius),
            f"{right:.2f} {top - radius:.2f} l",
            _curve(right, top - handle, right - handle, top, right - radius, top),
            f"{x + radius:.2f} {top:.2f} l",
            _curve(x + handle, top, x, top - handle, x, top - radius),
            f"{x:.2f} {bottom + radius:.2f} l",
            _curve(x, bottom + handle, x + handle, bottom, x + radius, bottom),
        ]
        self._paint(" ".join(path), fill, edge)

    def disc(
        self, x: float, y: float, radius: float, *, fill: Colour, edge: Colour | None = None
    ) -> None:
        """Fill a circle around a point."""
        self.box(
            x - radius, y - radius, 2 * radius, 2 * radius, fill=fill, edge=edge, radius=radius
        )

    def rule(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        *,
        colour: Colour,
        dashes: tuple[float, ...] = (),
    ) -> None:
        """Draw a thin line."""
        (x, y), (to_x, to_y) = start, end
        self._operators.append(
            f"q {_numbers(colour)} RG 0.75 w [{_numbers(dashes)}] 0 d "
            f"{x:.2f} {HEIGHT - y:.2f} m {to_x:.2f} {HEIGHT - to_y:.2f} l S Q"
        )

    def picture(self, name: str, x: float, y: float, width: float, height: float) -> None:
        """Draw the picture that the sheet's resources have under this name."""
        place = f"{width:.2f} 0 0 {height:.2f} {x:.2f} {HEIGHT - y - height:.2f}"
        self._operators.append(f"q {place} cm /{name} Do Q")

    def qr_code(self, text: str, x: float, y: float, *, side: float) -> None:
        """Draw a QR code in a square that includes its quiet zone, as one path of dark runs."""
        code = zxingcpp.create_barcode(
            text, zxingcpp.BarcodeFormat.QRCode, ec_level="M", data_mask=_MASK
        )
        # On Python 3.11 its stub does not say that it is a buffer.
        image: Any = code.to_image(scale=1, add_quiet_zones=False)
        rows, columns = image.shape[:2]
        modules = bytes(memoryview(image))
        module = side / (rows + 2 * QUIET_ZONE)
        path = []
        for row in range(rows):
            dark = modules[row * columns : (row + 1) * columns]
            runs = "".join([_dark_runs(eight, dark[eight : eight + 8]) for eight in _EIGHTS])
            path.append(runs.replace("y", str(rows - row - 1)))
        left, bottom = x + QUIET_ZONE * module, HEIGHT - y - side + QUIET_ZONE * module
        self._operators.append(
            f"q 0 g {module:.4f} 0 0 {module:.4f} {left:.3f} {bottom:.3f} cm {''.join(path)}f Q"
        )

    def _paint(self, path: str, fill: Colour, edge: Colour | None) -> None:
        if edge is None:
            self._operators.append(f"q {_numbers(fill)} rg {path} h f Q")
        else:
            edged = f"{_numbers(edge)} RG 0.75 w {path} h B Q"
            self._operators.append(f"q {_numbers(fill)} rg {edged}")


@cache
def _dark_runs(start: int, modules: bytes) -> str:
    """Return the rectangles of the dark runs among 8 modules of a row; `y` stands for the row."""
    return "".join(
        f"{start + dark.start()} y {dark.end() - dark.start()} 1 re "
        for dark in _DARK.finditer(modules)
    )


def _show(run: Run, font: DocumentFont, size: float) -> str:
    """Return the operators that show a run at the pen and move the pen to its end."""
    codes = "".join([font.codes[glyph] for glyph in run.glyphs])
    shown = [f"/{font.name} {size:g} Tf ["]
    done = 0
    for place, move in run.steps:
        if place > done:
            shown.append(f"<{codes[4 * done : 4 * place]}>")
        shown.append(str(-move))
        done = place
    if codes[4 * done :]:
        shown.append(f"<{codes[4 * done :]}>")
    shown.append("] TJ")
    if run.is_emboldened:
        return f"2 Tr {BOLDER * size:.2f} w {' '.join(shown)} 0 Tr"
    return " ".join(shown)


def _curve(*points: float) -> str:
    return " ".join(f"{point:.2f}" for point in points) + " c"


@cache
def _ink(colour: Colour) -> str:
    return f"q {_numbers(colour)} rg {_numbers(colour)} RG"


@cache
def _numbers(values: tuple[float, ...]) -> str:
    return " ".join(f"{value:.3g}" for value in values)
