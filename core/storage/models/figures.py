"""The stored tables of the daily figures: derived from orders and order items, never copied.

A figure of a day and contract is summed by each of three dimensions on its own, since all of them
together have nearly as many combinations as there are order items. Sums by month stand beside
those by day, so that years are few rows.
"""

from datetime import date
from enum import StrEnum

from sqlalchemy import BigInteger, Column, Dialect, Integer, Table, TypeDecorator

from core.storage.models.orders import Base, Instant, Plain


class Dimension(StrEnum):
    """What the sums are split by: orders by the first, order items by the others."""

    CHANNEL = "channel"
    PRODUCT_TYPE = "product_type"
    AIRPORT = "airport_iata"


class Channel(StrEnum):
    """How an order came."""

    WIDGET = "widget"
    DIRECT = "direct"


class Span(StrEnum):
    """How long a time a sum is of."""

    DAY = "day"
    MONTH = "month"


class Day(TypeDecorator[date]):
    """A day, stored as its number (date.toordinal): the same, and quick, on both databases."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> int | None:
        """Turn a date into its number."""
        return None if value is None else value.toordinal()

    def process_result_value(self, value: int | None, dialect: Dialect) -> date | None:
        """Turn a number into its date."""
        return None if value is None else date.fromordinal(value)


# None is a class of the ORM: what is derived is made anew in a copy.
DAILY_FIGURES = Table(
    "daily_figures",
    Base.metadata,
    Column("dimension", Plain, primary_key=True),
    Column("span", Plain, primary_key=True),
    Column("day", Day, primary_key=True, autoincrement=False),  # of a month its first
    Column("contract_id", Plain, primary_key=True),
    Column("currency", Plain, primary_key=True),
    Column("value", Plain, primary_key=True),
    Column("row_count", BigInteger, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("refunded_count", BigInteger, nullable=False),
    Column("refunded_minor", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
# Which hours of which contracts changed, as triggers tell; of a transaction each once.
FIGURE_CHANGES = Table(
    "figure_changes",
    Base.metadata,
    Column("contract_id", Plain, primary_key=True),
    Column("hour", Instant, primary_key=True),
    Column("writer", Plain, primary_key=True),
    sqlite_with_rowid=False,
)
# One row, when all figures are made: the zone that their days are in.
FIGURES_MADE = Table(
    "figures_made",
    Base.metadata,
    Column("row", Integer, primary_key=True, autoincrement=False),
    Column("zone", Plain, nullable=False),
)
DERIVED = {table.name for table in (DAILY_FIGURES, FIGURE_CHANGES, FIGURES_MADE)}
