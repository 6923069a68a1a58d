"""Amounts: integer minor units plus an ISO 4217 currency, formatted by Babel."""

from decimal import Decimal
from functools import cache

from babel.numbers import format_currency, get_currency_precision, list_currencies


@cache
def is_currency(code: str) -> bool:
    """Say whether the code is a currency that Babel's CLDR knows (ISO 4217)."""
    return code in list_currencies()


@cache
def decimals(currency: str) -> int:
    """Return how many decimals the currency has: EUR 2, JPY 0, KWD 3 (CLDR)."""
    return int(get_currency_precision(currency))


def to_major(minor: int, currency: str) -> Decimal:
    """Turn minor units into the amount people write: 1250 EUR is 12.50."""
    return Decimal(minor).scaleb(-decimals(currency))


def to_minor(amount: Decimal, currency: str) -> int:
    """Turn the amount people write into minor units; ValueError when it has too many decimals."""
    minor = amount.scaleb(decimals(currency))
    if minor != minor.to_integral_value():
        raise ValueError(f"{currency} has {decimals(currency)} decimals")
    return int(minor)


def format_amount(minor: int, currency: str) -> str:
    """Format an amount for people: €12.50."""
    return format_currency(to_major(minor, currency), currency, locale="en_GB")
