"""Rows as DataFrames of exact types, and their instants as the local times that people read."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from core.columns import Column, Kind

_DTYPES = {
    Kind.NUMBER: "Int64",
    Kind.MONEY: "Int64",
    Kind.INSTANT: "datetime64[s, UTC]",
    Kind.FLAG: "boolean",
    Kind.BYTES: "object",
}


def to_frame(columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """Make a frame of typed columns: Int64, UTC instants, boolean, text."""
    by_column = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    return pd.DataFrame(
        {
            column.name: pd.Series(values, dtype=_DTYPES.get(column.kind, "str"))
            for column, values in zip(columns, by_column, strict=True)
        }
    )


def local_times(frame: pd.DataFrame, column: Column, zone: str) -> "pd.Series[Any]":
    """Return an instant's column as local times without zone: of its place, else of `zone`."""
    instants = frame[column.name]
    if column.place_zone is None:
        here: pd.Series[Any] = instants.dt.tz_convert(zone).dt.tz_localize(None)
        return here
    local = pd.Series(pd.NaT, index=frame.index, dtype="datetime64[s]")
    for place, some in instants.groupby(frame[column.place_zone]):
        local.loc[some.index] = some.dt.tz_convert(str(place)).dt.tz_localize(None)
    return local
