"""Single imported values: what is accepted, and what is refused with which reason."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.ground import decimals_of, to_major, to_minor
from core.imports.formats import Formatted, FormattedText, is_odd, is_odd_for_text, is_of_dates
from core.imports.values import (
    parse_amount,
    parse_bytes,
    parse_flag,
    parse_id,
    parse_text,
    parse_whole,
)
from tests.effort import share


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


def test_in_a_file_separated_by_commas_a_point_is_the_decimal_mark_of_three_decimals() -> None:
    assert parse_amount("-1.500", "KWD", has_points=True) == -1500
    assert parse_amount("1,500.250", "KWD", has_points=True) == 1_500_250
    for value, currency in [
        ("1,500", "KWD"), ("1.500", "EUR"), ("12.000", "JPY"), ("38.505", "EUR"), ("1.234", "EUR"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match="ambiguous"):
            parse_amount(value, currency, has_points=True)


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


def test_text_loses_blanks_around_it_and_a_whole_number_its_fraction() -> None:
    assert parse_text("  a b \u00a0") == "a b"
    assert parse_text(1001.0) == "1001"
    assert parse_text("   ") is None
    for value in ("a\x00b", "\ud800", datetime(2026, 3, 1, tzinfo=UTC), True, timedelta(1)):
        with pytest.raises(ValueError, match=r"contains|is a date|is TRUE"):
            parse_text(value)


@pytest.mark.parametrize(
    "value",
    ["A1", "\u200bA1", "A1\ufeff", "\u00a0A1\u2060", "'A1", "A1\u3000", " '\u200bA1 "],
)
def test_an_id_loses_what_nobody_sees_around_it_and_a_leading_apostrophe(value: str) -> None:
    assert parse_id(value) == "A1"


@pytest.mark.parametrize(
    "hidden", ["\u202e", "\u202a", "\u2066", "\u2069", "\u200f", "\u061c", "\u200b", "\u00ad"]
)
def test_an_id_with_a_character_inside_that_nobody_sees_is_refused(hidden: str) -> None:
    for value in (f"A{hidden}1", f"A{hidden}\u05d01"):
        with pytest.raises(ValueError, match=f"invisible character U\\+{ord(hidden):04X}"):
            parse_id(value)


def test_a_text_for_people_keeps_its_apostrophe_and_what_joins_its_letters() -> None:
    for value in ("'t Hooft", "می\u200cخواهم", "👩\u200d👧", "\u2067שלום\u2069 Ana"):
        assert parse_text(value) == value


@pytest.mark.parametrize(
    "value", ["1.23457E+12", "1,23457E+12", "1E+15", "9.99e+20", "-1.2E+12", "1.23457E12"]
)
def test_a_long_number_that_lost_its_digits_is_no_id(value: str) -> None:
    for parse in (parse_id, parse_text):
        with pytest.raises(ValueError, match="lost its digits"):
            parse(value)


@pytest.mark.parametrize("value", ["1E5", "12E+3", "E+12", "1.5E+3x", "A1.2E+10", "2E"])
def test_an_id_that_only_looks_like_one_is_kept(value: str) -> None:
    assert parse_id(value) == value


@pytest.mark.parametrize("value", [1e15, 1234567890123456, 12345678901234567890, -1e18, 0.1 + 0.2])
def test_a_number_of_more_digits_than_a_spreadsheet_keeps_is_no_id(value: float) -> None:
    with pytest.raises(ValueError, match="more than 15 digits"):
        parse_id(value)


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_a_number_without_end_is_no_id(value: float) -> None:
    with pytest.raises(ValueError, match="is not a number"):
        parse_id(value)


def test_a_number_of_fifteen_digits_is_an_id() -> None:
    for value in (123456789012345, 999999999999999.0, 12.5):
        assert parse_id(value) == str(value).removesuffix(".0")


SHOWN = {
    "leading zeros": (123, "000000", "000123"),
    "fewer zeros than digits": (12345, "000", "12345"),
    "below zero": (-5, "0000", "-0005"),
    "two sections": (7, "000;-000", "007"),
    "a colour": (7, "[Red]000", "007"),
    "another section below zero": (-7, "000;[Red]-000", "-007"),
    "nothing added": (7, '0;"none"', "7"),
    "a condition that is not met": (7, '[>=1000]0.0,"k";0', "7"),
}
OTHERWISE = [
    "0000-00", '"OD-"0', "0%", "# ?/?", "0,", "\\A0", '0" pcs"', "000,000", "0.00%", "0.00E+00",
    "##0.0E+0", ";;;", '[<100]0;0.0,"k"', '"x";0',
]  # fmt: skip


@pytest.mark.parametrize(("number", "code", "text"), SHOWN.values(), ids=SHOWN)
def test_a_number_with_leading_zeros_is_an_id_as_it_is_shown(
    number: float, code: str, text: str
) -> None:
    assert is_odd(code)
    assert parse_id(Formatted(number, code)) == text


@pytest.mark.parametrize("code", OTHERWISE)
def test_a_number_that_is_shown_otherwise_is_no_id(code: str) -> None:
    assert is_odd(code)
    with pytest.raises(ValueError, match="is shown differently"):
        parse_id(Formatted(123, code))


@pytest.mark.parametrize(
    "code", ["General", "Standard", "0", "@", "0.00", "#,##0", "#,##0.00", "0;-0",
             "_-* #,##0.00_-", "#,##0.00;[Red]-#,##0.00", "[$-409]0"]
)  # fmt: skip
def test_a_usual_number_format_shows_the_number(code: str) -> None:
    assert not is_odd(code)


@pytest.mark.parametrize(
    ("number", "code"), [(-5, "0;0"), (-5, "0;(0)"), (-5, "0;;"), (0, '0;-0;"none"')]
)
def test_the_section_of_a_format_that_shows_the_number_counts(number: float, code: str) -> None:
    assert is_odd(code)
    with pytest.raises(ValueError, match="is shown differently"):
        parse_id(Formatted(number, code))


@pytest.mark.parametrize("code", ['"OD-"@', '@" x"', ";;;", '0;0;0;"x"', '0;-0;0;"A"@', "0;-0;0;"])
def test_a_text_that_its_format_changes_or_hides_is_refused(code: str) -> None:
    assert is_odd_for_text(code)
    for parse in (parse_id, parse_text, parse_flag, parse_whole):
        with pytest.raises(ValueError, match="is shown differently"):
            parse(FormattedText("1", code))


@pytest.mark.parametrize("code", ["@", "General", "0.00", "_-@_-", "0;-0;0;@", '0" x"', "0;-0;0"])
def test_a_usual_format_shows_a_text_as_it_is(code: str) -> None:
    assert not is_odd_for_text(code)


@pytest.mark.parametrize("code", ["yyyy-mm-dd", "dd.mm.yyyy hh:mm", "[h]:mm", "m/d/yy", "mm:ss.0"])
def test_a_format_of_dates_is_known(code: str) -> None:
    assert is_of_dates(code)


@pytest.mark.parametrize(
    ("code", "currency", "said"),
    [
        ("0.00%", "EUR", "another number"),
        ("0,", "EUR", "another number"),
        ('#,##0.0,,"M"', "EUR", "another number"),
        ('0.00" USD"', "EUR", "in USD"),
        ("[$$-409]#,##0.00", "EUR", "in \\$"),
        ("#,##0.00 [$€-407]", "USD", "in €"),
        ('"£"0.00', "EUR", "in £"),
        ("[$USD] 0.00", "GBP", "in USD"),
        ('"£"0.00', "USD", "in £"),
        ('0.00" zł"', "EUR", "in zł"),
        ('0.00" TEUR"', "EUR", "in TEUR"),
        ('0.00" cent"', "EUR", "in cent"),
        ('0" ct"', "EUR", "in ct"),
        ('"A$"0.00', "USD", "in A"),
        ('0.00" Mio. €"', "EUR", "in Mio"),
        (";;;", "EUR", "another number"),
        ('"-"0.00', "EUR", "another number"),
        ("(0.00)", "EUR", "another number"),
        ('0"."00', "EUR", "another number"),
        ('"1"0.00', "EUR", "another number"),
        ('[<10]0;0.0,"k"', "EUR", "another number"),
        ('0.00"%"', "EUR", "another number"),
        ('[>10]"much";0.00', "EUR", "another number"),
    ],
)
def test_an_amount_that_is_shown_as_another_one_is_refused(
    code: str, currency: str, said: str
) -> None:
    assert is_odd(code)
    with pytest.raises(ValueError, match=f"is shown (as|in).*{said}|{said}"):
        parse_amount(Formatted(38.5, code), currency)


def test_an_amount_that_is_shown_in_its_currency_is_understood() -> None:
    shown = {
        '0.00" EUR"': "EUR",
        "#,##0.00 [$€-407]": "EUR",
        "[$$-409]0.00": "AUD",
        "000.00": "EUR",
        '0.00" zł"': "PLN",
        '0.00" Kč"': "CZK",
        "[$kr-41D] 0.00": "SEK",
        '0.00" Fr."': "CHF",
        '"US$"0.00': "USD",
        '0.00" Euro"': "EUR",
        "#'##0.00": "CHF",
        "#\\ ##0.00": "EUR",
    }
    for code, currency in shown.items():
        assert parse_amount(Formatted(38.5, code), currency) == 3850


def test_an_amount_below_zero_or_zero_in_the_format_of_accounts_is_understood() -> None:
    accounts = '_-* #,##0.00\\ _€_-;-* #,##0.00\\ _€_-;_-* "-"??\\ _€_-;_-@_-'
    for number, code, minor in [
        (-38.5, accounts, -3850), (0, accounts, 0), (38.5, accounts, 3850),
        (-38.5, "#,##0.00_);[Red](#,##0.00)", -3850), (-38.5, "0.00", -3850), (0, "0.00;;", 0),
    ]:  # fmt: skip
        assert parse_amount(Formatted(number, code), "EUR") == minor
    for code in ("0.00;0.00", "0.00;;", '0.00;"none"'):
        with pytest.raises(ValueError, match="another number"):
            parse_amount(Formatted(-38.5, code), "EUR")


GROUPS, POINTS = ["", ",", ".", " ", "'", "’", "\u00a0", "\u202f"], [".", ","]


@given(
    st.integers(0, 10**9),
    st.text("0123456789", max_size=4),
    st.sampled_from(["", "-", "+", "−"]),
    st.sampled_from(GROUPS),
    st.sampled_from(POINTS),
    st.sampled_from(["EUR", "JPY", "KWD"]),
)
@share(10)
def test_a_number_is_read_as_a_plain_reading_says_or_refused(
    whole: int, fraction: str, sign: str, group: str, point: str, currency: str
) -> None:
    assume(not fraction or group != point)  # 1,000 and the decimals 000 is a million
    digits = f"{whole:,}".replace(",", group)
    text = sign + digits + (point + fraction if fraction else "")
    value = Decimal(f"{whole}.{fraction or 0}") * (-1 if sign in ("-", "−") else 1)
    units = value.scaleb(decimals_of(currency))
    is_sound = units == units.to_integral_value()
    # One group alone, as in 1,230, may be a fraction.
    looks_both = group in POINTS and digits.count(group) == 1 and not fraction
    looks_both |= point in text and not (group and whole > 999) and len(fraction) == 3
    try:
        found = parse_amount(text, currency)
    except ValueError:
        assert looks_both or not is_sound, text
    else:
        assert looks_both or (is_sound and found == units), text


def test_flags_whole_numbers_and_bytes() -> None:
    assert [parse_flag(value) for value in ("Yes", "n", True, 0, "", None)] == [
        True, False, True, False, None, None,
    ]  # fmt: skip
    assert parse_whole("1,204") == 1204
    assert parse_bytes("00FF00ff00ff00ff") == bytes.fromhex("00ff00ff00ff00ff")
    for parse, value in ((parse_flag, "maybe"), (parse_whole, "1.5"), (parse_bytes, "xyz")):
        with pytest.raises(ValueError, match=r"^is n"):
            parse(value)
