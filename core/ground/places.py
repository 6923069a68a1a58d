"""Airports, their time zones, local days and local times."""

from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

import airportsdata

_DAYS = "Mon Tue Wed Thu Fri Sat Sun".split()  # strftime depends on the machine's locale
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


@cache
def airport_zones() -> dict[str, str]:
    """Return the IANA time zone of every airport by its IATA code (from airportsdata)."""
    return {code: airport["tz"] for code, airport in airportsdata.load("IATA").items()}


@cache
def airport_names() -> dict[str, str]:
    """Return the name of every airport by its IATA code (from airportsdata)."""
    return {code: airport["name"] for code, airport in airportsdata.load("IATA").items()}


@cache
def zones() -> frozenset[str]:
    """Return the names of all IANA time zones, without that of the machine and that of no place."""
    return frozenset(available_timezones() - {"localtime", "Factory"})


@cache
def zone_named(name: str) -> ZoneInfo:
    """Return a time zone, and keep it: Python keeps eight, and reads the file of any other."""
    return ZoneInfo(name)


@cache
def offsets_in(year: int) -> frozenset[timedelta]:
    """Return the offsets from UTC that the clocks of some place have in a year.

    Zones such as Etc/GMT+12 are left out: nobody lives there.
    """
    months = [datetime(year, month, 1, tzinfo=UTC) for month in range(1, 13)]
    places = [ZoneInfo(name) for name in zones() if not name.startswith("Etc/")]
    found = (month.astimezone(place).utcoffset() for place in places for month in months)
    return frozenset(offset for offset in found if offset is not None)


def next_day(day: date) -> date:
    """Return the day after a day."""
    return day + timedelta(days=1)


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of a day in a zone, as UTC.

    If clocks jump over midnight, the day has no 00:00. With fold=0 it is read with the offset
    before the jump. That gives the instant of the jump, which is the first of the day.
    """
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


@lru_cache(maxsize=64)
def day_starts(day: date) -> dict[datetime, list[str]]:
    """Return the instants (UTC) at which a day begins, each with the zones where it does."""
    starts: dict[datetime, list[str]] = {}
    for name in sorted(zones()):
        starts.setdefault(start_of_day(day, ZoneInfo(name)), []).append(name)
    return starts


def in_zone(instant: datetime, zone: str, *, seconds: bool = False) -> str:
    """Format an instant as local time: 2026-10-25 14:30 (Europe/London).

    The hour that repeats at the end of summer time also shows its offset from UTC.
    """
    local = instant.astimezone(ZoneInfo(zone))
    is_repeated = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    offset = f", UTC{local.isoformat()[-6:]}" if is_repeated else ""
    time = f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"
    return f"{local:%Y-%m-%d} {time} ({zone}{offset})"


def day_and_time(local: datetime) -> str:
    """Format a local time for passengers: Tue 1 Dec 2026, 14:30."""
    return f"{day_in_words(local)}, {local.hour:02}:{local.minute:02}"


def day_in_words(day: date) -> str:
    """Format a day: Tue 1 Dec 2026."""
    return f"{_DAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}"


def utc_offset(local: datetime) -> str:
    """Format the offset of a local time from UTC: +05:30."""
    written = f"{local:%z}"
    return f"{written[:3]}:{written[3:5]}"
