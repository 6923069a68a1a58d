"""The alternative: the same voucher page in reportlab's platypus, as in its user guide."""

from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from PIL import Image as Picture
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import (
    HRFlowable,
    Image,
    PageBreak,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
)

from core.vouchers import Branding
from core.vouchers.pdf.fonts import FONTS
from core.vouchers.pdf.logo import draw_svg
from core.vouchers.pdf.page import Voucher
from core.vouchers.pdf.scripts import BOLD, REGULAR

INK, MUTED, HAIRLINE, PANEL = map(HexColor, ("#0f172a", "#56657d", "#dae1e9", "#f7f9fb"))
STEPS = (
    "Go to the desk at the airport and terminal above.",
    "Show this voucher, on your phone or on paper, with your boarding pass.",
    "Staff scan the code and let you in.",
)
INNER = A4[0] - 96


@cache
def _register_fonts() -> None:
    pdfmetrics.registerFont(TTFont("Regular", FONTS / REGULAR))
    pdfmetrics.registerFont(TTFont("Bold", FONTS / BOLD))


def render(vouchers: list[Voucher], branding: Branding) -> bytes:
    """Return the vouchers as one PDF."""
    assert branding.logo is not None
    _register_fonts()
    logo = _logo(branding.logo)
    file = BytesIO()
    margins = {"leftMargin": 42, "rightMargin": 42, "topMargin": 28, "bottomMargin": 20}
    document = SimpleDocTemplate(file, pagesize=A4, invariant=1, title="Vouchers", **margins)
    story: list[Any] = []
    for voucher in vouchers:
        story += [*_page(voucher, branding, logo), PageBreak()]
    document.build(story)
    return file.getvalue()


@cache
def _logo(path: Path) -> BytesIO:
    return BytesIO(draw_svg(path.read_text()))


def _style(size: float, *, bold: bool = False, colour: Any = INK, align: int = 0) -> ParagraphStyle:
    font = "Bold" if bold else "Regular"
    return ParagraphStyle(
        "", fontName=font, fontSize=size, leading=size * 1.28, textColor=colour, alignment=align
    )


def _page(voucher: Voucher, branding: Branding, logo: BytesIO) -> list[Any]:
    brand = HexColor(branding.colour)
    place = f"{voucher.airport_name} · Terminal {voucher.terminal}"
    return [
        _header(voucher, branding, logo),
        Spacer(1, 14),
        HRFlowable(width="100%", color=HAIRLINE),
        Spacer(1, 12),
        Paragraph(voucher.product_type.upper(), _style(9, bold=True, colour=brand)),
        Paragraph(voucher.product.replace("&", "&amp;"), _style(28, bold=True)),
        Spacer(1, 8),
        Table(
            [
                [
                    Paragraph(voucher.airport_iata, _style(13, bold=True, colour=brand)),
                    Paragraph(place, _style(13)),
                ]
            ],
            colWidths=[56, INNER - 56],
        ),
        Spacer(1, 40),
        _panel(voucher),
        Spacer(1, 24),
        *_rules(voucher, branding, brand),
    ]


def _header(voucher: Voucher, branding: Branding, logo: BytesIO) -> Table:
    with Picture.open(logo) as picture:
        width = 36 * picture.width / picture.height
    right = [
        Paragraph("Voucher", _style(16, bold=True, align=TA_RIGHT)),
        Paragraph(voucher.order_item_id, _style(9, colour=MUTED, align=TA_RIGHT)),
    ]
    name = Paragraph(branding.name, _style(16, bold=True))
    return Table(
        [[Image(logo, width, 36), name, right]],
        colWidths=[width + 12, 240, INNER - width - 252],
        style=[("VALIGN", (0, 0), (-1, -1), "MIDDLE")],
    )


