"""The periods that Overview is asked for: whole days, both ends included."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from core.overview.days import first_of_month, next_month

A_DAY = timedelta(days=1)
MOST_BY_DAY = 92  # days; a longer period is drawn by month


@dataclass(frozen=True)
class Period:
    """From the first day to the last; without them, all days."""

    first: date | None = None
    last: date | None = None

    @property
    def is_by_day(self) -> bool:
        """Say whether it is short enough to be drawn day by day."""
        if self.first is None or self.last is None:
            return False
        return (self.last - self.first).days < MOST_BY_DAY

    def within(self, first: date, last: date) -> "Period":
        """Return the part of some days that is in the period."""
        return Period(max(first, self.first or first), min(last, self.last or last))

    def whole_months(self) -> tuple[date, date] | None:
        """Return the first days of the first and last month that are whole in it, if there are."""
        assert self.first is not None
        assert self.last is not None
        first = self.first if self.first.day == 1 else next_month(self.first)
        last = first_of_month(first_of_month(self.last + A_DAY) - A_DAY)
        return (first, last) if first <= last else None


def _last_days(count: int) -> Callable[[date], Period]:
    return lambda today: Period(today - (count - 1) * A_DAY, today)


def _this_month(today: date) -> Period:
    return Period(first_of_month(today), next_month(today) - A_DAY)


def _last_month(today: date) -> Period:
    last = first_of_month(today) - A_DAY
    return Period(first_of_month(last), last)


def _this_year(today: date) -> Period:
    return Period(date(today.year, 1, 1), date(today.year, 12, 31))


# By the name that the address has, in the order in which they are offered.
PERIODS: dict[str, tuple[str, Callable[[date], Period]]] = {
    "7-days": ("Last 7 days", _last_days(7)),
    "30-days": ("Last 30 days", _last_days(30)),
    "90-days": ("Last 90 days", _last_days(90)),
    "this-month": ("This month", _this_month),
    "last-month": ("Last month", _last_month),
    "this-year": ("This year", _this_year),
    "all": ("All time", lambda _: Period()),
}
