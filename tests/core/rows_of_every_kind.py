"""Rows of the table with a column of every kind, drawn at random."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from core.ground import ItemStatus
from tests.core.every_kind import (
    BYTES,
    CLOCK_CHANGES,
    CODE,
    CURRENCY,
    EDGE_MOMENTS,
    EDGE_NUMBERS,
    EVERY_KIND,
    FLAG,
    HOSTILE,
    MADE,
    MONEY,
    NUMBER,
    SERVICE,
    STATUS,
    TEXT,
    ZONE,
)
from tests.core.random_rows import CURRENCIES, ZONES

_texts = st.sampled_from(HOSTILE) | st.text(
    st.sampled_from("=+-@\t\r\n{_x0041 &<>\"'\x00\x01\ufffeé王😀") | st.characters(codec="utf-8"),
    max_size=12,
)
_moments = (
    st.sampled_from(EDGE_MOMENTS)
    | st.sampled_from(CLOCK_CHANGES)
    | st.datetimes(
        datetime(1850, 1, 1),  # noqa: DTZ001 - hypothesis wants it so
        datetime(2200, 1, 1),  # noqa: DTZ001
        timezones=st.just(UTC),
    ).map(lambda moment: moment.replace(microsecond=0))
)
_drawn = {
    TEXT: _texts,
    CODE: _texts | st.none(),
    STATUS: st.sampled_from([status.value for status in ItemStatus]),
    NUMBER: st.sampled_from(EDGE_NUMBERS) | st.integers(-(2**60), 2**60) | st.none(),
    MONEY: st.integers(-(2**53), 2**53) | st.integers(-9999, 9999) | st.none(),
    CURRENCY: st.sampled_from(CURRENCIES),
    MADE: _moments | st.none(),
    SERVICE: _moments | st.none(),
    ZONE: st.sampled_from(ZONES),
    FLAG: st.booleans(),
    BYTES: st.binary(min_size=8, max_size=8),
}
ROWS_OF_EVERY_KIND = st.lists(st.tuples(*(_drawn[column] for column in EVERY_KIND)), max_size=12)
