"""Rows as DataFrames with exact types, and instants as local times."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

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


def local_times(frame: pd.DataFrame, column: Column, zone: str) -> "pd.Series[Any]":
    """Return a column of instants as naive local times: of the row's place, or of `zone`."""
    instants = frame[column.name]
    if column.place_zone is None:
        here: pd.Series[Any] = instants.dt.tz_convert(zone).dt.tz_localize(None)
        return here
    moments = pd.DatetimeIndex(instants)
    local = np.full(len(frame), "NaT", dtype="datetime64[s]")
    for place, rows in frame.groupby(column.place_zone).indices.items():
        local[rows] = moments[rows].tz_convert(str(place)).tz_localize(None)
    return pd.Series(local, index=frame.index)
