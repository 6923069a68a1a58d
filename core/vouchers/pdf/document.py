"""Vouchers as PDF: a single one, many in one file with bookmarks, or a ZIP of single PDFs.

Only this module imports reportlab. It is not thread-safe, so every render holds a lock. Parts that
vouchers share are stored once per document, as forms that the pages show. Of each font only the
used glyphs are embedded.
"""

import io
import re
import threading
import zipfile
import zlib
from collections.abc import Iterable
from functools import lru_cache
from typing import IO, Any

from reportlab import rl_config
from reportlab.pdfbase import pdfdoc
from reportlab.pdfgen.canvas import Canvas

from core.ground import get_settings
from core.vouchers.pdf.glyphs import NO_LETTER
from core.vouchers.pdf.logo import Logo, load_logo
from core.vouchers.pdf.page import LOGO, Branding, Voucher, draw_details, draw_frame, draw_product
from core.vouchers.pdf.scripts import check_fonts
from core.vouchers.pdf.sheet import HEIGHT, WIDTH, DocumentFont, DocumentFonts, Sheet
from core.vouchers.pdf.subset import subset

__all__ = ["Branding", "Voucher", "render_voucher", "render_vouchers", "render_zip"]

_LOCK = threading.Lock()
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # fixed, so that the same vouchers give the same file
_SYMBOLIC = 4  # a PDF font flag: the font has its own codes

rl_config.useA85 = 0  # binary streams are a fifth smaller than ASCII


def current_branding() -> Branding:
    """Return the branding in the settings."""
    settings = get_settings()
    return Branding(
        name=settings.app_name,
        logo=settings.logo,
        colour=settings.voucher_colour,
        support=settings.voucher_support,
        terms=settings.voucher_terms,
    )


def check_assets(branding: Branding) -> None:
    """Read the fonts and the logo, so that a damaged file is found before the first voucher.

    Raises FontFault or LogoFault, which name the file.
    """
    check_fonts()
    if branding.logo is not None:
        load_logo(branding.logo)


def file_name(voucher: Voucher) -> str:
    """Return the name of a voucher's file; it is valid on every system."""
    return f"voucher-{re.sub(r'[^A-Za-z0-9._-]', '_', voucher.order_item_id)}.pdf"


def render_voucher(voucher: Voucher, branding: Branding) -> bytes:
    """Return one voucher as a PDF of one page; the same voucher gives the same bytes.

    Raises FontFault or LogoFault, which name the file.
    """
    file = io.BytesIO()
    render_vouchers([voucher], branding, file)
    return file.getvalue()


def render_vouchers(vouchers: Iterable[Voucher], branding: Branding, file: IO[bytes]) -> None:
    """Write vouchers to one PDF, with a page and a bookmark each.

    It reads the vouchers one by one and keeps only the finished pages in memory. Raises ValueError
    without a voucher, and FontFault or LogoFault, which name the file.
    """
    with _LOCK:
        document = _Document(branding, file)
        for voucher in vouchers:
            document.add(voucher)
        document.save()


def render_zip(vouchers: Iterable[Voucher], branding: Branding, file: IO[bytes]) -> None:
    """Write a ZIP with one PDF per voucher, each under its own name.

    Raises FontFault or LogoFault, which name the file.
    """
    taken: set[str] = set()
    with zipfile.ZipFile(file, "w") as archive:  # not compressed: a PDF does not get smaller
        for voucher in vouchers:
            name = _unique_name(file_name(voucher), taken)
            archive.writestr(zipfile.ZipInfo(name, _ZIP_TIME), render_voucher(voucher, branding))


def _unique_name(name: str, taken: set[str]) -> str:
    stem, number = name.removesuffix(".pdf"), 1
    while name.casefold() in taken:
        number += 1
        name = f"{stem}-{number}.pdf"
    taken.add(name.casefold())
    return name


class _Document:
    """A PDF that is being written."""

    def __init__(self, branding: Branding, file: IO[bytes]) -> None:
        self._branding = branding
        self._fonts = DocumentFonts()
        self._forms: dict[tuple[str | None, ...], str] = {}
        self._first: Voucher | None = None
        self._pages = 0
        self._logo = None if branding.logo is None else load_logo(branding.logo)
        self._canvas: Any = Canvas(
            file,
            pagesize=(WIDTH, HEIGHT),
            pageCompression=1,
            invariant=1,
            pdfVersion=(1, 4),
            lang="en",
        )
        document = self._canvas._doc
        self._picture = None if self._logo is None else _add_picture(document, self._logo)

    def add(self, voucher: Voucher) -> None:
        """Draw a voucher on a new page, with a bookmark."""
        canvas = self._canvas
        self._first = self._first or voucher
        self._pages += 1
        frame, heading = self._frame(voucher.product_type), self._heading(voucher)
        key = f"voucher-{self._pages}"
        canvas.bookmarkPage(key, fit="Fit")
        title = f"{voucher.passenger_name}: {voucher.product} ({voucher.order_item_id})"
        canvas.addOutlineEntry(title, key)
        canvas.doForm(frame)
        canvas.doForm(heading)
        details = Sheet(self._fonts)
        draw_details(details, voucher)
        canvas.addLiteral(details.operators())
        canvas.showPage()

    def save(self) -> None:
        """Add the fonts and the metadata, and write the file."""
        if self._first is None:
            raise ValueError("There is no voucher to write.")
        one, canvas = self._first, self._canvas
        title = f"Voucher {one.order_item_id}: {one.product}"
        canvas.setTitle(title if self._pages == 1 else f"{self._pages:,} vouchers")
        canvas.setAuthor(self._branding.name)
        canvas.setSubject("Voucher")
        canvas.setCreator("Order Desk")
        canvas.setViewerPreference("DisplayDocTitle", "true")
        for font in self._fonts.used():
            _embed(canvas._doc, font)
        canvas.save()

    def _frame(self, product_type: str) -> str:
        key = ("frame", product_type)
        if key not in self._forms:
            if self._fonts.used():
                content = _frame(self._fonts, self._branding, product_type, self._logo)
            else:
                content, started_fonts = _first_frame(self._branding, product_type, self._logo)
                self._fonts = DocumentFonts(started_fonts)
            self._share(key, content)
        return self._forms[key]

    def _heading(self, voucher: Voucher) -> str:
        place = voucher.airport_iata, voucher.airport_name, voucher.terminal
        key = (voucher.product_type, voucher.product, *place)
        if key not in self._forms:
            sheet = Sheet(self._fonts)
            draw_product(sheet, voucher, self._branding.colour)
            self._share(key, zlib.compress(sheet.operators().encode()))
        return self._forms[key]

    def _share(self, key: tuple[str | None, ...], content: bytes) -> None:
        """Add a form that pages can show; `content` is compressed."""
        resources = {"Font": pdfdoc.PDFObjectReference(pdfdoc.BasicFonts)}
        if self._picture is not None:
            resources["XObject"] = pdfdoc.PDFDictionary({LOGO: self._picture})
        entries = {
            "Type": "/XObject",
            "Subtype": "/Form",
            "BBox": f"[0 0 {WIDTH} {HEIGHT}]",
            "Resources": pdfdoc.PDFDictionary(resources),
            "Filter": "/FlateDecode",
        }
        self._forms[key] = name = f"shared{len(self._forms)}"
        form = pdfdoc.PDFStream(pdfdoc.PDFDictionary(entries), content)
        self._canvas._doc.addForm(name, form)


