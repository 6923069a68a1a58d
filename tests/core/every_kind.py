"""A table with a column of every kind, and values that are hard to write to Excel."""

from datetime import UTC, datetime, timedelta

from core.ground import ItemStatus
from core.tables import Column, Kind
from tests.core.random_rows import TEXTS

# A column of every kind, and the columns that these need.
# fmt: off
TEXT = Column("passenger", "Passenger", Kind.TEXT, "A name.")
CODE = Column("code", "Code & <Name>", Kind.CODE, "A code.", width=70)
STATUS = Column("status", "Status", Kind.CODE, "A word.", allowed=ItemStatus)
NUMBER = Column("no", "No", Kind.NUMBER, "A number.")
MONEY = Column("price_minor", "Price", Kind.MONEY, "An amount.", currency="currency")
CURRENCY = Column("currency", "Currency", Kind.CODE, "Its currency.")
MADE = Column("created_at", "Created Date", Kind.INSTANT, "An instant.")
SERVICE = Column("service_at", "Service Date", Kind.INSTANT, "A local time.", place_zone="zone")
ZONE = Column("zone", "Time Zone", Kind.CODE, "Its zone.")
FLAG = Column("flag", "Refundable", Kind.FLAG, "Yes or no.")
BYTES = Column("serial", "Serial", Kind.BYTES, "Digits.")
# fmt: on
EVERY_KIND = (*(TEXT, CODE, STATUS, NUMBER, MONEY, CURRENCY, MADE, SERVICE, ZONE, FLAG, BYTES),)
HOSTILE = [
    *TEXTS, "=cmd|' /C calc'!A0", "{=1+1}", "+1", "#N/A", "http://x.example", "mailto:a@x", "'q",
    " both ends ", "\ttab", "\rcr", "a\r\nb", "line\n", "1e5", "TRUE", "", " ", "\x00", "\x0b\x1f",
    "\ufffe\uffff", "_x0041_", "_x005F_", "_x000d_x", "]]>", "<b>&amp;</b>", "\u2028\x85\xa0",
    "e\u0301", "\U0010ffff", "12" * 20_000, "😀" * 20_000,
]  # fmt: skip
EDGE_NUMBERS = [0, -1, 2**53, 2**53 + 1, -(2**53), -(2**53) - 1, 2**63 - 1, -(2**63)]
# Before, in and after the hour that happens twice, in autumn 2026: in Europe, and on Lord Howe
# Island, where it is half an hour. The third is of Kathmandu, from an offset that has seconds.
CLOCK_CHANGES = [
    change + timedelta(minutes=minutes)
    for change in (
        datetime(2026, 10, 25, 1, tzinfo=UTC), datetime(2026, 4, 4, 15, tzinfo=UTC),
        datetime(1919, 12, 31, 18, 18, 44, tzinfo=UTC),
    )
    for minutes in (-91, -61, -60, -31, -30, -1, 0, 29, 30, 59, 60, 90)
]  # fmt: skip
EDGE_MOMENTS = [
    datetime(1900, 2, 28, 23, 59, 59, tzinfo=UTC), datetime(1900, 3, 1, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(1, 1, 2, tzinfo=UTC),
    datetime(9999, 12, 30, 23, 59, 59, tzinfo=UTC),
]  # fmt: skip
