"""Parse imported dates and times. ValueError says what is wrong.

The grammar, which docs/import.md describes:

    date    2026-03-01 | 1.3.2026 | 01.03.2026
    time    14:30 | 14:30:05 | 14:30:05.250 (the fraction of the second is dropped)
    offset  Z | +02:00 | -05:30, if the clocks of some place have it in that year
    value   date | date time | date time offset, with blanks or a T before the time
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from core.ground import offsets_in
from core.imports.faults import Dependent
from core.imports.words import parse_word

FIRST_YEAR, LAST_YEAR = 1900, 2199
MAX_NIGHT = 8 * 60
_BLANK = "[ \u00a0\u202f]"
_DATE = (
    r"(?:(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)|(?P<day>\d\d?)\.(?P<month>\d\d?)\.(?P<year>\d{4}))"
)
_TIME = rf"(?:T|{_BLANK}+)(?P<hour>\d\d?):(?P<minute>\d\d)(?P<rest>:(?P<second>\d\d)([.,]\d+)?)?"
_OFFSET = rf"{_BLANK}?(?P<offset>Z|[+-]\d\d:[0-5]\d)"
_INSTANT = re.compile(rf"{_DATE}(?:{_TIME}(?:{_OFFSET})?)?", re.ASCII)
NO_DATE = "is not a date; write it like 2026-03-01 14:30"
# Excel counts time in days, so a time may be a moment early. Adding half a second rounds it.
_HALF_SECOND = timedelta(microseconds=500_000)


def parse_instant(value: Any, zone: str | None, *, is_stated: bool = False) -> int | None:
    """Return epoch seconds, None if empty; a time without an offset is local time in `zone`.

    `is_stated` says that the header names the zone: then an offset must be one that it has at that
    time. Z is UTC everywhere. Raises Dependent if a local time has no zone.
    """
    found = _read(value)
    if found is None:
        return None
    moment, offset = found
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"is not between the years {FIRST_YEAR} and {LAST_YEAR}")
    if offset is None:
        if zone is None:
            raise Dependent
        return _local_instant(moment, zone)
    instant = moment.replace(tzinfo=UTC) - _offset_of(offset, moment.year)
    if is_stated and zone is not None and offset != "Z":
        _check_offset(instant, moment, zone)
    return int(instant.timestamp())


def parse_day(value: Any) -> str | None:
    """Return a calendar day as text such as 2026-03-01, None if empty."""
    found = _read(value)
    if found is None:
        return None
    moment, offset = found
    if offset is not None or moment.time() != time():
        raise ValueError("has a time, but a day is expected; write it like 2026-03-01")
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"is not between the years {FIRST_YEAR} and {LAST_YEAR}")
    return f"{moment.date()}"


def _read(value: Any) -> tuple[datetime, str | None] | None:
    """Return the local time of a value, and its offset as it is written."""
    if isinstance(value, datetime):
        return (value + _HALF_SECOND).replace(microsecond=0), None
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day), None  # noqa: DTZ001 - a local time
    if isinstance(value, bool | int | float | time | timedelta):
        raise ValueError(NO_DATE)
    text = parse_word(value)
    if text is None:
        return None
    found = _INSTANT.fullmatch(text)
    if not found:
        raise ValueError(NO_DATE)
    _refuse_span(found)
    names = ("y", "m", "d") if found["y"] else ("year", "month", "day")
    parts = (int(found[name] or 0) for name in (*names, "hour", "minute", "second"))
    try:
        return datetime(*parts), found["offset"]  # type: ignore[arg-type] # noqa: DTZ001 - as above
    except ValueError:
        raise ValueError(NO_DATE) from None


def _refuse_span(found: re.Match[str]) -> None:
    """Refuse 10:00-11:00, which is either an offset from UTC or the end of a span of time.

    Over midnight it may be a span of up to MAX_NIGHT minutes: 22:00-02:00.
    """
    offset, text = found["offset"] or "", found.string
    if "T" in text or found["rest"] or not offset.startswith("-"):
        return
    start = int(found["hour"]) * 60 + int(found["minute"])
    end = int(offset[1:3]) * 60 + int(offset[4:])
    if end > start or 24 * 60 - start + end <= MAX_NIGHT:
        raise ValueError(
            f"is ambiguous: until {offset[1:]}, or the UTC offset {offset}; "
            f"write an offset after the seconds, like 14:30:00{offset}"
        )


def _offset_of(written: str, year: int) -> timedelta:
    if written == "Z":
        return timedelta()
    offset = timedelta(hours=int(written[1:3]), minutes=int(written[4:]))
    offset = -offset if written.startswith("-") else offset
    if offset not in offsets_in(year):
        raise ValueError(f"has the UTC offset {written}, which no time zone has in {year}")
    return offset


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _check_offset(instant: datetime, moment: datetime, zone: str) -> None:
    local = instant.astimezone(_zone(zone))
    if local.replace(tzinfo=None) != moment:
        raise ValueError(f"has a UTC offset that {zone} does not have then; there it is {local}")


def _local_instant(moment: datetime, zone: str) -> int:
    """Return a local time as an instant; raises ValueError if it happens twice or never."""
    if zone == "UTC":
        return int(moment.replace(tzinfo=UTC).timestamp())
    early = moment.replace(tzinfo=_zone(zone))
    late = early.replace(fold=1)
    first, second = early.utcoffset(), late.utcoffset()
    if first != second:
        readings = " or ".join(
            f"{reading.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" for reading in (early, late)
        )
        exists = early.astimezone(UTC).astimezone(_zone(zone)).replace(tzinfo=None) == moment
        happens = "happens twice" if exists else "never happens"
        raise ValueError(f"{happens} in {zone} (clock change): {readings}; add the UTC offset")
    return int(early.timestamp())
