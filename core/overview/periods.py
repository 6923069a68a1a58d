"""The periods of Overview: whole days, including the first and the last."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from core.overview.days import first_of_month, next_month

A_DAY = timedelta(days=1)
MAX_DAYS_BY_DAY = 92  # a longer period is drawn by month


@dataclass(frozen=True)
class Period:
    """The days from the first to the last; all days if both are None."""

    first: date | None = None
    last: date | None = None

    @property
    def is_by_day(self) -> bool:
        """Whether the period is short enough to be drawn day by day."""
        if self.first is None or self.last is None:
            return False
        return (self.last - self.first).days < MAX_DAYS_BY_DAY

    def within(self, first: date, last: date) -> "Period":
        """Return the part of the days from `first` to `last` that lies in the period."""
        return Period(max(first, self.first or first), min(last, self.last or last))

    def whole_months(self) -> tuple[date, date] | None:
        """Return the first days of the first and the last whole month; None if there is none."""
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


# Keyed by the name in the address, in the order of the list on the page.
PERIODS: dict[str, tuple[str, Callable[[date], Period]]] = {
    "7-days": ("Last 7 days", _last_days(7)),
    "30-days": ("Last 30 days", _last_days(30)),
    "90-days": ("Last 90 days", _last_days(90)),
    "this-month": ("This month", _this_month),
    "last-month": ("Last month", _last_month),
    "this-year": ("This year", _this_year),
    "all": ("All time", lambda _: Period()),
}
