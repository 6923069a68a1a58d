"""Money: integer minor units and an ISO 4217 currency."""

from decimal import Decimal
from functools import cache, lru_cache

from babel.numbers import list_currencies

USUAL_DECIMALS = 2
MAX_AMOUNT = 10**13  # major units; it fits the database in the minor units of every currency
# ISO 4217, list one: the currencies whose minor unit is not a hundredth. (CLDR, and therefore
# Babel, differs: it gives no decimals to currencies whose hundredths are out of use, such as RSD.)
UNUSUAL_DECIMALS = (
    dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0)
    | dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3)
    | dict.fromkeys("CLF UYW".split(), 4)
)
# The most common currencies with two decimals. SQL compares them first, which saves comparisons.
COMMON_CURRENCIES = ("EUR", "USD", "GBP", "CHF", "TRY", "PLN", "ILS", "INR")
MAX_DECIMALS = max(UNUSUAL_DECIMALS.values())


@cache
def is_currency(code: str) -> bool:
    """Return whether a code is an ISO 4217 currency that Babel knows."""
    return code in list_currencies()


def decimals_of(currency: str) -> int:
    """Return the number of decimals of a currency: EUR 2, JPY 0, KWD 3 (ISO 4217)."""
    return UNUSUAL_DECIMALS.get(currency, USUAL_DECIMALS)


def to_major(minor: int, currency: str) -> Decimal:
    """Convert minor to major units: 1250 EUR is 12.50."""
    return Decimal(minor).scaleb(-decimals_of(currency))


def to_minor(amount: Decimal, currency: str) -> int:
    """Convert major to minor units. Raises ValueError if the amount has too many decimals."""
    minor = amount.scaleb(decimals_of(currency))
    if minor != minor.to_integral_value():
        raise ValueError(f"has too many decimals; {currency} has {decimals_of(currency)}")
    return int(minor)


@lru_cache(maxsize=10_000)  # many rows have the same price
def format_amount(minor: int, currency: str) -> str:
    """Format minor units as an amount in major units: 1,234.50."""
    return f"{to_major(minor, currency):,f}"


def format_money(minor: int, currency: str) -> str:
    """Format an amount with its currency: 1,234.50 EUR."""
    return f"{format_amount(minor, currency)} {currency}"
