"""Parse single imported values: text, numbers, flags, instants. ValueError says what is wrong."""

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from core.ground import MAX_AMOUNT, decimals_of, to_minor

MAX_EXACT = 2**53  # larger numbers in a cell lose their last digit
_DOTTED_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?$")
_BLANKS_IN_NUMBERS = re.compile("[\\u00a0\\u202f\\u2009]")
_UNGROUPED = re.compile(r"[+-]?(?:\d+|\d*[.,]\d+|\d+[.,])")
_GROUPED = re.compile(r"[+-]?\d{1,3}(?=([,. '])\d{3})(?:([,. '])\d{3}(?:\2\d{3})*)((?!\2)[.,]\d+)?")
_ONE_GROUP = re.compile(r"([+-]?[1-9]\d{0,2})[.,](\d{3})")
_YES, _NO = {"yes", "true", "1", "y"}, {"no", "false", "0", "n"}
# Excel counts time in days, so a time may be a moment early. Adding half a second rounds it.
_HALF_SECOND = timedelta(microseconds=500_000)


def parse_text(value: Any) -> str | None:
    """Return text without blanks around it, None if empty. A whole number loses its “.0”."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, datetime | date | time):
        raise ValueError("is a date, but text is expected (format the cell as text)")
    text = value.strip() if isinstance(value, str) else str(value)
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("contains a character that cannot be stored (NUL or half a character)")
    return text or None


def parse_whole(value: Any) -> int | None:
    """Return a whole number, None if empty."""
    number = _decimal(value, decimals=0)
    if number is None:
        return None
    if number != number.to_integral_value() or abs(number) > MAX_EXACT:
        raise ValueError("is not a whole number")
    return int(number)


def parse_amount(value: Any, currency: str) -> int | None:
    """Return the minor units of an amount as people write it: 12.50, 12,50, 1.234,50, 1 234.50."""
    number = _decimal(value, decimals=decimals_of(currency))
    if number is None:
        return None
    if abs(number) > MAX_AMOUNT:  # before rounding, which fails with so many digits
        raise ValueError("is too large")
    if isinstance(value, float):
        number = round(number, decimals_of(currency) + 6)  # a float's 12.499999999999998
    minor = to_minor(number, currency)
    if abs(minor) > MAX_EXACT:
        raise ValueError("is too large")
    return minor


def _decimal(value: Any, *, decimals: int) -> Decimal | None:
    if isinstance(value, bool | datetime | date | time):
        raise ValueError("is not a number")
    if isinstance(value, int | float):
        number = Decimal(str(value))
    else:
        text = parse_text(value)
        if text is None:
            return None
        try:
            number = Decimal(_plain_number(text, decimals))
        except InvalidOperation:
            raise ValueError("is not a number") from None
    if not number.is_finite():
        raise ValueError("is not a number")
    return number


def _plain_number(text: str, decimals: int) -> str:
    """Return a number as Python writes it; raises ValueError for wrong groups and ambiguity."""
    text = _BLANKS_IN_NUMBERS.sub(" ", text).replace("’", "'").replace("−", "-")
    if _UNGROUPED.fullmatch(text):
        plain = text.replace(",", ".")
    elif found := _GROUPED.fullmatch(text):
        whole = text[: found.start(3)] if found[3] else text
        plain = whole.replace(found[2], "") + (found[3] or "").replace(",", ".")
    else:
        raise ValueError("is not a number")
    thousands = _ONE_GROUP.fullmatch(text)
    if not thousands:
        return plain
    # 1,230 is either 1230 or 1.230. It is ambiguous if the currency has enough decimals.
    fraction = thousands[2].rstrip("0")
    if len(fraction) > decimals:
        return thousands[1] + thousands[2]
    raise ValueError(
        f"is ambiguous: {thousands[1]}{thousands[2]} or {thousands[1]}.{thousands[2]}; "
        "write it without a thousands separator"
    )


def parse_flag(value: Any) -> bool | None:
    """Return True for yes and False for no, None if empty."""
    text = parse_text(value)
    if text is None:
        return None
    if text.casefold() in _YES:
        return True
    if text.casefold() in _NO:
        return False
    raise ValueError("is not Yes or No")


def parse_bytes(value: Any) -> bytes | None:
    """Return eight bytes from 16 hexadecimal digits, None if empty."""
    text = parse_text(value)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9A-Fa-f]{16}", text):
        raise ValueError("is not 16 hexadecimal digits")
    return bytes.fromhex(text)


def parse_instant(value: Any, zone: str) -> int | None:
    """Return epoch seconds; a time without a zone is local time in `zone` (IANA)."""
    moment = _moment(value)
    if moment is None:
        return None
    if not 1900 <= moment.year <= 2199:
        raise ValueError("is not between the years 1900 and 2199")
    if moment.tzinfo is not None:
        return int(moment.timestamp())
    if zone == "UTC":
        return int(moment.replace(tzinfo=UTC).timestamp())
    return _local_instant(moment, zone)


def _moment(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return (value + _HALF_SECOND).replace(microsecond=0)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - the caller adds the zone
    text = None if isinstance(value, bool | int | float | time) else parse_text(value)
    if text is None:
        if value is None or value == "" or (isinstance(value, str) and not value.strip()):
            return None
        raise ValueError("is not a date; write it like 2026-03-01 14:30")
    dotted = _DOTTED_DAY.match(text)
    try:
        if dotted:
            day, month, year, hour, minute, second = (int(part or 0) for part in dotted.groups())
            return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - as above
        return datetime.fromisoformat(text).replace(microsecond=0)
    except ValueError:
        raise ValueError("is not a date; write it like 2026-03-01 14:30") from None


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _local_instant(moment: datetime, zone: str) -> int:
    """Return a local time as an instant; raises ValueError if it happens twice or never."""
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
