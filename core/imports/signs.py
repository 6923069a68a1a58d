"""The signs and words by which number formats name a currency."""

from core.ground import is_currency

_DOLLARS = (
    "USD ARS AUD BBD BMD BND BRL BSD BZD CAD CLP COP CUP CVE DOP FJD GYD HKD JMD KYD LRD MXN NAD "
    "NIO NZD SBD SGD SRD TTD TWD UYU XCD"
)
# The currencies of a sign. One that is missing is refused, never taken for another.
_CURRENCIES = {
    "€": "EUR", "euro": "EUR", "$": _DOLLARS, "us$": "USD", "a$": "AUD", "au$": "AUD",
    "c$": "CAD", "ca$": "CAD", "nz$": "NZD", "s$": "SGD", "hk$": "HKD", "nt$": "TWD", "r$": "BRL",
    "mx$": "MXN", "£": "GBP EGP FKP GIP LBP SDG SHP SSP SYP", "¥": "JPY CNY", "￥": "JPY CNY",
    "円": "JPY", "元": "CNY", "₹": "INR", "₺": "TRY", "tl": "TRY", "₪": "ILS", "₽": "RUB",
    "руб": "RUB BYN", "р": "RUB BYN", "₩": "KRW KPW", "₫": "VND", "₴": "UAH", "грн": "UAH",
    "₦": "NGN", "₱": "PHP CUP", "฿": "THB", "zł": "PLN", "kč": "CZK", "kr": "DKK ISK NOK SEK",
    "ft": "HUF", "lei": "RON MDL", "лв": "BGN", "fr": "CHF", "sfr": "CHF", "r": "ZAR",
    "₡": "CRC", "₲": "PYG", "₸": "KZT", "₼": "AZN", "₾": "GEL", "֏": "AMD", "৳": "BDT",
    "₨": "INR LKR MUR NPR PKR SCR", "rs": "INR LKR MUR NPR PKR SCR", "rm": "MYR", "rp": "IDR",
    "s/": "PEN", "ден": "MKD", "din": "RSD", "дин": "RSD", "km": "BAM", "dh": "MAD AED",
    "د.إ": "AED", "ر.س": "SAR", "﷼": "IRR OMR QAR SAR YER", "د.ك": "KWD", "kd": "KWD",
    "₵": "GHS", "៛": "KHR", "₭": "LAK", "₮": "MNT",
}  # fmt: skip


def is_currency_sign(sign: str, currency: str) -> bool:
    """Return whether a sign, a word or an ISO code can name a currency: €, kr, PLN."""
    if is_currency(sign.upper()):
        return sign.upper() == currency
    words = sign.casefold().split()
    return all(
        word.upper() == currency or currency in _CURRENCIES.get(word.strip("."), "").split()
        for word in words
    )
