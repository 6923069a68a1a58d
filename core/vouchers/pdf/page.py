"""The page of a voucher: its layout and its look.

Parts that vouchers share are drawn apart, so that a document holds them once: the frame of a
product type, and the heading of a product at an airport. The details differ on each page.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from core.ground import PaxType, ProductType, day_and_time, utc_offset, word_of
from core.vouchers.pdf.colours import (
    INK,
    WHITE,
    Colour,
    parse_colour,
    readable_colour,
    readable_on,
    tint,
)
from core.vouchers.pdf.fonts import EM
from core.vouchers.pdf.logo import Logo
from core.vouchers.pdf.sheet import WIDTH, Sheet
from core.vouchers.pdf.text import fit, shape_line

MARGIN = 48.0
INNER = WIDTH - 2 * MARGIN
RIGHT = WIDTH - MARGIN
LOGO = "Logo"  # the name of the picture in the frame

_LOGO_TOP, _LOGO_HEIGHT, _LOGO_WIDTH = 34.0, 36.0, 150.0

MUTED: Colour = (0.337, 0.396, 0.49)
HAIRLINE: Colour = (0.855, 0.882, 0.914)
PANEL: Colour = (0.969, 0.976, 0.984)

_PANEL_TOP, _PANEL_HEIGHT, _PADDING = 250.0, 276.0, 24.0
_TILE = 171.5  # the white square around the QR code
_TILE_LEFT = RIGHT - _PADDING - _TILE
_TILE_MIDDLE = _TILE_LEFT + _TILE / 2
_QR_SIDE = 161.7  # 49 modules of 3.3 points, with the quiet zone; the QR code is 48 mm wide
_FOLD = _TILE_LEFT - _PADDING  # the dashed line between details and code
_LEFT = MARGIN + _PADDING
_DETAILS = _FOLD - _PADDING - _LEFT  # the width of the details
_STEPS_TOP, _RULES_TOP, _FOOTER_TOP = 560.0, 672.0, 790.0
_DEADLINE_WIDTH = 168.0

_STEPS = {
    ProductType.LOUNGE: (
        "Go to the lounge at the airport and terminal above.",
        "Show this voucher, on your phone or on paper, with your boarding pass.",
        "Staff scan the code and let you in.",
    ),
    ProductType.FAST_TRACK: (
        "Follow the signs to Fast Track at the airport and terminal above.",
        "Show this voucher, on your phone or on paper, with your boarding pass.",
        "Staff scan the code, and you skip the queue.",
    ),
    ProductType.MEET_AND_ASSIST: (
        "Be at the meeting point at the time above, your phone switched on.",
        "Show this voucher, on your phone or on paper, with your travel document.",
        "Your assistant scans the code and stays with you.",
    ),
    ProductType.DELAY_CARE: (
        "Is your flight delayed? Go to a participating desk or lounge.",
        "Show this voucher, on your phone or on paper, with your boarding pass.",
        "Staff scan the code and help you.",
    ),
}


@dataclass(frozen=True)
class Voucher:
    """The content of a voucher. Instants are aware; times at the airport are shown in its zone."""

    order_item_id: str
    order_id: str
    number: str  # its place in the order: "2 of 3"
    product: str
    product_type: str
    airport_iata: str
    airport_name: str | None
    terminal: str | None
    airport_tz: str
    service_at: datetime
    flight_number: str | None
    valid_until: datetime
    pax_type: str
    passenger_name: str
    voucher_code: str
    signed_code: str
    refund_expire_at: datetime | None  # None: not refundable
    issued_at: datetime


@dataclass(frozen=True)
class Branding:
    """Who issues the vouchers, and how they look."""

    name: str
    logo: Path | None
    colour: str  # "#0f766e"
    support: str
    terms: str  # one rule per line


def draw_frame(sheet: Sheet, branding: Branding, product_type: str, logo: Logo | None) -> None:
    """Draw the parts that all vouchers of a product type share."""
    brand = parse_colour(branding.colour)
    sheet.box(0, 0, WIDTH, 8, fill=brand)
    left = MARGIN
    if logo is not None:
        scale = min(_LOGO_HEIGHT / logo.height, _LOGO_WIDTH / logo.width)
        width, height = logo.width * scale, logo.height * scale
        top = _LOGO_TOP + (_LOGO_HEIGHT - height) / 2
        sheet.picture(LOGO, MARGIN, top, width, height)
        left += width + 12
    name = fit(branding.name, 340 - left, _LOGO_HEIGHT, size=16, is_bold=True)
    sheet.block(name, left, _LOGO_TOP + (_LOGO_HEIGHT - name.height) / 2 + 1, colour=INK)
    sheet.line(shape_line("Voucher", is_bold=True), RIGHT, 49, size=16, colour=INK, align=1)
    sheet.rule((MARGIN, 90), (RIGHT, 90), colour=HAIRLINE)
    _draw_panel(sheet)
    _draw_steps(sheet, product_type, brand)
    _draw_rules(sheet, branding.terms)
    sheet.rule((MARGIN, _FOOTER_TOP), (RIGHT, _FOOTER_TOP), colour=HAIRLINE)
    if branding.support:
        support = fit(f"Help: {branding.support}", INNER, 12, size=8.5)
        sheet.block(support, MARGIN, _FOOTER_TOP + 24, colour=MUTED)


def _draw_panel(sheet: Sheet) -> None:
    bottom = _PANEL_TOP + _PANEL_HEIGHT
    sheet.box(MARGIN, _PANEL_TOP, INNER, _PANEL_HEIGHT, fill=PANEL, edge=HAIRLINE, radius=12)
    sheet.rule((_FOLD, _PANEL_TOP + 14), (_FOLD, bottom - 14), colour=HAIRLINE, dashes=(3, 3))
    for edge, cover in ((_PANEL_TOP, -9), (bottom, 1)):  # a ticket's notches
        sheet.disc(_FOLD, edge, 8, fill=WHITE, edge=HAIRLINE)
        sheet.box(_FOLD - 10, edge + cover, 20, 8, fill=WHITE)
    sheet.box(
        *(_TILE_LEFT, _PANEL_TOP + _PADDING, _TILE, _TILE), fill=WHITE, edge=HAIRLINE, radius=8
    )
    _label(sheet, "Passenger", _LEFT, _PANEL_TOP + 33)
    sheet.rule((_LEFT, _PANEL_TOP + 95), (_FOLD - _PADDING, _PANEL_TOP + 95), colour=HAIRLINE)
    _label(sheet, "Date and time", _LEFT, _PANEL_TOP + 120)
    _label(sheet, "Valid until", _LEFT, _PANEL_TOP + 174)
    _label(sheet, "Flight", _LEFT, _PANEL_TOP + 224)
    _label(sheet, "Passenger type", _LEFT + _DETAILS / 2, _PANEL_TOP + 224)
    _label(sheet, "Voucher code", _TILE_MIDDLE, _PANEL_TOP + 222, align=0.5)


def _draw_steps(sheet: Sheet, product_type: str, brand: Colour) -> None:
    _heading(sheet, "How to redeem", MARGIN, _STEPS_TOP)
    gap = 20.0
    column = (INNER - 2 * gap) / 3
    for number, step in enumerate(_STEPS[ProductType(product_type)], 1):
        x, y = MARGIN + (number - 1) * (column + gap), _STEPS_TOP + 18
        sheet.disc(x + 11, y + 11, 11, fill=brand)
        digit = shape_line(str(number), is_bold=True)
        sheet.line(digit, x + 11, y + 15, size=11, colour=readable_on(brand), align=0.5)
        words = fit(step, column - 32, 60, size=10)
        sheet.block(words, x + 32, y + 2, colour=INK)


def _draw_rules(sheet: Sheet, terms: str) -> None:
    sheet.rule((MARGIN, _RULES_TOP - 22), (RIGHT, _RULES_TOP - 22), colour=HAIRLINE)
    _heading(sheet, "Good to know", MARGIN, _RULES_TOP)
    _heading(sheet, "Refund deadline", RIGHT - _DEADLINE_WIDTH, _RULES_TOP)
    points = "\n".join(f"• {rule}" for rule in terms.splitlines() if rule.strip())
    rules = fit(points, INNER - _DEADLINE_WIDTH - 28, 90, size=9.5)
    sheet.block(rules, MARGIN, _RULES_TOP + 12, colour=INK)


def draw_product(sheet: Sheet, voucher: Voucher, brand: str) -> None:
    """Draw the heading, which all vouchers of a product at an airport share."""
    colour = readable_colour(parse_colour(brand))
    kind = word_of(ProductType(voucher.product_type)).upper()
    sheet.line(shape_line(kind, is_bold=True), MARGIN, 122, size=9, colour=colour, spacing=1.1)
    product = fit(voucher.product, INNER, 74, size=28, is_bold=True)
    bottom = sheet.block(product, MARGIN, 131, colour=INK)
    _draw_airport(sheet, voucher, bottom + 9, colour)


def _draw_airport(sheet: Sheet, voucher: Voucher, y: float, colour: Colour) -> None:
    iata = shape_line(voucher.airport_iata, is_bold=True)
    width = iata.width * 13 / EM + 18
    sheet.box(MARGIN, y, width, 24, fill=tint(colour), radius=6)
    sheet.line(iata, MARGIN + width / 2, y + 16.7, size=13, colour=colour, align=0.5)
    left = MARGIN + width + 12
    parts = [voucher.airport_name, voucher.terminal and f"Terminal {voucher.terminal}"]
    place = "  ·  ".join(part for part in parts if part)
    words = fit(place, RIGHT - left, 24, size=13)
    sheet.block(words, left, y + (24 - words.height) / 2, colour=INK)


def draw_details(sheet: Sheet, voucher: Voucher) -> None:
    """Draw the parts that differ on each voucher: passenger, times, code and numbers."""
    zone = ZoneInfo(voucher.airport_tz)
    number = fit(voucher.order_item_id, 210, 12, size=9)
    sheet.block(number, RIGHT, 57, colour=MUTED, align=1)
    name = fit(voucher.passenger_name, _DETAILS, 45, size=20)
    sheet.block(name, _LEFT, _PANEL_TOP + 43 + (45 - name.height) * 0.3, colour=INK)
    service = voucher.service_at.astimezone(zone)
    _value(sheet, day_and_time(service), _LEFT, _PANEL_TOP + 137)
    local = fit(f"{voucher.airport_tz}, UTC{utc_offset(service)}", _DETAILS, 12, size=8.5)
    sheet.block(local, _LEFT, _PANEL_TOP + 142, colour=MUTED)
    _value(sheet, day_and_time(voucher.valid_until.astimezone(zone)), _LEFT, _PANEL_TOP + 191)
    half = _DETAILS / 2
    _value(sheet, voucher.flight_number or "–", _LEFT, _PANEL_TOP + 241, half - 10)
    _value(sheet, word_of(PaxType(voucher.pax_type)), _LEFT + half, _PANEL_TOP + 241, half)
    _draw_code(sheet, voucher)
    _draw_numbers(sheet, voucher, zone)


def _draw_code(sheet: Sheet, voucher: Voucher) -> None:
    inset = (_TILE - _QR_SIDE) / 2
    place = _TILE_LEFT + inset, _PANEL_TOP + _PADDING + inset
    sheet.qr_code(voucher.signed_code, *place, side=_QR_SIDE)
    code = fit(voucher.voucher_code, _TILE, 24, size=17.5, is_bold=True)
    sheet.block(code, _TILE_MIDDLE, _PANEL_TOP + 229, colour=INK, align=0.5)


def _draw_numbers(sheet: Sheet, voucher: Voucher, zone: ZoneInfo) -> None:
    left, y = RIGHT - _DEADLINE_WIDTH, _RULES_TOP + 12
    if voucher.refund_expire_at is None:
        words = fit("This voucher cannot be refunded.", _DEADLINE_WIDTH, 40, size=9.5)
        sheet.block(words, left, y, colour=INK)
    else:
        until = voucher.refund_expire_at.astimezone(zone)
        words = fit(day_and_time(until), _DEADLINE_WIDTH, 18, size=11, is_bold=True)
        y = sheet.block(words, left, y, colour=INK)
        local = fit(f"{voucher.airport_tz}, UTC{utc_offset(until)}", _DEADLINE_WIDTH, 14, size=8.5)
        sheet.block(local, left, y + 2, colour=MUTED)
    issued = f"{day_and_time(voucher.issued_at.astimezone(UTC))} UTC"
    facts = f"Order {voucher.order_id}  ·  Item {voucher.number}  ·  Issued {issued}"
    sheet.block(fit(facts, INNER, 12, size=8.5), MARGIN, _FOOTER_TOP + 9, colour=MUTED)


def _label(sheet: Sheet, text: str, x: float, y: float, *, align: float = 0) -> None:
    sheet.line(shape_line(text), x, y, size=8.5, colour=MUTED, align=align)


def _heading(sheet: Sheet, text: str, x: float, y: float) -> None:
    sheet.line(shape_line(text, is_bold=True), x, y, size=11.5, colour=INK)


def _value(sheet: Sheet, text: str, x: float, y: float, width: float = _DETAILS) -> None:
    value = fit(text, width, 22, size=14, is_bold=True)
    baseline = value.lines[0][0] if value.lines else 0
    sheet.block(value, x, y - baseline, colour=INK)
