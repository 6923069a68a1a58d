"""Ranges of days in the calendar: each is its first and its last day, both included."""

from datetime import date, timedelta

Days = tuple[date, date]
A_DAY = timedelta(days=1)


def first_of_month(day: date) -> date:
    """Return the first day of a day's month."""
    return day.replace(day=1)


def next_month(day: date) -> date:
    """Return the first day of the next month."""
    return first_of_month(first_of_month(day) + timedelta(days=31))


def week_of(day: date) -> Days:
    """Return the week of a day, which begins on Monday."""
    monday = day - day.weekday() * A_DAY
    return monday, monday + 6 * A_DAY


def last_week(today: date) -> Days:
    """Return the week before this one."""
    return week_of(today - 7 * A_DAY)


def month_of(day: date) -> Days:
    """Return the month of a day."""
    return first_of_month(day), next_month(day) - A_DAY


def last_month(today: date) -> Days:
    """Return the month before this one."""
    return month_of(first_of_month(today) - A_DAY)


def quarter_of(day: date) -> Days:
    """Return the quarter of a day, which begins in January, April, July or October."""
    first = date(day.year, day.month - (day.month - 1) % 3, 1)
    return first, month_of(first + timedelta(days=62))[1]


def year_of(day: date) -> Days:
    """Return the year of a day."""
    return date(day.year, 1, 1), date(day.year, 12, 31)


def last_days(today: date, count: int) -> Days:
    """Return so many days, of which today is the last."""
    return today - (count - 1) * A_DAY, today


def next_days(today: date, count: int) -> Days:
    """Return so many days, of which today is the first."""
    return today, today + (count - 1) * A_DAY
