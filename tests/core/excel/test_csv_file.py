"""CSV files: compared with Python's own writer, and checked for each trap of the format."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.excel import columns as cells
from core.excel.csv_file import write_csv
from core.query import to_frame
from core.tables import Column
from tests.core.every_kind import (
    CLOCK_CHANGES,
    CODE,
    CURRENCY,
    EVERY_KIND,
    FLAG,
    MADE,
    MONEY,
    NUMBER,
    SERVICE,
    STATUS,
    TEXT,
    ZONE,
)
from tests.core.random_rows import ZONES
from tests.core.read_back import csv_cell, header_cell, rows_of_csv
from tests.core.rows_of_every_kind import ROWS_OF_EVERY_KIND
from tests.effort import share


def _write(columns: Sequence[Column], *frames: pd.DataFrame, zone: str = "UTC") -> io.BytesIO:
    file = io.BytesIO()
    rows = write_csv(file, columns, zone, frames)
    assert rows == sum(map(len, frames))
    return file


def _shown(column: Column, *values: Any, zone: str = "UTC") -> list[str]:
    """Write a column and return its cells below the header."""
    frame = to_frame([column], [(value,) for value in values])
    return [cell for (cell,) in rows_of_csv(_write([column], frame, zone=zone))[1]]


@share(0.4)
@given(rows=ROWS_OF_EVERY_KIND, zone=st.sampled_from(ZONES), cut=st.integers(0, 12))
def test_every_byte_equals_the_one_of_a_plain_writer(rows: list[Any], zone: str, cut: int) -> None:
    frame = to_frame(EVERY_KIND, rows)
    names = [column.name for column in EVERY_KIND]
    plain = io.StringIO(newline="")
    writer = csv.writer(plain)
    writer.writerow([header_cell(column, zone) for column in EVERY_KIND])
    for row in rows:
        stored = dict(zip(names, row, strict=True))
        writer.writerow([csv_cell(column, stored, zone) for column in EVERY_KIND])
    ours = _write(EVERY_KIND, frame.iloc[:cut], frame.iloc[cut:], zone=zone)
    assert ours.getvalue() == b"\xef\xbb\xbf" + plain.getvalue().encode()


def test_a_text_that_looks_like_a_formula_begins_with_an_apostrophe() -> None:
    texts = ["=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0", "-"]
    assert _shown(TEXT, *texts) == [f"'{text}" for text in texts]
    assert _shown(CODE, *texts) == [f"'{text}" for text in texts]
    others = ["1+1", "a=b", "{=1+1}", "#N/A", "'s-Gravenhage", "'", "“=", "王", " =1"]
    assert _shown(TEXT, *others) == others


def test_a_text_with_an_apostrophe_there_gets_another_so_that_it_keeps_its_own() -> None:
    assert _shown(TEXT, "'=1", "''-1", "'@") == ["''=1", "'''-1", "''@"]


def test_numbers_amounts_and_dates_have_no_apostrophe() -> None:
    assert _shown(NUMBER, -1, 2**63 - 1, None) == ["-1", "9223372036854775807", ""]
    amounts = [(-1250, "EUR"), (5, "EUR"), (-5, "JPY"), (-5, "KWD"), (12_345, "CLF"), (None, "EUR")]
    rows = rows_of_csv(_write([MONEY], to_frame([MONEY, CURRENCY], amounts)))[1]
    assert [amount for (amount,) in rows] == ["-12.50", "0.05", "-5", "-0.005", "1.2345", ""]


def test_fields_are_quoted_only_where_they_must_be() -> None:
    texts = [
        "a,b",
        'say "hi"',
        "two\nlines",
        "two\r\nlines",
        "end\r",
        '"',
        " blanks ",
        "semi;colon",
    ]
    frame = to_frame([TEXT], [(text,) for text in texts])
    lines = _write([TEXT], frame).getvalue().decode().split("\r\n", 1)[1]
    quoted = ['"a,b"', '"say ""hi"""', '"two\nlines"', '"two\r\nlines"', '"end\r"', '""""']
    assert lines == "\r\n".join([*quoted, " blanks ", "semi;colon", ""])


def test_a_line_is_never_empty() -> None:
    assert _shown(TEXT, None, "", "a", None) == ["", "", "a", ""]
    file = _write([TEXT, NUMBER], to_frame([TEXT, NUMBER], [(None, None)]))
    assert file.getvalue().endswith(b"\r\n,\r\n")


def test_without_rows_there_is_the_header() -> None:
    columns = [CODE, MADE, SERVICE]
    file = _write(columns, to_frame(columns, []), zone="Asia/Tokyo")
    assert file.getvalue().decode("utf-8-sig") == (
        "Code & <Name>,Created Date (Asia/Tokyo),Service Date\r\n"
    )


def test_every_character_is_kept_and_no_text_is_cut() -> None:
    texts = ["\x00\x01\x0b", "\ufffe\uffff", "_x0041_", "x" * 40_000, "😀" * 20_000, "\u2028\x85"]
    assert _shown(TEXT, *texts) == texts


def test_words_are_those_of_the_screen() -> None:
    assert _shown(STATUS, "not_used", "refund_requested") == ["Not used", "Refund requested"]
    assert _shown(FLAG, True, False) == ["Yes", "No"]


@pytest.mark.parametrize(
    ("zone", "instant", "expected"),
    [
        ("Europe/London", (2026, 10, 25, 0, 30), "2026-10-25 01:30:00+01:00"),
        ("Europe/London", (2026, 10, 25, 1, 30), "2026-10-25 01:30:00+00:00"),
        ("Europe/London", (2026, 10, 25, 2, 0), "2026-10-25 02:00:00"),
        ("Europe/London", (2026, 10, 24, 23, 59), "2026-10-25 00:59:00"),
        ("America/St_Johns", (2026, 11, 1, 3, 45), "2026-11-01 01:15:00-02:30"),
        ("America/St_Johns", (2026, 11, 1, 4, 45), "2026-11-01 01:15:00-03:30"),
        ("Australia/Lord_Howe", (2026, 4, 4, 14, 45), "2026-04-05 01:45:00+11:00"),
        ("Australia/Lord_Howe", (2026, 4, 4, 15, 15), "2026-04-05 01:45:00+10:30"),
        ("Australia/Lord_Howe", (2026, 4, 4, 14, 29), "2026-04-05 01:29:00"),
        ("Pacific/Apia", (2020, 4, 4, 14, 0), "2020-04-05 03:00:00+13:00"),
        ("Asia/Kathmandu", (2026, 10, 25, 1, 30), "2026-10-25 07:15:00"),
        ("Asia/Kathmandu", (1919, 12, 31, 18, 18, 43), "1919-12-31 18:18:43+00:00"),
    ],
)
def test_a_time_that_happens_twice_has_its_offset(
    zone: str, instant: tuple[int, ...], expected: str
) -> None:
    moment = datetime(*instant, tzinfo=UTC)  # type: ignore[arg-type, misc]
    assert _shown(MADE, moment, None, zone=zone) == [expected, ""]
    here = to_frame([SERVICE, ZONE], [(moment, zone), (moment, "UTC"), (moment, None)])
    (at_the_place,), *_ = rows_of_csv(_write([SERVICE], here))[1]
    assert at_the_place == expected


@pytest.mark.parametrize("zone", ZONES)
def test_no_two_instants_of_a_clock_change_read_alike(zone: str) -> None:
    shown = _shown(MADE, *CLOCK_CHANGES, zone=zone)
    assert len(set(shown)) == len(set(CLOCK_CHANGES))


def test_the_size_of_the_pieces_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = to_frame([NUMBER, TEXT], [(number, f"é{number}") for number in range(50)])
    whole = _write([NUMBER, TEXT], frame).getvalue()
    monkeypatch.setattr(cells, "PIECE_ROWS", 7)
    assert _write([NUMBER, TEXT], frame.iloc[:3], frame.iloc[3:]).getvalue() == whole