@lru_cache(maxsize=32)
def _first_frame(
    branding: Branding, product_type: str, logo: Logo | None
) -> tuple[bytes, DocumentFonts]:
    """Draw a frame at the start of a document; there it is always the same, so it is cached."""
    fonts = DocumentFonts()
    return _frame(fonts, branding, product_type, logo), fonts


def _frame(fonts: DocumentFonts, branding: Branding, product_type: str, logo: Logo | None) -> bytes:
    sheet = Sheet(fonts)
    draw_frame(sheet, branding, product_type, logo)
    return zlib.compress(sheet.operators().encode())


def _add_picture(document: Any, logo: Logo) -> Any:
    """Add a logo that is already compressed; reportlab would compress it for every document."""
    entries = {
        "Type": "/XObject",
        "Subtype": "/Image",
        "Width": logo.width,
        "Height": logo.height,
        "BitsPerComponent": 8,
        "Filter": "/FlateDecode",
    }
    mask = pdfdoc.PDFDictionary(entries | {"ColorSpace": "/DeviceGray"})
    opacity = document.Reference(pdfdoc.PDFStream(mask, logo.opacity))
    colours = pdfdoc.PDFDictionary(entries | {"ColorSpace": "/DeviceRGB", "SMask": opacity})
    return document.Reference(pdfdoc.PDFStream(colours, logo.colours))


def _embed(document: Any, used: DocumentFont) -> None:
    """Embed the glyphs of a font that the document uses, and the text of each glyph."""
    font, codes = used.font, used.codes
    name = f"/ODVOUC+{font.name}"
    ascent, descent = font.ascent_descent
    descriptor = {
        "Type": "/FontDescriptor",
        "FontName": name,
        "Flags": _SYMBOLIC,
        "FontBBox": f"[{' '.join(map(str, font.bounds))}]",
        "ItalicAngle": 0,
        "Ascent": ascent,
        "Descent": descent,
        "CapHeight": ascent,
        "StemV": 80,
        "FontFile2": _stream(document, subset(font, [(glyph, place) for glyph, _, place in codes])),
    }
    widths = " ".join(
        str(font.measure(glyph).advance if place is None else place.advance)
        for glyph, _, place in codes
    )
    glyphs = {
        "Type": "/Font",
        "Subtype": "/CIDFontType2",
        "BaseFont": name,
        "CIDSystemInfo": "<< /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>",
        "CIDToGIDMap": "/Identity",
        "FontDescriptor": _reference(document, descriptor),
        "W": f"[0 [{widths}]]",
    }
    composite = {
        "Type": "/Font",
        "Subtype": "/Type0",
        "BaseFont": name,
        "Encoding": "/Identity-H",
        "DescendantFonts": pdfdoc.PDFArray([_reference(document, glyphs)]),
        "ToUnicode": _stream(document, _to_unicode(text for _, text, _ in codes)),
    }
    document.idToObject["BasicFonts"].dict[used.name] = _reference(document, composite)


def _reference(document: Any, entries: dict[str, Any]) -> Any:
    return document.Reference(pdfdoc.PDFDictionary(entries))


def _stream(document: Any, content: bytes) -> Any:
    entries = pdfdoc.PDFDictionary({"Length1": len(content)})
    return document.Reference(pdfdoc.PDFStream(entries, content, [pdfdoc.PDFZCompress]))


def _to_unicode(texts: Iterable[str]) -> bytes:
    """Return the table from glyph codes to text; the format allows 100 entries per block."""
    lines = [
        f"<{code:04x}> <{(text or NO_LETTER).encode('utf-16-be').hex()}>"
        for code, text in enumerate(texts)
    ]
    parts = [
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
        "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
        "1 begincodespacerange <0000> <ffff> endcodespacerange",
    ]
    for start in range(0, len(lines), 100):
        hundred = lines[start : start + 100]
        parts += [f"{len(hundred)} beginbfchar", *hundred, "endbfchar"]
    parts.append("endcmap CMapName currentdict /CMap defineresource pop end end")
    return "\n".join(parts).encode()
