"""Instants as local times: for the screen as for files, in every zone."""

from datetime import UTC, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.ground import zones
from core.query import local_minutes, local_times
from core.query.frames import to_frame
from core.tables import ORDER_ITEMS, Column

EARLIEST, LATEST = datetime(1930, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
INSTANTS = st.none() | st.datetimes(
    EARLIEST.replace(tzinfo=None), LATEST.replace(tzinfo=None), timezones=st.just(UTC)
)
ZONES = st.sampled_from(sorted(zones()))


def column(name: str) -> Column:
    found = ORDER_ITEMS.column(name)
    assert found is not None
    return found


@given(st.lists(st.tuples(INSTANTS, INSTANTS, ZONES), max_size=6), ZONES)
def test_minutes_on_the_screen_are_those_of_the_file(
    rows: list[tuple[datetime | None, datetime | None, str]], zone: str
) -> None:
    columns = [column(name) for name in ("created_at", "service_at", "airport_tz")]
    frame = to_frame(columns, rows)
    for one in columns[:2]:
        times = local_times(frame, one, zone).to_numpy("datetime64[m]")
        expected = [None if text == "NaT" else text for text in np.datetime_as_string(times)]
        shown = local_minutes(frame, one, zone)
        assert shown == [text and text.replace("T", " ") for text in expected]