def _panel(voucher: Voucher) -> Table:
    zone = ZoneInfo(voucher.airport_tz)
    service, until = voucher.service_at.astimezone(zone), voucher.valid_until.astimezone(zone)
    label, value = _style(8.5, colour=MUTED), _style(14, bold=True)
    flight = Table(
        [
            [Paragraph("Flight", label), Paragraph("Passenger type", label)],
            [
                Paragraph(voucher.flight_number or "–", value),
                Paragraph(voucher.pax_type.title(), value),
            ],
        ],
        style=[("LEFTPADDING", (0, 0), (-1, -1), 0)],
    )
    details = [
        Paragraph("Passenger", label),
        Paragraph(voucher.passenger_name, _style(21)),
        Spacer(1, 18),
        HRFlowable(width="100%", color=HAIRLINE),
        Spacer(1, 12),
        Paragraph("Date and time", label),
        Paragraph(f"{service:%a %d %b %Y, %H:%M}", value),
        Paragraph(f"{voucher.airport_tz}, UTC{service:%z}", label),
        Spacer(1, 12),
        Paragraph("Valid until", label),
        Paragraph(f"{until:%a %d %b %Y, %H:%M}", value),
        Spacer(1, 12),
        flight,
    ]
    code = [
        _qr_code(voucher.signed_code),
        Spacer(1, 14),
        Paragraph("Voucher code", _style(8.5, colour=MUTED, align=TA_CENTER)),
        Paragraph(voucher.voucher_code, _style(17.5, bold=True, align=TA_CENTER)),
    ]
    return Table(
        [[details, code]],
        colWidths=[INNER - 220, 220],
        style=[
            ("BACKGROUND", (0, 0), (-1, -1), PANEL),
            ("BOX", (0, 0), (-1, -1), 0.75, HAIRLINE),
            ("ROUNDEDCORNERS", [12, 12, 12, 12]),
            ("LEFTPADDING", (0, 0), (-1, -1), 24),
            ("TOPPADDING", (0, 0), (-1, -1), 24),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ],
    )


def _qr_code(text: str) -> Drawing:
    side = 171.5
    drawing = Drawing(side, side)
    drawing.add(QrCodeWidget(text, barLevel="M", barWidth=side, barHeight=side))
    return drawing


def _rules(voucher: Voucher, branding: Branding, brand: Any) -> list[Any]:
    heading, body, small = _style(11.5, bold=True), _style(9.5), _style(8.5, colour=MUTED)
    number = _style(11, bold=True, colour=brand)
    steps = [
        cell
        for place, step in enumerate(STEPS, 1)
        for cell in (Paragraph(str(place), number), Paragraph(step, _style(10)))
    ]
    terms = [Paragraph(f"• {line}", body) for line in branding.terms.splitlines()]
    assert voucher.refund_expire_at is not None
    deadline = voucher.refund_expire_at.astimezone(ZoneInfo(voucher.airport_tz))
    refund = [
        Paragraph(f"{deadline:%a %d %b %Y, %H:%M}", _style(11, bold=True)),
        Paragraph(f"{voucher.airport_tz}, UTC{deadline:%z}", small),
    ]
    facts = f"Order {voucher.order_id} · Item {voucher.number} · Issued "
    return [
        Paragraph("How to redeem", heading),
        Spacer(1, 8),
        Table(
            [steps], colWidths=[24, INNER / 3 - 24] * 3, style=[("VALIGN", (0, 0), (-1, -1), "TOP")]
        ),
        Spacer(1, 14),
        HRFlowable(width="100%", color=HAIRLINE),
        Table(
            [
                [Paragraph("Good to know", heading), Paragraph("Refund deadline", heading)],
                [terms, refund],
            ],
            colWidths=[INNER - 168, 168],
            style=[("VALIGN", (0, 0), (-1, -1), "TOP")],
        ),
        Spacer(1, 20),
        HRFlowable(width="100%", color=HAIRLINE),
        Paragraph(f"{facts}{voucher.issued_at:%a %d %b %Y, %H:%M} UTC", small),
        Paragraph(f"Help: {branding.support}", small),
    ]
