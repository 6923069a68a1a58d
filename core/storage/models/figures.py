"""The tables of the daily figures: derived from orders, order items and refunds, never copied.

The figures of a day and contract are summed by one dimension at a time, since all dimensions
together have nearly as many combinations as there are order items. There are also sums by month,
so that a year needs few rows.
"""

from datetime import date
from enum import StrEnum

from sqlalchemy import BigInteger, Column, Dialect, Integer, Table, TypeDecorator

from core.storage.models.imports import IMPORT_RUNS
from core.storage.models.processes import PROCESS_SIGNS
from core.storage.types import Base, Instant, Plain


class Dimension(StrEnum):
    """What the figures are grouped by: orders by channel, refunds by reason, items by the rest."""

    CHANNEL = "channel"
    PRODUCT_TYPE = "product_type"
    AIRPORT = "airport_iata"
    REASON = "reason"


class Channel(StrEnum):
    """How an order was made: through a partner's widget, or directly."""

    WIDGET = "widget"
    DIRECT = "direct"


class Span(StrEnum):
    """The period of a sum."""

    DAY = "day"
    MONTH = "month"


class Day(TypeDecorator[date]):
    """A date, stored as its ordinal (date.toordinal): fast, and the same on both databases."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> int | None:
        """Convert a date to its ordinal."""
        return None if value is None else value.toordinal()

    def process_result_value(self, value: int | None, dialect: Dialect) -> date | None:
        """Convert an ordinal to its date."""
        return None if value is None else date.fromordinal(value)


# Tables, not ORM classes: a copy of the database copies the classes and derives these again.
DAILY_FIGURES = Table(
    "daily_figures",
    Base.metadata,
    Column("dimension", Plain, primary_key=True),
    Column("span", Plain, primary_key=True),
    Column("day", Day, primary_key=True, autoincrement=False),  # of a month, the first day
    Column("contract_id", Plain, primary_key=True),
    Column("currency", Plain, primary_key=True),
    Column("value", Plain, primary_key=True),
    Column("row_count", BigInteger, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("refunded_count", BigInteger, nullable=False),
    Column("refunded_minor", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
# The contracts and hours that changed. Triggers write each one once per transaction.
FIGURE_CHANGES = Table(
    "figure_changes",
    Base.metadata,
    Column("contract_id", Plain, primary_key=True),
    Column("hour", Instant, primary_key=True),
    Column("writer", Plain, primary_key=True),
    sqlite_with_rowid=False,
)
# One row once all figures exist: the time zone of their days.
FIGURES_MADE = Table(
    "figures_made",
    Base.metadata,
    Column("row", Integer, primary_key=True, autoincrement=False),
    Column("zone", Plain, nullable=False),
)
_LEFT_BEHIND = DAILY_FIGURES, FIGURE_CHANGES, FIGURES_MADE, PROCESS_SIGNS, IMPORT_RUNS
DERIVED = {table.name for table in _LEFT_BEHIND}
