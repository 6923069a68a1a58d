"""The agents, customers, places and prices of the demo data."""

from functools import cache
from typing import NamedTuple

from core.ground import Method, ProductType, decimals_of

AIRPORTS = [
    "LHR",
    "LGW",
    "MAN",
    "EDI",
    "DUB",
    "CDG",
    "NCE",
    "AMS",
    "BRU",
    "FRA",
    "MUC",
    "BER",
    "ZRH",
    "VIE",
    "FCO",
    "MXP",
    "MAD",
    "BCN",
    "LIS",
    "ATH",
    "IST",
    "WAW",
    "HEL",
    "OSL",
    "ARN",
    "CPH",
    "KEF",
    "DXB",
    "DOH",
    "KWI",
    "TLV",
    "AUH",
    "RUH",
    "BOM",
    "DEL",
    "SIN",
    "HKG",
    "HND",
    "ICN",
    "PEK",
    "SYD",
    "JFK",
    "LAX",
    "GRU",
]

AUTHORS = [
    "maria.santos",
    "james.okafor",
    "elif.demir",
    "anna.kowalska",
    "luca.bianchi",
    "sarah.cohen",
    "wei.zhang",
    "omar.haddad",
    "ingrid.larsen",
    "tom.baker",
    "priya.nair",
    "yuki.tanaka",
    "chloe.martin",
    "david.levi",
    "nora.fischer",
    "ahmed.saleh",
    "lena.petrova",
    "hugo.silva",
    "emma.murphy",
    "kostas.georgiou",
]


class DemoContract(NamedTuple):
    """A customer in the demo; `rate` is about how many units of its currency one euro buys."""

    contract_id: str
    name: str
    currency: str
    rate: float
    method: Method
    airports: str
    share: int


CONTRACTS = (
    DemoContract("CT-1001", "Helios Travel", "EUR", 1, Method.BALANCE, "ATH FCO MXP CDG", 18),
    DemoContract("CT-1002", "Northwind Airways", "GBP", 0.86, Method.CARD, "LHR LGW MAN EDI", 16),
    DemoContract("CT-1003", "Blue Lagoon Tours", "ISK", 150, Method.CARD, "KEF CPH OSL", 4),
    DemoContract("CT-1004", "Kestrel Corporate", "USD", 1.1, Method.BALANCE, "JFK LAX LHR", 15),
    DemoContract("CT-1005", "Sakura Journeys", "JPY", 165, Method.BALANCE, "HND ICN HKG SIN", 9),
    DemoContract("CT-1006", "Gulf Star Holidays", "KWD", 0.34, Method.BALANCE, "KWI DXB DOH", 6),
    DemoContract("CT-1007", "Bosphorus Bilet", "TRY", 37, Method.CARD, "IST ATH FRA", 8),
    DemoContract("CT-1008", "Alpenblick Reisen", "CHF", 0.95, Method.BALANCE, "ZRH VIE MUC", 7),
    DemoContract("CT-1009", "Levant Business Travel", "ILS", 4, Method.CARD, "TLV LHR CDG", 5),
    DemoContract("CT-1010", "Wisła Podróże", "PLN", 4.3, Method.BALANCE, "WAW BER AMS", 6),
    DemoContract("CT-1011", "Monsoon Voyages", "INR", 92, Method.CARD, "BOM DEL SIN", 4),
    DemoContract("CT-1012", "Atlântico Viagens", "EUR", 1, Method.CARD, "LIS MAD BCN GRU", 2),
)


class DemoProduct(NamedTuple):
    """A service in the demo: its price in euros, and its refund deadline in hours before it."""

    type: ProductType
    names: tuple[str, ...]
    euros: float
    refund_hours: int
    refundable_share: float


PRODUCTS = (
    DemoProduct(
        ProductType.LOUNGE,
        ("Aspire Lounge, 3 hours", "Executive Lounge", "Quiet Lounge with Shower"),
        38,
        24,
        0.8,
    ),
    DemoProduct(
        ProductType.FAST_TRACK, ("Fast Track Security", "Fast Track Passport Control"), 12, 48, 0.5
    ),
    DemoProduct(
        ProductType.MEET_AND_ASSIST,
        ("Meet & Assist Departure", "Meet & Assist Arrival", "Meet & Assist Connection"),
        95,
        72,
        0.9,
    ),
    DemoProduct(ProductType.DELAY_CARE, ("Delay Care, Lounge from 1 hour",), 9, 168, 0.3),
)
PRODUCT_WEIGHTS = (45, 25, 18, 12)
ITEM_COUNTS, ITEM_COUNT_WEIGHTS = (1, 2, 3, 4, 5, 6), (18, 24, 22, 18, 12, 6)


@cache
def round_price(amount: float, currency: str) -> int:
    """Round a price to half a unit, or to ten units if the currency has no decimals."""
    decimals = decimals_of(currency)
    if decimals == 0:
        return max(10, round(amount / 10) * 10)
    halves = max(1, round(amount * 2))
    return halves * int(10**decimals) // 2
