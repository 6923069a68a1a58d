"""Vouchers: which can be issued, their signed codes, their PDF, and the check of a code."""

from core.vouchers.issuing import (
    DOWNLOADED,
    VoucherLine,
    assess,
    assess_items,
    find_copies,
    in_short,
    is_early,
    is_over,
    issue,
    load_items,
    ticked_items,
    to_vouchers,
    why_not_valid,
)
from core.vouchers.pdf.colours import colour_code, parse_colour, readable_colour, tint
from core.vouchers.pdf.document import current_branding, ensure_parts, render_vouchers
from core.vouchers.pdf.logo import load_logo, logo_to_png
from core.vouchers.pdf.page import Branding, Voucher
from core.vouchers.pdf.text import MAX_CHARACTERS, clean_text
from core.vouchers.printed_code import (
    ALPHABET,
    CODE_LENGTH,
    SERIAL_BYTES,
    code_from_number,
    new_code,
    new_serial,
)
from core.vouchers.signed_code import (
    KEY_FILE,
    ensure_keys,
    parse_code,
    parse_public_keys,
    public_key_text,
)
from core.vouchers.verification import Verdict, Verification, verify

__all__ = [
    "ALPHABET",
    "CODE_LENGTH",
    "DOWNLOADED",
    "KEY_FILE",
    "MAX_CHARACTERS",
    "SERIAL_BYTES",
    "Branding",
    "Verdict",
    "Verification",
    "Voucher",
    "VoucherLine",
    "assess",
    "assess_items",
    "clean_text",
    "code_from_number",
    "colour_code",
    "current_branding",
    "ensure_keys",
    "ensure_parts",
    "find_copies",
    "in_short",
    "is_early",
    "is_over",
    "issue",
    "load_items",
    "load_logo",
    "logo_to_png",
    "new_code",
    "new_serial",
    "parse_code",
    "parse_colour",
    "parse_public_keys",
    "public_key_text",
    "readable_colour",
    "render_vouchers",
    "ticked_items",
    "tint",
    "to_vouchers",
    "verify",
    "why_not_valid",
]
