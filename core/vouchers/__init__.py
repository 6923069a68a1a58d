"""Vouchers: which can be issued, their signed codes, their PDF, and the check of a code."""

from core.vouchers.issuing import (
    DOWNLOADED,
    VoucherLine,
    assess,
    assess_items,
    find_copies,
    is_early,
    is_over,
    issue,
    load_items,
    summarise_reasons,
    ticked_items,
    why_not_valid,
)
from core.vouchers.pdf.colours import colour_code, parse_colour, readable_colour, tint
from core.vouchers.pdf.document import check_assets, current_branding, render_vouchers
from core.vouchers.pdf.logo import load_logo, logo_to_png
from core.vouchers.pdf.page import Branding, Voucher
from core.vouchers.pdf.text import MAX_CHARACTERS, clean_text, unprintable
from core.vouchers.printed_code import (
    ALPHABET,
    CODE_LENGTH,
    SERIAL_BYTES,
    code_from_number,
    new_code,
    new_serial,
)
from core.vouchers.printing import to_vouchers
from core.vouchers.shared_keys import (
    accepted_keys,
    forget_keys,
    other_key_ids,
    share_keys,
    shared_key_ids,
)
from core.vouchers.signed_code import (
    KEY_FILE,
    PUBLIC_KEYS,
    ensure_keys,
    own_key_id,
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
    "PUBLIC_KEYS",
    "SERIAL_BYTES",
    "Branding",
    "Verdict",
    "Verification",
    "Voucher",
    "VoucherLine",
    "accepted_keys",
    "assess",
    "assess_items",
    "check_assets",
    "clean_text",
    "code_from_number",
    "colour_code",
    "current_branding",
    "ensure_keys",
    "find_copies",
    "forget_keys",
    "is_early",
    "is_over",
    "issue",
    "load_items",
    "load_logo",
    "logo_to_png",
    "new_code",
    "new_serial",
    "other_key_ids",
    "own_key_id",
    "parse_code",
    "parse_colour",
    "parse_public_keys",
    "public_key_text",
    "readable_colour",
    "render_vouchers",
    "share_keys",
    "shared_key_ids",
    "summarise_reasons",
    "ticked_items",
    "tint",
    "to_vouchers",
    "unprintable",
    "verify",
    "why_not_valid",
]
