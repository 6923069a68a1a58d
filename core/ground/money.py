"""Amounts: integer minor units plus an ISO 4217 currency."""

from decimal import Decimal
from functools import cache, lru_cache

from babel.numbers import list_currencies

USUAL_DECIMALS = 2
MAX_AMOUNT = 10**13  # in major units: what fits the database in every currency's minor ones
# ISO 4217, list one: the currencies whose minor unit is not a hundredth. (CLDR, and so Babel,
# differs: it leaves out the hundredths that are no longer in use, such as those of RSD.)
UNUSUAL_DECIMALS = (
    dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0)
    | dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3)
    | dict.fromkeys("CLF UYW".split(), 4)
)
# Of the usual decimals, those met most: compared first, they save the others' comparisons.
FREQUENT_CURRENCIES = ("EUR", "USD", "GBP", "CHF", "TRY", "PLN", "ILS", "INR")
MOST_DECIMALS = max(UNUSUAL_DECIMALS.values())


@cache
def is_currency(code: str) -> bool:
    """Say whether the code is a currency that Babel knows (ISO 4217)."""
    return code in list_currencies()


def decimals_of(currency: str) -> int:
    """Return how many decimals the currency has: EUR 2, JPY 0, KWD 3 (ISO 4217)."""
    return UNUSUAL_DECIMALS.get(currency, USUAL_DECIMALS)


def to_major(minor: int, currency: str) -> Decimal:
    """Turn minor units into the amount people write: 1250 EUR is 12.50."""
    return Decimal(minor).scaleb(-decimals_of(currency))


def to_minor(amount: Decimal, currency: str) -> int:
    """Turn the amount people write into minor units; ValueError when it has too many decimals."""
    minor = amount.scaleb(decimals_of(currency))
    if minor != minor.to_integral_value():
        raise ValueError(f"has more decimals than {currency}, which has {decimals_of(currency)}")
    return int(minor)


@lru_cache(maxsize=10_000)  # prices are met again and again
def amount_in_words(minor: int, currency: str) -> str:
    """Return an amount as people read it: 1,234.50."""
    return f"{to_major(minor, currency):,f}"
