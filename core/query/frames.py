"""Rows as DataFrames with exact types, and instants as local times."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import repeat
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa

from core.ground import zone_named
from core.tables import Column, Kind

_TYPES = {
    Kind.NUMBER: pa.int64(),
    Kind.MONEY: pa.int64(),
    Kind.INSTANT: pa.timestamp("s", "UTC"),
    Kind.FLAG: pa.bool_(),
    Kind.BYTES: pa.binary(),
}
# By default, pandas turns a column with missing values into floats or objects.
_DTYPES: dict[Any, Any] = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}


def to_frame(columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """Return rows as a frame with typed columns: Int64, instants in UTC, boolean, text."""
    return join_frame([to_arrow(columns, rows)])


def to_arrow(columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> pa.Table:
    """Return rows as a typed Arrow table; an instant is a datetime or seconds since 1970."""
    by_column = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    return pa.table(
        {
            column.name: pa.array(values, _TYPES.get(column.kind, pa.large_string()))
            for column, values in zip(columns, by_column, strict=True)
        }
    )


def join_frame(tables: Sequence[pa.Table]) -> pd.DataFrame:
    """Join tables with the same columns into one frame."""
    frame: pd.DataFrame = pa.concat_tables(tables).to_pandas(
        use_threads=False, types_mapper=_DTYPES.get
    )
    return frame


def local_minutes(frame: pd.DataFrame, column: Column, zone: str) -> list[str | None]:
    """Return what `local_times` does, for a screen: 2026-11-26 09:30.

    Row by row: a window has few rows, and with 40 zones pandas needs 40 steps for 200 rows.
    """
    instants = frame[column.name].dt.tz_localize(None).to_numpy("datetime64[s]").tolist()
    if column.place_zone is None:
        zones: Iterable[ZoneInfo] = repeat(zone_named(zone))
    else:
        zones = map(zone_named, frame[column.place_zone].tolist())
    return [
        None
        if instant is None
        else place.fromutc(instant.replace(tzinfo=place)).isoformat(" ", "minutes")[:16]
        for instant, place in zip(instants, zones, strict=False)
    ]


def local_times(frame: pd.DataFrame, column: Column, zone: str) -> "pd.Series[Any]":
    """Return a column of instants as naive local times: of the row's place, or of `zone`."""
    moments = pd.DatetimeIndex(frame[column.name])
    local = np.full(len(frame), "NaT", dtype="datetime64[s]")
    for place, rows in _rows_by_zone(frame, column, zone).items():
        local[rows] = moments[rows].tz_convert(zone_named(place)).tz_localize(None)
    return pd.Series(local, index=frame.index)


def repeated_times(
    frame: pd.DataFrame, column: Column, zone: str, local: "pd.Series[Any]"
) -> dict[int, str]:
    """Return those of a column's local times that happen twice, because clocks go back.

    They are texts with their offset from UTC, such as 2026-10-25 01:30:00+00:00, by the position of
    their row in the frame. `local` are the column's local times.
    """
    moments, times = pd.DatetimeIndex(frame[column.name]), pd.DatetimeIndex(local)
    texts = {}
    for place, rows in _rows_by_zone(frame, column, zone).items():
        known = times[rows].tz_localize(zone_named(place), ambiguous="NaT", nonexistent="NaT")
        happens_twice = np.asarray(known.isna()) & np.asarray(times[rows].notna())
        for row in rows[happens_twice].tolist():
            texts[row] = _with_offset(moments[row].to_pydatetime(), place)
    return texts


def _rows_by_zone(
    frame: pd.DataFrame, column: Column, zone: str
) -> "dict[str, np.ndarray[Any, Any]]":
    """Return the positions of the rows in the frame, by the zone of their local times."""
    if column.place_zone is None:
        return {zone: np.arange(len(frame))}
    places = frame.groupby(column.place_zone).indices
    return {str(place): np.asarray(rows) for place, rows in places.items()}


def _with_offset(instant: datetime, zone: str) -> str:
    local = instant.astimezone(zone_named(zone))
    offset = local.utcoffset()
    # Some offsets before 1972 have seconds, which ISO 8601 cannot express.
    is_usual = offset is not None and offset % timedelta(minutes=1) == timedelta(0)
    return (local if is_usual else instant).isoformat(sep=" ")
