"""Voucher codes: printed on a voucher, and typed at a desk if the QR code cannot be scanned."""

import secrets

# 31 letters and digits that are easy to tell apart: no I, L, O, 0 and 1.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH, GROUP = 12, 4
SERIAL_BYTES = 8


def new_code() -> str:
    """Return a new random voucher code: 3 x 4 characters, 59 bits."""
    return code_from_number(secrets.randbelow(len(ALPHABET) ** CODE_LENGTH))


def code_from_number(number: int) -> str:
    """Write a number below 31**12 as a voucher code: 7QXM-22KD-9WTA."""
    pairs = []
    for _ in range(CODE_LENGTH // 2):
        number, pair = divmod(number, len(_PAIRS))
        pairs.append(_PAIRS[pair])
    a, b, c, d, e, f = pairs
    return f"{a}{b}-{c}{d}-{e}{f}"


def new_serial() -> bytes:
    """Return a new voucher serial: random bytes for the signed code."""
    return secrets.token_bytes(SERIAL_BYTES)


_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]
