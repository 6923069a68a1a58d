"""What Overview shows: a question, and figures that lead to their rows."""

from dataclasses import dataclass, field
from datetime import date, datetime

from core.overview.periods import Period
from core.overview.sums import Sums
from core.views import View


@dataclass(frozen=True)
class Question:
    """What Overview shows: one period, one currency or all (None), and one contract or all."""

    period: Period
    currency: str | None
    contract_id: str | None = None


@dataclass(frozen=True)
class ContractCurrency:
    """A contract, a currency, and the number of its orders in that currency that the actor sees."""

    contract_id: str
    name: str
    currency: str
    orders: int


@dataclass(frozen=True)
class Figure:
    """The number of rows of a view, and their total in the currency of the question.

    Over all currencies there is no total: two currencies are never added.
    """

    view: View
    count: int = 0
    amount_minor: int = 0


@dataclass(frozen=True)
class Group:
    """The figures of rows with one value; for order items, also of the refunded ones."""

    value: str
    rows: Figure
    refunded: Figure | None = None


@dataclass(frozen=True)
class TimeStep:
    """The figures of one day or one month: orders, order items, and refunded order items."""

    period: Period
    orders: Figure
    items: Figure
    refunded: Figure


@dataclass(frozen=True)
class RefundStep:
    """The refunds that succeeded on one day, or in one month."""

    period: Period
    rows: Figure


@dataclass(frozen=True)
class Before:
    """The sums of the period before: of orders and order items, in all and by day or month."""

    period: Period
    orders: Sums
    items: Sums
    steps: dict[date, tuple[Sums, Sums]] = field(default_factory=dict)


@dataclass(frozen=True)
class Overview:
    """Every figure of Overview for one question.

    `refunded` are items created in the period, `refunds` are those that succeeded in it.
    `before` is None for all time. Over all currencies, `by_currency` has the figures of each one.
    """

    orders: Figure
    items: Figure
    refunded: Figure
    refunds: Figure
    at_risk: dict[str, Figure]  # by time left, such as "24 hours"
    time_steps: list[TimeStep] = field(default_factory=list)
    by_product_type: list[Group] = field(default_factory=list)
    by_airport: list[Group] = field(default_factory=list)
    by_contract: list[Group] = field(default_factory=list)
    by_channel: list[Group] = field(default_factory=list)
    by_reason: list[Group] = field(default_factory=list)
    refund_steps: list[RefundStep] = field(default_factory=list)
    before: Before | None = None
    by_currency: dict[str, "Overview"] = field(default_factory=dict)
    as_of: datetime | None = None  # how old the figures are, if they come from a standby

    @property
    def every_figure(self) -> list[Figure]:
        """Return every figure of the question's currency, including those of the plots."""
        groups = [*self.by_product_type, *self.by_airport, *self.by_contract, *self.by_channel]
        groups += self.by_reason
        found = [self.orders, self.items, self.refunded, self.refunds, *self.at_risk.values()]
        found += [one.rows for one in self.refund_steps]
        found += [rows for one in self.time_steps for rows in (one.orders, one.items, one.refunded)]
        return found + [rows for one in groups for rows in (one.rows, one.refunded) if rows]


def rate(part: Figure, whole: Figure) -> float:
    """Return the share of the rows of `whole` that are in `part`, from 0 to 1."""
    return part.count / whole.count if whole.count else 0.0


def growth(now: int, before: int) -> float | None:
    """Return how much more or less than before: 0.12 is 12 % more; None if there was nothing."""
    return (now - before) / before if before else None
