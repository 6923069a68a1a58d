"""Single imported values: what is accepted, and what is refused with which reason."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ground import decimals_of, to_major, to_minor
from core.imports.values import (
    parse_amount,
    parse_bytes,
    parse_flag,
    parse_instant,
    parse_text,
    parse_whole,
)


@pytest.mark.parametrize(
    ("value", "currency", "minor"),
    [
        ("12.50", "EUR", 1250),
        ("12,50", "EUR", 1250),
        ("12,5", "EUR", 1250),
        ("1.234,50", "EUR", 123450),
        ("1,234.50", "EUR", 123450),
        ("1 234,50", "EUR", 123450),
        ("1\u202f234,50", "EUR", 123450),
        ("1'234.50", "CHF", 123450),
        ("1.234.567", "EUR", 123456700),
        ("1,234", "EUR", 123400),
        ("12.505", "JPY", 12505),
        ("-77.00", "EUR", -7700),
        ("−77,00", "EUR", -7700),
        ("0.125", "KWD", 125),
        ("1.5", "KWD", 1500),
        (" 38 ", "EUR", 3800),
        (".500", "EUR", 50),
        ("1234.500", "EUR", 123450),
        ("12.50", "RSD", 1250),
        (38.5, "EUR", 3850),
        (0.1 + 0.2, "EUR", 30),
        (1000, "JPY", 1000),
        ("", "EUR", None),
        (None, "EUR", None),
    ],
)
def test_an_amount_is_understood(value: Any, currency: str, minor: int | None) -> None:
    assert parse_amount(value, currency) == minor


@pytest.mark.parametrize(
    ("value", "currency"),
    [
        ("twelve", "EUR"),
        ("1.5", "JPY"),
        ("1.234", "KWD"),
        ("1,23,4", "EUR"),
        ("1.23.456,7", "EUR"),
        ("1,2,3.4.5", "EUR"),
        ("EUR 12", "EUR"),
        ("inf", "EUR"),
        ("nan", "EUR"),
        ("1e3", "EUR"),
        (float("nan"), "EUR"),
        (True, "EUR"),
        (date(2026, 3, 1), "EUR"),
        ("9" * 30, "EUR"),
        ("-", "EUR"),
        (".", "EUR"),
        ("12 50", "EUR"),
        ("1234,567.89", "EUR"),
        (",234.50", "EUR"),
        ("1,230", "EUR"),
        ("125.000", "EUR"),
        ("12.000", "JPY"),
    ],
)
def test_an_amount_that_is_none_or_reads_two_ways_is_refused(value: Any, currency: str) -> None:
    with pytest.raises(ValueError, match=r"^(is|has|reads|[A-Z]{3} has)"):
        parse_amount(value, currency)


@pytest.mark.parametrize("value", [10**13 + 1, "-10000000000001", "10,000,000,000,001", 1e300])
@pytest.mark.parametrize("currency", ["EUR", "JPY"])
def test_an_amount_too_large_to_be_compared_is_refused(value: Any, currency: str) -> None:
    with pytest.raises(ValueError, match="is too large"):
        parse_amount(value, currency)


@given(st.integers(-(10**12), 10**12), st.sampled_from(["EUR", "JPY", "KWD", "ISK", "USD"]))
def test_an_amount_written_plainly_comes_back(minor: int, currency: str) -> None:
    written = str(to_major(minor, currency))
    assert to_minor(Decimal(written), currency) == minor
    assert parse_amount(float(minor) / 10 ** decimals_of(currency), currency) == minor


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


def test_text_loses_blanks_around_it_and_a_whole_number_its_fraction() -> None:
    assert parse_text("  a b \u00a0") == "a b"
    assert parse_text(1001.0) == "1001"
    assert parse_text("   ") is None
    for value in ("a\x00b", "\ud800", datetime(2026, 3, 1, tzinfo=UTC)):
        with pytest.raises(ValueError, match=r"contains|is a date"):
            parse_text(value)


def test_flags_whole_numbers_and_bytes() -> None:
    assert [parse_flag(value) for value in ("Yes", "n", True, 0, "", None)] == [
        True, False, True, False, None, None,
    ]  # fmt: skip
    assert parse_whole("1,204") == 1204
    assert parse_bytes("00FF00ff00ff00ff") == bytes.fromhex("00ff00ff00ff00ff")
    for parse, value in ((parse_flag, "maybe"), (parse_whole, "1.5"), (parse_bytes, "xyz")):
        with pytest.raises(ValueError, match=r"^is n"):
            parse(value)
