"""The periods of Overview: whole days, including the first and the last."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

from core.ground import (
    first_of_month,
    last_days,
    last_month,
    month_of,
    next_month,
    week_of,
    year_of,
)

Days = tuple[date, date]
A_DAY = timedelta(days=1)
MAX_DAYS_BY_DAY = 92  # a longer period is drawn by month


@dataclass(frozen=True)
class Period:
    """The days from the first to the last; all days if both are None.

    `before` is the period that it is compared with, if that is not the same number of days before.
    """

    first: date | None = None
    last: date | None = None
    before: "Period | None" = field(default=None, compare=False)

    @property
    def compared_with(self) -> "Period | None":
        """Return the period before, which figures are compared with; None for all days."""
        if self.before is not None or self.first is None or self.last is None:
            return self.before
        count = (self.last - self.first).days + 1
        return Period(self.first - count * A_DAY, self.first - A_DAY)

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


def _of(days: Days, before: Days) -> Period:
    return Period(*days, before=Period(*before))


def _last_days(count: int) -> Callable[[date], Period]:
    return lambda today: Period(*last_days(today, count))


def _yesterday(today: date) -> Period:
    return Period(*last_days(today - A_DAY, 1))


def _this_week(today: date) -> Period:
    return _of(week_of(today), (week_of(today - 7 * A_DAY)[0], today - 7 * A_DAY))


def _month_to_date(today: date) -> Period:
    return _of((first_of_month(today), today), _last_month_until(today))


def _this_month(today: date) -> Period:
    return _of(month_of(today), _last_month_until(today))


def _last_month_until(today: date) -> Days:
    """Return the days of the last month up to the same day, which a shorter month may not have."""
    first, last = last_month(today)
    return first, min(last, first + (today.day - 1) * A_DAY)


def _last_month(today: date) -> Period:
    days = last_month(today)
    return _of(days, last_month(days[0]))


def _this_year(today: date) -> Period:
    first, _ = year_of(today)
    until = date(
        today.year - 1, today.month, 28 if (today.month, today.day) == (2, 29) else today.day
    )
    return _of(year_of(today), (year_of(first - A_DAY)[0], until))


# Keyed by the name in the address, in the order of the list on the page.
PERIODS: dict[str, tuple[str, Callable[[date], Period]]] = {
    "yesterday": ("Yesterday", _yesterday),
    "this-week": ("This week", _this_week),
    "7-days": ("Last 7 days", _last_days(7)),
    "30-days": ("Last 30 days", _last_days(30)),
    "90-days": ("Last 90 days", _last_days(90)),
    "month-to-date": ("This month to date", _month_to_date),
    "this-month": ("This month", _this_month),
    "last-month": ("Last month", _last_month),
    "this-year": ("This year", _this_year),
    "all": ("All time", lambda _: Period()),
}
