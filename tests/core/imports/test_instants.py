"""Dates and times in imported files: what the grammar takes, and that nothing else is taken."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.ground import offsets_in
from core.imports.faults import Dependent
from core.imports.values import parse_instant
from tests.effort import share

ZONES = ["UTC", "Europe/London", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]
CHARACTERS = "0123456789-:.,TZ+ /'"


def _at(*parts: int, zone: str = "UTC") -> int:
    return int(datetime(*parts, tzinfo=ZoneInfo(zone)).timestamp())  # type: ignore[arg-type,misc]


LONDON_NOON = int(datetime(2026, 7, 1, 11, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    "value",
    [
        "2026-07-01 12:00",
        "2026-07-01T12:00:00",
        "2026-07-01T11:00:00Z",
        "2026-07-01 13:00+02:00",
        " 2026-07-01 12:00:00 ",
        "01.07.2026 12:00",
        "1.7.2026 12:00:00",
        datetime(2026, 7, 1, 12),  # noqa: DTZ001 - as a workbook gives it
        datetime(2026, 7, 1, 11, 59, 59, 999_700),  # noqa: DTZ001 - Excel's rounding
    ],
)
def test_a_date_is_understood_in_the_zone_it_is_in(value: Any) -> None:
    assert parse_instant(value, "Europe/London") == LONDON_NOON


def test_a_day_alone_is_its_first_instant() -> None:
    first = int(datetime(2026, 6, 30, 23, tzinfo=UTC).timestamp())
    for value in ("2026-07-01", "01.07.2026", date(2026, 7, 1)):
        assert parse_instant(value, "Europe/London") == first


@pytest.mark.parametrize(
    "value", ["yesterday", "03/04/2026", "2026-02-30", "32.01.2026", 45000, True, "1850-01-01"]
)
def test_a_date_that_is_none_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^is not"):
        parse_instant(value, "UTC")


def test_a_local_time_that_happens_twice_names_both_readings() -> None:
    with pytest.raises(ValueError, match="happens twice in Europe/London") as refusal:
        parse_instant("2026-10-25 01:30", "Europe/London")
    assert "2026-10-25 00:30:00 UTC or 2026-10-25 01:30:00 UTC" in str(refusal.value)


def test_a_local_time_that_never_happens_names_both_readings() -> None:
    with pytest.raises(ValueError, match="never happens in Europe/London") as refusal:
        parse_instant("2026-03-29 01:30", "Europe/London")
    assert " or " in str(refusal.value)


TAKEN: list[tuple[Any, str, int]] = [
    ("2026-03-01", "UTC", _at(2026, 3, 1)),
    ("2026-03-01 14:30", "UTC", _at(2026, 3, 1, 14, 30)),
    ("2026-03-01 9:05", "UTC", _at(2026, 3, 1, 9, 5)),
    ("2026-03-01T14:30:07", "UTC", _at(2026, 3, 1, 14, 30, 7)),
    ("2026-03-01T14:30:07.999Z", "Asia/Tokyo", _at(2026, 3, 1, 14, 30, 7)),
    ("2026-03-01 14:30:07,25", "UTC", _at(2026, 3, 1, 14, 30, 7)),
    ("1.3.2026", "UTC", _at(2026, 3, 1)),
    ("01.03.2026 14:30", "Europe/London", _at(2026, 3, 1, 14, 30)),
    ("01.07.2026\u00a014:30", "Europe/London", _at(2026, 7, 1, 13, 30)),
    ("01.03.2026 14:30+05:45", "UTC", _at(2026, 3, 1, 8, 45)),
    ("2026-05-01 10:00-04:00", "UTC", _at(2026, 5, 1, 14)),
    ("2026-05-01 18:00-04:00", "UTC", _at(2026, 5, 1, 22)),
    ("2026-05-01T22:00-02:00", "UTC", _at(2026, 5, 2)),
    ("2026-05-01T03:00-09:30", "UTC", _at(2026, 5, 1, 12, 30)),
    ("2026-05-01 03:00:00-05:00", "UTC", _at(2026, 5, 1, 8)),
    ("2026-10-25 01:30:00+00:00", "Europe/London", _at(2026, 10, 25, 1, 30)),
    ("2026-10-25 01:30 +01:00", "Europe/London", _at(2026, 10, 25, 0, 30)),
    ("2026-11-01 01:30:00-05:00", "America/New_York", _at(2026, 11, 1, 6, 30)),
    ("'2026-03-01 14:30", "UTC", _at(2026, 3, 1, 14, 30)),
    ("\u200b2026-03-01\u00a0", "UTC", _at(2026, 3, 1)),
]
REFUSED = [
    "2026-03-01 14.30", "2026-03-01 14,30", "2026-03-01 14.30.15", "01.03.2026 14.30",
    "2026-03-01 1430", "2026-03-01 14", "2026-03-01T14", "2026-03-01 14h30", "2026-03-01 2:30 PM",
    "2026-05-01 10:00-12:00", "2026-05-01 10-12", "2026-05-01 09:00-11:00", "2026-05-01 8-9:30",
    "2026-05-01 10:00 -11:00", "2026-05-01 22:00-02:00", "2026-05-01 23:30-05:00",
    "2026-05-01 10:00–12:00", "2026-05-01T10:00-12:00",
    "2026-05-01 10:00/12:00", "2026-05-01 10:00+05:40", "2026-05-01 10:00+15:00",
    "2026-05-01 10:00+0200", "2026-05-01 10:00+02", "2026-05-01 10:00+01:60", "2026-05-01+02:00",
    "20260301", "20260301T1430", "2026-W09-7", "2026-060", "2026-3-1", "26-03-01", "2026/03/01",
    "03/04/2026", "1.3.26", "01.13.2026", "2026-02-30", "2026-03-01 24:00", "2026-03-01 12:60",
    "2026-03-01 12:00:60", "2026-03-01 12:00:", "2026-03-01 12:00.", "-2026-03-01", "٢٠٢٦-٠٣-٠١",
    "1850-01-01", "2200-01-01", "yesterday", "45000", "46082.6",
]  # fmt: skip


@pytest.mark.parametrize(("value", "zone", "instant"), TAKEN)
def test_a_date_of_the_grammar_is_read_as_written(value: Any, zone: str, instant: int) -> None:
    assert parse_instant(value, zone) == instant


@pytest.mark.parametrize("value", REFUSED)
def test_what_the_grammar_does_not_have_is_refused_never_read_in_part(value: str) -> None:
    with pytest.raises(ValueError, match=r"^(is not|is ambiguous|has the UTC offset)"):
        parse_instant(value, "UTC")


@pytest.mark.parametrize(
    "value", [45000, 46082.6, True, time(14, 30), timedelta(hours=14)], ids=repr
)
def test_a_cell_that_is_no_date_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="is not a date"):
        parse_instant(value, "UTC")


@pytest.mark.parametrize("value", [None, "", "  ", "\u200b", "'"])
def test_a_blank_is_no_date(value: Any) -> None:
    assert parse_instant(value, "UTC") is None


def test_an_offset_is_one_that_clocks_of_some_place_have() -> None:
    assert timedelta(hours=-12) not in offsets_in(2026)
    assert {timedelta(hours=14), timedelta(hours=5, minutes=45)} <= offsets_in(2026)
    assert timedelta(hours=-4, minutes=-30) in offsets_in(2010)  # Venezuela, until 2016
    assert timedelta(hours=-4, minutes=-30) not in offsets_in(2026)
    for offset in sorted(offsets_in(2026)):
        moment = datetime(2026, 5, 1, 23, 30, 5)  # noqa: DTZ001 - a local time
        minutes = int(offset.total_seconds()) // 60
        sign, minutes = ("-" if minutes < 0 else "+"), abs(minutes)
        written = f"{moment}{sign}{minutes // 60:02}:{minutes % 60:02}"
        assert parse_instant(written, "UTC") == int(
            (moment - offset).replace(tzinfo=UTC).timestamp()
        )


def test_an_offset_under_a_header_with_a_zone_is_one_that_the_zone_has_then() -> None:
    for value in ("2026-10-25 01:30:00+00:00", "2026-07-01 12:00+01:00", "2026-07-01T11:00Z"):
        assert parse_instant(value, "Europe/London", is_stated=True)
    for value in ("2026-07-01 12:00+00:00", "2026-10-25 01:30+02:00", "2026-03-29 01:30+00:00"):
        with pytest.raises(ValueError, match="a UTC offset that Europe/London does not have then"):
            parse_instant(value, "Europe/London", is_stated=True)
        assert parse_instant(value, "Europe/London")  # a zone that is only assumed


def test_a_local_time_without_a_zone_hangs_on_the_error_that_hides_the_zone() -> None:
    with pytest.raises(Dependent):
        parse_instant("2026-07-01 12:00", None)
    with pytest.raises(ValueError, match="is not a date"):
        parse_instant("2026-07-01 12.00", None)
    assert parse_instant("2026-07-01 12:00Z", None) == _at(2026, 7, 1, 12)


# The grammar read plainly: by splitting, without a regular expression.


def _plain(text: str, zone: str) -> int | None:
    """Return the instant that a text means, None if it is not of the grammar."""
    text = text.strip().removeprefix("'").strip()
    day, blank, clock = text.replace("T", " T", 1).partition(" ")
    clock = clock.strip(" ").removeprefix("T") if "T" in clock[:1] else clock.lstrip(" ")
    on = _plain_day(day)
    if on is None or (blank and not clock):
        return None
    try:
        at, offset = _plain_clock(clock) if clock else (time(), None)
        if offset is None:
            local = datetime.combine(on, at, ZoneInfo(zone))
            folds = {local.utcoffset(), local.replace(fold=1).utcoffset()}
            return int(local.timestamp()) if len(folds) == 1 else None
        if offset not in offsets_in(on.year):
            return None
        return int((datetime.combine(on, at, UTC) - offset).timestamp())
    except ValueError:
        return None


def _plain_day(text: str) -> date | None:
    mark = "-" if "-" in text else "."
    parts = text.split(mark)
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    lengths = [len(part) for part in parts]
    year, month, day = map(int, parts if mark == "-" else reversed(parts))
    if lengths != [4, 2, 2] if mark == "-" else (max(lengths[:2]) > 2 or lengths[2] != 4):
        return None
    try:
        return date(year, month, day) if 1900 <= year <= 2199 else None
    except ValueError:
        return None


def _plain_clock(text: str) -> tuple[time, timedelta | None]:
    """Return a time of day and its offset; raises ValueError."""
    offset = None
    if text.endswith("Z"):
        text, offset = text[:-1].removesuffix(" "), timedelta()
    elif len(text) > 6 and text[-6] in "+-":
        written, text = text[-6:], text[:-6].removesuffix(" ")
        hours, minutes = written[1:].split(":")
        if not (hours.isdigit() and minutes.isdigit() and int(minutes) < 60):
            raise ValueError
        offset = timedelta(hours=int(hours), minutes=int(minutes)) * (
            1 if written[0] == "+" else -1
        )
    parts = text.replace(",", ".").split(":")
    if len(parts) == 3 and "." in parts[2]:
        parts[2], fraction = parts[2].split(".")
        if not fraction.isdigit():
            raise ValueError
    elif len(parts) == 2 and offset is not None and offset < timedelta():
        assume(False)  # a span of time, or an offset: tested above
    lengths = [len(part) for part in parts]
    if lengths[:1] not in ([1], [2]) or lengths[1:] not in ([2], [2, 2]):
        raise ValueError
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise ValueError
    return time(*map(int, parts)), offset  # type: ignore[arg-type]


@st.composite
def _written(draw: st.DrawFn) -> str:
    """Write a moment in a way of the grammar, and sometimes with one character changed."""
    moment = draw(st.datetimes(datetime(1899, 1, 1), datetime(2200, 12, 31)))  # noqa: DTZ001
    day = draw(st.sampled_from([f"{moment:%Y-%m-%d}", f"{moment:%d.%m.%Y}",
                                f"{moment.day}.{moment.month}.{moment.year}"]))  # fmt: skip
    clock = draw(st.sampled_from(["", f"{moment:%H:%M}", f"{moment.hour}:{moment:%M:%S}",
                                  f"{moment:%H:%M:%S}.{moment:%f}"]))  # fmt: skip
    offset = draw(st.sampled_from(["", "", "Z", "+02:00", "-03:30", "+05:45", "+00:20", " +01:00"]))
    text = day + (draw(st.sampled_from([" ", "T", "  "])) + clock + offset if clock else "")
    if draw(st.booleans()):
        place = draw(st.integers(0, len(text)))
        length = draw(st.integers(0, 1))
        text = text[:place] + draw(st.sampled_from(["", *CHARACTERS])) + text[place + length :]
    return text


@given(_written(), st.sampled_from(ZONES))
@share(10)
def test_a_text_is_read_exactly_as_a_plain_reading_of_the_grammar_says(
    text: str, zone: str
) -> None:
    expected = _plain(text, zone)
    try:
        found = parse_instant(text, zone)
    except ValueError:
        found = None
    assert found == expected, text
